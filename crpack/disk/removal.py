"""Removing files and whole folders.

Rules (SPEC STO-14):
- No link is followed.
- Folders inside a removed folder are moved up into it before they are emptied, so no depth, no
  length of a path and no permission bit of a folder can stop the removal.
- What is not there is removed already.
"""

from __future__ import annotations

import errno
import os
import stat

from crpack.disk.faults import do, failure
from crpack.disk.files import flush
from crpack.disk.folder import FLAGS
from crpack.errors import InstallError

OWNER_ALL = 0o700


def remove_file(path: str) -> None:
    """Remove a file or link; its absence is durable."""
    try:
        do("remove.unlink", path, os.unlink, path)
    except InstallError as error:
        if error.data["errno"] != "ENOENT":
            raise
        return
    flush("remove.sync", os.path.dirname(os.path.abspath(path)))


def remove_tree(path: str) -> None:
    """Remove a folder with all that is in it, or a file (SPEC STO-14)."""
    try:
        root = _open_to_empty(path, None)
    except FileNotFoundError:
        return
    except OSError as error:
        if error.errno in (errno.ENOTDIR, errno.ELOOP):  # a file; a link, as macOS says it
            remove_file(path)
            return
        raise failure(error, path) from error
    try:
        _empty(root, path)
    finally:
        os.close(root)
    do("remove.folder", path, os.rmdir, path)


def _empty(root: int, path: str) -> None:
    waiting = _unlink_files(root, path)
    token, count = os.urandom(8).hex(), 0
    while waiting:
        name = waiting.pop()
        fd = do("remove.enter", path, _open_to_empty, name, root)
        try:
            for below in _unlink_files(fd, path):
                count += 1
                fresh = f".{token}.{count}"
                do("remove.hoist", path, _hoist, below, fd, fresh, root)
                waiting.append(fresh)
        finally:
            os.close(fd)
        do("remove.folder", path, os.rmdir, name, dir_fd=root)


def _unlink_files(fd: int, path: str) -> list[str]:
    """Remove all but the folders from an open folder; return the names of those."""
    with os.scandir(fd) as entries:
        listed = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    for name, is_folder in listed:
        if not is_folder:
            do("remove.unlink", path, os.unlink, name, dir_fd=fd)
    return [name for name, is_folder in listed if is_folder]


def _hoist(name: str, below: int, fresh: str, root: int) -> None:
    os.close(_open_to_empty(name, below))  # moving a folder asks for the right to write in it
    os.rename(name, fresh, src_dir_fd=below, dst_dir_fd=root)


def _open_to_empty(name: str, above: int | None) -> int:
    """Open a folder and give its owner all rights on it."""
    try:
        fd = os.open(name, FLAGS, dir_fd=above)
    except PermissionError:
        os.chmod(name, OWNER_ALL, dir_fd=above)
        fd = os.open(name, FLAGS, dir_fd=above)
    if stat.S_IMODE(os.fstat(fd).st_mode) & OWNER_ALL != OWNER_ALL:
        os.fchmod(fd, OWNER_ALL)
    return fd
