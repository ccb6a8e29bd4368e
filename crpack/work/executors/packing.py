"""Files on their way to another machine, as a tar (SPEC TAR-02 for its headers).

Rules (SPEC EXE-05):
- Of a component's tree, links go as links. Of what a user names, what is linked to goes: there
  the links would lead nowhere.
- What is neither a file nor a folder is left out, as is a link that leads nowhere.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from crpack.archive import tar
from crpack.errors import RunFailed
from crpack.model.limits import MAX_ENTRIES
from crpack.model.tree import Entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


def tree(root: str) -> Iterator[bytes]:
    """Yield the tar of a component's files.

    Raises:
        RunFailed: a file cannot be read, or is changed meanwhile.
    """
    root = os.path.realpath(root)
    for folder, folders, files in os.walk(root):
        under = os.path.relpath(folder, root)
        links = [name for name in folders if os.path.islink(f"{folder}/{name}")]
        for name in (*links, *files):
            path, own = f"{folder}/{name}", os.path.normpath(f"{under}/{name}")
            if os.path.islink(path):
                yield _header(Entry(own, "link", target=os.readlink(path)))
            else:
                yield from _file(path, own)
        if not folders and not files and under != ".":
            yield _header(Entry(under, "dir"))
    yield tar.END


def given(paths: Mapping[str, str], made: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """Yield the tar of files and folders that a user named.

    Args:
        paths: each path, and its name in the tar.
        made: name and bytes of further files.

    Raises:
        RunFailed: a file cannot be read, is changed meanwhile, or there are too many.
    """
    for name, data in made:
        yield _header(Entry(name, "file", size=len(data))) + data + bytes(tar.padding(len(data)))
    left = MAX_ENTRIES
    for path, name in paths.items():
        for one, own in _below(path, name):
            left -= 1
            if left < 0:
                raise RunFailed(f"`{path}` holds more than {MAX_ENTRIES} files", rule="EXE-05")
            if os.path.isdir(one):
                yield _header(Entry(own, "dir"))
            else:
                yield from _file(one, own)
    yield tar.END


def pieces(chunks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Yield the same bytes in pieces of at least `size` bytes, the last one aside."""
    piece = bytearray()
    for chunk in chunks:
        piece += chunk
        if len(piece) >= size:
            yield bytes(piece)
            piece.clear()
    if piece:
        yield bytes(piece)


def _below(path: str, name: str) -> Iterator[tuple[str, str]]:
    """Yield files and folders from a path on, following links, no folder within itself."""
    waiting = [(path, name, frozenset[str]())]
    while waiting:
        path, name, above = waiting.pop()
        real = os.path.realpath(path)
        if os.path.isdir(path) and real not in above:
            yield path, name
            waiting += [(f"{path}/{one}", f"{name}/{one}", above | {real})
                        for one in sorted(os.listdir(path), reverse=True)]  # fmt: skip
        elif os.path.isfile(path):
            yield path, name


def _file(path: str, name: str) -> Iterator[bytes]:
    try:
        with open(path, "rb") as file:
            status = os.fstat(file.fileno())
            yield _header(Entry(name, "file", bool(status.st_mode & stat.S_IXUSR), status.st_size))
            left = status.st_size
            while left and (chunk := file.read(min(left, tar.CHUNK))):
                left -= len(chunk)
                yield chunk
    except OSError as error:
        why = [error.strerror or "it cannot be opened"]
        raise RunFailed(f"`{path}` cannot be read", why=why) from error
    if left:
        raise RunFailed(f"`{path}` changed while it was sent", hint="run it again")
    yield bytes(tar.padding(status.st_size))


def _header(entry: Entry) -> bytes:
    try:
        return tar.header(entry)
    except UnicodeEncodeError as error:
        raise RunFailed(f"the name `{entry.path}` is not Unicode", rule="EXE-05") from error
