"""The verb `dashboard`: results, official ones beside them, as a static page.

Rules (SPEC DSH-01, DSH-02):
- The page is planned before it is written. Results and locks go before `data.js`, what is no
  longer named goes after it: whoever reads meanwhile sees the old data or the new.
- Only a new or empty folder, or one that holds such a page, is written to. `index.html` is written
  first, so that a page that was not finished is known again. No file that was read is removed.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack import __version__, disk, report
from crpack.errors import FormatError, InstallError, UsageError
from crpack.model.limits import MAX_JSON_BYTES
from crpack.model.quantity import counted
from crpack.ops import collection
from crpack.ops.collection import Source
from crpack.ops.progress import News, Tell, silent
from crpack.ops.results import LOCK, LOCKS, RESULT, SIGNATURES
from crpack.report import official, page

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crpack.ops.collection import Found
    from crpack.session import Session

RESULTS = "results"

_FILES = os.path.join(os.path.dirname(os.path.abspath(report.__file__)), "page")
_OFFICIAL = os.path.join(os.path.dirname(_FILES), "data", "mlperf.json")
_OURS = b"<title>crpack results</title>"
_OLD = re.compile(r"[0-9a-f]{64}\.(json|sig\.json|lock)|\..+\.[0-9a-f]{16}", re.ASCII)
_TOLD = 10  # causes of a failure


@dataclass(frozen=True, slots=True)
class Order:
    """What to show: files and folders of results (none: the prefix's), and where to write it."""

    places: tuple[str, ...]
    out: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What a page shows.

    Attributes:
        page: its file to open, absolute.
        results: own ones; `invalid` of them do not count.
        official: official ones.
        locks: how many of the locks that results name were found.
        refused: a sentence for each file that is left out.
        omitted: own results beyond `MAX_RESULTS`.
    """

    page: str
    results: int
    invalid: int
    official: int
    locks: int
    refused: tuple[str, ...]
    omitted: int


@dataclass(frozen=True, slots=True)
class Copy:
    """A file that the page takes along, under a name below its folder."""

    name: str
    source: Source


@dataclass(frozen=True, slots=True)
class Plan:
    """A page before it is written.

    Attributes:
        out: its folder, absolute.
        summary: what it shows.
        data: bytes of `data.js`.
        copies: results, signatures and locks.
        read: the files that were read.
    """

    out: str
    summary: Summary
    data: bytes
    copies: tuple[Copy, ...]
    read: tuple[str, ...]


def plan(session: Session, order: Order, *, tell: Tell = silent) -> Plan:
    """Read the results and return the page that they make.

    Raises:
        UsageError: a place is not there or holds no results, or the folder holds something else.
        FormatError: none of the files is a result.
    """
    out = os.path.abspath(order.out)
    _accept(out)
    paths = collection.files(session, order.places)
    tell(News("Reading", counted(len(paths), "file")))
    every = collection.collect(session, paths)
    if order.places and not every.found:
        what = "none of the files is a result that can be shown"
        hint = "`crpack benchmark NAME` makes results"
        if not every.refused:
            raise UsageError("there are no results", hint=hint)
        raise FormatError(what, why=every.refused[:_TOLD], hint=hint)
    rows = [one.row for one in every.found]
    rows += official.rows(disk.read(_OFFICIAL, limit=MAX_JSON_BYTES))
    visible, omitted = page.shown(rows)
    ids = {row.id for row in visible}
    mine = [one for one in every.found if one.row.id in ids]
    locks = collection.locks(session, mine)
    notes = [f"{omitted} more results are not shown: the oldest"] if omitted else []
    summary = Summary(
        page=f"{out}/{page.FILES[0]}",
        results=len(mine),
        invalid=sum(not one.row.valid for one in mine),
        official=len(visible) - len(mine),
        locks=len(locks),
        refused=every.refused,
        omitted=omitted,
    )
    data = page.data(visible, [(one.sha256, one.listed) for one in locks], __version__, notes)
    return Plan(out, summary, data, tuple(_copies(mine, locks)), paths)


def write(planned: Plan) -> None:
    """Write a planned page.

    Raises:
        InstallError: a file cannot be read or written.
        FormatError: a result changed since it was read.
    """
    disk.make_folders(planned.out)
    for name in page.FILES:
        _put(planned.out, name, disk.read(f"{_FILES}/{name}", limit=MAX_JSON_BYTES))
    disk.make_folders(f"{planned.out}/{RESULTS}/{LOCKS}")
    for copy in planned.copies:
        data = disk.read(copy.source.path, limit=MAX_JSON_BYTES)
        if hashlib.sha256(data).hexdigest() != copy.source.sha256:
            what = f"`{copy.source.path}` changed while it was read"
            raise FormatError(what, hint="try it again")
        _put(planned.out, copy.name, data)
    _put(planned.out, page.DATA, planned.data)
    kept = {f"{planned.out}/{copy.name}" for copy in planned.copies} | set(planned.read)
    for folder in (planned.out, f"{planned.out}/{RESULTS}", f"{planned.out}/{RESULTS}/{LOCKS}"):
        for name in disk.names(folder):
            if _OLD.fullmatch(name) and f"{folder}/{name}" not in kept:
                disk.remove_file(f"{folder}/{name}")


def _accept(out: str) -> None:
    """Refuse a folder that holds anything else than a page."""
    if os.path.lexists(out) and not os.path.isdir(out):
        raise UsageError(f"`{out}` is not a folder", hint="name a new one with `--out`")
    there = [name for name in disk.names(out) if not _OLD.fullmatch(name)]
    strangers = sorted(set(there) - {*page.FILES, page.DATA, RESULTS})
    if there and (strangers or not _is_page(out)):
        why = [f"it holds `{(strangers or there)[0]}`"]
        hint = "name a new or empty folder, or one that `crpack dashboard` made"
        raise UsageError(f"`{out}` holds other files than a dashboard", why=why, hint=hint)


def _is_page(out: str) -> bool:
    try:
        return _OURS in disk.read(f"{out}/{page.FILES[0]}", limit=MAX_JSON_BYTES)
    except InstallError:
        return False


def _copies(found: Iterable[Found], locks: Iterable[Source]) -> Iterator[Copy]:
    for one in found:
        yield Copy(f"{RESULTS}/{one.row.id}{RESULT}", one.record)
        if one.signatures:
            yield Copy(f"{RESULTS}/{one.row.id}{SIGNATURES}", one.signatures)
    for lock in locks:
        yield Copy(f"{RESULTS}/{LOCKS}/{lock.sha256}{LOCK}", lock)


def _put(out: str, name: str, data: bytes) -> None:
    """Write a file unless it is there with these bytes."""
    path = f"{out}/{name}"
    if not os.path.lexists(path):
        disk.write_file(path, [data])
    elif not _holds(path, data):
        disk.replace_file(path, [data])


def _holds(path: str, data: bytes) -> bool:
    try:
        return disk.read(path, limit=len(data)) == data
    except InstallError:
        return False  # longer, or no plain file
