"""Plans: what each driver asks for, exactly, without touching anything."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from crpack.errors import BuildFailed, ManifestError
from crpack.make.dependencies import DepRoot
from crpack.make.drivers.table import DRIVERS
from crpack.make.emulators import Emulator
from crpack.make.plan import MakePlan
from crpack.make.plan import plan as plan_of
from crpack.make.steps import is_plain
from crpack.make.toolbox import Toolbox
from crpack.make.toolchains.chain import Toolchain
from crpack.model import platforms, recipe
from crpack.model.recipe import (
    Build,
    CMakeTable,
    CopyRule,
    CopyTable,
    Driver,
    Exports,
    HeadersTable,
    MakeTable,
    Outputs,
    ScriptTable,
)  # fmt: skip
from tests.unit.make import room
from tests.unit.make.room import LINUX, planned

CHAIN = Toolchain(
    "gcc", "12.2.0", LINUX, "x86_64-linux-gnu", "/usr/bin/gcc", "/usr/bin/g++",
    cpu_flags=("-march=x86-64-v3", "-mtune=generic"),
)  # fmt: skip
TOOLS = (("cmake", "/opt/c/cmake"), ("make", "/usr/bin/make"), ("ninja", "/usr/bin/ninja"))
BOX = Toolbox(CHAIN, TOOLS, LINUX, "ID=debian")
ROOT = Path("/w")
MAPS = "-ffile-prefix-map=/w/source=. -ffile-prefix-map=/w/build=."


def plan(build: Build, root: Path = ROOT, **more: object) -> MakePlan:
    given = {"toolbox": BOX, "target": LINUX, **more}
    return planned(root, build, **given)  # type: ignore[arg-type] # forwarded as they are


def argvs(of: MakePlan) -> list[tuple[str, ...]]:
    return [step.argv for step in of.work.steps]


def test_the_table_has_the_drivers_that_recipes_may_name() -> None:
    """RCP-03: each has its row here, and its table in a recipe."""
    assert tuple(DRIVERS) == get_args(Driver)
    assert set(DRIVERS) <= set(Build.__slots__)


def test_make_gets_its_compilers_on_the_command_line() -> None:
    """BLD-07, BLD-08."""
    table = MakeTable((("CXXFLAGS", "-O3 {target.cpu_flags}"),), ("all",), ("install", "docs"))
    variables = (
        f"CC=/usr/bin/gcc {MAPS}",
        f"CXX=/usr/bin/g++ {MAPS}",
        "AR=ar",
        "RANLIB=ranlib",
        "NM=nm",
        "STRIP=strip",
        "CXXFLAGS=-O3 -march=x86-64-v3 -mtune=generic",
    )
    steps = plan(Build("make", subdir="sub", make=table))
    assert argvs(steps) == [
        ("/usr/bin/make", "-j2", *variables, "all"),
        ("/usr/bin/make", "DESTDIR=/w/out", "PREFIX=", *variables, "install", "docs"),
    ]
    assert {step.cwd for step in steps.work.steps} == {"/w/source/sub"}


def test_make_is_called_for_one_target_after_the_other() -> None:
    """BLD-07."""
    steps = plan(Build("make", make=MakeTable((), ("all", "test"), ())))
    assert [argv[-1] for argv in argvs(steps)] == ["all", "test"]


@pytest.mark.parametrize(
    ("target", "name"), [("linux-aarch64-gnu", "bin/x"), ("windows-x86_64-mingw", "bin/x.exe")]
)
def test_declared_files_may_be_called_as_the_target_calls_them(target: str, name: str) -> None:
    """BLD-13."""
    outputs, there = Outputs(exe=("bin/x{target.exe}",), data=("a{b",)), platforms.parse(target)
    steps = plan(Build("copy"), outputs=outputs, target=there)
    assert steps.outputs == Outputs(exe=(name,), data=("a{b",))
    with pytest.raises(ManifestError, match=r"outputs\.lib"):
        plan(Build("copy"), outputs=Outputs(lib=("{source}/x",)), target=there)


def test_make_without_an_install_target_has_one_step() -> None:
    """BLD-07."""
    steps = plan(Build("make", make=MakeTable((("OUT", "{out}"),), install=())))
    assert len(steps.work.steps) == 1
    assert "OUT=/w/out" in argvs(steps)[0]


def test_make_sees_a_dollar_and_a_space_as_they_are() -> None:
    """BLD-07."""
    steps = plan(Build("make", make=MakeTable((("OUT", "{out}"),))), Path("/a $b"))
    install = argvs(steps)[1]
    assert "OUT=/a $$b/out" in install
    assert "DESTDIR=/a $$b/out" in install
    assert install[3].startswith("CC=/usr/bin/gcc '-ffile-prefix-map=/a $$b/source=.' ")


@pytest.mark.parametrize(
    ("path", "plain"),
    [("/var/crpack-1_2/x.y+z", True), ("/a b", False), ("/größe", False), ("/a$b", False)],
)
def test_a_path_is_plain_when_no_makefile_stumbles_over_it(path: str, plain: bool) -> None:  # noqa: FBT001
    """BLD-07."""
    assert is_plain(path) is plain


def test_cmake_is_told_everything_in_one_file() -> None:
    """BLD-10."""
    deps = {"zlib": DepRoot("/s/zlib", "1" * 64), "jpeg": DepRoot("/usr")}
    table = CMakeTable((("WITH_X", "ON"), ("CMAKE_C_FLAGS", "-Wall")), ("toy",))
    steps = plan(Build("cmake", cmake=table), deps=deps)
    (file,) = steps.work.files
    maps = f"{MAPS} -ffile-prefix-map=/s/zlib=zlib"
    assert file.path == "/w/build/crpack-toolchain.cmake"
    assert file.text.splitlines()[1:7] == [
        "set(CMAKE_C_COMPILER [=[/usr/bin/gcc]=])",
        "set(CMAKE_CXX_COMPILER [=[/usr/bin/g++]=])",
        f"set(CMAKE_C_FLAGS_INIT [=[{maps}]=])",
        f"set(CMAKE_CXX_FLAGS_INIT [=[{maps}]=])",
        "set(CMAKE_PREFIX_PATH [=[/s/zlib]=])",
        "set(CMAKE_FIND_USE_PACKAGE_REGISTRY [=[OFF]=])",
    ]
    configure, compile_, install = argvs(steps)
    assert configure[:7] == ("/opt/c/cmake", "-S", "/w/source", "-B", "/w/build", "-G", "Ninja")
    for word in (
        "-DCMAKE_MAKE_PROGRAM=/usr/bin/ninja",
        "-DCMAKE_BUILD_TYPE:STRING=Release",
        "-DCMAKE_INSTALL_PREFIX:STRING=/w/out",
        "-DCMAKE_INSTALL_RPATH:STRING=$ORIGIN/../lib",
        "-DWITH_X:STRING=ON",
        f"-DCMAKE_C_FLAGS:STRING=-Wall {maps}",
    ):
        assert word in configure
    assert compile_ == (
        "/opt/c/cmake", "--build", "/w/build", "--parallel", "2", "--target", "toy",
    )  # fmt: skip
    assert install == ("/opt/c/cmake", "--install", "/w/build")


def test_cmake_falls_back_to_make_and_names_what_is_missing() -> None:
    """BLD-02, BLD-10."""
    build = Build("cmake")
    steps = plan(build, toolbox=replace(BOX, tools=TOOLS[:2]))
    assert "Unix Makefiles" in argvs(steps)[0]
    with pytest.raises(BuildFailed, match="needs `make`"):
        plan(build, toolbox=replace(BOX, tools=TOOLS[:1]))
    with pytest.raises(BuildFailed, match="needs `cmake`"):
        plan(build, toolbox=replace(BOX, tools=()))
    with pytest.raises(BuildFailed, match="needs `make`"):
        plan(Build("make"), toolbox=replace(BOX, tools=()))
    with pytest.raises(BuildFailed, match="needs a C and C\\+\\+ compiler") as failure:
        plan(Build("make"), toolbox=replace(BOX, toolchain=None))
    assert failure.value.hint == "run `sudo apt install gcc g++`"


def test_a_text_in_a_cmake_file_cannot_end_its_own_quotes() -> None:
    """BLD-10."""
    chain = replace(CHAIN, cc="/s/]=])\nmessage(x)")
    (file,) = plan(Build("cmake"), toolbox=replace(BOX, toolchain=chain)).work.files
    assert "set(CMAKE_C_COMPILER [==[/s/]=])\nmessage(x)]==])" in file.text


def test_script_steps_are_rendered_word_by_word() -> None:
    """BLD-03, BLD-11."""
    argv = ("{tool.cxx}", "{target.cpu_flags}", "-j{jobs}", "{dep.zlib}/x", "{option.n}", "{build}")
    steps = plan(
        Build("script", script=ScriptTable((argv, ("{tool.cmake}", "{target.triple}")))),
        deps={"zlib": DepRoot("/s/zl", "1" * 64)},
        options=(("n", "{out}; $(x)"),),
    )
    assert argvs(steps) == [
        ("/usr/bin/g++", "-march=x86-64-v3 -mtune=generic", "-j2", "/s/zl/x", "{out}; $(x)",
         "/w/build"),
        ("/opt/c/cmake", "x86_64-linux-gnu"),
    ]  # fmt: skip
    assert [step.title for step in steps.work.steps] == ["script 1", "script 2"]


@pytest.mark.parametrize(
    "build",
    [
        Build("make", make=MakeTable((("CFLAGS", "-O3 -march=native"),))),
        Build("make", make=MakeTable((("CFLAGS", "{option.flags}"),))),
        Build("cmake", cmake=CMakeTable((("CMAKE_CXX_FLAGS", "-mcpu=native"),))),
        Build("script", script=ScriptTable((("{tool.cc}", "-march=native", "a.c"),))),
        Build("script", script=ScriptTable((("/bin/sh", "-c", "cc -mtune=native a.c"),))),
        Build("script", script=ScriptTable((("{tool.cc}", "-march={option.cpu}", "a.c"),))),
    ],
)
def test_the_cpu_that_happens_to_compile_is_refused(build: Build) -> None:
    """BLD-05."""
    with pytest.raises(ManifestError) as failure:
        plan(build, options=(("flags", "-march=native"), ("cpu", "native")))
    assert failure.value.faults[0].hint == "write `{target.cpu_flags}` instead"


@pytest.mark.parametrize(
    "build",
    [
        Build("make", subdir="../x"),
        Build("copy", copy=CopyTable((CopyRule("../x"),))),
        Build("copy", copy=CopyTable((CopyRule("x", "/etc"),))),
        Build("headers", headers=HeadersTable("a/../../b")),
    ],
)
def test_a_path_of_a_recipe_stays_in_its_folder(build: Build) -> None:
    """BLD-09, BLD-13."""
    with pytest.raises(ManifestError):
        plan(build)


def test_an_output_outside_of_the_result_is_refused() -> None:
    """BLD-13."""
    with pytest.raises(ManifestError):
        plan(Build("copy"), outputs=Outputs(data=("../x",)))


def test_a_recipe_without_a_build_cannot_be_made() -> None:
    """BLD-06."""
    with pytest.raises(ManifestError, match="no `\\[build\\]` table"):
        plan_of(
            room.recipe(None), recipe_sha256="0" * 64, options=(), target=LINUX, toolbox=BOX,
            deps=(), folders=room.folders(ROOT), sources=(), jobs=1,
        )  # fmt: skip


def test_the_environment_holds_what_dependencies_export_and_nothing_of_the_user() -> None:
    """BLD-08."""
    exports = Exports(
        bin=("bin",), include=("include",), lib=("lib",), pkgconfig=("lib/pkgconfig",),
        env=(("ZLIB_HOME", "{prefix}/share"), ("PATH", "/evil"), ("HOME", "/evil")),
    )  # fmt: skip
    deps = {
        "zlib": DepRoot("/s/zlib", "1" * 64, exports),
        "protoc": DepRoot("/s/protoc", "2" * 64, exports, "build"),
        "jpeg": DepRoot("/usr", "", exports),
    }
    env = dict(plan(Build("make"), deps=deps).work.steps[0].env)
    assert env["PATH"].startswith("/s/protoc/bin:/usr/local/bin:/usr/bin:")
    assert env["PATH"].endswith(":/opt/c")
    assert env["CPATH"] == "/s/zlib/include"
    assert env["LIBRARY_PATH"] == "/s/zlib/lib"
    assert env["PKG_CONFIG_LIBDIR"] == "/s/zlib/lib/pkgconfig:/usr/lib/pkgconfig"
    assert env["ZLIB_HOME"].endswith("/share")
    assert env["HOME"] == "/w/home"
    assert env["TMPDIR"] == "/w/tmp"


def test_a_test_is_rendered_for_the_result() -> None:
    """BLD-17."""
    checks = recipe.Test((("{self}/bin/x", "{option.n}", "{python}"),), "ok", 5)
    steps = plan(Build("copy"), test=checks, options=(("n", "7"),))
    assert steps.test.skipped == "the test needs the interpreter of an installed solution"
    checks = recipe.Test((("{self}/bin/x", "{option.n}"),), "ok", 5)
    steps = plan(Build("copy"), test=checks, options=(("n", "7"),))
    (step,) = steps.test.steps
    assert step.argv == ("/w/out/bin/x", "7")
    assert step.cwd == "/w/tmp"
    assert (steps.test.expect, steps.test.timeout) == ("ok", 5)


FOREIGN = replace(BOX, emulator=Emulator("qemu", argv=("/usr/bin/qemu", "-L", "/root")))
ARM = platforms.parse("linux-aarch64-gnu2.36")


def test_a_test_of_another_platform_s_result_is_run_under_an_emulator() -> None:
    """BLD-17: what is not of the target platform runs as it is."""
    exports = Exports(lib=("lib",))
    checks = recipe.Test(
        (("{self}/bin/x",), ("/bin/sh", "{self}/s"), ("{build}/t",), ("{dep.zlib}/bin/z",))
    )
    deps = {"zlib": DepRoot("/s/zlib", "1" * 64, exports)}
    steps = plan(Build("copy"), target=ARM, test=checks, toolbox=FOREIGN, deps=deps).test.steps
    under = ("/usr/bin/qemu", "-L", "/root")
    assert [step.argv for step in steps] == [
        (*under, "/w/out/bin/x"),
        ("/bin/sh", "/w/out/s"),
        (*under, "/w/build/t"),
        (*under, "/s/zlib/bin/z"),
    ]
    assert [dict(step.env)["LD_LIBRARY_PATH"] for step in steps] == [
        "/s/zlib/lib",
        "/s/zlib/lib",
        "/w/out/lib:/w/out/bin:/s/zlib/lib",
        "/s/zlib/lib",
    ]


def test_wine_is_told_where_dependencies_keep_their_libraries() -> None:
    """BLD-17."""
    windows = platforms.parse("windows-x86_64-mingw")
    deps = {"zlib": DepRoot("/s/zlib", "1" * 64, Exports(bin=("bin",), lib=("lib",)))}
    checks = recipe.Test((("{self}/bin/x{target.exe}",),))
    (step,) = plan(
        Build("copy"), target=windows, test=checks, toolbox=FOREIGN, deps=deps
    ).test.steps
    assert step.argv[-1] == "/w/out/bin/x.exe"
    assert dict(step.env)["WINEPATH"] == r"Z:\s\zlib\lib;Z:\s\zlib\bin"


def test_a_test_of_another_platform_s_result_is_not_run_without_an_emulator() -> None:
    """BLD-17: unless it must be, and then nothing is built."""
    box = replace(BOX, emulator=Emulator(missing="`qemu` was not found"))
    test = recipe.Test((("x",),))
    steps = plan(Build("copy"), target=ARM, test=test, toolbox=box)
    assert steps.test.skipped == "`qemu` was not found"
    with pytest.raises(BuildFailed, match="must be run, and cannot be") as failure:
        plan(Build("copy"), target=ARM, test=replace(test, needs="emulator"), toolbox=box)
    assert failure.value.why == ("`qemu` was not found",)


def test_a_test_with_a_broken_pattern_is_refused() -> None:
    """BLD-17."""
    with pytest.raises(ManifestError, match="regular expression"):
        plan(Build("copy"), test=recipe.Test((("x",),), expect="("))
