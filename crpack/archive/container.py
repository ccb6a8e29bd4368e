"""A container: members in a section, as archives and bundles are made of them.

Rules:
- Opening reads the directory and all headers, and nothing else; which members there may be is
  said by who opens it.
- A member is checked when it is read: its CRC-32 always, its sha256 once it is known what is
  listed (SPEC ARC-11, ARC-12).
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO, ClassVar

from crpack.archive.section import MemberStream, Section, check_header, read_slots
from crpack.errors import ArchiveError
from crpack.model.limits import MAX_JSON_BYTES
from crpack.model.paths import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from crpack.archive import layout
    from crpack.model.manifest import Member

_CHUNK = 1024 * 1024  # bytes read at once


class Container:
    """Members that are read by name.

    Attributes:
        size: bytes of the container.
    """

    __slots__ = ("_listed", "_section", "_slots", "size")

    kind: ClassVar[str]  # what messages call it
    rule: ClassVar[str]  # the SPEC rule that a member which is not there breaks

    def __init__(self, section: Section, check_names: Callable[[Iterable[str]], None]) -> None:
        """Open what `section` holds; `check_names` refuses wrong names of members."""
        slots = read_slots(section)
        check_names(slot.name for slot in slots)
        for slot in slots:
            check_header(section, slot)
        self.size = section.size
        self._section = section
        self._slots = {slot.name: slot for slot in slots}
        self._listed: dict[str, Member] = {}  # nothing is known before the list of members

    @property
    def names(self) -> tuple[str, ...]:
        """The members that are there, in order."""
        return tuple(self._slots)

    def has(self, name: str) -> bool:
        """Tell whether a member is there."""
        return name in self._slots

    def size_of(self, name: str) -> int:
        """Return the bytes of a member.

        Raises:
            ArchiveError: it is not there.
        """
        return self._slot(name).size

    def stream(self, name: str) -> BinaryIO:
        """Return a member's bytes; the last of them come only when all are right.

        Raises:
            ArchiveError: it is not there; on reading: it is not what is listed.
        """
        slot, listed = self._slot(name), self._listed.get(name)
        raw = MemberStream(self._body(name), name, slot.crc, listed.sha256 if listed else "")
        return io.BufferedReader(raw, 64 * 1024)

    def read(self, name: str, limit: int = MAX_JSON_BYTES) -> bytes:
        """Return a member's bytes, checked, when they are at most `limit`.

        Raises:
            ArchiveError: it is not there, too large, or not what is listed.
        """
        size = self.size_of(name)
        if size > limit:
            what = f"`{shown(name)}` has {size} bytes, more than {limit}"
            raise ArchiveError(what, rule="ARC-13")
        with self.stream(name) as stream:
            return stream.read(size + 1)  # to the end, where it is checked

    def check(self, name: str) -> None:
        """Read a member to its end, where it is checked.

        Raises:
            ArchiveError: it is not there, or not what is listed.
        """
        with self.stream(name) as stream:
            while stream.read(_CHUNK):
                pass

    def read_through(self) -> None:
        """Read every member, used or not, so that an altered file is never accepted.

        Raises:
            ArchiveError: a member is not what is listed.
        """
        for name in self.names:
            self.check(name)

    def _slot(self, name: str) -> layout.Slot:
        slot = self._slots.get(name)
        if slot is None:
            what = f"the {self.kind} does not carry `{shown(name)}`"
            raise ArchiveError(what, rule=self.rule)
        return slot

    def _body(self, name: str) -> Section:
        slot = self._slot(name)
        return self._section.part(slot.start, slot.size)
