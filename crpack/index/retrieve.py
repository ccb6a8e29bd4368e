"""Retrieving: a copy of an archive with what is wanted of it, in few requests and bytes.

Rules (SPEC FET-11):
- One range has the end of the archive. Its manifest must be the one that was asked for, before
  anything else is. Then the wanted members come in at most three more ranges, each frame held
  against its table of contents as it arrives, and make a partial copy.
- The whole file is fetched, and held against its digest, where a server knows no ranges, where
  the file is small, and where most of it is wanted.
- What is cut goes on behind the last piece that was right, in a later command too if there is a
  folder for parts.
- Copies are tried in their order, as addresses of a download are.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack import disk
from crpack.archive import slices
from crpack.archive.reader import Archive
from crpack.errors import ArchiveError, CrpackError, FetchError, TrustError
from crpack.fetch.addresses import shown
from crpack.fetch.attempts import Attempts, together
from crpack.fetch.download import check_room, download, part_file
from crpack.model.limits import KIB, MAX_ARCHIVE_BYTES, MAX_TAIL_BYTES
from crpack.model.manifest import Manifest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crpack.fetch.body import Body
    from crpack.fetch.transport import Transport
    from crpack.index.entries import Copy

SMALL_BYTES = 256 * KIB  # a file up to this is fetched whole, in one request
MOST = 0.8  # share of a file from which the whole of it is fetched


def retrieve(
    transport: Transport,
    copies: Sequence[Copy],
    *,
    identity: str,
    wanted: Callable[[Manifest], AbstractSet[str]],
    folder: str,
    parts: str = "",
    report: Callable[[int], None] | None = None,
) -> str:
    """Fetch a copy of an archive and return its path (SPEC FET-11).

    It is a whole and valid archive of this identity, which has the wanted members and may have
    others. Who signed it is the caller's to check.

    Args:
        transport: opens the addresses.
        copies: where the archive is, best first; their addresses are absolute, or local paths.
        identity: of the archive.
        wanted: names the payload and source members that must be there.
        folder: private; gets `<identity>.crpkg`.
        parts: folder where what is cut stays for a later command; empty: nothing stays.
        report: called with the number of bytes that came, negative for some that were dropped.

    Raises:
        FetchError: no copy could be read, or none has what is wanted.
        TrustError: what was read is not this archive.
        InstallError: the disk refused, or has no room.
    """
    goal = _Goal(identity, wanted, os.path.join(folder, f"{identity}.crpkg"), parts)
    errors: list[CrpackError] = []
    for copy in copies:
        try:
            _Retrieval(transport, copy, goal, report or _ignored).run()
        except (FetchError, TrustError) as error:
            errors.append(error)
        else:
            return goal.path
    raise together(errors)


@dataclass(frozen=True, slots=True)
class _Goal:
    """What is fetched, and where to."""

    identity: str
    wanted: Callable[[Manifest], AbstractSet[str]]
    path: str
    parts: str


class _Retrieval:
    """One copy on its way."""

    def __init__(
        self, transport: Transport, copy: Copy, goal: _Goal, report: Callable[[int], None]
    ) -> None:
        self._transport = transport
        self._copy = copy
        self._goal = goal
        self._report = report
        self._validator = ""

    def run(self) -> None:
        """Fetch what is wanted, in ranges or as a whole."""
        if not 0 <= self._copy.tail < self._copy.size <= MAX_ARCHIVE_BYTES:
            raise FetchError(f"`{shown(self._copy.url)}` is listed with an impossible size")
        if not self._in_ranges():
            self._whole()

    def _whole(self) -> None:
        copy = self._copy
        download(
            self._transport,
            [copy.url],
            self._goal.path,
            limit=copy.size,
            sha256=copy.sha256,
            size=copy.size,
            parts=self._goal.parts,
            report=self._report,
        )
        try:
            self._check_whole()
        except BaseException:
            disk.remove_file(self._goal.path)
            raise

    def _check_whole(self) -> None:
        with open(self._goal.path, "rb") as stream:
            archive = Archive.open(stream, size=self._copy.size)
            self._check_archive(archive)
            lacking = sorted(set(self._goal.wanted(archive.manifest)) - set(archive.names))
        if lacking:
            raise FetchError(f"`{shown(self._copy.url)}` has no `{lacking[0][:80]}`")

    def _check_archive(self, archive: Archive) -> None:
        if archive.identity != self._goal.identity:
            raise TrustError(
                f"`{shown(self._copy.url)}` is another archive than the one that was asked for",
                why=[f"its identity is `{archive.identity}`, not `{self._goal.identity}`"],
                rule="FET-11",
            )

    def _in_ranges(self) -> bool:
        """Fetch a partial copy; False when the whole file is to be fetched instead."""
        copy = self._copy
        length = copy.size - copy.tail
        if copy.kind == "thin" or copy.size <= SMALL_BYTES or length > MAX_TAIL_BYTES:
            return False
        end = self._end()
        if end is None:
            return False
        tail = slices.open_tail(end, size=copy.size, tail=copy.tail)
        self._check_archive(tail.archive)
        names = frozenset(self._goal.wanted(tail.archive.manifest))
        plan = slices.plan(tail, names)
        if plan.ranges and plan.fetched + length > MOST * copy.size:
            return False
        with part_file(self._goal.parts, self._key(names), self._goal.path) as part:
            done = False
            try:
                done = self._fill(plan, part)
                if done:
                    part.publish(self._goal.path)
                return done
            finally:
                if not done and part.path == self._goal.path:
                    part.remove()

    def _key(self, names: frozenset[str]) -> str:
        """Return what names the part of a partial copy; only its bulk members are in it."""
        return hashlib.sha256("\0".join((self._goal.identity, *sorted(names))).encode()).hexdigest()

    def _end(self) -> bytes | None:
        """Return the end of the file, in one range; None when it is not to be had alone."""
        attempts = Attempts(self._transport.patience)
        got = bytearray()
        while True:
            try:
                body = self._open(self._copy.tail + len(got), self._copy.size)
                if body is None:
                    return None
                with body:
                    self._validator = body.validator
                    for chunk in body:
                        got += chunk
                        self._report(len(chunk))
                return bytes(got)
            except FetchError as error:
                if not self._validator:  # nothing vouches that the rest will belong to this
                    self._report(-len(got))
                    got.clear()
                attempts.failed(error, len(got))

    def _open(self, start: int, end: int) -> Body | None:
        """Open a range of the file, still the one that the end came from; None: not in ranges."""
        copy = self._copy
        try:
            body = self._transport.open(
                copy.url, limit=copy.size, start=start, end=end, validator=self._validator
            )
        except FetchError as error:
            if error.data.get("status") == 416:
                return None
            raise
        if body.start == start and body.total == copy.size:
            return body
        with body:
            if body.start != start:
                return None
            why = [f"it has {body.total} bytes, not {copy.size}"]
            what = f"`{shown(copy.url)}` is not the file that was asked for"
            raise TrustError(what, why=why, rule="FET-06")

    def _fill(self, plan: slices.Plan, part: disk.Part) -> bool:
        """Make the partial copy in a part that may have the beginning of it, unless all comes."""
        feed = slices.Feed(plan.pieces)
        _replay(part, feed)
        self._report(feed.at)
        check_room(part.path, plan.size - feed.at)
        attempts = Attempts(self._transport.patience, feed.at)
        while self._headers(part, feed):
            try:
                if not self._range(plan, part, feed):
                    return False
            except FetchError as error:
                self._report(feed.at - part.have)
                part.cut(feed.at)
                feed.rewind()
                attempts.failed(error, feed.at)
            except ArchiveError:
                part.cut(feed.at)
                raise
        part.append(plan.ending)
        return True

    def _headers(self, part: disk.Part, feed: slices.Feed) -> bool:
        """Write what is known; return whether something else comes then."""
        while (known := feed.known()) is not None:
            part.append(known)
            feed.take(known)
        return feed.piece is not None

    def _range(self, plan: slices.Plan, part: disk.Part, feed: slices.Feed) -> bool:
        """Take what is missing of one range; False when the whole file comes instead."""
        at = feed.source
        end = next(end for start, end in plan.ranges if start <= at < end)
        body = self._open(at, end)
        if body is None:
            return False
        with body:
            for chunk in body:
                self._report(len(chunk))
                self._place(chunk, at, part, feed)
                at += len(chunk)
        return True

    def _place(self, chunk: bytes, at: int, part: disk.Part, feed: slices.Feed) -> None:
        """Write what is wanted of a chunk that stands at offset `at`; drop what lies between."""
        done = 0
        while self._headers(part, feed) and feed.source < at + len(chunk):
            done = max(done, feed.source - at)
            data = chunk[done : done + feed.left]
            part.append(data)
            feed.take(data)
            done += len(data)


def _replay(part: disk.Part, feed: slices.Feed) -> None:
    """Pass over what is there as far as it is right, and drop the rest."""
    try:
        for chunk in part.chunks():
            done = 0
            while done < len(chunk) and feed.piece:
                data = chunk[done : done + feed.left]
                feed.take(data)
                done += len(data)
    except ArchiveError:
        pass  # the part was damaged here
    feed.rewind()
    part.cut(feed.at)


def _ignored(_: int) -> None:
    """Report to nobody."""
