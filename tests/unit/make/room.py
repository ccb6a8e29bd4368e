"""A room for builds: facts of this machine, small recipes, and one call from source to result."""

from __future__ import annotations

import functools
import hashlib
import io
import os
import shutil
import subprocess
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import pytest

from crpack.make import equipment, runner
from crpack.make.plan import MakePlan, SourceItem, plan
from crpack.make.steps import Folders
from crpack.model import platforms
from crpack.model.facts import Cpu, Facts, Found
from crpack.model.recipe import Build, Outputs, Package, Recipe, Source, Test
from crpack.process import sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from crpack.make.dependencies import DepRoot
    from crpack.make.runner import Built
    from crpack.make.toolbox import Toolbox
    from crpack.model.platforms import Platform
    from crpack.process.run import Limits

LINUX = platforms.parse("linux-x86_64-gnu2.36")
WALLS = sandbox.Sandbox(sandbox.best().level)

MAKEFILE = """\
CXXFLAGS = -O2
prog: main.cpp
\t$(CXX) $(CXXFLAGS) -g -o prog main.cpp
install: prog
\tmkdir -p "$(DESTDIR)$(PREFIX)/bin"
\tcp prog "$(DESTDIR)$(PREFIX)/bin/prog"
"""
MAIN = """\
#include <iostream>
int main() { std::cout << "ok from " << __FILE__ << std::endl; }
"""


@functools.cache
def native() -> Platform:
    """The platform of this machine, as far as these tests need it."""
    machine = os.uname().machine
    libc = os.confstr("CS_GNU_LIBC_VERSION") or "glibc 2.17"
    return platforms.parse(f"linux-{machine}-gnu{libc.split()[1]}")


@functools.cache
def facts() -> Facts:
    """Facts of this machine: its first gcc, g++, make, cmake, ninja and python."""
    found = []
    for name in ("gcc", "g++", "make", "cmake", "ninja"):
        path = shutil.which(name)
        if path is None:
            continue
        compiler = name in ("gcc", "g++")
        version = ask(path, "-dumpfullversion") if compiler else "1"
        triple = ask(path, "-dumpmachine") if compiler else ""
        found.append(Found(name, version, path=path, target=triple))
    return Facts(str(native()), (("@cpu", "x86-64-v2"),), Cpu(), tuple(found))


def ask(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()


def needs(*tools: str) -> None:
    """Skip a test where this machine lacks a tool."""
    missing = set(tools) - {found.name for found in facts().found}
    if missing:
        pytest.skip(f"not on this machine: {', '.join(sorted(missing))}")


def folders(root: Path) -> Folders:
    return Folders(*(str(root / name) for name in ("source", "build", "out", "home", "tmp")))


def recipe(
    build: Build | None, *, outputs: Outputs | None = None, test: Test | None = None
) -> Recipe:
    package = Package(
        kind="program", summary="a toy", license="Apache-2.0", name="toy", version="1.0"
    )
    return Recipe(package, build=build, outputs=outputs or Outputs(), test=test)


def tar(files: Mapping[str, str]) -> bytes:
    """One source: a tar of texts; a name that ends with `*` is executable."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(name.rstrip("*"))
            info.mode = 0o755 if name.endswith("*") else 0o644
            data = text.encode()
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def item(data: bytes) -> SourceItem:
    source = Source("local", path="src")
    return SourceItem(source, hashlib.sha256(data).hexdigest(), len(data))


def planned(
    root: Path,
    build: Build,
    data: bytes = b"",
    *,
    outputs: Outputs | None = None,
    test: Test | None = None,
    deps: Mapping[str, DepRoot] | None = None,
    options: tuple[tuple[str, str], ...] = (),
    target: Platform | None = None,
    toolbox: Toolbox | None = None,
    jobs: int = 2,
    ccache: str = "",
) -> MakePlan:
    target = target or native()
    return plan(
        recipe(build, outputs=outputs, test=test),
        recipe_sha256="0" * 64,
        options=options,
        target=target,
        toolbox=toolbox or equipment.equip(build, facts(), target),
        deps=tuple((deps or {}).items()),
        folders=folders(root),
        sources=(item(data),) if data else (),
        jobs=jobs,
        ccache=ccache,
    )


def made(
    root: Path,
    build: Build,
    files: Mapping[str, str],
    *,
    limits: Limits | None = None,
    walls: sandbox.Sandbox = WALLS,
    outputs: Outputs | None = None,
    test: Test | None = None,
    deps: Mapping[str, DepRoot] | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Built:
    """Plan and execute one build below a folder, and return what was made."""
    data = tar(files)
    steps = planned(root, build, data, outputs=outputs, test=test, deps=deps)
    return execute(steps, root, data, limits=limits, walls=walls, tell=tell)


def execute(
    steps: MakePlan,
    root: Path,
    data: bytes,
    *,
    limits: Limits | None = None,
    walls: sandbox.Sandbox = WALLS,
    tell: Callable[[str], None] = lambda _: None,
) -> Built:
    def unpack(_: SourceItem, stream: BinaryIO, folder: str) -> None:
        with tarfile.open(fileobj=stream, mode="r") as archive:
            for member in archive:  # Python 3.11.2 has no extraction filters
                place = Path(folder, member.name)
                place.parent.mkdir(parents=True, exist_ok=True)
                content = archive.extractfile(member)
                assert content is not None
                place.write_bytes(content.read())
                place.chmod(member.mode)

    root.mkdir(parents=True, exist_ok=True)
    return runner.execute(
        steps,
        open_source=lambda _: io.BytesIO(data),
        unpack=unpack,
        sandbox=replace(walls),
        log=str(root / "log"),
        limits=limits or runner.BUILD_LIMITS,
        tell=tell,
    )
