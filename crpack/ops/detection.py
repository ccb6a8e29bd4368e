"""Detection for the verbs: the shipped probes, this machine's facts, the cache on the disk.

Rules:
- The probes of well-known tools are recipes; they are shipped inside the package.
- Probes that an archive brings are not executed by this version: they would be its author's
  programs, run before anything was decided.
- The cache belongs to the user and may be lost at any time.
"""

from __future__ import annotations

import functools
import os
from dataclasses import replace
from typing import TYPE_CHECKING

from crpack import disk
from crpack.detect import cache, machine, plan, probes, scan
from crpack.errors import DetectError, InstallError
from crpack.make import equipment
from crpack.make.drivers.table import DRIVERS
from crpack.model import platforms, recipe_document
from crpack.model.limits import MAX_JSON_BYTES, MAX_TOML_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crpack.make.toolchains import Toolbox
    from crpack.model.facts import Facts, Found
    from crpack.model.platforms import Platform
    from crpack.model.recipe import Build, Recipe
    from crpack.session import Session

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_MAX_CACHE_BYTES = 4 * MAX_JSON_BYTES


@functools.cache
def shipped() -> tuple[Recipe, ...]:
    """Return the recipes of well-known tools, sorted by name.

    They stand in the package, or beside it in a checkout.

    Raises:
        DetectError: the installation of crpack is damaged.
    """
    for base in (_PACKAGE, os.path.dirname(_PACKAGE)):
        folder = os.path.join(base, "recipes", "software")
        if os.path.isdir(folder):
            names = sorted(os.listdir(folder))
            return tuple(_read(os.path.join(folder, name, "crpack.toml")) for name in names)
    raise DetectError("the probes that crpack ships are not there", hint="install crpack again")


def _read(path: str) -> Recipe:
    data = disk.read(path, limit=MAX_TOML_BYTES)
    return recipe_document.open_json(recipe_document.read(data.decode(), file=path))


@functools.cache
def _machine() -> Facts:
    return machine.gather()


def platform() -> Platform:
    """Return this machine's platform."""
    return platforms.parse(_machine().platform)


def facts(
    session: Session,
    recipes: Sequence[Recipe] = (),
    *,
    refresh: bool = False,
    execute: bool = True,
) -> tuple[Facts, scan.Scan]:
    """Return the facts of this machine with what was found of some components.

    Args:
        session: for the cache.
        recipes: with probes; none leaves out the scan's cost.
        refresh: ask again, whatever the cache says.
        execute: False starts no program.
    """
    seen = _scan(session, recipes, os.environ, refresh=refresh, execute=execute)
    return replace(_machine(), found=seen.found), seen


def ask_again(session: Session, name: str, path: str) -> Found | str:
    """Return what a program that was found under a name is now, or why it is nothing (GEN-07)."""
    recipes = [one for one in shipped() if any(probes.name(probe) == name for probe in one.probe)]
    folders = (os.path.dirname(path), *plan.searched(os.environ))
    seen = _scan(session, recipes, {"PATH": os.pathsep.join(folders)})
    real = os.path.realpath(path)
    for found in seen.found:
        if found.name == name and real == found.realpath:
            return found
    refused = (one.why for one in seen.refused if one.path == path and one.name == name)
    return next(refused, "no probe of crpack knows it")


def _scan(
    session: Session,
    recipes: Sequence[Recipe],
    environ: Mapping[str, str],
    *,
    refresh: bool = False,
    execute: bool = True,
) -> scan.Scan:
    """Scan with the cache of earlier scans, and keep the new one."""
    path = session.detect_cache
    seen = scan.scan(
        recipes,
        environ,
        cache=_remembered(path),
        refresh=refresh,
        execute=execute,
        hidden=session.private_folders(),
        unconfined=session.config.text("sandbox") == "none",
    )
    if seen.cache:
        _remember(path, seen.cache)
    return seen


def facts_for(recipe: Recipe, session: Session) -> Facts:
    """Return the facts that making a component needs: compilers and tools where it runs some."""
    runs = recipe.build is not None and DRIVERS[recipe.build.driver].runs
    return facts(session, shipped())[0] if runs else _machine()


def toolbox(build: Build, facts: Facts) -> Toolbox:
    """Return the programs for one build on this machine.

    Raises:
        BuildFailed: a compiler is needed and there is none; says what to install.
    """
    searched = plan.searched(os.environ)
    here = platforms.parse(facts.platform)
    return equipment.equip(build, facts, here, os_release=machine.os_release(), searched=searched)


def planned(session: Session, recipes: Sequence[Recipe]) -> plan.ScanPlan:
    """Return what a scan would run; nothing is executed."""
    return plan.plan(recipes, os.environ, cache.Cache(_remembered(session.detect_cache), 0))


def _remembered(path: str) -> bytes:
    try:
        return disk.read(path, limit=_MAX_CACHE_BYTES)
    except InstallError:
        return b""


def _remember(path: str, data: bytes) -> None:
    """Write the cache; a cache that cannot be written costs time, nothing else."""
    try:
        disk.make_folders(os.path.dirname(path))
        disk.atomic_write(path, data, 0o600)
    except InstallError:
        return
