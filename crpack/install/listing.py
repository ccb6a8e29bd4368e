"""Listings: a tree's entries as found in a folder, and as kept beside it in `tree.json`.

Rules (SPEC STO-02, TRE-01):
- A folder is listed by walking it without following a link; files are hashed as they are read.
- What is neither file, folder nor link has no place in a tree.
- `tree.json` is a document (JSN-07, JSN-08) with `entries`, a list of
  `[path, kind, executable, content, size]` in order.
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crpack import disk
from crpack.model import document
from crpack.model.limits import KIB, MAX_TOC_BYTES
from crpack.model.tree import Entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CHUNK_BYTES = 256 * KIB


@dataclass(frozen=True, slots=True)
class Place:
    """One place found in a folder; `mode` has the permission bits of a file, else 0.

    `special` says that it is no file, folder or link; the entry then has its path only.
    """

    entry: Entry
    mode: int = 0
    special: bool = False


def walk(root: str) -> Iterator[Place]:
    """Yield every listed place below a folder, in no promised order."""
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        items = _scan(f"{root}/{folder}" if folder else root)
        if folder and not items:
            yield Place(Entry(folder, "dir"))
        for name, is_folder in items:
            path = f"{folder}/{name}" if folder else name
            if is_folder:
                waiting.append(path)
            else:
                yield _place(root, path)


def _scan(path: str) -> list[tuple[str, bool]]:
    try:
        with os.scandir(path) as items:
            return [(item.name, item.is_dir(follow_symlinks=False)) for item in items]
    except OSError as error:
        raise disk.failure(error, path) from error


def _place(root: str, path: str) -> Place:
    full = f"{root}/{path}"
    try:
        status = os.lstat(full)
        if stat.S_ISLNK(status.st_mode):
            return Place(Entry(path, "link", target=os.readlink(full)))
    except OSError as error:
        raise disk.failure(error, full) from error
    if not stat.S_ISREG(status.st_mode):
        return Place(Entry(path, "file"), special=True)
    digest, size = sha256(full)
    executable = bool(status.st_mode & stat.S_IXUSR)
    entry = Entry(path, "file", executable, size, digest)
    return Place(entry, stat.S_IMODE(status.st_mode))


def chunks(path: str) -> Iterator[bytes]:
    """Yield a file's bytes, piece by piece; a link is not followed."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(fd, "rb", buffering=0) as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk
    except OSError as error:
        raise disk.failure(error, path) from error


def sha256(path: str) -> tuple[str, int]:
    """Return a file's digest, in hex, and its size in bytes.

    Raises:
        InstallError: it cannot be read.
    """
    digest, size = hashlib.sha256(), 0
    for chunk in chunks(path):
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest(), size


def encode(entries: Iterable[Entry]) -> bytes:
    """Return the bytes of `tree.json` (SPEC STO-02)."""
    rows = [
        [entry.path, entry.kind, int(entry.executable), entry.sha256 or entry.target, entry.size]
        for entry in sorted(entries, key=lambda entry: entry.path)
    ]
    return document.encode({"entries": rows})


def decode(data: bytes) -> tuple[Entry, ...]:
    """Return the entries in the bytes of a `tree.json`.

    Raises:
        FormatError: its entries are not those that `encode` writes, or a critical field is new.
    """
    fields = document.decode(
        data,
        what="`tree.json`",
        rule="STO-02",
        known=frozenset({"entries"}),
        limit=MAX_TOC_BYTES,
    )
    rows: Any = fields.value.get("entries")
    try:
        entries = tuple(_entry(*row) for row in rows)
    except TypeError as error:
        raise fields.refuse("entries", "is not a list of entries") from error
    if encode(entries) != document.encode({"entries": rows}):
        raise fields.refuse("entries", "is not in the one order and form")
    return entries


def _entry(path: str, kind: str, executable: int, content: str, size: int) -> Entry:
    if not isinstance(path, str) or not isinstance(content, str) or type(size) is not int:
        raise TypeError
    if kind == "file":
        return Entry(path, "file", bool(executable), size, content)
    if kind == "link":
        return Entry(path, "link", target=content)
    return Entry(path, "dir")
