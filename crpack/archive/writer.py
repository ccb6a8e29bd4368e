"""An archive as it is written.

Rules: the same trees and the same manifest give the same bytes, whatever the folder, the clock,
the number of threads or the file system (for one crpack and one zstd library). Files are streamed;
memory does not grow with them.
"""

from __future__ import annotations

import hashlib
import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, BinaryIO

from crpack import zstd
from crpack.archive import frames, layout, members, payload, pipeline, tar
from crpack.errors import BuildFailed
from crpack.model.manifest import Member
from crpack.model.paths import check_set
from crpack.model.toc import Frame, Toc, TocFile, TocLink

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crpack.archive.reader import Archive
    from crpack.model.tree import Entry

_CHUNK = 1024 * 1024  # bytes copied at once
_PROBE_LEVEL = 1


@dataclass(frozen=True, slots=True)
class Part:
    """One member to write: its name, its bytes' number, and how to open them."""

    name: str
    size: int
    open: Callable[[], BinaryIO]


def part(name: str, data: bytes) -> Part:
    """Return a member that is in memory."""
    return Part(name, len(data), lambda: io.BytesIO(data))


def pack_payload(
    root_entries: Sequence[Entry],
    open_file: Callable[[str], BinaryIO],
    out: BinaryIO,
    *,
    level: int = zstd.LEVEL,
    threads: int = 1,
) -> Toc:
    """Write a payload and return its table of contents (SPEC TOC, TAR).

    Args:
        root_entries: the tree.
        open_file: gives the bytes of the file at a path, buffered; each stream is closed after.
        out: gets the bytes of the member `payload/<id>.tar.zst`; only ever appended to.
        level: of zstd.
        threads: how many compress; the bytes do not depend on it.

    Raises:
        ArchiveError: a path or link breaks a rule of PTH.
        BuildFailed: a file is not what its entry says.
    """
    check_set(root_entries)
    pieces = frames.cut(root_entries, open_file)
    table: list[Frame] = []
    offset = 0
    for done in pipeline.ordered(lambda piece: _pack(piece, level), pieces, threads):
        for packed, raw, sha256, raw_sha256 in done:
            table.append(Frame(offset, len(packed), raw, sha256, raw_sha256))
            offset += out.write(packed)
    return _toc(root_entries, tuple(table))


def member(one: Part) -> Member:
    """Return what a manifest lists of a member, reading it once."""
    digest = hashlib.sha256()
    for chunk in _chunks(one):
        digest.update(chunk)
    return Member(one.name, one.size, digest.hexdigest())


def write(parts: Sequence[Part], out: BinaryIO) -> int:
    """Write an archive and return its bytes (SPEC ARC-01 to ARC-07).

    Args:
        parts: its members, in order.
        out: empty and seekable: a member's CRC-32 goes back before its bytes.

    Raises:
        ArchiveError: names that are none, out of order or missing.
        BuildFailed: a part has another size than it says.
    """
    members.check(one.name for one in parts)
    return store(parts, out)


def store(parts: Sequence[Part], out: BinaryIO) -> int:
    """Write members in the layout of an archive, whatever their names (SPEC ARC-01, ARC-02).

    Raises:
        BuildFailed: a part has another size than it says.
    """
    slots: list[layout.Slot] = []
    for slot in layout.place((one.name, 0, one.size) for one in parts):
        slots.append(_write_member(parts[len(slots)], slot, out))
    end = layout.directory(slots)
    out.seek(0, io.SEEK_END)
    out.write(end)
    return slots[-1].end + len(end)


def copy(archive: Archive, *, thin: bool, signatures: bytes | None = None) -> tuple[Part, ...]:
    """Return the members of another copy of an archive, for `write`.

    Args:
        archive: stays open while the parts are used.
        thin: leave out payloads, sources and components.
        signatures: another `signatures.json`; by default the archive's own.
    """
    kept = (name for name in archive.names if not (thin and members.is_bulk(name)))
    return tuple(
        part(name, signatures)
        if name == members.SIGNATURES and signatures is not None
        else Part(name, archive.size_of(name), _opener(archive, name))
        for name in kept
    )


def in_order(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Return members in the order of an archive (SPEC ARC-06)."""
    return tuple(sorted(parts, key=lambda one: members.rank(one.name)))


def _opener(archive: Archive, name: str) -> Callable[[], BinaryIO]:
    return lambda: archive.stream(name)


def _pack(piece: frames.Piece, level: int) -> list[tuple[bytes, int, str, str]]:
    """Return the frames of a piece: packed bytes, raw size, digest of both where it is listed."""
    raws, packed = [piece.raw], [zstd.compress(piece.raw, _PROBE_LEVEL)]
    if len(packed[0]) < frames.DENSE * len(piece.raw):
        packed = [zstd.compress(piece.raw, level)]
    elif piece.grain:
        raws = _grains(piece)
        packed = [zstd.compress(raw, _PROBE_LEVEL) for raw in raws]
    return [
        (frame, len(raw), _sha256(frame), _sha256(raw) if piece.grain else "")
        for frame, raw in zip(packed, raws, strict=True)
    ]


def _grains(piece: frames.Piece) -> list[bytes]:
    """Cut a dense piece; what is left of less than a block may be padding, and stays behind."""
    starts = range(0, max(1, len(piece.raw) - tar.BLOCK + 1), piece.grain)
    return [piece.raw[a:b] for a, b in pairwise([*starts, len(piece.raw)])]


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _toc(entries: Sequence[Entry], table: tuple[Frame, ...]) -> Toc:
    spots = payload.spots(entries, [frame.raw for frame in table])
    files = [
        TocFile(e.path, e.size, e.executable, e.sha256, spot.frame, spot.offset)
        for spot in spots
        if (e := spot.entry).kind == "file"
    ]
    return Toc(
        frames=table,
        files=tuple(files),
        links=tuple(
            TocLink(e.path, e.target) for e in sorted(entries, key=_path) if e.kind == "link"
        ),
        dirs=tuple(e.path for e in sorted(entries, key=_path) if e.kind == "dir"),
    )


def _path(entry: Entry) -> str:
    return entry.path


def _write_member(one: Part, slot: layout.Slot, out: BinaryIO) -> layout.Slot:
    """Write one member behind the place of its header, then the header."""
    crc = 0
    out.seek(slot.start)
    for chunk in _chunks(one):
        crc = zlib.crc32(chunk, crc)
        out.write(chunk)
    done = slot._replace(crc=crc)
    out.seek(slot.offset)
    out.write(layout.local_header(done))
    return done


def _chunks(one: Part) -> Iterator[bytes]:
    left = one.size
    with one.open() as stream:
        while left and (chunk := stream.read(min(left, _CHUNK))):
            left -= len(chunk)
            yield chunk
        if left or stream.read(1):
            what = f"`{one.name}` does not have the {one.size} bytes it should"
            raise BuildFailed(what, hint="see that nothing writes to it, then build again")
