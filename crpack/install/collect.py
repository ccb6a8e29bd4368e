"""Removing: a solution, and whatever nothing needs any more.

Rules (SPEC GEN-09, STO-17):
- A solution is removed by taking away `current`, in one step; the rest is collection.
- Kept are the current generation and the newest before it, as many in all as the caller says,
  and every generation that a running program holds; the trees and environments that these link
  to or name in their records; and what a running transaction has pinned.
- Damage makes the collector careful. Where `current` is damaged, all generations of that solution
  are kept; where the links of a generation cannot be read, all trees and environments are.
- After a failed install the results of builds are kept too: the next attempt begins with them.
- The collector works alone, moves what it found to `trash/`, lets others go on, and deletes.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack import disk
from crpack.errors import FormatError, InstallError
from crpack.install import generations, layout, state
from crpack.install.transaction import Locks
from crpack.model import canonical, names
from crpack.model.limits import MAX_JSON_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Collected:
    """The trees and environments that were deleted, by digest."""

    trees: tuple[str, ...]
    environments: tuple[str, ...]


def remove(prefix: str, name: str, keep: int) -> Collected:
    """Remove a solution and collect what only it needed, as `collect` does (SPEC GEN-09).

    Raises:
        InstallError: it is not installed; nothing has changed.
    """
    locks = Locks(prefix)
    with locks.collector(shared=True), locks.solution(name):
        generations.require(prefix, name)
        disk.remove_file(layout.current(prefix, name))
    return collect(prefix, keep)


def collect(prefix: str, keep: int, *, builds: bool = False) -> Collected:
    """Delete what no kept generation, running program or transaction needs (SPEC STO-17).

    Args:
        prefix: of the installations.
        keep: the number of generations that stay of each solution, the current one included.
        builds: keep the results of remembered builds, whether or not anything needs them.
    """
    disk.sweep(layout.stages(prefix))
    trash = layout.trash(prefix)
    disk.make_folders(trash)
    locks = Locks(prefix)
    with locks.collector(shared=False):
        _drop_generations(prefix, keep, trash)
        built = _built(prefix)
        collected = _drop_unneeded(prefix, set(built.values()) if builds else set(), trash)
        _forget_builds(prefix, built)
    emptying = locks.trash()
    if emptying is not None:
        with emptying:
            for name in disk.names(trash):
                disk.remove_tree(os.path.join(trash, name))
    return collected


def unneeded(prefix: str, keep: int) -> Collected:
    """Return what `collect` would delete as things stand; nothing is changed."""
    with Locks(prefix).collector(shared=True):
        dropped = frozenset(_surplus(prefix, keep))
        try:
            roots = _roots(prefix, dropped) | _pins(prefix)
        except OSError:
            return Collected((), ())
        trees, environments = (
            tuple(sorted(set(disk.names(folder)) - roots))
            for folder in (layout.store(prefix), layout.environments(prefix))
        )
    return Collected(trees, environments)


def _surplus(prefix: str, keep: int) -> Iterator[str]:
    """Yield the folders of generations that are not kept and that nobody holds."""
    for _, _, paths in _outdated(prefix, keep):
        for path in paths:
            held = disk.hold(f"{path}/{layout.RECORD}", shared=False)
            if held is not None:
                held.release()
                yield path


def _drop_generations(prefix: str, keep: int, trash: str) -> None:
    for name, now, paths in _outdated(prefix, keep):
        for path in paths:
            _discard_unheld(path, trash)
        if not now and not generations.numbers(prefix, name):
            disk.discard(layout.solution(prefix, name), trash)


def _outdated(prefix: str, keep: int) -> Iterator[tuple[str, int, list[str]]]:
    """Yield each solution whose state can be read: name, current number, what is not kept."""
    for name in _solutions(prefix):
        try:
            now = state.current_number(prefix, name)
        except InstallError:
            continue
        numbers = generations.numbers(prefix, name)
        kept = [number for number in numbers if number <= now][-keep:] if now else []
        old = [number for number in numbers if number not in kept]
        yield name, now, [layout.generation(prefix, name, number) for number in old]


def _solutions(prefix: str) -> tuple[str, ...]:
    return tuple(names.from_folder(folder) for folder in disk.names(layout.solutions(prefix)))


def _discard_unheld(path: str, trash: str) -> None:
    record = f"{path}/{layout.RECORD}"
    held = disk.hold(record, shared=False)
    if held is None and not os.path.lexists(record):  # so nobody can hold it
        disk.discard(path, trash)
    if held is not None:
        with held:
            disk.discard(path, trash)


def _drop_unneeded(prefix: str, cached: set[str], trash: str) -> Collected:
    try:
        roots = _roots(prefix) | _pins(prefix) | cached
    except OSError:  # nobody knows what is needed
        return Collected((), ())
    trees = _drop(layout.store(prefix), roots, trash)
    return Collected(trees, _drop(layout.environments(prefix), roots, trash))


def _roots(prefix: str, without: frozenset[str] = frozenset()) -> set[str]:
    """Return the digests that the generations on the disk need, some of them left out.

    Raises:
        OSError: a link, or the folder of links, cannot be read.
    """
    found: set[str] = set()
    for name in _solutions(prefix):
        for number in generations.numbers(prefix, name):
            path = layout.generation(prefix, name, number)
            found |= set() if path in without else _linked(path) | _recorded(path)
    return found


def _linked(path: str) -> set[str]:
    links = [f"{path}/root/{component}" for component in os.listdir(f"{path}/root")]
    if os.path.lexists(f"{path}/env"):
        links.append(f"{path}/env")
    return {part for link in links for part in os.readlink(link).split("/")}


def _recorded(path: str) -> set[str]:
    """Return what a generation's record names; nothing where it is damaged: its links tell."""
    try:
        record = generations.read(path).record
    except InstallError:
        return set()
    return {record.env, *record.tools, *(part.node.tree for part in record.parts)}


def _pins(prefix: str) -> set[str]:
    stage = layout.stages(prefix)
    return {pin for name in disk.names(stage) for pin in disk.names(f"{stage}/{name}/pins")}


def _drop(folder: str, roots: set[str], trash: str) -> tuple[str, ...]:
    unneeded = tuple(sorted(set(disk.names(folder)) - roots))
    for name in unneeded:
        disk.discard(os.path.join(folder, name), trash)
    return unneeded


def _built(prefix: str) -> dict[str, str]:
    """Return the records of builds, and the tree that each names; empty for a damaged one."""
    folder = layout.built(prefix)
    return {path: _tree_of(path) for path in (f"{folder}/{name}" for name in disk.names(folder))}


def _tree_of(path: str) -> str:
    try:
        return str(canonical.decode(disk.read(path, limit=MAX_JSON_BYTES), what=path)["tree"])
    except (FormatError, InstallError, TypeError, KeyError):
        return ""


def _forget_builds(prefix: str, built: dict[str, str]) -> None:
    """Remove the records of builds whose result is gone."""
    there = set(disk.names(layout.store(prefix)))
    for path, tree in built.items():
        if tree not in there:
            disk.remove_file(path)
