"""A range of an open file: its members, and the checked bytes of one of them.

Rules:
- Which members there are is read from the directory, which must be exactly what they make; their
  headers must be too (SPEC ARC-01 to ARC-04).
- A section is read at places, and never outside of itself. What cannot be read, or is shorter
  than it says, is an ArchiveError.
- A member's last bytes are given only when the CRC-32 and sha256 of all of them are right
  (SPEC ARC-11, ARC-12).
"""

from __future__ import annotations

import hashlib
import io
import zlib
from dataclasses import dataclass
from typing import Any, BinaryIO

from crpack.archive import layout
from crpack.errors import ArchiveError
from crpack.model.limits import MAX_ARCHIVE_BYTES
from crpack.model.paths import shown


@dataclass(frozen=True, slots=True)
class Section:
    """`size` bytes of `stream`, from `start` on; the stream is seekable and stays open."""

    stream: BinaryIO
    start: int
    size: int

    def read(self, offset: int, size: int) -> bytes:
        """Return `size` bytes at `offset`.

        Raises:
            ArchiveError: they are not there, or the device cannot be read.
        """
        if not 0 <= offset <= offset + size <= self.size:
            raise ArchiveError("the archive is cut short", rule="ARC-01")
        try:
            self.stream.seek(self.start + offset)
            data = self.stream.read(size)
        except OSError as error:
            raise ArchiveError("the archive cannot be read", why=[str(error)]) from error
        if len(data) != size:
            raise ArchiveError("the archive is cut short", rule="ARC-01")
        return data

    def part(self, offset: int, size: int) -> Section:
        """Return a section of this section.

        Raises:
            ArchiveError: it would reach outside.
        """
        if not 0 <= offset <= offset + size <= self.size:
            raise ArchiveError("the archive is cut short", rule="ARC-01")
        return Section(self.stream, self.start + offset, size)


def read_slots(section: Section) -> tuple[layout.Slot, ...]:
    """Return the members that the directory at the end of a section lists (SPEC ARC-01 to ARC-03).

    Raises:
        ArchiveError: there is no such directory, or it breaks a rule.
    """
    if section.size > MAX_ARCHIVE_BYTES:
        what = f"the archive is larger than {MAX_ARCHIVE_BYTES} bytes"
        raise ArchiveError(what, rule="ARC-03")
    tail = min(layout.TAIL, section.size)
    start, count = layout.find(section.read(section.size - tail, tail), section.size)
    return layout.parse(section.read(start, section.size - start), count)


def check_header(section: Section, slot: layout.Slot) -> None:
    """See that a member's header is the one its directory entry makes (SPEC ARC-04).

    Raises:
        ArchiveError: it is another.
    """
    header = layout.local_header(slot)
    if section.read(slot.offset, len(header)) != header:
        what = f"the header of `{shown(slot.name)}` differs from the directory"
        raise ArchiveError(what, rule="ARC-04")


class MemberStream(io.RawIOBase):
    """The bytes of one member, read once from start to end, checked before the last is given."""

    def __init__(self, section: Section, name: str, crc: int, sha256: str) -> None:
        """Read `section`; an empty `sha256` means that only the CRC-32 is known."""
        super().__init__()
        self._section = section
        self._name = name
        self._wanted = (crc, sha256)
        self._at = 0
        self._crc = 0
        self._digest = hashlib.sha256()

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Read the next bytes (io.RawIOBase).

        Raises:
            ArchiveError: the member is not what its CRC-32 or sha256 says, or cannot be read.
        """
        view = memoryview(buffer).cast("B")
        left = self._section.size - self._at
        data = self._section.read(self._at, min(len(view), left))
        self._at += len(data)
        self._crc = zlib.crc32(data, self._crc)
        self._digest.update(data)
        if len(data) == left:
            self._check()
        view[: len(data)] = data
        return len(data)

    def _check(self) -> None:
        crc, sha256 = self._wanted
        if self._crc != crc:
            raise ArchiveError(f"`{self._name}` is damaged: its CRC-32 is another", rule="ARC-11")
        if sha256 and self._digest.hexdigest() != sha256:
            raise ArchiveError(f"`{self._name}` is not the one the manifest lists", rule="ARC-12")
