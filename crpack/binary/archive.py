"""Static libraries (`ar`): the machines of their members, each once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from crpack.binary.view import within
from crpack.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Callable

    from crpack.binary.image import Image
    from crpack.binary.view import ReadAt

MAGIC = b"!<arch>\n"
MAX_MEMBERS = 4096  # members looked at

_HEAD = 60  # bytes of a member's header
_BSD_NAME = b"#1/"  # the name's length; the name stands before the data


def read(read_at: ReadAt, read_member: Callable[[ReadAt], tuple[Image, ...]]) -> tuple[Image, ...]:
    """Return the machines of a static library, one as a rule; empty when no member tells.

    Args:
        read_at: gives up to `size` bytes from an offset.
        read_member: reads the headers of a member.

    Raises:
        FormatError: a member's header is broken.
    """
    distinct: dict[Image, None] = {}
    at = len(MAGIC)
    for _ in range(MAX_MEMBERS):
        head = read_at(at, _HEAD)
        if not head:
            break
        size, skip = _sizes(head)
        if read_at(at + _HEAD + skip, 8) != MAGIC:  # never an archive in an archive
            found = _member(within(read_at, at + _HEAD + skip, size - skip), read_member)
            distinct.update((replace(one, kind="archive"), None) for one in found)
        at += _HEAD + size + size % 2
    return tuple(distinct)


def _member(
    read_at: ReadAt, read_member: Callable[[ReadAt], tuple[Image, ...]]
) -> tuple[Image, ...]:
    """Return what a member is; one that is broken hides no other."""
    try:
        return read_member(read_at)
    except FormatError:
        return ()


def _sizes(head: bytes) -> tuple[int, int]:
    """Return the member's size, and the length of a name that stands before its data."""
    digits = head[48:58].strip()
    if len(head) != _HEAD or head[58:] != b"`\n" or not digits.isdigit():
        raise FormatError("a static library has a broken member")
    name = head[:16].strip()
    skip = name[3:] if name.startswith(_BSD_NAME) else b"0"
    if not skip.isdigit():
        raise FormatError("a static library has a broken member")
    return int(digits), int(skip)
