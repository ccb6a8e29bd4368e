"""A payload: zstd frames that make the tar of a tree.

Rules (SPEC TOC-01, TOC-04, TOC-06 to TOC-13):
- The table of contents is one zstd frame of canonical JSON. Its frames cover the payload exactly;
  its files stand where the tar of its tree puts them; so no byte of the tar is unaccounted for.
- A frame's digest is checked before it is decompressed, a file's before it is given out whole.
- Memory is bounded by frames, whatever the size of files.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections import deque
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from crpack import zstd
from crpack.archive import tar
from crpack.errors import ArchiveError
from crpack.model import toc as tocs
from crpack.model import tree
from crpack.model.limits import MAX_TOC_BYTES, MAX_ZSTD_WINDOW
from crpack.model.paths import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from crpack.model.manifest import Payload
    from crpack.model.toc import Frame, Toc
    from crpack.model.tree import Entry


class Spot(NamedTuple):
    """Where one entry of a tree stands: its content's first frame, offset in it, last frame."""

    entry: Entry
    frame: int
    offset: int
    last: int


def spots(entries: Iterable[Entry], raw_sizes: Sequence[int]) -> Iterator[Spot]:
    """Yield where the tar of a tree has each entry's content (SPEC TOC-06).

    Args:
        entries: the tree.
        raw_sizes: decompressed bytes of each frame, in order.

    Raises:
        ArchiveError: the frames hold fewer or more bytes than the tar.
    """
    starts = [0, *accumulate(raw_sizes)]
    at = 0
    for entry in tar.order(entries):
        at += tar.header_size(entry)
        frame = bisect_right(starts, at) - 1
        last = bisect_right(starts, at + max(entry.size, 1) - 1) - 1
        if at >= starts[-1]:
            break
        yield Spot(entry, frame, at - starts[frame], last)
        at += entry.size + tar.padding(entry.size)
    if at + len(tar.END) != starts[-1]:
        raise ArchiveError("the frames of a payload are not those of its files", rule="TOC-06")


def encode_toc(toc: Toc, level: int = zstd.LEVEL) -> bytes:
    """Return the bytes of the member `toc/<id>.json.zst` (SPEC TOC-01)."""
    return zstd.compress(tocs.encode(toc), level)


def decode_toc(data: bytes, payload: Payload) -> Toc:
    """Return the table of contents of a payload, checked against it (SPEC TOC-01 to TOC-12).

    Args:
        data: bytes of the member `toc/<id>.json.zst`.
        payload: what the manifest says of it.

    Raises:
        ArchiveError, FormatError: the table breaks a rule, or is another payload's.
    """
    toc = tocs.decode(zstd.decompress(data, limit=MAX_TOC_BYTES, window=MAX_ZSTD_WINDOW))
    _check_places(toc)
    found = (
        sum(frame.packed for frame in toc.frames),
        sum(file.size for file in toc.files),
        len(toc.files),
        tree.digest(tocs.entries(toc)),
    )
    if found != (payload.packed, payload.unpacked, payload.files, payload.tree):
        what = f"the table of contents of payload `{payload.id}` is another's"
        raise ArchiveError(what, why=["size, files or tree differ"], rule="TOC-12")
    if payload.platform.startswith("windows-") and toc.links:
        what = f"payload `{payload.id}` holds links, which Windows does not have"
        raise ArchiveError(what, rule="TOC-05")
    return toc


def unpack_frame(frame: Frame, data: bytes) -> bytes:
    """Return a frame's content, its digest checked first (SPEC TOC-08 to TOC-10).

    Raises:
        ArchiveError: the bytes are not those of the frame.
    """
    if hashlib.sha256(data).hexdigest() != frame.sha256:
        what = f"the frame at {frame.offset} is not the one the table of contents lists"
        raise ArchiveError(what, rule="TOC-08")
    raw = zstd.decompress(data, limit=frame.raw, window=MAX_ZSTD_WINDOW)
    if len(raw) != frame.raw:
        what = f"the frame at {frame.offset} holds {len(raw)} bytes, not {frame.raw}"
        raise ArchiveError(what, rule="TOC-09")
    if frame.raw_sha256 and hashlib.sha256(raw).hexdigest() != frame.raw_sha256:
        raise ArchiveError(f"the content of the frame at {frame.offset} differs", rule="TOC-10")
    return raw


def walk(
    entries: Iterable[Entry], raws: Iterator[bytes], *, strict: bool
) -> Iterator[tuple[Entry, Iterator[bytes]]]:
    """Yield each entry of a tree with its content, files and directories first, links last.

    The content of one entry must be taken, or is skipped, before the next entry is.

    Args:
        entries: the tree.
        raws: the decompressed frames, in order.
        strict: also compare every byte of the tar that is not content (SPEC TOC-13).

    Raises:
        ArchiveError: a file has another digest, or (strict) a tar header is another.
    """
    stream = _Stream(raws)
    for entry in tar.order(entries):
        _skip(stream, tar.header_size(entry), tar.header(entry) if strict else None)
        chunks = _checked(entry, stream.take(entry.size))
        yield entry, chunks
        deque(chunks, maxlen=0)  # what was not taken is checked all the same
        _skip(stream, tar.padding(entry.size), bytes(tar.padding(entry.size)) if strict else None)
    _skip(stream, len(tar.END), tar.END if strict else None)


class _Stream:
    """Frames as one stream of bytes."""

    def __init__(self, raws: Iterator[bytes]) -> None:
        self._raws = raws
        self._raw = b""
        self._at = 0

    def take(self, size: int) -> Iterator[bytes]:
        while size:
            if self._at == len(self._raw):
                self._raw, self._at = next(self._raws), 0
            chunk = self._raw[self._at : self._at + size]
            self._at += len(chunk)
            size -= len(chunk)
            yield chunk


def _checked(entry: Entry, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Pass a file's content on, the last chunk only when the digest is right (SPEC TOC-11)."""
    if entry.kind != "file":
        return
    digest, left = hashlib.sha256(), entry.size
    for chunk in chunks:
        digest.update(chunk)
        left -= len(chunk)
        if left:
            yield chunk
    if digest.hexdigest() != entry.sha256:
        what = f"the file `{shown(entry.path)}` is not the one the table of contents lists"
        raise ArchiveError(what, rule="TOC-11")
    if entry.size:
        yield chunk


def _skip(stream: _Stream, size: int, expected: bytes | None) -> None:
    passed = b"".join(stream.take(size))
    if expected is not None and passed != expected:
        what = "the tar of a payload differs from its table of contents"
        raise ArchiveError(what, why=["standard tools would unpack other files"], rule="TOC-13")


def _check_places(toc: Toc) -> None:
    """See that files stand where the tar has them, and raw digests where they belong."""
    files = {file.path: (file.frame, file.offset) for file in toc.files}
    shared: set[int] = set()
    for spot in tuple(spots(tocs.entries(toc), [frame.raw for frame in toc.frames])):
        place = files.get(spot.entry.path)
        if place is not None and place != (spot.frame, spot.offset):
            what = f"the file `{shown(spot.entry.path)}` is not where the tar has it"
            raise ArchiveError(what, rule="TOC-06")
        if spot.last > spot.frame:
            shared.update(range(spot.frame, spot.last + 1))
    for number, frame in enumerate(toc.frames):
        if bool(frame.raw_sha256) != (number in shared):
            what = f"frame {number} of a payload has a raw digest and needs none, or lacks it"
            raise ArchiveError(what, rule="TOC-07")
