"""What the drivers ask for: argv, environments and generated files, native and cross."""

from __future__ import annotations

import configparser
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crpack.errors import BuildFailed
from crpack.make import equipment
from crpack.make.dependencies import DepRoot
from crpack.make.drivers.meson import CROSS_FILE
from crpack.make.emulators import Emulator
from crpack.make.toolbox import Toolbox
from crpack.make.toolchains.chain import Toolchain, Wrapper
from crpack.model import platforms
from crpack.model.recipe import (
    AutotoolsTable,
    Build,
    CargoTable,
    CMakeTable,
    ConfigureTable,
    Driver,
    Exports,
    MakeTable,
    MesonTable,
    PythonTable,
    ScriptTable,
)
from tests.unit.make.room import LINUX, planned

if TYPE_CHECKING:
    from crpack.make.plan import MakePlan
    from crpack.make.steps import Step

ARM = platforms.parse("linux-aarch64-gnu2.36")
NAMES = ("cargo", "cmake", "make", "meson", "ninja", "pkg-config", "python", "rustc")
TOOLS = tuple((name, f"/usr/bin/{name}") for name in NAMES)
CHAIN = Toolchain("gcc", "12.2.0", LINUX, "x86_64-linux-gnu", "/usr/bin/gcc", "/usr/bin/g++")
BOX = Toolbox(CHAIN, TOOLS, LINUX, "ID=debian")
PRE = "/usr/bin/aarch64-linux-gnu-"
ROOT = "/usr/aarch64-linux-gnu"
CROSS = Toolchain(
    "gcc", "12.2.0", ARM, "aarch64-linux-gnu", f"{PRE}gcc", f"{PRE}g++", f"{PRE}ar",
    f"{PRE}ranlib", f"{PRE}strip", f"{PRE}nm", sysroot=ROOT, cross=True,
)  # fmt: skip
QEMU = Emulator("qemu-aarch64", "7.2", ("/usr/bin/qemu-aarch64", "-L", ROOT), folders=(ROOT,))
FOREIGN = replace(BOX, toolchain=CROSS, emulator=QEMU)
ZLIB = DepRoot(
    "/s/zlib",
    "1" * 64,
    Exports(include=("include",), lib=("lib",), pkgconfig=("lib/pkgconfig",)),
)
MAPS = ("-ffile-prefix-map=/w/source=.", "-ffile-prefix-map=/w/build=.")
BELOW = f"$ORIGIN/../../../{'1' * 64}/files/lib"


def native(build: Build, **more: object) -> MakePlan:
    given = {"toolbox": BOX, "target": LINUX, **more}
    return planned(Path("/w"), build, **given)  # type: ignore[arg-type] # forwarded as they are


def cross(build: Build, **more: object) -> MakePlan:
    return native(build, **{"toolbox": FOREIGN, "target": ARM, **more})


def step(of: MakePlan, title: str) -> Step:
    return next(one for one in of.work.steps if one.title == title)


def text(of: MakePlan, name: str) -> str:
    return next(file.text for file in of.work.files if file.path == f"/w/build/{name}")


def variables(words: tuple[str, ...]) -> dict[str, str]:
    return dict(word.split("=", 1) for word in words if "=" in word)


def test_autotools_names_both_platforms_and_installs_below_destdir() -> None:
    """BLD-22."""
    table = AutotoolsTable(
        ("--disable-docs", "CFLAGS=-O3"), (("autoreconf", "-fi"),), ("all",), ("install-lib",)
    )
    of = native(Build("autotools", subdir="sub", autotools=table))
    assert [one.title for one in of.work.steps] == [
        "bootstrap 1", "configure", "compile", "install",
    ]  # fmt: skip
    assert step(of, "bootstrap 1").argv == ("autoreconf", "-fi")
    assert step(of, "bootstrap 1").cwd == "/w/source/sub"
    configure = step(of, "configure")
    assert configure.argv[:4] == (
        "/w/source/sub/configure", "--build=x86_64-linux-gnu", "--host=x86_64-linux-gnu",
        "--prefix=",
    )  # fmt: skip
    assert configure.argv[-2:] == ("--disable-docs", "CFLAGS=-O3")
    told = variables(configure.argv)
    assert told["CC"] == " ".join(("/usr/bin/gcc", *MAPS))
    assert told["PKG_CONFIG"] == "/usr/bin/pkg-config"
    assert dict(configure.env)["CONFIG_SITE"] == "/w/build/crpack-config.site"
    assert "ac_cv" not in text(of, "crpack-config.site")
    assert step(of, "compile").argv == ("/usr/bin/make", "-j2", "all")
    assert step(of, "install").argv == ("/usr/bin/make", "DESTDIR=/w/out", "install-lib")
    assert {one.cwd for one in of.work.steps[1:]} == {"/w/build"}


def test_autotools_is_told_what_cannot_be_asked_of_a_foreign_program() -> None:
    """BLD-22, BLD-21."""
    of = cross(Build("autotools"), deps={"zlib": ZLIB})
    argv = step(of, "configure").argv
    assert "--build=x86_64-linux-gnu" in argv
    assert "--host=aarch64-linux-gnu" in argv
    told = variables(argv)
    maps = (*MAPS, "-ffile-prefix-map=/s/zlib=zlib")
    links = ("-L/s/zlib/lib", "-Wl,-rpath-link,/s/zlib/lib")
    assert told["CC"] == " ".join((f"{PRE}gcc", *maps, *links))
    assert [told[name] for name in ("AR", "RANLIB", "NM", "STRIP")] == [
        f"{PRE}ar", f"{PRE}ranlib", f"{PRE}nm", f"{PRE}strip",
    ]  # fmt: skip
    site = text(of, "crpack-config.site")
    assert "ac_cv_func_malloc_0_nonnull=${ac_cv_func_malloc_0_nonnull=yes}" in site
    assert dict(step(of, "compile").env)["LD_RUN_PATH"] == f"$ORIGIN/../lib:{BELOW}"


def test_a_configure_script_written_by_hand_is_told_by_its_environment() -> None:
    """BLD-23."""
    table = ConfigureTable(("--static",), (("CFLAGS", "-O3 {target.cpu_flags}"),))
    of = native(Build("configure", configure=table))
    configure = step(of, "configure")
    assert configure.argv == ("./configure", "--prefix=", "--static")
    assert configure.cwd == "/w/source"
    env = dict(configure.env)
    assert env["CC"].startswith("/usr/bin/gcc -ffile-prefix-map=")
    assert env["CFLAGS"] == "-O3 "
    assert "CHOST" not in env
    assert step(of, "install").argv == ("/usr/bin/make", "DESTDIR=/w/out", "install")
    foreign = step(cross(Build("configure")), "configure")
    assert dict(foreign.env)["CHOST"] == "aarch64-linux-gnu"
    assert not any(word.startswith("--host") for word in foreign.argv)


def test_make_compiles_for_another_platform_with_its_binutils() -> None:
    """BLD-07, BLD-21."""
    table = MakeTable((("PREFIX", "{out}"), ("TARGET_OS", "{target.os}-{target.arch}")))
    of = cross(Build("make", make=table), deps={"zlib": ZLIB})
    told = variables(step(of, "install").argv)
    assert told["STRIP"] == f"{PRE}strip"
    assert told["NM"] == f"{PRE}nm"
    assert told["CXX"].endswith("-L/s/zlib/lib -Wl,-rpath-link,/s/zlib/lib")
    assert told["PREFIX"] == "/w/out"  # of two on a command line make takes the last
    assert told["TARGET_OS"] == "linux-aarch64"
    env = dict(step(of, "compile").env)
    assert env["LD_RUN_PATH"] == f"$ORIGIN/../lib:{BELOW}"
    assert env["PKG_CONFIG_LIBDIR"] == "/s/zlib/lib/pkgconfig"
    assert "PKG_CONFIG_PATH" not in env


def test_cmake_looks_for_nothing_of_this_machine_when_it_compiles_for_another() -> None:
    """BLD-10, BLD-21."""
    flatc = DepRoot("/s/flatc", "2" * 64, Exports(bin=("bin",)), "build")
    table = CMakeTable((("CMAKE_EXE_LINKER_FLAGS", "-s"),))
    of = cross(Build("cmake", cmake=table), deps={"flatc": flatc, "zlib": ZLIB})
    lines = text(of, "crpack-toolchain.cmake").splitlines()
    for line in (
        "set(CMAKE_SYSTEM_NAME [=[Linux]=])",
        "set(CMAKE_SYSTEM_PROCESSOR [=[aarch64]=])",
        f"set(CMAKE_FIND_ROOT_PATH [=[/s/zlib;{ROOT};/w/out]=])",
        "set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM [=[NEVER]=])",
        "set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY [=[ONLY]=])",
        "set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE [=[ONLY]=])",
        "set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE [=[ONLY]=])",
        f"set(CMAKE_CROSSCOMPILING_EMULATOR [=[/usr/bin/qemu-aarch64;-L;{ROOT}]=])",
        f'set(CMAKE_AR [=[{PRE}ar]=] CACHE FILEPATH "" FORCE)',
        "set(CMAKE_PREFIX_PATH [=[/s/flatc;/s/zlib]=])",
    ):
        assert line in lines
    configure = step(of, "configure").argv
    assert f"-DCMAKE_INSTALL_RPATH:STRING=$ORIGIN/../lib;{BELOW}" in configure
    linked = "-s -L/s/zlib/lib -Wl,-rpath-link,/s/zlib/lib"
    assert f"-DCMAKE_EXE_LINKER_FLAGS:STRING={linked}" in configure
    assert not any("CMAKE_SYSROOT" in line for line in lines)


def test_cmake_without_an_emulator_names_none() -> None:
    """BLD-10."""
    box = replace(FOREIGN, emulator=Emulator(missing="no qemu"))
    assert "EMULATOR" not in text(cross(Build("cmake"), toolbox=box), "crpack-toolchain.cmake")


def test_cmake_finds_android_s_own_compilers_by_its_own_names() -> None:
    """BLD-10."""
    android = platforms.parse("android-aarch64-26")
    chain = replace(CROSS, family="ndk", target=android, libc="bionic 26", folders=("/ndk",))
    box = replace(FOREIGN, toolchain=chain, emulator=Emulator(missing="none"))
    lines = text(cross(Build("cmake"), target=android, toolbox=box), "crpack-toolchain.cmake")
    for line in (
        "set(CMAKE_SYSTEM_NAME [=[Android]=])",
        "set(CMAKE_SYSTEM_VERSION [=[26]=])",
        "set(CMAKE_ANDROID_NDK [=[/ndk]=])",
        "set(CMAKE_ANDROID_ARCH_ABI [=[arm64-v8a]=])",
    ):
        assert line in lines.splitlines()


def machine(of: MakePlan, name: str) -> dict[str, dict[str, str]]:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(text(of, name))
    return {section: dict(parser[section]) for section in parser.sections()}


def test_meson_reads_one_native_file() -> None:
    """BLD-24."""
    table = MesonTable((("default_library", "static"), ("tests", "{option.tests}")))
    of = native(Build("meson", meson=table), options=(("tests", "disabled"),))
    configure, compile_, install = of.work.steps
    assert configure.argv[:6] == (
        "/usr/bin/meson", "setup", "/w/build", "/w/source", "--native-file",
        "/w/build/crpack-native.ini",
    )  # fmt: skip
    assert set(configure.argv[6:]) == {
        "-Dprefix=/", "-Dlibdir=lib", "-Dbuildtype=release", "-Dwrap_mode=nodownload",
        "-Ddefault_library=static", "-Dtests=disabled",
    }  # fmt: skip
    assert compile_.argv == ("/usr/bin/ninja", "-C", "/w/build", "-j2")
    assert install.argv[-2:] == ("--destdir", "/w/out")
    told = machine(of, "crpack-native.ini")
    assert set(told) == {"binaries", "built-in options"}
    assert told["binaries"]["c"] == "['/usr/bin/gcc']"
    assert told["binaries"]["pkgconfig"] == "'/usr/bin/pkg-config'"
    assert told["built-in options"]["c_args"] == f"['{MAPS[0]}', '{MAPS[1]}']"
    assert told["built-in options"]["cpp_link_args"] == "['-Wl,-rpath,$ORIGIN/../lib/']"


def test_meson_reads_one_cross_file_for_another_platform() -> None:
    """BLD-24."""
    of = cross(Build("meson"), deps={"zlib": ZLIB})
    assert "--cross-file" in of.work.steps[0].argv
    told = machine(of, CROSS_FILE)
    assert told["host_machine"] == {
        "system": "'linux'", "cpu_family": "'aarch64'", "cpu": "'aarch64'", "endian": "'little'",
    }  # fmt: skip
    assert told["binaries"]["strip"] == f"'{PRE}strip'"
    assert told["binaries"]["exe_wrapper"] == f"['/usr/bin/qemu-aarch64', '-L', '{ROOT}']"
    assert told["properties"]["needs_exe_wrapper"] == "true"
    assert told["properties"]["pkg_config_libdir"] == "['/s/zlib/lib/pkgconfig']"


def test_meson_gives_the_flags_of_every_call_to_the_linker_too() -> None:
    """BLD-24."""
    chain = replace(CROSS, flags=("--target=arm64",), link_flags=("-fuse-ld=lld",))
    told = machine(cross(Build("meson"), toolbox=replace(FOREIGN, toolchain=chain)), CROSS_FILE)
    options = told["built-in options"]
    assert options["c_args"].startswith("['--target=arm64', '-ffile-prefix-map=")
    assert options["cpp_link_args"].startswith("['--target=arm64', '-fuse-ld=lld', ")


def test_a_text_in_a_machine_file_cannot_end_its_own_quotes() -> None:
    """BLD-24."""
    chain = replace(CHAIN, cc="/a'b\\c")
    of = native(Build("meson"), toolbox=replace(BOX, toolchain=chain))
    assert "c = ['/a\\'b\\\\c']" in text(of, "crpack-native.ini")


def test_python_makes_one_wheel_without_a_network() -> None:
    """BLD-25."""
    of = native(Build("python", python=PythonTable((("opt", "{target.arch}"),))))
    (wheel,) = of.work.steps
    assert wheel.argv[:4] == ("/usr/bin/python", "-m", "pip", "wheel")
    assert {"--no-deps", "--no-index", "--no-build-isolation"} < set(wheel.argv)
    assert wheel.argv[-3:] == (
        "--wheel-dir=/w/out/wheels", "--config-settings=opt=x86_64", "/w/source",
    )  # fmt: skip
    assert dict(wheel.env)["CC"].startswith("/usr/bin/gcc ")


def test_python_makes_no_wheel_for_another_platform() -> None:
    """BLD-25."""
    with pytest.raises(BuildFailed, match="cannot be made on") as failure:
        cross(Build("python"))
    assert "requires" in failure.value.hint


def test_a_pure_wheel_needs_no_compiler() -> None:
    """BLD-25."""
    assert equipment.compiles(Build("python"))
    assert not equipment.compiles(Build("python", "any"))
    of = native(Build("python", "any"), toolbox=replace(BOX, toolchain=None))
    assert "CC" not in dict(of.work.steps[0].env)


def test_cargo_names_target_linker_and_runner() -> None:
    """BLD-26."""
    of = cross(Build("cargo", cargo=CargoTable(("a", "b"), ("tool",))))
    (install,) = of.work.steps
    assert install.argv == (
        "/usr/bin/cargo", "install", "--no-track", "--locked", "--offline", "--path=/w/source",
        "--root=/w/out", "--target=aarch64-unknown-linux-gnu", "--target-dir=/w/build/target",
        "--jobs=2", "--bin=tool", "--features=a,b",
    )  # fmt: skip
    env = dict(install.env)
    assert env["CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER"] == f"{PRE}gcc"
    assert env["CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_AR"] == f"{PRE}ar"
    runner = env["CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER"]
    assert runner == f"/usr/bin/qemu-aarch64 -L {ROOT}"
    assert env["CC_aarch64_unknown_linux_gnu"] == f"{PRE}gcc"
    assert env["PKG_CONFIG_ALLOW_CROSS"] == "1"
    assert env["PKG_CONFIG_LIBDIR_aarch64_unknown_linux_gnu"] == ""
    flags = env["CARGO_ENCODED_RUSTFLAGS"].split("\x1f")
    assert "--remap-path-prefix=/w/source=." in flags
    assert "-Clink-arg=-Wl,-rpath,$ORIGIN/../lib" in flags
    assert "PKG_CONFIG_ALLOW_CROSS" not in dict(native(Build("cargo")).work.steps[0].env)


@pytest.mark.parametrize(
    ("driver", "missing", "said"),
    [
        ("meson", "meson", "sudo apt install meson"),
        ("meson", "ninja", "sudo apt install ninja-build"),
        ("autotools", "make", "sudo apt install make"),
        ("configure", "make", "sudo apt install make"),
        ("cargo", "cargo", "sudo apt install cargo"),
        ("cargo", "rustc", "sudo apt install rustc"),
        ("python", "python", "sudo apt install python3"),
    ],
)
def test_a_missing_tool_is_named_with_the_command_that_installs_it(
    driver: Driver, missing: str, said: str
) -> None:
    """BLD-02."""
    box = replace(BOX, tools=tuple(tool for tool in TOOLS if tool[0] != missing))
    with pytest.raises(BuildFailed, match=f"needs `{missing}`") as failure:
        native(Build(driver), toolbox=box)
    assert failure.value.exit_code == 6
    assert failure.value.hint == f"run `{said}`"


DRIVEN: tuple[Driver, ...] = ("make", "autotools", "configure", "meson", "cmake")


@pytest.mark.parametrize("driver", DRIVEN)
def test_a_wrapped_toolchain_stands_in_the_build_folder(driver: Driver) -> None:
    """BLD-29, KEY-01."""
    wrappers = (Wrapper("cc", "#!/bin/sh\nexec zig cc\n"), Wrapper("ar", "#!/bin/sh\n"))
    chain = replace(CROSS, family="zig", cc="cc", ar="ar", wrappers=wrappers)
    runner = Emulator("node", "20", ("/usr/bin/node", "run.mjs"), files=(Wrapper("run.mjs", "x"),))
    of = cross(Build(driver), toolbox=replace(FOREIGN, toolchain=chain, emulator=runner))
    folder = "/w/build/crpack-tools"
    assert [(file.path, file.executable) for file in of.work.files[:2]] == [
        (f"{folder}/cc", True), (f"{folder}/ar", True),
    ]  # fmt: skip
    told = "\n".join([file.text for file in of.work.files[3:]])
    told += "\n".join(" ".join([*one.argv, *dict(one.env).values()]) for one in of.work.steps)
    assert f"{folder}/cc" in told
    other = replace(chain, wrappers=(replace(wrappers[0], text="#!/bin/sh\n"), wrappers[1]))
    again = cross(Build(driver), toolbox=replace(FOREIGN, toolchain=other, emulator=runner))
    assert again.key != of.key


def test_ccache_stands_before_the_compilers_and_not_in_the_key() -> None:
    """BLD-28."""
    box = replace(BOX, tools=(*TOOLS, ("ccache", "/usr/bin/ccache")))
    for driver in DRIVEN:
        plain = native(Build(driver), toolbox=box)
        cached = native(Build(driver), toolbox=box, ccache="/c/toy")
        assert cached.key == plain.key
        assert (plain.caches, cached.caches) == ((), ("/c/toy",))
        told = "\n".join([file.text for file in cached.work.files])
        told += "\n".join(
            " ".join([*one.argv, *dict(one.env).values()]) for one in cached.work.steps
        )
        assert "/usr/bin/ccache" in told
        assert dict(cached.work.steps[0].env)["CCACHE_DIR"] == "/c/toy"
        assert native(Build(driver), ccache="/c/toy").caches == ()  # there is no ccache


def test_ccache_knows_a_compiler_behind_a_wrapper_by_its_version() -> None:
    """BLD-28. The wrapper is the same when the compiler behind it is another one."""
    box = replace(BOX, tools=(*TOOLS, ("ccache", "/usr/bin/ccache")))
    chain = replace(CHAIN, family="zig", cc="cc", cxx="cc", wrappers=(Wrapper("cc", "#!/bin/sh"),))

    def check(one: Toolchain) -> str:
        of = native(Build("make"), toolbox=replace(box, toolchain=one), ccache="/c/toy")
        return dict(of.work.steps[0].env)["CCACHE_COMPILERCHECK"]

    assert check(CHAIN) == "content"
    told = {check(one) for one in (chain, replace(chain, version="12.3.0"))}
    assert len(told) == 2
    assert all(one.startswith("string:zig 12.") for one in told)


def test_a_run_path_leads_to_linked_trees_and_found_libraries_only() -> None:
    """BLD-21, DET-27: the system's own folders need no word."""
    deps = {"zlib": ZLIB, "jpeg": DepRoot("/usr", exports=Exports(lib=("lib",)))}
    tool = {"flatc": DepRoot("/s/flatc", "2" * 64, Exports(lib=("lib",)), "build")}
    script = Build("script", script=ScriptTable((("x",),)))
    env = dict(native(script, deps={**deps, **tool}).work.steps[0].env)
    assert env["LD_RUN_PATH"] == f"$ORIGIN/../lib:{BELOW}"
    assert "LD_RUN_PATH" not in dict(native(script, deps=tool).work.steps[0].env)
    found = {"jpeg": replace(deps["jpeg"], path="/opt/jpeg")}
    env = dict(native(script, deps=found).work.steps[0].env)
    assert env["LD_RUN_PATH"] == "$ORIGIN/../lib:/opt/jpeg/lib"
    windows = platforms.parse("windows-x86_64-mingw")
    for_it = native(Build("make"), target=windows, toolbox=replace(FOREIGN, emulator=Emulator()))
    assert "LD_RUN_PATH" not in dict(for_it.work.steps[0].env)


def test_a_dependency_in_a_path_with_a_space_is_reached_by_a_link() -> None:
    """BLD-07."""
    of = native(Build("make"), deps={"zlib": replace(ZLIB, path="/my store/zlib")})
    (link,) = of.links
    assert (link.path, link.target) == (
        "/w/build/crpack-dependencies/target/zlib", "/my store/zlib",
    )  # fmt: skip
    assert dict(of.work.steps[0].env)["CPATH"] == f"{link.path}/include"
    assert of.roots == ("/my store/zlib",)
    assert of.trees == ("/my store/zlib",)
    again = native(Build("make"), deps={"zlib": ZLIB})
    assert again.links == ()
    assert again.key == of.key
