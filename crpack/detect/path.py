"""Files that may be executed because they lie on PATH.

Rules (SPEC DET-01…):
- Only absolute folders of PATH count: an empty or relative one would mean "here".
- A file is trusted when it and every folder above it, along the links that lead to it as well,
  belong to root or the user, and nobody else may write there. A folder with the sticky bit is
  fine: what others may add they may not exchange.
- A script is trusted when its interpreter is.
"""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack.binary import reader
from crpack.errors import FormatError

if TYPE_CHECKING:
    from crpack.binary.image import Image

MAX_LINKS = 40  # links followed, as in the kernel

Stamp = tuple[int, int, int, int, int]  # device, inode, size, time of change, of status change


def folders(path: str) -> tuple[str, ...]:
    """Return the absolute folders of a PATH text, each once, in order (SPEC DET-01)."""
    parts = (os.path.normpath(part) for part in path.split(os.pathsep) if os.path.isabs(part))
    return tuple(dict.fromkeys(part for part in parts if _is_text(part)))


@dataclass(frozen=True, slots=True)
class File:
    """One file that a name on PATH leads to.

    Attributes:
        path: as found.
        realpath: behind all links.
        stamp: of the real file; changes whenever the file does.
        distrust: why it may not be executed, in one sentence; empty when it may.
    """

    path: str
    realpath: str
    stamp: Stamp
    distrust: str


class Trust:
    """Answers who may change a file; remembers folders, so one value serves one scan.

    Args:
        user: the user's id; files of this user and of root are trusted.
    """

    __slots__ = ("_folders", "_user")

    def __init__(self, user: int) -> None:
        self._user = user
        self._folders: dict[str, str] = {}

    def file(self, path: str) -> File | None:
        """Return the executable file at a path; None when there is none (SPEC DET-02)."""
        try:
            realpath = os.path.realpath(path, strict=True)
            status = os.stat(realpath)
        except (OSError, ValueError):
            return None
        if not stat.S_ISREG(status.st_mode) or not os.access(realpath, os.X_OK):
            return None
        distrust = self._own(realpath, status) or self._way(path)
        return File(path, realpath, stamp_of(status), distrust)

    def folders(self) -> tuple[str, ...]:
        """Return the folders that were judged."""
        return tuple(self._folders)

    def _own(self, path: str, status: os.stat_result) -> str:
        """Say who else may change this file or exchange this folder's content."""
        if status.st_uid not in (0, self._user):
            return f"`{path}` belongs to user {status.st_uid}"
        if status.st_mode & 0o022 and not (
            stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX
        ):
            return f"`{path}` can be changed by other users"
        return ""

    def _way(self, path: str) -> str:
        """Check every folder on the way to a file, links included."""
        for _ in range(MAX_LINKS):
            distrust = self.folder(os.path.dirname(path))
            if distrust or not os.path.islink(path):
                return distrust
            path = os.path.normpath(os.path.join(os.path.dirname(path), os.readlink(path)))
        return f"`{path}` is behind too many links"

    def folder(self, path: str) -> str:
        """Say why a folder cannot be trusted; empty when it can (SPEC DET-02)."""
        if path not in self._folders:
            self._folders[path] = ""  # ends loops of links
            self._folders[path] = self._folder(path)
        return self._folders[path]

    def _folder(self, path: str) -> str:
        try:
            status = os.lstat(path)
        except OSError as error:
            return f"`{path}`: {error.strerror}"
        above = "" if path == "/" else self.folder(os.path.dirname(path))
        if above:
            return above
        if stat.S_ISLNK(status.st_mode):
            target = os.path.join(os.path.dirname(path), os.readlink(path))
            return self.folder(os.path.normpath(target))
        return self._own(path, status)


def stamp_of(status: os.stat_result) -> Stamp:
    """Return what changes whenever a file does (SPEC DET-07)."""
    return (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )


def stamp(path: str) -> Stamp | None:
    """Return the stamp of the file or folder behind a path; None when there is none."""
    try:
        return stamp_of(os.stat(path))
    except (OSError, ValueError):
        return None


def owner(path: str) -> tuple[int, ...] | None:
    """Return what decides whether a folder can be trusted; None when there is none."""
    try:
        status = os.lstat(path)
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino, status.st_uid, status.st_mode


def names(folder: str) -> list[str]:
    """Return the names in a folder that are UTF-8, sorted; empty when it cannot be read."""
    try:
        return sorted(filter(_is_text, os.listdir(folder)))
    except OSError:
        return []


def _is_text(name: str) -> bool:
    """Say whether a name can stand in a document: the system escapes bytes that are not UTF-8."""
    return name.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in name)


def read(path: str, limit: int) -> bytes:
    """Return at most `limit` bytes of a file; empty when it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError):
        return b""
    try:
        return os.read(descriptor, limit)
    except OSError:
        return b""
    finally:
        os.close(descriptor)


def read_image(path: str) -> Image | None:
    """Return what a file's headers say; None for a script, or a broken or unreadable file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return reader.read(lambda offset, size: os.pread(descriptor, size, offset))
    except (FormatError, OSError):
        return None
    finally:
        os.close(descriptor)


def own_image() -> Image | None:
    """Return what the headers of this process's own file say; None where they say nothing."""
    return read_image("/proc/self/exe" if sys.platform == "linux" else sys.executable)


def version_key(text: str) -> tuple[int, ...]:
    """Return the numbers in a text, for ordering names that carry a version."""
    digits = "".join(c if c.isdecimal() and c.isascii() else " " for c in text)
    return tuple(int(number) for number in digits.split() if len(number) < 10)
