"""The build key: every ingredient changes it, and nothing else does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from crpack.errors import FormatError
from crpack.make import key, record
from crpack.make.dependencies import DepRoot
from crpack.make.drivers.table import DRIVERS
from crpack.make.key import Dependency, External, Ingredients
from crpack.make.toolbox import Toolbox
from crpack.make.toolchains.chain import Toolchain, Wrapper
from crpack.model import platforms
from crpack.model.recipe import Build, Exports, MakeTable, ScriptTable
from tests.unit.make.room import LINUX, planned

if TYPE_CHECKING:
    from pathlib import Path

CHAIN = Toolchain(
    "gcc", "12.2.0", LINUX, "x86_64-linux-gnu", "/usr/bin/gcc", "/usr/bin/g++",
    libc="glibc 2.36", cpu_flags=("-march=x86-64-v3",),
)  # fmt: skip
BASE = Ingredients(
    recipe="1" * 64,
    options=(("images", "50"),),
    sources=("2" * 64, "3" * 64),
    target=LINUX,
    toolchain=CHAIN,
    environment=(("LC_ALL", "C"),),
    tools=(("cmake", "3.25.1"),),
    dependencies=(Dependency("target", "zlib", "4" * 64),),
    externals=(External("libz.so.1", "1.2.13", "5" * 64),),
)
DIFFERENT: dict[str, Ingredients] = {
    "recipe": replace(BASE, recipe="9" * 64),
    "option's value": replace(BASE, options=(("images", "51"),)),
    "option's name": replace(BASE, options=(("image", "50"),)),
    "source": replace(BASE, sources=("9" * 64, "3" * 64)),
    "order of sources": replace(BASE, sources=("3" * 64, "2" * 64)),
    "floor": replace(BASE, target=replace(LINUX, floor="2.28")),
    "architecture": replace(BASE, target=platforms.parse("linux-aarch64-gnu2.36")),
    "no toolchain": replace(BASE, toolchain=None),
    "family": replace(BASE, toolchain=replace(CHAIN, family="clang")),
    "version": replace(BASE, toolchain=replace(CHAIN, version="12.3.0")),
    "triple": replace(BASE, toolchain=replace(CHAIN, triple="x86_64-pc-linux-gnu")),
    "libc": replace(BASE, toolchain=replace(CHAIN, libc="glibc 2.39")),
    "flags": replace(BASE, toolchain=replace(CHAIN, flags=("-m64",))),
    "link flags": replace(BASE, toolchain=replace(CHAIN, link_flags=("-s",))),
    "wrapper": replace(BASE, toolchain=replace(CHAIN, wrappers=(Wrapper("cc", "text"),))),
    "CPU level": replace(BASE, toolchain=replace(CHAIN, cpu_flags=("-march=x86-64",))),
    "tool's version": replace(BASE, tools=(("cmake", "3.30.0"),)),
    "no tool": replace(BASE, tools=()),
    "environment": replace(BASE, environment=(("LC_ALL", "C.UTF-8"),)),
    "dependency's tree": replace(BASE, dependencies=(Dependency("target", "zlib", "9" * 64),)),
    "context": replace(BASE, dependencies=(Dependency("build", "zlib", "4" * 64),)),
    "no dependency": replace(BASE, dependencies=()),
    "external's file": replace(BASE, externals=(External("libz.so.1", "1.2.13", "9" * 64),)),
    "external's version": replace(BASE, externals=(External("libz.so.1", "1.3", "5" * 64),)),
    "external's soname": replace(BASE, externals=(External("libz.so.2", "1.2.13", "5" * 64),)),
}
GOLDEN = "4fb80f56f68f9b8da4afedb075ca977738105bd51f79c88bfb8b964c5f235a92"
MAKE = Build("make", make=MakeTable((("CXXFLAGS", "-O2"),)))
BOX = Toolbox(CHAIN, (("make", "/usr/bin/make"),), LINUX)


def test_every_ingredient_changes_the_key() -> None:
    """KEY-02."""
    keys = {name: key.build_key(one) for name, one in DIFFERENT.items()}
    keys["base"] = key.build_key(BASE)
    assert len(set(keys.values())) == len(DIFFERENT) + 1


def test_the_key_is_a_digest_that_does_not_move() -> None:
    """KEY-01: a change of this value is a change of the key format."""
    assert key.build_key(BASE) == GOLDEN


def test_where_the_compiler_stands_does_not_change_the_key() -> None:
    """KEY-03."""
    moved = replace(
        CHAIN, cc="/opt/gcc", cxx="/opt/g++", ar="/opt/ar", target=LINUX.base,
        sysroot="/opt/root", folders=("/opt/more",),
    )  # fmt: skip
    assert key.build_key(replace(BASE, toolchain=moved)) == key.build_key(BASE)


def test_the_order_of_names_does_not_change_the_key() -> None:
    """KEY-01."""
    two = (*BASE.dependencies, Dependency("build", "cmake", "6" * 64))
    first, second = replace(BASE, dependencies=two), replace(BASE, dependencies=two[::-1])
    assert key.build_key(first) == key.build_key(second)


def test_folders_jobs_and_the_user_s_environment_do_not_change_a_plan_s_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """KEY-03, KEY-04."""
    deps = {"zlib": DepRoot("/one/zlib", "4" * 64, Exports(include=("include",)))}
    first = planned(tmp_path / "a", MAKE, b"x", toolbox=BOX, target=LINUX, deps=deps)
    for name in ("USER", "HOME", "PATH", "CFLAGS", "LANG", "TZ"):
        monkeypatch.setenv(name, "changed")
    moved = {"zlib": replace(deps["zlib"], path="/two/zlib")}
    other = replace(BOX, tools=(("make", "/opt/make"),))
    again = planned(tmp_path / "b", MAKE, b"x", toolbox=other, target=LINUX, deps=moved, jobs=64)
    assert again.key == first.key
    assert again.work != first.work


@pytest.mark.parametrize(
    ("build", "counts"),
    [
        (MAKE, set()),
        (Build("cmake"), {"cmake", "pkg-config"}),
        (Build("script", script=ScriptTable((("{tool.python}", "x"), ("ninja",)))), {"python"}),
        (Build("copy"), set()),
        (Build("autotools"), {"pkg-config"}),
        (Build("meson"), {"meson", "pkg-config"}),
        (Build("python"), {"python"}),
        (Build("cargo"), {"cargo", "rustc"}),
    ],
    ids=["make", "cmake", "script", "copy", "autotools", "meson", "python", "cargo"],
)
def test_tools_that_shape_a_result_change_the_key(
    tmp_path: Path, build: Build, counts: set[str]
) -> None:
    """KEY-07."""
    names = (
        "cmake", "make", "ninja", "python", "node", "meson", "cargo", "rustc", "pkg-config",
    )  # fmt: skip
    box = replace(BOX, tools=tuple((name, f"/bin/{name}") for name in names))
    keys = {
        name: planned(
            tmp_path, build, b"x", target=LINUX,
            toolbox=replace(box, versions=tuple((n, "2" if n == name else "1") for n in names)),
        ).key
        for name in (*names, "none")
    }  # fmt: skip
    assert {name for name, key in keys.items() if key != keys["none"]} == counts


def test_what_an_older_driver_made_is_not_taken_for_what_this_one_makes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """KEY-07."""
    box = replace(BOX, tools=(("make", "/bin/make"),))

    def key() -> str:
        return planned(tmp_path, MAKE, b"x", target=LINUX, toolbox=box).key

    first = key()
    monkeypatch.setitem(DRIVERS, "make", replace(DRIVERS["make"], revision=2))
    assert key() != first


def test_what_a_dependency_exports_changes_the_key(tmp_path: Path) -> None:
    """KEY-04."""
    plain = {"zlib": DepRoot("/one/zlib", "4" * 64)}
    named = {"zlib": DepRoot("/one/zlib", "4" * 64, Exports(env=(("ZLIB", "{prefix}/x"),)))}
    keys = {
        planned(tmp_path, MAKE, b"x", toolbox=BOX, target=LINUX, deps=deps).key
        for deps in (plain, named)
    }
    assert len(keys) == 2


def test_a_result_for_any_platform_has_a_key_without_one(tmp_path: Path) -> None:
    """KEY-05."""
    steps = planned(tmp_path, Build("copy", "any"), b"x", toolbox=Toolbox(), target=LINUX)
    assert steps.ingredients.target == platforms.ANY
    assert steps.ingredients.toolchain is None


RECORD = record.Record(
    key="a" * 64,
    identity="b" * 64,
    component="toy 1.0",
    tree="c" * 64,
    target="linux-x86_64-gnu2.36",
    options=(("images", "50"),),
    toolchain="gcc 12.2.0 for x86_64-linux-gnu",
    dependencies=("target zlib " + "4" * 64,),
    floors=(("glibc", "2.34"),),
    portable=False,
    test="passed",
    sandbox="L3",
    network="none",
    log="log",
)


def test_a_record_reads_as_it_was_written() -> None:
    """KEY-06."""
    assert record.from_json(record.to_json(RECORD), key=RECORD.key) == RECORD


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        record.to_json(replace(RECORD, tree="../../etc")),
        record.to_json(replace(RECORD, test="never")),
        record.to_json(replace(RECORD, key="d" * 64)),
        record.to_json(RECORD)[:-1],
        record.to_json(RECORD).replace(b'"portable":false', b'"portable":0'),
    ],
)
def test_a_record_that_is_not_what_its_name_says_is_refused(data: bytes) -> None:
    """KEY-06."""
    with pytest.raises(FormatError):
        record.from_json(data, key=RECORD.key)
