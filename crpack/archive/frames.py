"""The frame rule of the builder: where a payload's tar is cut.

Rules (readers follow the table of contents and know nothing of this):
- A file of ALONE bytes or more begins a frame of its own; smaller ones and links share frames of
  GROUP raw bytes at most.
- A file of more than GRID bytes is cut: its tar header with the header of its tensor file, if
  it is one, then pieces of GRID bytes. So a header that grows moves no piece, and a new
  version of the file has most frames in common with the old.
- A piece that compression does not shrink (`dense`: weights, images) is cut again, every GRAIN
  bytes: small frames cost nothing there, and a change of a few weights then touches few bytes.
  Beyond MAX_GRAINS of them in a file the grain doubles, so that tables of contents stay small.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from crpack.archive import tar
from crpack.model.limits import KIB, MIB

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import BinaryIO

    from crpack.model.tree import Entry

ALONE = 32 * KIB  # bytes of a file from which it has a frame of its own
GROUP = 64 * KIB  # raw bytes of a frame that small files share
GRID = 1 * MIB  # raw bytes of a piece of a large file
GRAIN = 64 * KIB  # raw bytes of a frame of a dense piece
MAX_GRAINS = 16_384  # of one file, before the grain doubles
DENSE = 0.85  # of the raw size: what level 1 leaves larger than this is dense
MAX_TENSOR_HEADER = 100 * MIB  # bytes; the limit of the safetensors format


class Piece(NamedTuple):
    """The raw bytes of one frame, or of several of `grain` bytes if they are dense.

    A grain of 0 says that they are whole files, which have a frame whatever they hold.
    """

    raw: bytes
    grain: int = 0


def cut(entries: Iterable[Entry], open_file: Callable[[str], BinaryIO]) -> Iterator[Piece]:
    """Yield the tar of a tree, frame by frame.

    Args:
        entries: the tree.
        open_file: gives the bytes of the file at a path; each stream is closed after use.

    Raises:
        BuildFailed: a file is not what its entry says.
    """
    group = bytearray()
    for entry in tar.order(entries):
        small = entry.size < ALONE
        record = _record(entry, open_file) if small else b""
        if group and (not small or len(group) + len(record) > GROUP):
            yield Piece(bytes(group))
            group.clear()
        if small:
            group += record
        elif entry.size <= GRID:
            yield Piece(_record(entry, open_file))
        else:
            yield from _pieces(entry, open_file)
    if len(group) + len(tar.END) > GROUP:
        yield Piece(bytes(group))
        group.clear()
    yield Piece(bytes(group) + tar.END)


def tensor_header(size: int, start: bytes) -> int:
    """Return the bytes of a tensor file's header, 0 for another file.

    A safetensors file begins with the length of its header, 8 bytes little endian, and the
    header, a JSON object.

    Args:
        size: bytes of the whole file.
        start: its first 9 bytes or more.
    """
    length = 8 + int.from_bytes(start[:8], "little")
    return length if start[8:9] == b"{" and length <= min(size, MAX_TENSOR_HEADER) else 0


def _record(entry: Entry, open_file: Callable[[str], BinaryIO]) -> bytes:
    """Return header, content and padding of one entry."""
    if entry.kind != "file":
        return tar.header(entry)
    with open_file(entry.path) as stream:
        body = b"".join(tar.content(entry, stream))
    return tar.header(entry) + body + bytes(tar.padding(entry.size))


def _pieces(entry: Entry, open_file: Callable[[str], BinaryIO]) -> Iterator[Piece]:
    """Yield the pieces of a large file."""
    grain = GRAIN
    while entry.size > grain * MAX_GRAINS and grain < GRID:
        grain *= 2
    with open_file(entry.path) as stream:
        chunks = tar.content(entry, stream)
        start = next(chunks, b"")
        pool = _Pool(start, chunks)
        head = tensor_header(entry.size, start)
        first = min(head, GRID)
        yield Piece(tar.header(entry) + pool.take(first), grain if first else 0)
        for length in _lengths(head - first):
            yield Piece(pool.take(length), grain)
        left = entry.size - head
        for length in _lengths(left):
            left -= length
            pad = b"" if left else bytes(tar.padding(entry.size))
            yield Piece(pool.take(length) + pad, grain)
        pool.take(1)  # runs into the end, where the content is checked


def _lengths(size: int) -> Iterator[int]:
    yield from [GRID] * (size // GRID)
    if size % GRID:
        yield size % GRID


class _Pool:
    """Chunks of any size, taken in sizes of choice."""

    def __init__(self, start: bytes, chunks: Iterator[bytes]) -> None:
        self._held = start
        self._chunks = chunks

    def take(self, size: int) -> bytes:
        parts = [self._held]
        have = len(self._held)
        while have < size and (chunk := next(self._chunks, b"")):
            parts.append(chunk)
            have += len(chunk)
        whole = b"".join(parts)
        self._held = whole[size:]
        return whole[:size]
