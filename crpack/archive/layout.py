"""The bytes of the container: a ZIP in one form.

Rules (SPEC ARC-01 to ARC-04; the ZIP file format, APPNOTE 6.3):
- Members are stored one after the other from byte 0, each a local header and its bytes; then the
  central directory, the ZIP64 records where they are needed, and the end record. Nothing else:
  the size of the file follows from the names and sizes of its members.
- Every field of every header follows from a member's name, CRC-32, size and place. So a reader
  takes these four from the directory, makes all headers again, and compares.
- ZIP64 fields are there exactly where a value is 0xFFFFFFFF or more.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from crpack.errors import ArchiveError
from crpack.model.limits import MAX_ARCHIVE_BYTES, MAX_DIRECTORY_BYTES, MAX_MEMBERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")

TAIL = _END64.size + _LOCATOR.size + _END.size  # bytes of all end records

_FULL = 0xFFFFFFFF  # says: the value stands in a ZIP64 field
_PLAIN, _ZIP64 = 10, 45  # version needed to extract
_MADE_BY = 3 << 8 | _ZIP64  # Unix
_UTF8 = 1 << 11
_DATE = 1 << 5 | 1  # 1980-01-01, 00:00
_MODE = 0o100644 << 16


class Slot(NamedTuple):
    """One member in its place: name, CRC-32, bytes, and offset of its local header."""

    name: str
    crc: int
    size: int
    offset: int

    @property
    def start(self) -> int:
        """Offset of the member's first byte."""
        return self.offset + len(local_header(self))

    @property
    def end(self) -> int:
        """Offset behind the member's last byte."""
        return self.start + self.size


def place(members: Iterable[tuple[str, int, int]]) -> tuple[Slot, ...]:
    """Return members, each (name, CRC-32, bytes), in their places (SPEC ARC-01)."""
    slots: list[Slot] = []
    offset = 0
    for name, crc, size in members:
        slots.append(Slot(name, crc, size, offset))
        offset = slots[-1].end
    return tuple(slots)


def local_header(slot: Slot) -> bytes:
    """Return the header before a member's bytes (SPEC ARC-02)."""
    name = slot.name.encode()
    large = slot.size >= _FULL
    extra = struct.pack("<2H2Q", 1, 16, slot.size, slot.size) if large else b""
    size = min(slot.size, _FULL)
    fields = (_ZIP64 if large else _PLAIN, _UTF8, 0, 0, _DATE, slot.crc, size, size)
    return _LOCAL.pack(b"PK\3\4", *fields, len(name), len(extra)) + name + extra


def directory(slots: Sequence[Slot]) -> bytes:
    """Return all that follows the last member: directory and end records (SPEC ARC-02, ARC-04)."""
    central = b"".join(_central_header(slot) for slot in slots)
    start = slots[-1].end if slots else 0
    count, size = len(slots), len(central)
    end = _END.pack(b"PK\5\6", 0, 0, count, count, size, min(start, _FULL), 0)
    if start < _FULL:
        return central + end
    end64 = _END64.pack(
        b"PK\6\6", _END64.size - 12, _MADE_BY, _ZIP64, 0, 0, count, count, size, start
    )
    return central + end64 + _LOCATOR.pack(b"PK\6\7", 0, start + size, 1) + end


def find(tail: bytes, size: int) -> tuple[int, int]:
    """Return where the directory of an archive starts, and its number of members.

    Args:
        tail: the last TAIL bytes of the archive, all of them when it is smaller.
        size: bytes of the archive.

    Raises:
        ArchiveError: no end record at the very end, or one that is out of bounds (SPEC ARC-01).
    """
    if len(tail) < _END.size:
        raise ArchiveError("the file is too short to be an archive", rule="ARC-01")
    signature, _, _, _, count, length, start, _ = _END.unpack(tail[-_END.size :])
    if signature != b"PK\5\6":
        raise ArchiveError(
            "the file does not end like an archive",
            why=["it was cut short, something was added, or it is another kind of file"],
            rule="ARC-01",
        )
    records = _END.size
    if start == _FULL and len(tail) == TAIL:
        start, records = _END64.unpack(tail[: _END64.size])[-1], TAIL
    if not 0 < count <= MAX_MEMBERS or length > MAX_DIRECTORY_BYTES:
        raise ArchiveError("the archive's directory is too large, or empty", rule="ARC-03")
    if start + length + records != size:
        raise ArchiveError(
            "the file has more or fewer bytes than the archive in it",
            why=["something was put before or into it, or cut out of it"],
            rule="ARC-01",
        )
    return start, count


def parse(data: bytes, count: int) -> tuple[Slot, ...]:
    """Return the members that a directory lists, once it is exactly what they make.

    Args:
        data: the directory and end records.
        count: number of members.

    Raises:
        ArchiveError: the bytes are not those of `directory` (SPEC ARC-02, ARC-04).
    """
    members: list[tuple[str, int, int]] = []
    at = 0
    try:
        for _ in range(count):
            fields = _CENTRAL.unpack_from(data, at)
            crc, size, name_size, extra_size = fields[7], fields[9], fields[10], fields[11]
            at += _CENTRAL.size
            name = data[at : at + name_size].decode("utf-8")
            if size == _FULL:
                size = struct.unpack_from("<Q", data, at + name_size + 4)[0]
            if size > MAX_ARCHIVE_BYTES:
                raise ArchiveError(f"a member is said to have {size} bytes", rule="ARC-03")
            members.append((name, crc, size))
            at += name_size + extra_size
    except (struct.error, UnicodeDecodeError) as error:
        what = "the archive's directory is damaged"
        raise ArchiveError(what, why=[str(error)], rule="ARC-02") from error
    slots = place(members)
    if directory(slots) != data:
        what = "the archive's directory is not the one that its members make"
        raise ArchiveError(what, rule="ARC-02")
    return slots


def _central_header(slot: Slot) -> bytes:
    name = slot.name.encode()
    values = (slot.size, slot.size, slot.offset)
    large = [value for value in values if value >= _FULL]
    extra = struct.pack(f"<2H{len(large)}Q", 1, 8 * len(large), *large) if large else b""
    size, offset = min(slot.size, _FULL), min(slot.offset, _FULL)
    return (
        _CENTRAL.pack(
            *(b"PK\1\2", _MADE_BY, _ZIP64 if large else _PLAIN, _UTF8, 0, 0, _DATE),
            *(slot.crc, size, size, len(name), len(extra), 0, 0, 0, _MODE, offset),
        )
        + name
        + extra
    )
