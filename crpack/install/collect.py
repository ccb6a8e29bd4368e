"""Removing: a solution, and whatever nothing needs any more.

Rules (SPEC GEN-09, STO-17):
- A solution is removed by taking away `current`, in one step; the rest is collection.
- Kept are the current generation and the newest before it, as many in all as the caller says,
  and every generation that a running program holds; the trees and environments that these link
  to; and what a running transaction has pinned. Roots are read from links, which cannot be half
  written.
- The collector works alone, moves what it found to `trash/`, lets others go on, and deletes.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from crpack import disk
from crpack.errors import FormatError, InstallError
from crpack.install import generations, state
from crpack.install.store import Store
from crpack.install.transaction import Locks
from crpack.model import canonical, names
from crpack.model.limits import MAX_JSON_BYTES


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
        disk.remove_file(os.path.join(state.solution_folder(prefix, name), "current"))
    return collect(prefix, keep)


def collect(prefix: str, keep: int) -> Collected:
    """Delete what no kept generation, running program or transaction needs (SPEC STO-17).

    Args:
        prefix: of the installations.
        keep: the number of generations that stay of each solution, the current one included.
    """
    disk.sweep(os.path.join(prefix, "stage"))
    trash = os.path.join(prefix, "trash")
    disk.make_folders(trash)
    locks = Locks(prefix)
    with locks.collector(shared=False):
        _drop_generations(prefix, keep, trash)
        roots = _roots(prefix) | _pins(prefix)
        trees = _drop(Store(prefix).root, roots, trash)
        environments = _drop(os.path.join(prefix, "envs"), roots, trash)
        _drop_built(prefix)
    emptying = locks.trash()
    if emptying is not None:
        with emptying:
            for name in disk.names(trash):
                disk.remove_tree(os.path.join(trash, name))
    return Collected(trees, environments)


def _drop_generations(prefix: str, keep: int, trash: str) -> None:
    for folder in disk.names(state.solutions_folder(prefix)):
        name = names.from_folder(folder)
        now = state.current_number(prefix, name)
        numbers = generations.numbers(prefix, name)
        kept = [number for number in numbers if number <= now][-keep:] if now else []
        for number in numbers:
            if number not in kept:
                _discard_unheld(generations.folder_of(prefix, name, number), trash)
        if not now and not generations.numbers(prefix, name):
            disk.discard(state.solution_folder(prefix, name), trash)


def _discard_unheld(path: str, trash: str) -> None:
    held = disk.hold(f"{path}/{generations.RECORD}", shared=False)
    if held is not None:
        with held:
            disk.discard(path, trash)


def _roots(prefix: str) -> set[str]:
    """Return the digests that the generations on the disk link to."""
    found: set[str] = set()
    for folder in disk.names(state.solutions_folder(prefix)):
        name = names.from_folder(folder)
        for number in generations.numbers(prefix, name):
            path = generations.folder_of(prefix, name, number)
            links = [f"{path}/root/{component}" for component in disk.names(f"{path}/root")]
            if os.path.lexists(f"{path}/env"):
                links.append(f"{path}/env")
            for link in links:
                found.update(_target(link))
    return found


def _target(link: str) -> list[str]:
    try:
        return os.readlink(link).split("/")
    except OSError as error:
        raise disk.failure(error, link) from error


def _pins(prefix: str) -> set[str]:
    stage = os.path.join(prefix, "stage")
    return {pin for name in disk.names(stage) for pin in disk.names(f"{stage}/{name}/pins")}


def _drop(folder: str, roots: set[str], trash: str) -> tuple[str, ...]:
    unneeded = tuple(sorted(set(disk.names(folder)) - roots))
    for name in unneeded:
        disk.discard(os.path.join(folder, name), trash)
    return unneeded


def _drop_built(prefix: str) -> None:
    """Remove the records of builds whose result is gone."""
    store = Store(prefix)
    folder = os.path.join(prefix, "built")
    for name in disk.names(folder):
        path = os.path.join(folder, name)
        try:
            record = canonical.decode(disk.read(path, limit=MAX_JSON_BYTES), what=path)
            gone = not store.has(record["tree"])
        except (FormatError, InstallError, TypeError, KeyError):
            gone = True
        if gone:
            disk.remove_file(path)
