"""A bundle: a container of whole archives, sources, wheels, files of indexes and a lock.

Rules (SPEC BUN-01 to BUN-07, BUN-13):
- The bytes are those of an archive's container, with other members; `bundle.json` is the last,
  and tells a bundle from an archive.
- Opening checks the whole layout and the listing; it reads headers and `bundle.json` only. Every
  other member is checked when it is read.
- Archives are opened where they lie, and obey all rules of an archive.
- Nothing in a bundle is trusted for being there: archives have signatures, sources digests in
  recipes, files of an index its metadata. Its lock, and by it the wheels, may be signed.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, BinaryIO

from crpack.archive import writer
from crpack.archive.container import Container
from crpack.archive.reader import Archive
from crpack.archive.section import Section, read_slots
from crpack.errors import ArchiveError
from crpack.model import bundle as bundles

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crpack.archive.writer import Part


class Bundle(Container):
    """One open bundle.

    Attributes:
        listing: what it carries, and what for.
        size: bytes of the bundle.
    """

    __slots__ = ("listing",)

    kind = "bundle"
    rule = "BUN-04"

    def __init__(self, section: Section) -> None:
        """Open what `section` holds; `open` is the door for streams."""
        super().__init__(section, bundles.check_names)
        self.listing = bundles.decode(self.read(bundles.LISTING))
        self._listed = {member.path: member for member in self.listing.members}
        found = {name: slot.size for name, slot in self._slots.items() if name != bundles.LISTING}
        if found != {name: member.size for name, member in self._listed.items()}:
            what = f"the bundle has other members than `{bundles.LISTING}` lists"
            raise ArchiveError(what, rule=self.rule)

    @classmethod
    def open(cls, stream: BinaryIO, *, size: int) -> Bundle:
        """Open a bundle (SPEC BUN-01 to BUN-05).

        Args:
            stream: seekable; must stay open and unchanged while the bundle is used.
            size: its bytes, all of which must be the bundle.

        Raises:
            ArchiveError, FormatError: it breaks a rule.
        """
        return cls(Section(stream, 0, size))

    @property
    def identities(self) -> tuple[str, ...]:
        """Identities of the archives, sorted."""
        found = (bundles.archive_identity(name) for name in self._slots)
        return tuple(identity for identity in found if identity)

    def view(self, name: str) -> BinaryIO:
        """Return a member's bytes for reading at places, unchecked: `stream` is what checks.

        Raises:
            ArchiveError: it is not there; on reading: it cannot be read.
        """
        return io.BufferedReader(_View(self._body(name)), 64 * 1024)

    def archive(self, identity: str) -> Archive:
        """Open an archive where it lies (SPEC BUN-06).

        Raises:
            ArchiveError, FormatError: it is not there, breaks a rule, or is another.
        """
        archive = Archive(self._body(bundles.archive_member(identity)))
        if archive.identity != identity:
            what = f"the archive `{identity[:16]}…` of the bundle is another"
            raise ArchiveError(what, rule="BUN-06")
        return archive


class _View(io.RawIOBase):
    """The bytes of one member, read at places."""

    def __init__(self, section: Section) -> None:
        super().__init__()
        self._section = section
        self._at = 0

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def seekable(self) -> bool:
        """Say that it can be read at places."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move to a place (io.IOBase)."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._section.size}[whence]
        if start + offset < 0:
            raise OSError("a place before the start")
        self._at = start + offset
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        """Read the next bytes (io.RawIOBase)."""
        view = memoryview(buffer).cast("B")
        count = max(0, min(len(view), self._section.size - self._at))
        view[:count] = self._section.read(min(self._at, self._section.size), count)
        self._at += count
        return count


def is_bundle(stream: BinaryIO) -> bool:
    """Tell whether an open file is a bundle and not an archive, by its content (SPEC BUN-02).

    The file's position moves.
    """
    size = stream.seek(0, io.SEEK_END)
    try:
        return read_slots(Section(stream, 0, size))[-1].name == bundles.LISTING
    except ArchiveError:
        return False


def write(
    parts: Iterable[Part],
    out: BinaryIO,
    *,
    date: str,
    requests: tuple[str, ...],
    platforms: tuple[str, ...],
) -> int:
    """Write a bundle and return its bytes (SPEC BUN-01 to BUN-05).

    The same parts and words give the same bytes. Parts are read twice: for their digests, then
    for the bundle.

    Args:
        parts: all members but `bundle.json`, in any order.
        out: empty and seekable.
        date: when it is made, UTC.
        requests: what was asked for.
        platforms: for which platforms.

    Raises:
        ArchiveError, FormatError: a name that is none or twice there, or a digest in a name that
            is not the member's.
        BuildFailed: a part has another size than it says.
    """
    ordered = sorted(parts, key=lambda one: bundles.rank(one.name))
    bundles.check_names([*(one.name for one in ordered), bundles.LISTING])
    listed = sorted(map(writer.member, ordered), key=lambda member: member.path)
    distinct = tuple(sorted(set(platforms)))
    listing = bundles.Listing(date, requests, distinct, tuple(listed))
    return writer.store([*ordered, writer.part(bundles.LISTING, bundles.encode(listing))], out)
