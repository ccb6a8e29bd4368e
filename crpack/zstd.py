"""The one compressor: zstd frames in one strict shape.

Rules (SPEC ZST-01 to ZST-04, RFC 8878):
- One block of bytes is one zstd frame: no skippable or legacy frame, nothing before or after.
- The frame header states the size of the content; there is no dictionary and no checksum, for the
  bytes are covered by a sha256 above.
- Size and window are read from the frame header and held against limits before anything is
  decompressed, so the memory taken is known beforehand.
- The same bytes at the same level give the same frame, whatever was compressed before.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from crpack.errors import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    import zstandard

LEVEL = 9  # default: half of what level 19 gains over 3, for a thirtieth of its time
RELEASE_LEVEL = 19

_MAGIC = b"\x28\xb5\x2f\xfd"
_STREAMED = 256 * 1024  # bytes of content given at once
_local = threading.local()  # a context belongs to one thread at a time


def version() -> str:
    """Return the version of the zstd library, such as `1.5.7`."""
    import zstandard

    return ".".join(str(part) for part in zstandard.ZSTD_VERSION)


def compress(data: bytes, level: int = LEVEL) -> bytes:
    """Return one zstd frame that holds `data` (SPEC ZST-01)."""
    contexts: dict[int, zstandard.ZstdCompressor] = _local.__dict__.setdefault("contexts", {})
    if level not in contexts:
        import zstandard

        contexts[level] = zstandard.ZstdCompressor(
            level=level, write_content_size=True, write_checksum=False, write_dict_id=False
        )
    return contexts[level].compress(data)


def decompress(data: bytes, *, limit: int, window: int) -> bytes:
    """Return the content of one frame (SPEC ZST-01 to ZST-04).

    Args:
        data: the frame, and nothing else.
        limit: bytes of content; refuse more, or none, before decompressing.
        window: bytes; refuse a frame that asks for a larger one.

    Raises:
        ArchiveError: not one plain frame, beyond a limit, or damaged.
    """
    import zstandard

    if data[:4] != _MAGIC:
        raise ArchiveError("compressed bytes are not a zstd frame", rule="ZST-01")
    try:
        header = zstandard.get_frame_parameters(data)
    except zstandard.ZstdError as error:
        raise _damaged(error) from error
    if header.content_size == zstandard.CONTENTSIZE_UNKNOWN:
        raise ArchiveError("a zstd frame does not state the size of its content", rule="ZST-02")
    if header.dict_id or header.has_checksum:
        raise ArchiveError("a zstd frame has a dictionary or a checksum", rule="ZST-02")
    if header.window_size > window:
        what = f"a zstd frame asks for a window of {header.window_size} bytes, not {window}"
        raise ArchiveError(what, rule="ZST-03")
    if not 0 < header.content_size <= limit:
        what = f"a zstd frame says it holds {header.content_size} bytes, not 1 to {limit}"
        raise ArchiveError(what, rule="ZST-04")
    try:
        return _decompressor().decompress(data, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise _damaged(error) from error


def stream(source: BinaryIO, *, window: int) -> Iterator[bytes]:
    """Yield the content of a foreign file of zstd frames, in whatever shape they are.

    Args:
        source: the compressed bytes, from here to their end.
        window: bytes; refuse a frame that asks for a larger one.

    Raises:
        ArchiveError: not zstd, damaged, cut off, or a window that is too large.
    """
    import zstandard

    decompressor = zstandard.ZstdDecompressor(max_window_size=window)
    try:
        with decompressor.stream_reader(source, read_across_frames=True, closefd=False) as reader:
            while chunk := reader.read(_STREAMED):
                yield chunk
    except zstandard.ZstdError as error:
        raise _damaged(error) from error


def _damaged(error: Exception) -> ArchiveError:
    return ArchiveError("a zstd frame is damaged", why=[str(error)], rule="ZST-01")


def _decompressor() -> zstandard.ZstdDecompressor:
    if not hasattr(_local, "decompressor"):
        import zstandard

        _local.decompressor = zstandard.ZstdDecompressor()
    context: zstandard.ZstdDecompressor = _local.decompressor
    return context
