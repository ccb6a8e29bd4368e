"""Results collected from files and folders, with what lies beside them.

Rules (SPEC DSH-01, RES-01, RES-07, RES-08):
- A bad file is left out with one sentence and never hides a good one.
- A result counts once, wherever it lies. Its signatures are beside it, and judged by the pins.
- A lock is looked for beside the results, then among the generations of the prefix.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack import disk
from crpack.errors import CrpackError, FormatError, InstallError, UsageError
from crpack.install import layout
from crpack.model import lock
from crpack.model.limits import MAX_TOML_BYTES
from crpack.model.paths import shown
from crpack.ops import results
from crpack.ops.results import LOCK, LOCKS, RESULT, SIGNATURES
from crpack.report import own
from crpack.report.rows import Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crpack.session import Session
    from crpack.trust.pins import Pin


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was read: where it is, and the sha256 of the bytes that were read."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class LockFile(Source):
    """A lock; `listed` if an index has what it names, so that it can be installed from there."""

    listed: bool


@dataclass(frozen=True, slots=True)
class Found:
    """A result: its row, its record, and its signatures, if it has any."""

    row: Row
    record: Source
    signatures: Source | None = None


@dataclass(frozen=True, slots=True)
class Collection:
    """The results that count, sorted by id, and a sentence for each file that is left out."""

    found: tuple[Found, ...]
    refused: tuple[str, ...]


def files(session: Session, places: Iterable[str]) -> tuple[str, ...]:
    """Return the files that are named, or lie in named folders, sorted (SPEC DSH-01).

    Args:
        session: the prefix whose results are meant where no place is named.
        places: files and folders.

    Raises:
        UsageError: a place is not there.
    """
    named = tuple(places)
    found: set[str] = set()
    for place in named or (layout.results(session.prefix),):
        path = os.path.abspath(place)
        if os.path.isdir(path):
            there = (name for name in disk.names(path) if not name.endswith(SIGNATURES))
            found |= {f"{path}/{name}" for name in there if name.endswith(RESULT)}
        elif os.path.lexists(path):
            found.add(path)
        elif named:
            raise UsageError(f"`{place}` is not there", hint="name files or folders of results")
    return tuple(sorted(found))


def collect(session: Session, paths: Iterable[str]) -> Collection:
    """Read files of results (SPEC DSH-01)."""
    pinned = session.pins()
    found: dict[str, Found] = {}
    refused: list[str] = []
    for path in paths:
        try:
            one = _read(path, pinned)
        except InstallError as error:
            refused.append(f"{error.what.replace(path, _told(path))}; it is left out")
        except CrpackError as error:
            rule = f" ({error.rule})" if error.rule else ""
            refused.append(f"`{_told(path)}` is left out: {error.what}{rule}")
        else:
            first = found.setdefault(one.row.id, one)
            if first is not one:
                same = _told(first.record.path)
                refused.append(f"`{_told(path)}` is left out: it is the same as `{same}`")
    return Collection(tuple(found[name] for name in sorted(found)), tuple(refused))


def locks(session: Session, found: Iterable[Found]) -> tuple[LockFile, ...]:
    """Return the files of the locks that results name and that are there, sorted by digest."""
    every = tuple(found)
    wanted = {one.row.attribute("lock") for one in every}
    folders = {os.path.dirname(one.record.path) for one in every}
    there: dict[str, LockFile] = {}
    for path in (*_beside(wanted, folders), *_installed(session)):
        try:
            data = disk.read(path, limit=MAX_TOML_BYTES)
        except InstallError:
            continue  # what is damaged is no lock, and no fault of the results
        digest = hashlib.sha256(data).hexdigest()
        if digest in wanted:
            there.setdefault(digest, LockFile(path, digest, _is_listed(data)))
    return tuple(there[digest] for digest in sorted(there))


def _read(path: str, pinned: tuple[Pin, ...]) -> Found:
    one = results.read(path, pinned)
    labels = {pin.keyid: pin.label for pin in pinned}
    names = tuple(sorted(labels[keyid] or keyid[:16] for keyid in one.signers))
    beside = f"{path.removesuffix(RESULT)}{SIGNATURES}"
    source = Source(beside, one.signatures) if one.signatures else None
    return Found(own.row(one.result, one.id, names), Source(path, one.id), source)


def _is_listed(data: bytes) -> bool:
    try:
        return bool(lock.decode(data).index)
    except FormatError:
        return False


def _told(path: str) -> str:
    """Return a path fit for a message, whatever its letters are."""
    return "/".join(map(shown, path.rsplit("/", 1)))


def _beside(wanted: set[str], folders: set[str]) -> Iterator[str]:
    """Yield the files named by the digest of a lock in the `locks` of folders of results."""
    for folder in sorted(folders):
        there = set(disk.names(f"{folder}/{LOCKS}"))
        yield from (
            f"{folder}/{LOCKS}/{one}{LOCK}" for one in sorted(wanted) if f"{one}{LOCK}" in there
        )


def _installed(session: Session) -> Iterator[str]:
    """Yield the locks of all generations of the prefix."""
    for name in disk.names(layout.solutions(session.prefix)):
        folder = f"{layout.solutions(session.prefix)}/{name}/gen"
        yield from (f"{folder}/{number}/{layout.LOCK}" for number in disk.names(folder))
