"""Paths left inside a file, such as the folder it was built in (DESIGN 10)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crpack.binary.view import ReadAt

MAX_PATHS = 16  # texts that `find_paths` returns
_CHUNK = 256 * 1024  # bytes searched at once
_AROUND = 512  # bytes of a text shown on either side of what was searched
_TEXT = re.compile(rb"[\x20-\x7e\x80-\xff]*")


def find_paths(read_at: ReadAt, needle: bytes) -> tuple[str, ...]:
    """Return the texts of a file that hold a path, each once, at most `MAX_PATHS`.

    Args:
        read_at: gives up to `size` bytes from an offset.
        needle: the path's bytes, such as the folder of a build; not empty.
    """
    found: dict[str, None] = {}
    start, before = 0, b""
    while piece := read_at(start, _CHUNK):
        data = before + piece
        at = data.find(needle)
        while at >= 0 and len(found) < MAX_PATHS:
            found[_around(data, at, len(needle))] = None
            at = data.find(needle, at + len(needle))
        start += len(piece)
        before = data[-(len(needle) - 1) :] if len(needle) > 1 else b""
    return tuple(found)


def _around(data: bytes, at: int, size: int) -> str:
    """Return the printable text around a place."""
    before = data[max(0, at - _AROUND) : at]
    head = _TEXT.match(before[::-1])
    tail = _TEXT.match(data, at, at + size + _AROUND)
    text = (head[0][::-1] if head else b"") + (tail[0] if tail else data[at : at + size])
    return text.decode("utf-8", "backslashreplace")
