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
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from crpack import __version__, disk
from crpack.detect import cache, eyes, machine, memory, plan, probes, scan
from crpack.detect import path as paths
from crpack.errors import DetectError, InstallError
from crpack.model import platforms, recipe_document
from crpack.model import stated as stating
from crpack.model.facts import Found
from crpack.model.limits import MAX_JSON_BYTES, MAX_TOML_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crpack.make.toolbox import Toolbox
    from crpack.model.facts import Facts
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
    folder = _shipped_folder()
    return tuple(
        _read(os.path.join(folder, name, "crpack.toml")) for name in sorted(os.listdir(folder))
    )


def _shipped_folder() -> str:
    for base in (_PACKAGE, os.path.dirname(_PACKAGE)):
        folder = os.path.join(base, "recipes", "software")
        if os.path.isdir(folder):
            return folder
    raise DetectError("the probes that crpack ships are not there", hint="install crpack again")


def _read(path: str) -> Recipe:
    data = disk.read(path, limit=MAX_TOML_BYTES)
    return recipe_document.open_json(recipe_document.read(data.decode(), file=path))


def names(recipe: Recipe) -> tuple[str, ...]:
    """Return the names of what a component's probes find (SPEC FCT-03)."""
    return probes.names(recipe)


def probed() -> tuple[str, ...]:
    """Return the names under which the shipped probes list what they find."""
    return tuple(name for recipe in shipped() for name in probes.names(recipe))


@functools.cache
def _machine(path: str) -> Facts:
    """Return the facts of this machine without its software; answers are kept in a file."""
    kept = cache.Cache(_remembered(path), time.time_ns())
    gathered = machine.gather(kept)
    if kept.changed:
        _remember(path, kept.to_bytes())
    return gathered


def bare(session: Session) -> Facts:
    """Return the facts of this machine without its software."""
    return _machine(session.cached("machine.json"))


@functools.cache
def platform() -> Platform:
    """Return this machine's platform."""
    return machine.here()


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
        recipes: with probes; none means all that crpack ships. While nothing changed since all
            were looked for, not even a recipe is read again (SPEC DET-17).
        refresh: ask again, whatever the cache says.
        execute: False starts no program.
    """
    memory_file = session.cached("detected.json")
    key = "" if recipes else _shipped_key()
    seen = _last(memory_file, key) if key and not refresh else None
    if seen is None:
        every = recipes or shipped()
        seen = _scan(session, every, os.environ, refresh=refresh, execute=execute)
        if key and seen.sights:
            _remember(memory_file, memory.to_bytes(seen, key))
    return replace(bare(session), found=seen.found), seen


def is_remembered(session: Session) -> bool:
    """Say whether the shipped probes were ever asked here."""
    return os.path.exists(session.cached("detected.json"))


def _last(path: str, key: str) -> scan.Scan | None:
    """Return the last scan, where all that it looked at is as it was."""
    last = memory.from_bytes(_remembered(path), key, int(time.time()))
    return last if last and eyes.unchanged(last.sights, os.environ) else None


def _shipped_key() -> str:
    """Return what changes whenever a shipped probe may have."""
    folder = _shipped_folder()
    files = (os.path.join(folder, name, "crpack.toml") for name in sorted(os.listdir(folder)))
    return cache.key(__version__, *((path, paths.stamp(path)) for path in files))


def stated(session: Session, known: Facts) -> Facts:
    """Return facts with the capabilities that the setting `fact` states (SPEC FCT-07).

    Raises:
        UsageError: one means nothing, or nothing for this platform.
    """
    said = session.config.text("fact")
    return stating.override(known, stating.pairs(said.split(","))) if said else known


def said(session: Session) -> tuple[str, ...]:
    """Return, as people read it, what the setting `fact` states."""
    text = session.config.text("fact")
    found = stating.pairs(text.split(",")) if text else ()
    return tuple(f"counting on {name} {value or 'absent'}, as you said" for name, value in found)


def told(session: Session, facts: Facts) -> tuple[str, ...]:
    """Return what was stated of this machine and counts, beside what it really has."""
    real = bare(session) if session.config.text("fact") else facts
    names = dict.fromkeys(name for name, _ in (*facts.capabilities, *real.capabilities))
    pairs = ((name, facts.capability(name), real.capability(name)) for name in sorted(names))
    return tuple(
        f"{name} {new or 'absent'} as you said; this machine has {old or 'none'}"
        for name, new, old in pairs
        if new != old
    )


def ask_again(session: Session, name: str, path: str) -> Found | str:
    """Return what a program that was found under a name is now, or why it is nothing (GEN-07)."""
    recipes = [one for one in shipped() if name in probes.names(one)]
    folders = (os.path.dirname(path), *plan.searched(os.environ))
    environ = {**os.environ, "PATH": os.pathsep.join(folders)}
    seen = _scan(session, recipes, environ)
    real = os.path.realpath(path)
    known = [found for found in seen.found if found.name == name]
    same = [f for f in known if real in (f.realpath, os.path.realpath(f.library or f.path))]
    for found in sorted(same, key=lambda one: not one.version):
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
    path = session.cached("detect.json")
    seen = scan.scan(
        recipes,
        scan.Ground(environ),
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
    from crpack.make.drivers.table import DRIVERS

    runs = recipe.build is not None and DRIVERS[recipe.build.driver].runs
    return facts(session)[0] if runs else bare(session)


def runs() -> tuple[bytes, ...]:
    """Return how a recipe's document states each driver that runs programs of the machine."""
    from crpack.make.drivers.table import DRIVERS

    return tuple(f'"driver":"{name}"'.encode() for name, one in DRIVERS.items() if one.runs)


def toolbox(build: Build, facts: Facts, target: Platform | None = None) -> Toolbox:
    """Return the programs for one build on this machine.

    Args:
        build: the recipe's `[build]` table.
        facts: of this machine.
        target: the platform of the result; None for this machine's.

    Raises:
        BuildFailed: a compiler is needed and there is none; says what to install.
    """
    from crpack.make import equipment

    searched = plan.searched(os.environ)
    facts = replace(facts, found=(*facts.found, *own_zig()))
    target = target or platforms.parse(facts.platform)
    return equipment.equip(build, facts, target, os_release=machine.os_release(), searched=searched)


def verdict(found: Found, facts: Facts, said: str) -> str:
    """Return what is said of a finding, with whom it makes programs for where that is another.

    Args:
        found: on the machine; a compiler has a target (SPEC DET-14).
        facts: of the machine that is chosen for.
        said: why it does not serve; empty where it does.
    """
    made_for = platforms.from_triple(found.target)
    if not found.target or made_for == platforms.parse(facts.platform).base:
        return said
    other = f"it makes programs for `{found.target}`"
    return "; ".join(text for text in (other, said.removeprefix("it would fit; ")) if text)


def unfit(tool: str) -> str:
    """Say that a file of a tool's name is there and is not the tool; empty where there is none."""
    files = (os.path.join(folder, tool) for folder in plan.searched(os.environ))
    path = next((one for one in files if os.path.isfile(one) and os.access(one, os.X_OK)), "")
    return f"`{path}` does not serve: `crpack why {tool}` tells why" if path else ""


@functools.cache
def own_zig() -> tuple[Found, ...]:
    """Return the zig of the Python environment that runs crpack: its module is not on PATH."""
    from importlib import metadata

    try:
        installed = metadata.distribution("ziglang")
    except metadata.PackageNotFoundError:
        return ()
    path = os.path.abspath(str(installed.locate_file("ziglang/zig")))
    if not os.access(path, os.X_OK):
        return ()
    return (Found("zig", installed.version, path=path, realpath=os.path.realpath(path)),)


def planned(session: Session, recipes: Sequence[Recipe]) -> plan.ScanPlan:
    """Return what a scan would run; nothing is executed."""
    kept = cache.Cache(_remembered(session.cached("detect.json")), 0)
    return plan.plan(recipes, eyes.Eyes(os.environ, kept), kept)


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
