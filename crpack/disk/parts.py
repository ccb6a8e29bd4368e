"""Part files: downloads on their way, which may go on where they were cut, by another process too.

Rules (SPEC FET-10):
- A part file is its owner's alone and locked by the process that fills it. What it holds is not
  believed before its digest is right; nothing durable depends on it.
- A finished part gets its name in one step where both are on one file system, else by a copy.
- Parts that nobody fills are removed when they are old, or too many bytes together, oldest first.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from typing import TYPE_CHECKING

from crpack.disk.faults import do, failure
from crpack.disk.files import FILE_MODE, names, write_all, write_file
from crpack.disk.locks import hold
from crpack.disk.removal import remove_file
from crpack.errors import InstallError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_MODE = 0o600
_CHUNK = 1024 * 1024  # bytes read at once


class Part:
    """An open part file of `have` bytes at `path`; its lock is held until `close`."""

    __slots__ = ("_fd", "have", "path")

    def __init__(self, path: str, fd: int) -> None:
        self.path = path
        self.have = os.fstat(fd).st_size
        self._fd = fd

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def append(self, chunk: bytes) -> None:
        """Add bytes at the end.

        Raises:
            InstallError: the disk refused.
        """
        os.lseek(self._fd, self.have, os.SEEK_SET)
        self.have += do("write-file.write", self.path, write_all, self._fd, chunk)

    def cut(self, size: int) -> None:
        """Drop all but the first `size` bytes."""
        do("write-file.write", self.path, os.ftruncate, self._fd, size)
        self.have = size

    def chunks(self) -> Iterator[bytes]:
        """Yield what is there, from the first byte on."""
        at = 0
        while chunk := os.pread(self._fd, min(_CHUNK, self.have - at), at):
            at += len(chunk)
            yield chunk

    def publish(self, path: str) -> None:
        """Give the file the name `path`, which must be free, and let everybody read it.

        Raises:
            InstallError: the name is taken, or the disk refused.
        """
        do("write-file.mode", self.path, os.fchmod, self._fd, FILE_MODE)
        if path == self.path:
            return
        if os.path.lexists(path):
            raise failure(FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)), path)
        try:
            do("atomic-write.rename", path, os.rename, self.path, path)
        except InstallError as error:
            if error.data["errno"] != "EXDEV":
                raise
            write_file(path, self.chunks())
            self.remove()

    def remove(self) -> None:
        """Remove the file; a later process starts anew."""
        remove_file(self.path)

    def close(self) -> None:
        """Let others go on with the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def open_part(path: str) -> Part | None:
    """Open a part file, made where it is missing; None when another process fills it.

    Raises:
        InstallError: it is not a file, or cannot be written.
    """
    fd = do("write-file.create", path, os.open, path, _FLAGS, _MODE)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        about = os.fstat(fd)
        if not stat.S_ISREG(about.st_mode):
            raise InstallError(f"`{path}` is not a file")
        if not os.path.samestat(about, os.stat(path, follow_symlinks=False)):
            raise BlockingIOError  # it was finished or removed meanwhile
    except (BlockingIOError, FileNotFoundError):
        os.close(fd)
        return None
    except BaseException:
        os.close(fd)
        raise
    return Part(path, fd)


def create_part(path: str) -> Part:
    """Open a part file that must not exist, for a download that nobody else goes on with.

    Raises:
        InstallError: it is there already, or the folder cannot be written.
    """
    return Part(path, do("write-file.create", path, os.open, path, _FLAGS | os.O_EXCL, _MODE))


def sweep_parts(folder: str, *, cap: int, age_s: float) -> int:
    """Remove the parts that nobody fills and that are old or too many; return how many.

    Args:
        folder: holds part files only.
        cap: bytes that may stay, of the parts that were written to last.
        age_s: seconds since the last write after which a part goes.
    """
    found = []
    for name in names(folder):
        path = os.path.join(folder, name)
        try:
            about = os.stat(path, follow_symlinks=False)
        except FileNotFoundError:
            continue
        found.append((about.st_mtime, about.st_size, path))
    count = kept = 0
    oldest = time.time() - age_s
    for date, size, path in sorted(found, reverse=True):
        if date >= oldest and kept + size <= cap:
            kept += size
            continue
        held = hold(path, shared=False)
        if held is not None:
            with held:
                remove_file(path)
            count += 1
    return count
