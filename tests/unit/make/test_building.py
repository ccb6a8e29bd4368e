"""Each driver at work: one small project built for this machine and for ARM, run by qemu."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import time
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from crpack.detect import cache, machine, scan
from crpack.errors import BuildFailed
from crpack.make import equipment, runner
from crpack.make.dependencies import DepRoot
from crpack.model import platforms, recipe
from crpack.model.recipe import (
    AutotoolsTable,
    Build,
    CMakeTable,
    Exports,
    MakeTable,
    Outputs,
    ScriptTable,
)
from crpack.ops import detection
from tests.unit.make.room import execute, planned, tar

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from crpack.make.runner import Built
    from crpack.make.toolbox import Toolbox
    from crpack.model.facts import Facts

WANTED = {
    "autoconf", "binutils", "cargo", "ccache", "cmake", "gcc", "glibc", "m4", "make", "meson",
    "ninja", "pkg-config", "python", "qemu-user", "rustc",
}  # fmt: skip
HERE = "linux-x86_64-gnu"
ARM = "linux-aarch64-gnu"
LIB = "const char* toy(void) { return __FILE__; }\n"
MAIN = """\
#include <stdio.h>
#include <stdlib.h>
const char* toy(void);
int main(void) {
  char* line = malloc(8);
  if (line) { puts(toy()); free(line); }
  return 0;
}
"""
MAKEFILE = """\
CFLAGS = -O2 -g
all: libtoy.so prog
libtoy.so: $(SRC)lib.c
\t$(CC) $(CFLAGS) -shared -fPIC -Wl,-soname,$@ -o $@ $(SRC)lib.c
prog: $(SRC)main.c libtoy.so
\t$(CC) $(CFLAGS) -o $@ $(SRC)main.c -L. -ltoy
install: all
\tmkdir -p $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/pkgconfig
\tcp prog $(DESTDIR)$(PREFIX)/bin
\tcp libtoy.so $(DESTDIR)$(PREFIX)/lib
\tprintf 'prefix=%s\\nName: toy\\nDescription: toy\\nVersion: 1\\n' '$(PREFIX)' > toy.pc
\techo 'Libs: -L$${prefix}/lib -ltoy' >> toy.pc
\tcp toy.pc $(DESTDIR)$(PREFIX)/lib/pkgconfig
"""
CONFIGURE = """\
#!/bin/sh
for word; do case $word in --prefix=*) prefix=${word#--prefix=};; esac; done
{ echo "CC = $CC"; echo "PREFIX = $prefix"; cat rules; } > Makefile
"""
# A program that asks malloc for nothing is run by `configure`, and fails to link if that fails.
CONFIGURE_AC = """\
AC_INIT([toy], [1])
AC_CONFIG_SRCDIR([main.c])
AC_PROG_CC
AC_FUNC_MALLOC
AS_IF([test "$ac_cv_func_malloc_0_nonnull" != yes], [AC_MSG_ERROR([malloc(0) was not told])])
AC_CONFIG_FILES([Makefile])
AC_OUTPUT
"""
HEAD = "CC = @CC@\nPREFIX = @prefix@\nSRC = @srcdir@/\n"
CMAKELISTS = """\
cmake_minimum_required(VERSION 3.16)
project(toy C)
include(GNUInstallDirs)
include(CheckCSourceRuns)
check_c_source_runs("int main(void) { return 0; }" RUNS)
if(NOT RUNS)
  message(FATAL_ERROR "no emulator")
endif()
add_library(toy SHARED lib.c)
add_executable(prog main.c)
target_link_libraries(prog toy)
install(TARGETS prog toy)
file(WRITE ${CMAKE_BINARY_DIR}/toy.pc
  "Name: toy\\nDescription: toy\\nVersion: 1\\nLibs: -L${CMAKE_INSTALL_FULL_LIBDIR} -ltoy\\n")
install(FILES ${CMAKE_BINARY_DIR}/toy.pc DESTINATION lib/pkgconfig)
"""
MESON = """\
project('toy', 'c', version: '1')
cc = meson.get_compiler('c')
assert(cc.run('int main(void) { return 0; }').returncode() == 0)
subdir('lib')
subdir('bin')
import('pkgconfig').generate(toy, description: 'toy')
"""
# In the build folder the library lies beside the program as it does in the result, and what Meson
# then has as a run path it removes when it installs.
MESON_LIB = "toy = shared_library('toy', '../lib.c', install: true)\n"
MESON_BIN = "executable('prog', '../main.c', link_with: toy, install: true)\n"
FILES: dict[str, dict[str, str]] = {
    "make": {"Makefile": MAKEFILE},
    "configure": {"configure*": CONFIGURE, "rules": MAKEFILE},
    "autotools": {
        "configure.ac": CONFIGURE_AC,
        "Makefile.in": HEAD + MAKEFILE,
        "install-sh*": "#!/bin/sh\n",
        "config.sub*": "#!/bin/sh\necho $1\n",
        "config.guess*": "#!/bin/sh\nexit 1\n",
    },
    "cmake": {"CMakeLists.txt": CMAKELISTS},
    "meson": {
        "meson.build": MESON,
        "lib/meson.build": MESON_LIB,
        "bin/meson.build": MESON_BIN,
    },
}
BUILDS = {
    "make": Build("make"),
    "configure": Build("configure"),
    "autotools": Build("autotools", autotools=AutotoolsTable(bootstrap=(("autoconf",),))),
    "cmake": Build("cmake", cmake=CMakeTable((("CMAKE_C_FLAGS", "-g"),))),
    "meson": Build("meson"),
}
OUTPUTS = Outputs(exe=("bin/prog",), lib=("lib/libtoy.so",), pkgconfig=("lib/pkgconfig/toy.pc",))
TEST = recipe.Test((("{self}/bin/prog",),), expect=r"lib\.c$", needs="emulator")


@functools.cache
def facts() -> Facts:
    recipes = [one for one in detection.shipped() if one.package.name in WANTED]
    found = scan.scan(recipes, scan.Ground(os.environ)).found
    return replace(machine.gather(cache.Cache(b"", time.time_ns())), found=found)


def box(build: Build, target: str) -> Toolbox:
    """What this machine has for a build; the test is skipped where that is not enough."""
    try:
        toolbox = equipment.equip(build, facts(), platforms.parse(target))
    except BuildFailed as error:
        pytest.skip(f"{error.what}: {error.why}")
    if toolbox.emulator.missing:
        pytest.skip(toolbox.emulator.missing)
    return toolbox


def build_of(
    root: Path,
    build: Build,
    files: Mapping[str, str],
    target: str,
    *,
    outputs: Outputs = OUTPUTS,
    test: recipe.Test | None = TEST,
    deps: Mapping[str, DepRoot] | None = None,
    ccache: str = "",
    toolbox: Toolbox | None = None,
) -> Built:
    data = tar({"lib.c": LIB, "main.c": MAIN, **files})
    try:
        plan = planned(
            root, build, data, outputs=outputs, test=test, deps=deps, ccache=ccache,
            target=platforms.parse(target), toolbox=toolbox or box(build, target),
        )  # fmt: skip
    except BuildFailed as error:
        pytest.skip(f"{error.what}: {error.why}")
    return execute(plan, root, data)


def pkg_config(folder: Path) -> str:
    env = {"PKG_CONFIG_LIBDIR": str(folder), "PATH": os.environ["PATH"]}
    argv = ["pkg-config", "--libs", "toy"]
    return subprocess.run(argv, env=env, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("target", [HERE, ARM])
@pytest.mark.parametrize("driver", list(BUILDS))
def test_a_library_and_its_program_are_built_and_found(
    tmp_path: Path, driver: str, target: str
) -> None:
    """BLD-07, BLD-10, BLD-17, BLD-21, BLD-22, BLD-23, BLD-24, BLD-27: native and cross."""
    built = build_of(tmp_path / "x", BUILDS[driver], FILES[driver], target)
    assert built.test == runner.Tested("passed")
    assert built.audit.relocatable, built.audit
    assert built.audit.portable, built.audit
    assert {one.platform.split("-gnu")[0] for one in built.audit.binaries} == {
        target.removesuffix("-gnu")
    }
    (run_path,) = {place for one in built.audit.binaries for place in one.runpath}
    assert run_path.rstrip("/") == "$ORIGIN/../lib"
    if shutil.which("pkg-config"):
        moved = tmp_path / "a place of its own"
        shutil.copytree(built.folder, moved)
        place = f"{moved}/lib/pkgconfig/../../lib".replace(" ", "\\ ")
        assert pkg_config(moved / "lib/pkgconfig").split("-L")[1].startswith(place)


@pytest.mark.parametrize("target", [HERE, ARM])
def test_a_linked_dependency_is_found_in_a_store_that_was_moved(
    tmp_path: Path, target: str
) -> None:
    """BLD-07, BLD-21: the store has a space in its path."""
    prefix = tmp_path / "my prefix"
    library = build_of(tmp_path / "one", BUILDS["make"], FILES["make"], target)
    first = prefix / "store" / library.tree / "files"
    shutil.copytree(library.folder, first)
    exports = Exports(lib=("lib",), pkgconfig=("lib/pkgconfig",))
    rule = (
        "app: main.c\n\t$(CC) -o $@ main.c `pkg-config --libs toy`\n"
        "install: app\n\tmkdir -p $(DESTDIR)/bin && cp app $(DESTDIR)/bin\n"
    )
    test = replace(TEST, steps=(("{self}/bin/app",),))
    app = build_of(
        tmp_path / "two", Build("make"), {"Makefile": rule}, target, test=test,
        outputs=Outputs(exe=("bin/app",)), deps={"toy": DepRoot(str(first), library.tree, exports)},
    )  # fmt: skip
    assert app.audit.portable, app.audit
    assert app.audit.relocatable, app.audit
    second = prefix / "store" / app.tree / "files"
    shutil.copytree(app.folder, second)
    os.rename(prefix, tmp_path / "moved")
    emulator = box(Build("make"), target).emulator
    argv = (*emulator.argv, str(tmp_path / "moved/store" / app.tree / "files/bin/app"))
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.stdout.endswith("lib.c\n"), done.stderr


def test_a_path_of_a_dependency_s_tree_in_a_result_is_told(tmp_path: Path) -> None:
    """AUD-05."""
    root = tmp_path / "store/x"
    root.mkdir(parents=True)
    steps = ((("/bin/sh", "-c", "echo $1 > $2/it", "sh", "{dep.toy}/lib", "{out}")),)
    build = Build("script", script=ScriptTable(steps))
    built = build_of(
        tmp_path / "b", build, {}, HERE, test=None, outputs=Outputs(),
        deps={"toy": DepRoot(str(root), "1" * 64)},
    )  # fmt: skip
    assert built.audit.leaks == ("it",)


def test_what_ccache_kept_is_used_in_another_folder(tmp_path: Path) -> None:
    """BLD-28."""
    build = BUILDS["make"]
    if not box(build, HERE).has("ccache"):
        pytest.skip("no ccache")
    kept = tmp_path / "kept"
    first, second = (
        build_of(tmp_path / name, build, FILES["make"], HERE, ccache=str(kept))
        for name in ("one", "another")
    )
    assert first.tree == second.tree
    told = subprocess.run(
        ["ccache", "--print-stats"],
        env={**os.environ, "CCACHE_DIR": str(kept)}, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    counted = dict(line.split("\t") for line in told.splitlines())
    assert int(counted["called_for_link"]) > 0
    assert first.key == second.key


def interpreter() -> str:
    """A detected interpreter that has a build backend; the test is skipped without one."""
    for found in facts().all("python"):
        argv = [found.path, "-c", "import setuptools, wheel, pip"]
        if found.runnable and not subprocess.run(argv, check=False, capture_output=True).returncode:
            return found.path
    pytest.skip("no interpreter has pip, setuptools and wheel")


WHEEL = """\
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "toy"
version = "1.0"
"""


def test_a_wheel_is_made_of_a_source_tree(tmp_path: Path) -> None:
    """BLD-25."""
    build = Build("python", "any")
    toolbox = replace(box(build, HERE), tools=(("python", interpreter()),))
    files = {"pyproject.toml": WHEEL, "toy/__init__.py": "WORD = 'ok'\n"}
    outputs = Outputs(wheel=("wheels/toy-*.whl",))
    built = build_of(tmp_path, build, files, HERE, test=None, outputs=outputs, toolbox=toolbox)
    (entry,) = built.entries
    with zipfile.ZipFile(f"{built.folder}/{entry.path}") as wheel:
        assert "toy/__init__.py" in wheel.namelist()


CARGO = {
    "Cargo.toml": '[package]\nname = "toy"\nversion = "1.0.0"\nedition = "2018"\n',
    "Cargo.lock": 'version = 3\n\n[[package]]\nname = "toy"\nversion = "1.0.0"\n',
    "src/main.rs": 'fn main() { println!("{}", file!()); }\n',
}


def rust_has(target: str) -> bool:
    toolbox = box(Build("cargo"), target)
    if not toolbox.has("rustc"):
        pytest.skip("no Rust")
    argv = [toolbox.path("rustc"), "--print", "target-libdir", "--target"]
    argv.append(platforms.spelling(platforms.parse(target), "rust"))
    told = subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()
    return bool(told) and os.path.isdir(told)


@pytest.mark.parametrize("target", [HERE, ARM])
def test_a_program_in_rust_is_built(tmp_path: Path, target: str) -> None:
    """BLD-26; where Rust's library for the target is absent, its message is what is told."""
    test = replace(TEST, steps=(("{self}/bin/toy",),), expect=r"main\.rs$")
    outputs = Outputs(exe=("bin/toy",))
    build = functools.partial(
        build_of, tmp_path, Build("cargo"), CARGO, target, test=test, outputs=outputs
    )
    if not rust_has(target):
        with pytest.raises(BuildFailed) as failure:
            build()
        assert "can't find crate for `" in failure.value.why[0]
        return
    built = build()
    assert built.audit.relocatable, built.audit
    assert built.test == runner.Tested("passed")


LIBTOOL = "# libtoy.la - a libtool library file\nlibdir='/lib'\n"


def test_what_names_folders_is_tidied_after_the_steps(tmp_path: Path) -> None:
    """BLD-27."""
    rule = (
        "all:\ninstall:\n\tmkdir -p $(DESTDIR)/lib/pkgconfig $(DESTDIR)/share\n"
        "\tcp toy.la toy.pc other.la $(DESTDIR)/lib; ln -s toy.la $(DESTDIR)/lib/link.la\n"
        "\tcp toy.pc $(DESTDIR)/share; cp toy.pc $(DESTDIR)/lib/pkgconfig\n"
    )
    pc = "prefix=/\nlibdir=/lib\nName: toy\n"
    files = {"Makefile": rule, "toy.la": LIBTOOL, "other.la": "laughter\n", "toy.pc": pc}
    built = build_of(tmp_path, Build("make"), files, HERE, test=None, outputs=Outputs())
    assert [entry.path for entry in built.entries] == [
        "lib/other.la", "lib/pkgconfig/toy.pc", "lib/toy.pc", "share/toy.pc",
    ]  # fmt: skip
    made = tmp_path / "out"
    told = (made / "lib/pkgconfig/toy.pc").read_text()
    assert told == "prefix=${pcfiledir}/../..\nlibdir=${prefix}/lib\nName: toy\n"
    assert (made / "lib/toy.pc").read_text() == pc
    log = (tmp_path / "log").read_text()
    assert "# removed `lib/toy.la`" in log
    assert "# made `lib/pkgconfig/toy.pc` relative to its place" in log


def test_a_test_that_fails_under_an_emulator_names_step_and_log(tmp_path: Path) -> None:
    """BLD-16, BLD-17, BLD-29."""
    test = replace(TEST, steps=(("{self}/bin/absent",),))
    table = MakeTable()
    with pytest.raises(BuildFailed, match="the step `test 1`") as failure:
        build_of(tmp_path, Build("make", make=table), FILES["make"], ARM, test=test)
    assert failure.value.exit_code == 6
    assert str(tmp_path / "log") in " ".join((failure.value.hint, *failure.value.why))
