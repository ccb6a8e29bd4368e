"""The one compressor: zstd frames in one strict shape.

Rules (SPEC ZST-01 to ZST-04, RFC 8878):
- One block of bytes is one zstd frame: no skippable or legacy frame, nothing before or after.
- The frame header states the size of the content; there is no dictionary and no checksum, for the
  bytes are covered by a sha256 above.
- The window is at most `MAX_ZSTD_WINDOW`. All of this is read from the frame header before
  anything is decompressed, so the memory taken is known beforehand.
- The same bytes at the same level give the same frame, whatever was compressed before.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from crpack.errors import ArchiveError
from crpack.model.limits import MAX_ZSTD_WINDOW

if TYPE_CHECKING:
    import zstandard

LEVEL = 9  # default: half of what level 19 gains over 3, for a thirtieth of its time
RELEASE_LEVEL = 19

_MAGIC = b"\x28\xb5\x2f\xfd"
_local = threading.local()  # a context belongs to one thread at a time


def version() -> str:
    """Return the version of the zstd library, such as `1.5.7`."""
    import zstandard  # noqa: PLC0415 - loaded where it is needed

    return ".".join(str(part) for part in zstandard.ZSTD_VERSION)


def compress(data: bytes, level: int = LEVEL) -> bytes:
    """Return one zstd frame that holds `data` (SPEC ZST-01)."""
    contexts: dict[int, zstandard.ZstdCompressor] = _local.__dict__.setdefault("contexts", {})
    if level not in contexts:
        import zstandard  # noqa: PLC0415

        contexts[level] = zstandard.ZstdCompressor(
            level=level, write_content_size=True, write_checksum=False, write_dict_id=False
        )
    return contexts[level].compress(data)


def content_size(data: bytes) -> int:
    """Return the size of a frame's content as its header states it (SPEC ZST-01 to ZST-03).

    Raises:
        ArchiveError: the header is not that of a plain frame with a size and a bounded window.
    """
    import zstandard  # noqa: PLC0415

    if data[:4] != _MAGIC:
        raise ArchiveError("compressed bytes are not a zstd frame", rule="ZST-01")
    try:
        header = zstandard.get_frame_parameters(data)
    except zstandard.ZstdError as error:
        raise ArchiveError("a zstd frame is damaged", why=[str(error)], rule="ZST-01") from error
    if header.content_size == zstandard.CONTENTSIZE_UNKNOWN:
        raise ArchiveError("a zstd frame does not state the size of its content", rule="ZST-02")
    if header.dict_id or header.has_checksum:
        raise ArchiveError("a zstd frame has a dictionary or a checksum", rule="ZST-02")
    if header.window_size > MAX_ZSTD_WINDOW:
        what = f"a zstd frame asks for a window of {header.window_size} bytes"
        raise ArchiveError(what, why=[f"the limit is {MAX_ZSTD_WINDOW}"], rule="ZST-03")
    return header.content_size


def decompress(data: bytes, limit: int) -> bytes:
    """Return the content of one frame (SPEC ZST-01 to ZST-04).

    Args:
        data: the frame, and nothing else.
        limit: refuse content of more bytes than this, before decompressing.

    Raises:
        ArchiveError: not one plain frame, beyond the limit, or damaged.
    """
    import zstandard  # noqa: PLC0415

    size = content_size(data)
    if not 0 < size <= limit:
        what = f"a zstd frame says it holds {size} bytes, not 1 to {limit}"
        raise ArchiveError(what, rule="ZST-04")
    try:
        return _decompressor().decompress(data, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise ArchiveError("a zstd frame is damaged", why=[str(error)], rule="ZST-01") from error


def _decompressor() -> zstandard.ZstdDecompressor:
    if not hasattr(_local, "decompressor"):
        import zstandard  # noqa: PLC0415

        _local.decompressor = zstandard.ZstdDecompressor()
    context: zstandard.ZstdDecompressor = _local.decompressor
    return context
