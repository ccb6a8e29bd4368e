"""Equipping a build: the programs of a machine that the steps of one recipe may start.

Rules (SPEC BLD-02, KEY-07):
- A compiler is chosen where the driver compiles, or a step names a part of the toolchain.
- Of other programs the first that runs counts, by its name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack.make import toolchains
from crpack.make.drivers.table import DRIVERS
from crpack.make.toolchains import Toolbox
from crpack.model import placeholders, platforms

if TYPE_CHECKING:
    from crpack.model.facts import Facts, Found
    from crpack.model.platforms import Platform
    from crpack.model.recipe import Build

_TOOL = "tool."
_PARTS = frozenset({"cc", "cxx", "ar", "ranlib", "strip"})  # of a toolchain


def named(build: Build) -> frozenset[str]:
    """Return the placeholders in what a build's steps are made of."""
    words = [word for step in build.script.steps for word in step]
    words += [*build.make.targets, *build.make.install, *build.cmake.targets]
    words += [text for _, text in (*build.make.vars, *build.cmake.defines)]
    return frozenset(placeholders.names(words))


def tools(build: Build) -> frozenset[str]:
    """Return the tools, compilers aside, that a build's steps name as `{tool.NAME}`."""
    found = {word.removeprefix(_TOOL) for word in named(build) if word.startswith(_TOOL)}
    return frozenset(found - _PARTS)


def compiles(build: Build) -> bool:
    """Say whether a build needs a compiler: by its driver, or by what its steps name."""
    wanted = {*(f"{_TOOL}{part}" for part in _PARTS), "target.cpu_flags"}
    return DRIVERS[build.driver].compiles or bool(wanted & named(build))


def is_program(found: Found) -> bool:
    """Say whether a finding is a program: other evidence tells of something without being it."""
    return "evidence" not in dict(found.notes)


def equip(
    build: Build,
    facts: Facts,
    target: Platform,
    *,
    os_release: str = "",
    searched: tuple[str, ...] = (),
) -> Toolbox:
    """Return the programs for one build; chooses a toolchain where one is needed.

    Args:
        build: the recipe's `[build]` table.
        facts: of the build machine.
        target: the platform that the result, or the generator of an `any` result, runs on.
        os_release: text of `/etc/os-release`, for the advice in failures.
        searched: the folders that detection looked through, for messages.

    Raises:
        BuildFailed: a compiler is needed and none fits.
    """
    toolchain = None
    if compiles(build):
        toolchain = toolchains.choose(facts, target, os_release=os_release, searched=searched)
    first = {
        found.name: found
        for found in reversed(facts.found)
        if found.runnable and found.path and is_program(found) and not toolchains.is_compiler(found)
    }
    return Toolbox(
        toolchain,
        tuple(sorted((name, found.path) for name, found in first.items())),
        platforms.parse(facts.platform),
        os_release,
        searched,
        tuple(sorted((name, found.version or "") for name, found in first.items())),
    )
