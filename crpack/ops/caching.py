"""The verb `cache`: what was downloaded and remembered, and what the store needs no more.

Rules (SPEC CLI-10):
- All of the cache may be lost at any time: removing it costs time later, nothing else.
- What a running command uses stays: what is locked, and, while one has a stage, what has no lock
  of its own.
- `prune` leaves what the installed solutions came from; `gc` is the collector of the prefix.
- First what goes is told, then it goes: each thing leaves its name in one step.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack import disk
from crpack.errors import CrpackError
from crpack.install import collect, documents, generations, layout, state
from crpack.model import lock as locks
from crpack.ops import undoing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crpack.session import Session

_INDEX, _PARTS, _STAGE, _AUTHOR = "index", "parts", "stage", "author"
_MEANINGS = {
    "archives": "archives that were fetched",
    _AUTHOR: "results of an author's builds",
    "ccache": "what compilers made",
    _INDEX: "files of indexes",
    _PARTS: "downloads that were cut",
    _STAGE: "files on their way",
    "wheels": "Python wheels",
    "zig": "libraries of zig's targets",
}


@dataclass(frozen=True, slots=True)
class Item:
    """Something that is kept: its path, what it is, its files and their bytes."""

    path: str
    what: str
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Cleared:
    """What was removed, or would be; and why something else stays, as people read it."""

    folder: str
    items: tuple[Item, ...]
    bytes: int
    kept: tuple[str, ...] = ()


def contents(session: Session) -> tuple[Item, ...]:
    """Return what the cache holds, sorted by name."""
    root = session.homes.cache
    return tuple(
        _item(f"{root}/{name}", _MEANINGS.get(name, "answers that were remembered"))
        for name in disk.names(root)
    )


def clean(session: Session, *, dry_run: bool) -> Cleared:
    """Remove all of the cache that no running command uses."""
    root = session.homes.cache
    busy = _busy(session)
    found, kept = list(_loose(session)), []
    for name in disk.names(root):
        if name in (_PARTS, _STAGE):
            continue
        if name == _INDEX:
            found += [f"{root}/{_INDEX}/{one}" for one in disk.names(f"{root}/{_INDEX}")]
        elif busy:
            kept.append(f"`{root}/{name}`: a running command may use it")
        else:
            found.append(f"{root}/{name}")
    return _cleared(session, found, kept, dry_run=dry_run)


def prune(session: Session, *, dry_run: bool) -> Cleared:
    """Remove what of the cache no installed solution came from, and cut downloads."""
    root = session.homes.cache
    busy = _busy(session)
    found, kept = list(_loose(session)), []
    trusted = {pin.fingerprint for pin in session.indexes()}
    found += [f"{root}/{_INDEX}/{one}" for one in disk.names(f"{root}/{_INDEX}")
              if one not in trusted]  # fmt: skip
    try:
        needed = _needed(session)
    except CrpackError as error:  # nobody knows what is needed
        return _cleared(session, found, [f"archives and wheels: {error.what}"], dry_run=dry_run)
    for name in ("archives", "wheels"):
        spare = [one for one in disk.names(f"{root}/{name}")
                 if one.removesuffix(".crpkg") not in needed]  # fmt: skip
        if busy and spare:
            kept.append(f"`{root}/{name}`: a running command may use it")
        else:
            found += [f"{root}/{name}/{one}" for one in spare]
    return _cleared(session, found, kept, dry_run=dry_run)


def gc(session: Session, *, dry_run: bool) -> Cleared:
    """Remove what of the prefix nothing needs: trees, environments, what was interrupted.

    Raises:
        InstallError: the prefix is not the user's to change.
    """
    prefix = session.prefix
    if not os.path.isdir(prefix):
        return Cleared(prefix, (), 0)
    keep = undoing.keep(session)
    planned = collect.unneeded(prefix, keep)
    found = [f"{layout.store(prefix)}/{tree}" for tree in planned.trees]
    found += [f"{layout.environments(prefix)}/{one}" for one in planned.environments]
    found += disk.abandoned(layout.stages(prefix))
    found += [f"{layout.trash(prefix)}/{name}" for name in disk.names(layout.trash(prefix))]
    items = tuple(_item(path, "no longer needed") for path in found)
    if not dry_run:
        disk.sweep(session.cached(_STAGE))
        collect.collect(prefix, keep)
    return Cleared(prefix, items, sum(item.bytes for item in items))


def _cleared(session: Session, found: Iterable[str], kept: list[str], *, dry_run: bool) -> Cleared:
    items = []
    for path in found:
        item = _item(path, "")
        if dry_run or _remove(session, path):
            items.append(item)
        else:
            kept.append(f"`{path}`: a running command uses it")
    return Cleared(
        session.homes.cache, tuple(items), sum(item.bytes for item in items), tuple(kept)
    )


def _remove(session: Session, path: str) -> bool:
    """Take a thing away unless somebody holds it; say whether it is gone."""
    above, name = os.path.split(path)
    if os.path.basename(above) in (_PARTS, _STAGE):
        held = disk.hold(path, shared=False)
    elif os.path.basename(above) == _INDEX:
        room = session.rooms(name).state
        held = disk.try_lock(f"{room}/lock") if os.path.isdir(room) else disk.hold(path)
    else:
        held = disk.hold(path)
    if held is None:
        return not os.path.lexists(path)
    with held:
        trash = disk.make_stage(session.cached(_STAGE))
        try:
            disk.discard(path, trash.path)
        finally:
            trash.close()
    return True


def _loose(session: Session) -> Iterator[str]:
    """Yield cut downloads and interrupted stages that nobody holds."""
    for name in (_PARTS, _STAGE):
        yield from disk.abandoned(session.cached(name))


def _busy(session: Session) -> bool:
    """Say whether a command is running that has a stage."""
    prefixes = (session.prefix, session.cached(_AUTHOR))
    roots = (session.cached(_STAGE), *map(layout.stages, prefixes))
    return any(len(disk.names(root)) > len(disk.abandoned(root)) for root in roots)


def _needed(session: Session) -> set[str]:
    """Return the digests of archives and wheels that kept generations came from.

    Raises:
        InstallError, FormatError: the record or lock of one is damaged.
    """
    found: set[str] = set()
    for item in state.installed(session.prefix):
        for number in generations.numbers(session.prefix, item.name):
            folder = layout.generation(session.prefix, item.name, number)
            generation = generations.read(folder)
            locked = locks.decode(documents.lock(generation))
            found |= {wheel.sha256 for wheel in generation.record.wheels}
            found |= {one.identity for one in locked.package}
            found.add(generation.record.identity)
    return found


def _item(path: str, what: str) -> Item:
    if not os.path.isdir(path) or os.path.islink(path):
        return Item(path, what, 1, _bytes(path))
    files = [f"{folder}/{name}" for folder, _, names in os.walk(path) for name in names]
    return Item(path, what, len(files), sum(map(_bytes, files)))


def _bytes(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:  # it went meanwhile
        return 0
