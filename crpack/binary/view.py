"""A view of a file's bytes: numbers and texts at offsets, nothing else.

Rules:
- The file is a function `read_at(offset, size)` that may return fewer bytes at the end.
- Reading beyond the end, or more than `MAX_READ` bytes at once, raises `FormatError`; so no
  number in a hostile header costs memory or time.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from crpack.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Callable

    ReadAt = Callable[[int, int], bytes]

MAX_READ = 1024 * 1024  # bytes read at once
MAX_TEXT = 4096  # bytes of one text


def from_offset(read_at: ReadAt, start: int) -> ReadAt:
    """Return the reading function of what follows an offset."""
    return lambda offset, size: read_at(start + offset, size)


def within(read_at: ReadAt, start: int, size: int) -> ReadAt:
    """Return the reading function of a part of a file, which ends where the part does."""

    def read(offset: int, count: int) -> bytes:
        return read_at(start + offset, min(count, size - offset)) if offset < size else b""

    return read


class View:
    """Bytes at offsets of a file, with a byte order.

    Args:
        read_at: gives up to `size` bytes from an offset.
        order: `<` for little endian, `>` for big.
    """

    __slots__ = ("order", "read_at")

    def __init__(self, read_at: ReadAt, order: str = "<") -> None:
        self.read_at = read_at
        self.order = order

    def bytes(self, offset: int, size: int) -> bytes:
        """Return exactly `size` bytes.

        Raises:
            FormatError: they are not all there, or too many at once.
        """
        if not (0 <= size <= MAX_READ and 0 <= offset < 2**62):
            raise FormatError("a header points to more than can be there")
        data = self.read_at(offset, size)
        if len(data) != size:
            raise FormatError("a header points beyond the end of the file")
        return data

    def numbers(self, offset: int, layout: str) -> tuple[int, ...]:
        """Return integers laid out as `struct` says, in this view's byte order."""
        layout = self.order + layout
        return struct.unpack(layout, self.bytes(offset, struct.calcsize(layout)))

    def rows(self, offset: int, layout: str, count: int, step: int = 0) -> list[tuple[int, ...]]:
        """Return `count` rows of integers, `step` bytes apart (0: without gaps), read at once."""
        layout = self.order + layout
        step = step or struct.calcsize(layout)
        data = self.bytes(offset, count * step)
        return [struct.unpack_from(layout, data, index * step) for index in range(count)]

    def text(self, offset: int, limit: int = MAX_TEXT) -> str:
        """Return the text that ends with a zero byte; other bytes than UTF-8 are escaped.

        Raises:
            FormatError: no zero byte within `limit` bytes.
        """
        if not 0 <= offset < 2**62:
            raise FormatError("a header points to more than can be there")
        data = self.read_at(offset, limit)
        end = data.find(b"\0")
        if end < 0:
            raise FormatError("a text in a header does not end")
        return data[:end].decode("utf-8", "backslashreplace")
