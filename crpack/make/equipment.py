"""Equipping a build: the programs of a machine that the steps of one recipe may start.

Rules (SPEC BLD-02, KEY-07):
- A compiler is chosen where the driver compiles, or a step names a part of the toolchain.
- Of other programs the first that runs counts, by its name.
- Programs for another target run by an emulator, or not at all (SPEC BLD-31).
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from crpack.make import emulators
from crpack.make.drivers.table import DRIVERS
from crpack.make.toolbox import Toolbox
from crpack.make.toolchains import choice, installed
from crpack.make.toolchains.chain import PARTS
from crpack.model import placeholders, platforms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crpack.model.facts import Facts, Found
    from crpack.model.platforms import Platform
    from crpack.model.recipe import Build

_TOOL = "tool."


def named(build: Build) -> frozenset[str]:
    """Return the placeholders in what a build's steps are made of."""
    table = getattr(build, build.driver)
    return frozenset(placeholders.names(_texts(table)) if DRIVERS[build.driver].runs else ())


def _texts(value: Any) -> Iterator[str]:
    """Yield all texts of a table, keys included."""
    if isinstance(value, str):
        yield value
        return
    inside = value if isinstance(value, tuple) else [getattr(value, f.name) for f in fields(value)]
    for one in inside:
        yield from _texts(one)


def tools(build: Build) -> frozenset[str]:
    """Return the tools, compilers aside, that a build's steps name as `{tool.NAME}`."""
    found = {word.removeprefix(_TOOL) for word in named(build) if word.startswith(_TOOL)}
    return frozenset(found.difference(PARTS))


def compiles(build: Build) -> bool:
    """Say whether a build needs a compiler: by its driver, or by what its steps name."""
    wanted = {*(f"{_TOOL}{part}" for part in PARTS), "target.cpu_flags"}
    driver = DRIVERS[build.driver]
    always = driver.compiles and not (driver.pure and build.platform == "any")
    return always or bool(wanted & named(build))


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
        toolchain = choice.choose(facts, target, os_release=os_release, searched=searched)
    first = {
        found.name: found
        for found in reversed(facts.found)
        if found.runnable and found.path and is_program(found) and not installed.is_compiler(found)
    }
    return Toolbox(
        toolchain,
        tuple(sorted((name, found.path) for name, found in first.items())),
        platforms.parse(facts.platform),
        os_release,
        searched,
        tuple(sorted((name, found.version or "") for name, found in first.items())),
        emulators.find(facts, target, toolchain, os_release=os_release),
    )
