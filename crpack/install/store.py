"""The store: trees by name, immutable once they are there.

Rules (SPEC STO-01…):
- `store/<tree>/files/…` holds the content, `store/<tree>/tree.json` its listing with sizes. The
  name is the digest of the listing, so both are checked against the name and nothing else.
- A tree is written in a stage, hashed while it is written, and gets its name by one rename.
- Files are 0444 or 0555, folders 0755; no other property of a file is kept.
- Links are made last, when nothing is written any more.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from crpack import disk
from crpack.errors import ArchiveError, FormatError, InstallError
from crpack.install import layout, listing
from crpack.model import paths, tree
from crpack.model.limits import MAX_TOC_BYTES
from crpack.model.tree import Entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FILE_MODE = 0o444
PROGRAM_MODE = 0o555

_TREE = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference between a tree as it is and as it is named; an empty path is the listing."""

    path: str
    problem: Literal["missing", "extra", "modified", "mode"]


class TreeWriter:
    """Writes one tree into a folder of a stage; a destination of `archive`'s unpacking.

    Nothing is trusted: what is written is hashed and compared with its entry (SPEC STO-05).
    """

    def __init__(self, path: str) -> None:
        """Start a tree in the folder `path`, which is made."""
        self.path = path
        self._entries: list[Entry] = []
        disk.make_folders(f"{path}/files")
        self._files = disk.Folder(f"{path}/files")

    def file(self, entry: Entry, chunks: Iterable[bytes]) -> None:
        """Write one file.

        Raises:
            ArchiveError: the bytes are not those of the entry.
        """
        digest = hashlib.sha256()
        mode = PROGRAM_MODE if entry.executable else FILE_MODE
        size = self._files.file(entry.path, _hashed(chunks, digest, entry), mode)
        if (size, digest.hexdigest()) != (entry.size, entry.sha256):
            raise ArchiveError(f"`{entry.path}` is not what its listing says", rule="STO-05")
        self._entries.append(entry)

    def folder(self, path: str) -> None:
        """Make an empty folder."""
        self._files.folder(path)
        self._entries.append(Entry(path, "dir"))

    def link(self, path: str, target: str) -> None:
        """Note a link; `finish` makes it."""
        self._entries.append(Entry(path, "link", target=target))

    def copy(self, folder: str, entries: Iterable[Entry]) -> None:
        """Write the content of a folder as it was listed; what changed since is refused."""
        for entry in entries:
            if entry.kind == "file":
                self.file(entry, listing.chunks(f"{folder}/{entry.path}"))
            elif entry.kind == "dir":
                self.folder(entry.path)
            else:
                self.link(entry.path, entry.target)

    def finish(self) -> str:
        """Make the links, write the listing, and return the tree's name.

        Raises:
            ArchiveError: paths or links that the policy refuses (SPEC PTH).
        """
        paths.check_set(self._entries)
        for entry in self._entries:
            if entry.kind == "link":
                self._files.link(entry.path, entry.target)
        self.close()
        disk.write_file(f"{self.path}/tree.json", [listing.encode(self._entries)], FILE_MODE)
        return tree.digest(self._entries)

    def close(self) -> None:
        """Close what is open; a second call does nothing."""
        self._files.close()


def _hashed(chunks: Iterable[bytes], digest: Any, entry: Entry) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > entry.size:
            raise ArchiveError(f"`{entry.path}` is longer than its listing says", rule="STO-05")
        digest.update(chunk)
        yield chunk


class Store:
    """The trees below one prefix."""

    def __init__(self, prefix: str) -> None:
        self.root = layout.store(prefix)

    def path(self, name: str) -> str:
        """Return the folder of a tree's files, whether or not it is there."""
        return f"{self.place(name)}/files"

    def place(self, name: str) -> str:
        """Return the folder of a tree, whether or not it is there."""
        if not _TREE.fullmatch(name):
            raise InstallError(f"`{name[:80]}` is not the name of a tree", rule="STO-01")
        return os.path.join(self.root, name)

    def has(self, name: str) -> bool:
        """Say whether a tree is in the store."""
        return os.path.isfile(f"{self.place(name)}/tree.json")

    def entries(self, name: str) -> tuple[Entry, ...]:
        """Return a tree's listing, checked against its name.

        Raises:
            FormatError: the listing is damaged.
            InstallError: the tree is not there.
        """
        data = disk.read(f"{self.place(name)}/tree.json", limit=MAX_TOC_BYTES)
        entries = listing.decode(data)
        if tree.digest(entries) != name:
            raise FormatError(f"the listing of the tree `{name}` is damaged", rule="STO-01")
        return entries

    def admit(self, folder: str, name: str) -> bool:
        """Give a finished, durable tree its place; False when it was there (SPEC STO-03)."""
        disk.make_folders(self.root)
        return disk.rename(folder, self.place(name))

    def verify(self, name: str) -> tuple[Finding, ...]:
        """Hash a tree again; return what differs from its name, sorted (SPEC STO-06)."""
        try:
            wanted = {entry.path: entry for entry in self.entries(name)}
        except FormatError:
            return (Finding("", "modified"),)
        except InstallError:
            return (Finding("", "missing"),)
        found = {place.entry.path: place for place in listing.walk(self.path(name))}
        findings = [Finding(path, "missing") for path in wanted.keys() - found]
        findings += [Finding(_shown(path), "extra") for path in found.keys() - wanted]
        for path in wanted.keys() & found:
            findings += _compare(wanted[path], found[path])
        return tuple(sorted(findings, key=lambda finding: finding.path))


def _compare(entry: Entry, place: listing.Place) -> list[Finding]:
    found = place.entry
    same = (entry.kind, entry.sha256, entry.target) == (found.kind, found.sha256, found.target)
    if place.special or not same:
        return [Finding(entry.path, "modified")]
    mode = PROGRAM_MODE if entry.executable else FILE_MODE
    if entry.kind == "file" and place.mode != mode:
        return [Finding(entry.path, "mode")]
    return []


def _shown(path: str) -> str:
    """Return a path whose bytes are not UTF-8 as text."""
    return path.encode("utf-8", "backslashreplace").decode()
