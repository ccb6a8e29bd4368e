"""A tree: a set of files as content.

Rules (SPEC TRE-01…):
- Listed are regular files, symbolic links and empty directories; a directory that holds
  something is implied by what it holds and is not listed. So a set of files has one listing.
- Entries are sorted by path, by Unicode code point.
- The digest is the sha256 of the canonical JSON of the list
  `[path, kind, executable, content]`, where content is the sha256 of a file, the target of a
  link, and the empty string for a directory.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from crpack.model import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable

Kind = Literal["file", "dir", "link"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One place in a tree.

    Attributes:
        path: relative, `/` between components (SPEC PTH).
        kind: `file`, `dir` (empty directory) or `link`.
        executable: for files; the only mode bit kept.
        size: bytes of a file; 0 otherwise.
        sha256: hex digest of a file's bytes; empty otherwise.
        target: of a link, as written; empty otherwise.
    """

    path: str
    kind: Kind
    executable: bool = False
    size: int = 0
    sha256: str = ""
    target: str = ""


def listing(entries: Iterable[Entry]) -> list[list[object]]:
    """Return the canonical list of a tree, sorted by path (SPEC TRE-02)."""
    return [
        [entry.path, entry.kind, int(entry.executable), entry.sha256 or entry.target]
        for entry in sorted(entries, key=lambda entry: entry.path)
    ]


def digest(entries: Iterable[Entry]) -> str:
    """Return the tree's name: sha256, in hex, of its canonical list (SPEC TRE-03)."""
    return hashlib.sha256(canonical.encode(listing(entries))).hexdigest()
