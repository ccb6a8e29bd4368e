"""The id of a Git tree, made of files as they are, without Git.

Rules (SPEC RCP-11): a blob's id is the SHA-1 of `blob SIZE`, a zero byte and the content; a tree's
that of `tree SIZE`, a zero byte and its items `MODE NAME`, a zero byte and the raw id, sorted by
name as if names of folders ended with `/`. Git knows files, executable files, links and folders
with something in them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MODES = {"file": b"100644", "executable": b"100755", "link": b"120000"}
_FOLDER = b"40000"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A file or link of a tree: its path, how Git calls its kind (`MODES`), and its blob's id."""

    path: str
    mode: bytes
    blob: bytes


def blob(size: int, chunks: Iterable[bytes]) -> bytes:
    """Return the raw id of a file's content, or of a link's target, of `size` bytes."""
    digest = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    for chunk in chunks:
        digest.update(chunk)
    return digest.digest()


def tree(leaves: Iterable[Leaf]) -> str:
    """Return the id, in hex, of the tree that consists of some files and links."""
    folders: dict[str, dict[bytes, tuple[bytes, bytes]]] = {"": {}}
    for leaf in leaves:
        above, _, name = leaf.path.rpartition("/")
        _folder(folders, above)[name.encode()] = (leaf.mode, leaf.blob)
    for path in sorted(folders, key=lambda one: one.count("/") + bool(one), reverse=True):
        items = folders[path]
        if path:
            above, _, name = path.rpartition("/")
            folders[above][name.encode() + b"/"] = (_FOLDER, _id(items))
    return _id(folders[""]).hex()


def _folder(
    folders: dict[str, dict[bytes, tuple[bytes, bytes]]], path: str
) -> dict[bytes, tuple[bytes, bytes]]:
    """Return the items of a folder, which is there from now on with all above it."""
    known = path
    while known not in folders:
        folders[known] = {}
        known = known.rpartition("/")[0]
    return folders[path]


def _id(items: dict[bytes, tuple[bytes, bytes]]) -> bytes:
    body = b"".join(
        b"%b %b\0%b" % (mode, name.removesuffix(b"/"), raw)
        for name, (mode, raw) in sorted(items.items())
    )
    return hashlib.sha1(b"tree %d\0" % len(body) + body, usedforsecurity=False).digest()
