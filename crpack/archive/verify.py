"""Verification: everything in an archive is read and compared.

Rules: a fault in one member does not hide the faults of others. Faults of the layout, the
manifest or the recipe do: they are met on opening, as errors.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack.archive import members
from crpack.errors import ArchiveError, FormatError
from crpack.model.manifest import payload_member, toc_member

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crpack.archive.reader import Archive
    from crpack.model.tree import Entry


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault: the member it is in, what it is, the error's code and the broken rule's id."""

    member: str
    what: str
    code: str
    rule: str


class Nowhere:
    """A destination that keeps nothing."""

    def file(self, entry: Entry, chunks: Iterator[bytes]) -> None:  # noqa: ARG002
        """Read a file."""
        deque(chunks, maxlen=0)

    def folder(self, path: str) -> None:
        """Make no directory."""

    def link(self, path: str, target: str) -> None:
        """Make no link."""


def verify(archive: Archive, *, strict: bool = False, threads: int = 1) -> tuple[Finding, ...]:
    """Read all of an archive and return what is wrong with it; nothing when it is whole.

    Args:
        archive: an open archive.
        strict: also see that payloads, unpacked by standard tools, give the same files (TOC-13).
        threads: how many check and decompress, beside the calling one.
    """
    return tuple(_findings(archive, "", strict=strict, threads=threads))


def _findings(archive: Archive, within: str, *, strict: bool, threads: int) -> Iterator[Finding]:
    damaged = set()
    for name in archive.names:
        try:
            archive.check(name)
        except (ArchiveError, FormatError) as error:
            damaged.add(name)
            yield _finding(within + name, error)
    for payload in archive.manifest.payloads:
        name, toc = payload_member(payload.id), toc_member(payload.id)
        if damaged & {name, toc}:
            continue
        try:
            if archive.has(name):
                archive.unpack(payload.id, Nowhere(), threads=threads, strict=strict)
            else:
                archive.toc(payload.id)
        except (ArchiveError, FormatError) as error:
            yield _finding(within + name, error)
    for identity in archive.components:
        name = within + members.component_member(identity)
        try:
            inner = archive.component(identity)
        except (ArchiveError, FormatError) as error:
            yield _finding(name, error)
        else:
            yield from _findings(inner, f"{name}/", strict=strict, threads=threads)


def _finding(name: str, error: ArchiveError | FormatError) -> Finding:
    return Finding(name, error.what, error.code, error.rule)
