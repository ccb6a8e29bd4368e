"""Texts of fields in blocks, as dpkg and apk keep them. Pure.

Rules: blocks are parted by empty lines; a line that begins with a space goes on the line before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def parse(data: bytes, wanted: tuple[bytes, ...]) -> Iterator[tuple[int, dict[str, str], bool]]:
    """Yield for each block its first line's number, its wanted fields, and whether it is whole.

    Args:
        data: the text.
        wanted: names of fields with what ends them, such as ``b"Package:"``.
    """
    line = 1
    for block in data.split(b"\n\n"):
        if block.strip():
            yield line, *_fields(block, wanted)
        line += block.count(b"\n") + 2


def _fields(block: bytes, wanted: tuple[bytes, ...]) -> tuple[dict[str, str], bool]:
    found: dict[str, str] = {}
    whole = True
    for line in block.split(b"\n"):
        if line.startswith(wanted):
            name, _, value = line.partition(b":")
            found[name.decode("ascii")] = value.strip().decode("utf-8", "replace")
        elif line and line[:1] not in b" \t" and b":" not in line:
            whole = False
    return found, whole
