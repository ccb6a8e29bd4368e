"""Streams of foreign archives: decompression piece by piece, and reading forward only.

Rules (SPEC FET-08):
- The kind of a stream is told by its first bytes.
- Memory is bounded: by the decompressors' own windows (xz and zstd are told the most that they
  may take), and by refusing to hand out much at once. A header that claims to be huge fails.
- There is no way back in a `Forward`, so no header can make a reader go round in circles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Literal

from crpack import zstd
from crpack.errors import ArchiveError
from crpack.model.limits import KIB, MIB

if TYPE_CHECKING:
    from collections.abc import Iterator

Kind = Literal["tar", "zip"]

MAX_READ_BYTES = 1 * MIB  # of one name, one PAX header, or one piece of a file
MAX_XZ_MEMORY = 256 * MIB
FOREIGN_WINDOW_BYTES = 128 * MIB  # of a zstd frame; crpack's own archives ask for less
_CHUNK = 256 * KIB
_BLOCK = 512  # bytes of a tar's block


def decompressed(file: BinaryIO) -> tuple[Kind, Iterator[bytes]]:
    """Return what an open file is, and its bytes without their compression.

    Raises:
        ArchiveError: it is neither a tar nor a zip.
    """
    head = file.read(_BLOCK)
    file.seek(0)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip", iter(())
    if head.startswith(b"\x1f\x8b"):
        return "tar", _gzip(file)
    if head.startswith(b"BZh"):
        return "tar", _bzip2(file)
    if head.startswith(b"\xfd7zXZ\x00"):
        return "tar", _xz(file)
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        return "tar", zstd.stream(file, window=FOREIGN_WINDOW_BYTES)
    if head[257:262] == b"ustar":
        return "tar", _pieces(file)
    raise ArchiveError(
        "the file is not an archive that crpack unpacks",
        why=["its first bytes are not those of tar, zip, gzip, bzip2, xz or zstd"],
        rule="FET-07",
    )


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk


def _gzip(file: BinaryIO) -> Iterator[bytes]:
    import gzip

    with gzip.GzipFile(fileobj=file) as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


def _bzip2(file: BinaryIO) -> Iterator[bytes]:
    import bz2

    with bz2.BZ2File(file) as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


def _xz(file: BinaryIO) -> Iterator[bytes]:
    """Yield the content of xz streams; `lzma.open` knows no limit of memory."""
    import lzma

    data = file.read(_CHUNK)
    while data:
        decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MAX_XZ_MEMORY)
        while not decoder.eof:
            if decoder.needs_input and not data and not (data := file.read(_CHUNK)):
                raise EOFError("the xz stream is cut off")
            yield decoder.decompress(data, _CHUNK)
            data = b""
        data = decoder.unused_data.lstrip(b"\0")  # streams may be padded
        while not data and (more := file.read(_CHUNK)):
            data = more.lstrip(b"\0")


class Forward:
    """A file-like view of chunks that can be read and skipped, never gone back in."""

    def __init__(self, chunks: Iterator[bytes], limit: int) -> None:
        """View chunks, of at most `limit` bytes in all."""
        self._chunks = chunks
        self._limit = limit
        self._buffer = b""
        self._taken = 0  # of the buffer
        self._at = 0
        self._last = b""

    def tell(self) -> int:
        """Return the position in bytes."""
        return self._at

    def seek(self, position: int) -> int:
        """Skip to a later position, as far as there is something.

        Raises:
            ArchiveError: the position lies behind.
        """
        if position < self._at:
            raise ArchiveError("a member of the archive points back", rule="FET-08")
        while self._at < position and self.read(min(position - self._at, MAX_READ_BYTES)):
            pass
        return self._at

    def read(self, size: int) -> bytes:
        """Return `size` bytes, fewer at the end only.

        Raises:
            ArchiveError: too much at once, or more in all than the limit.
        """
        if not 0 <= size <= MAX_READ_BYTES:
            raise ArchiveError("a header of the archive is too long", rule="FET-08")
        if len(self._buffer) - self._taken < size:
            self._fill(size)
        self._last = self._buffer[self._taken : self._taken + size]
        self._taken += len(self._last)
        self._at += len(self._last)
        if self._at > self._limit:
            raise ArchiveError(f"it unpacks to more than {self._limit} bytes", rule="FET-08")
        return self._last

    def _fill(self, size: int) -> None:
        parts = [self._buffer[self._taken :]]
        have = len(parts[0])
        for chunk in self._chunks:
            parts.append(chunk)
            have += len(chunk)
            if have >= size:
                break
        self._buffer, self._taken = b"".join(parts), 0

    def check_end(self) -> None:
        """Check that a tar ended where a reader stopped: with a block of zeros, or nothing.

        What follows is read and dropped, so that a compressed stream is seen to be whole.

        Raises:
            ArchiveError: it stopped at something that is no header.
        """
        if self._last.strip(b"\0"):
            raise ArchiveError("the archive is damaged or cut off", rule="FET-08")
        while self.read(MAX_READ_BYTES):
            pass
