"""A range of an open file, and the checked bytes of one member.

Rules:
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

from crpack.errors import ArchiveError


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
