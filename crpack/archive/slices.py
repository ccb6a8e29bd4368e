"""Slices: the wanted members of an archive that is elsewhere, and the partial copy they make.

Rules (SPEC FET-11, ARC-08):
- The end of an archive, from `recipe.json` on, holds its recipe, tables of contents, manifest,
  signatures and directory: it is all a thin copy needs, and tells where the rest is. It is read
  as strictly as an archive before anything else is asked for.
- A copy may lack bulk members, so the wanted ones and that end make a copy of the same archive,
  with the same manifest, identity and signatures.
- Each frame of a payload is held against its table of contents when it is there, each source
  against the manifest. So what is wrong stops at once, and what is right need not come again.
- Everything that comes from elsewhere is hostile.
"""

from __future__ import annotations

import hashlib
import io
import zlib
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from crpack.archive import layout, members
from crpack.archive.reader import Archive, check_listed
from crpack.archive.section import Section, read_slots
from crpack.errors import ArchiveError
from crpack.model.limits import KIB
from crpack.model.manifest import payload_member
from crpack.model.paths import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from crpack.model.manifest import Member
    from crpack.model.toc import Frame

GAP = 64 * KIB  # bytes between two ranges that are fetched as one: cheaper than another request
MAX_RANGES = 3  # beside the one for the end


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of an archive that is elsewhere.

    Attributes:
        archive: a thin copy made of it.
        slots: all members of the archive, in their places there.
        small: bytes of the small members with their headers.
    """

    archive: Archive
    slots: tuple[layout.Slot, ...]
    small: bytes


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes that come next in a partial copy and are right or wrong together.

    Attributes:
        name: of the member.
        size: bytes.
        source: offset in the archive that is elsewhere.
        sha256: hex digest; empty for a header, whose bytes are known.
        header: the bytes of a header.
        crc: CRC-32 of the member that ends here; -1 where none does.
    """

    name: str
    size: int
    source: int
    sha256: str = ""
    header: bytes = b""
    crc: int = -1


@dataclass(frozen=True, slots=True)
class Plan:
    """How a partial copy is made.

    Attributes:
        pieces: the wanted members, in order.
        ranges: what to fetch, offsets of the first byte and behind the last, in order.
        ending: what follows the last piece.
        size: bytes of the copy.
    """

    pieces: tuple[Piece, ...]
    ranges: tuple[tuple[int, int], ...]
    ending: bytes
    size: int

    @property
    def fetched(self) -> int:
        """Bytes of all ranges."""
        return sum(end - start for start, end in self.ranges)


def open_tail(data: bytes, *, size: int, tail: int) -> Tail:
    """Open the end of an archive (SPEC FET-11).

    Args:
        data: its bytes from `tail` on.
        size: bytes of the archive.
        tail: offset of its first small member.

    Raises:
        ArchiveError, FormatError: it is not the end of an archive, or breaks a rule.
    """
    if len(data) != size - tail:
        raise ArchiveError("the end of the archive is cut short", rule="ARC-01")
    slots = read_slots(_End(io.BytesIO(data), -tail, size))
    members.check(slot.name for slot in slots)
    few = [slot for slot in slots if not members.is_bulk(slot.name)]
    if few[0].offset != tail:
        what = "the small members of the archive do not begin where they should"
        raise ArchiveError(what, rule="FET-11")
    small = data[: slots[-1].end - tail]
    thin = small + layout.directory(_placed(few))
    archive = Archive.open(io.BytesIO(thin), size=len(thin))
    check_listed({slot.name: slot for slot in slots}, _listed(archive), archive.manifest)
    archive.read_through()
    return Tail(archive, slots, small)


def plan(tail: Tail, wanted: AbstractSet[str]) -> Plan:
    """Return how a copy with the wanted payloads and sources is made (SPEC FET-11).

    Args:
        tail: the end of an archive.
        wanted: names of members.

    Raises:
        ArchiveError: the archive does not carry one of them.
    """
    listed = _listed(tail.archive)
    there = {slot.name for slot in tail.slots}
    for name in sorted(wanted - (there & set(listed))):
        raise ArchiveError(f"the archive does not carry `{shown(name)}`", rule="ARC-08")
    kept = [s for s in tail.slots if s.name in wanted and members.is_bulk(s.name)]
    few = [slot for slot in tail.slots if not members.is_bulk(slot.name)]
    placed = _placed([*kept, *few])
    ending = tail.small + layout.directory(placed)
    payloads = [p.id for p in tail.archive.manifest.payloads if payload_member(p.id) in wanted]
    frames = {payload_member(one): tail.archive.toc(one).frames for one in payloads}
    found = tuple(p for slot in kept for p in _pieces(slot, listed[slot.name].sha256, frames))
    size = sum(piece.size for piece in found) + len(ending)
    return Plan(found, _ranges(kept), ending, size)


class Feed:
    """What comes next in a partial copy, and whether what came is right.

    Attributes:
        at: bytes of the copy that are there and right.
    """

    def __init__(self, pieces: tuple[Piece, ...]) -> None:
        """Begin with the first piece."""
        self.at = 0
        self._pieces = pieces
        self._number = 0
        self._crc_before = 0
        self.rewind()

    def rewind(self) -> None:
        """Forget what came of a piece that is not whole."""
        self._got = 0
        self._digest = hashlib.sha256()
        self._crc = self._crc_before

    @property
    def piece(self) -> Piece | None:
        """The piece that comes next, or is not whole yet; None at the end."""
        return self._pieces[self._number] if self._number < len(self._pieces) else None

    @property
    def left(self) -> int:
        """Bytes that the piece still lacks; 0 at the end."""
        return self.piece.size - self._got if self.piece else 0

    @property
    def source(self) -> int:
        """Offset, in the archive that is elsewhere, of the next byte; -1 at the end."""
        return self.piece.source + self._got if self.piece else -1

    def known(self) -> bytes | None:
        """Return what comes next if it is known: a header, or the nothing of an empty member."""
        piece = self.piece
        return piece.header if piece and (piece.header or not piece.size) else None

    def take(self, data: bytes) -> None:
        """Take the next bytes, at most `left` of them.

        Raises:
            ArchiveError: the piece that they end is not the right one.
        """
        self._digest.update(data)
        self._crc = zlib.crc32(data, self._crc)
        self._got += len(data)
        piece = self.piece
        if piece is None or self._got < piece.size:
            return
        if piece.header:
            wrong = self._digest.digest() != hashlib.sha256(piece.header).digest()
            self._crc = 0
        else:
            wrong = self._digest.hexdigest() != piece.sha256 or piece.crc not in (-1, self._crc)
        if wrong:
            self.rewind()
            what = f"what came of `{shown(piece.name)}` is not what the archive lists"
            raise ArchiveError(what, rule="FET-11")
        self.at += piece.size
        self._number += 1
        self._crc_before = self._crc
        self.rewind()


def _listed(archive: Archive) -> dict[str, Member]:
    return {member.path: member for member in archive.manifest.members}


def _placed(slots: list[layout.Slot]) -> tuple[layout.Slot, ...]:
    return layout.place((slot.name, slot.crc, slot.size) for slot in slots)


def _pieces(
    slot: layout.Slot, sha256: str, frames: Mapping[str, tuple[Frame, ...]]
) -> Iterator[Piece]:
    """Yield the header of a member, then the frames of a payload, or a source as one."""
    header = layout.local_header(slot)
    yield Piece(slot.name, len(header), slot.offset, header=header)
    if slot.name not in frames:
        yield Piece(slot.name, slot.size, slot.start, sha256, crc=slot.crc)
        return
    last = frames[slot.name][-1]
    for frame in frames[slot.name]:
        crc = slot.crc if frame is last else -1
        yield Piece(slot.name, frame.packed, slot.start + frame.offset, frame.sha256, crc=crc)


def _ranges(slots: list[layout.Slot]) -> tuple[tuple[int, int], ...]:
    """Return few ranges that cover all members: only the widest gaps between them are left out."""
    filled = [slot for slot in slots if slot.size]
    if not filled:
        return ()
    gaps = [(after.start - before.end, after.start) for before, after in pairwise(filled)]
    widest = sorted(gaps, reverse=True)[: MAX_RANGES - 1]
    starts = {filled[0].start, *(start for width, start in widest if width > GAP)}
    ends = [before.end for before, after in pairwise(filled) if after.start in starts]
    return tuple(zip(sorted(starts), [*ends, filled[-1].end], strict=True))


class _End(Section):
    """An archive of which only what follows `-start` is there."""

    __slots__ = ()

    def read(self, offset: int, size: int) -> bytes:
        if offset < -self.start:
            raise ArchiveError("the archive has a directory where it has no room", rule="ARC-01")
        return super().read(offset, size)
