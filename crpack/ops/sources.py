"""Sources: local files as one plain tar, so that a digest can name them.

Rules (SPEC RCP-07):
- A folder gives its content, a file itself, an inline source its text.
- What version control, editors and interpreters leave behind in folders is left out, so that a
  folder that was used packs like a fresh one.
- The tar is plain: its digest depends on the files alone, not on a compressor.
"""

from __future__ import annotations

import hashlib
import os
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO

from crpack import disk
from crpack.archive import tar
from crpack.errors import UsageError
from crpack.install import listing
from crpack.model import paths
from crpack.model.tree import Entry

if TYPE_CHECKING:
    from collections.abc import Callable

    from crpack.model.recipe import Source

_LEFT_BEHIND = frozenset({"__pycache__", ".git", ".hg", ".svn", ".DS_Store"})
_ENDINGS = ("~", ".swp", ".swo")  # of an editor's copies


def pack(source: Source, folder: str, path: str) -> None:
    """Write a local or inline source as a plain tar to a new scratch file (SPEC RCP-07).

    Args:
        source: of kind `local` or `inline`.
        folder: of the component.
        path: of the new file.

    Raises:
        UsageError: the source is not there, or lies outside of the folder.
        ArchiveError: a name or link that the path policy refuses.
    """
    entries, open_file = _inline(source) if source.kind == "inline" else _local(source, folder)
    paths.check_set(entries)
    with disk.create_file(path) as out:
        tar.write(entries, open_file, out)


def _inline(source: Source) -> tuple[tuple[Entry, ...], Callable[[str], BinaryIO]]:
    data = source.text.encode()
    digest = hashlib.sha256(data).hexdigest()
    entry = Entry(source.path, "file", size=len(data), sha256=digest)
    return (entry,), lambda _: BytesIO(data)


def _local(source: Source, folder: str) -> tuple[tuple[Entry, ...], Callable[[str], BinaryIO]]:
    root = os.path.join(folder, source.path)
    inside = os.path.realpath(folder)
    if os.path.commonpath([os.path.realpath(root), inside]) != inside:
        raise UsageError(f"the source `{source.path}` lies outside of `{folder}`", rule="RCP-06")
    if os.path.isfile(root):
        return (_file(root),), lambda _: open(root, "rb")
    if not os.path.isdir(root):
        raise UsageError(
            f"there is no source `{source.path}` in `{folder}`",
            hint="correct `path` in `[[source]]`, or add the file",
        )
    places = [place for place in listing.walk(root) if not _is_left_behind(place.entry.path)]
    special = next((place.entry.path for place in places if place.special), None)
    if special is not None:
        raise UsageError(f"`{os.path.join(root, special)}` is neither a file, a folder nor a link")
    entries = tuple(place.entry for place in places)
    if not entries:
        raise UsageError(f"the source `{source.path}` in `{folder}` is empty")
    return entries, lambda path: open(os.path.join(root, path), "rb")


def _is_left_behind(path: str) -> bool:
    return any(part in _LEFT_BEHIND or part.endswith(_ENDINGS) for part in path.split("/"))


def _file(path: str) -> Entry:
    digest, size = listing.sha256(path)
    executable = os.access(path, os.X_OK)
    return Entry(os.path.basename(path), "file", executable, size, digest)
