"""What a scan looks at: files, folders and variables, each look noted.

Rules (SPEC DET-17):
- Everything that a passive probe, or the plan of a scan, learns from the machine is learnt here,
  and noted with what was seen. While all of it is as noted, the scan's answer is the same.
- Looking never fails: what cannot be read is not there.
"""

from __future__ import annotations

import fnmatch
import hashlib
import os
import stat
from typing import TYPE_CHECKING

from crpack.detect import path as paths
from crpack.detect.cache import key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from crpack.binary.image import Image
    from crpack.detect.cache import Cache
    from crpack.detect.path import Stamp

MAX_MATCHES = 256  # files that one glob may lead to
MAX_DIGESTED = 2**40  # bytes of a file that is hashed

# What was looked at, and what was seen: ("stat", path, …), ("real", path, …), ("env", name, …).
Sight = tuple[str, str, tuple[int, ...] | str | None]


class Eyes:
    """Looks at the machine for one scan; each thing once.

    Args:
        environ: the caller's environment.
        cache: knows the digests of unchanged files.
    """

    __slots__ = (
        "_cache", "_environ", "_folders", "_identities", "_names", "_real", "_stamps", "_texts",
        "_variables", "trust",
    )  # fmt: skip

    def __init__(self, environ: Mapping[str, str], cache: Cache) -> None:
        self._environ = environ
        self._cache = cache
        self.trust = paths.Trust(os.getuid())
        self._stamps: dict[str, Stamp | None] = {}
        self._identities: dict[str, tuple[int, ...] | None] = {}
        self._folders: dict[str, str] = {}
        self._real: dict[str, str] = {}
        self._variables: dict[str, str | None] = {}
        self._names: dict[str, tuple[str, ...]] = {}
        self._texts: dict[tuple[str, int], bytes] = {}

    def variable(self, name: str) -> str:
        """Return a variable of the environment; empty when it is not set."""
        value = self._environ.get(name)
        self._variables[name] = value
        return value or ""

    def stamp(self, path: str) -> Stamp | None:
        """Return the stamp of the file or folder behind a path; None when there is none."""
        if path not in self._stamps:
            self._stamps[path] = paths.stamp(path)
        return self._stamps[path]

    def identity(self, path: str) -> tuple[int, ...] | None:
        """Return device and inode of what is behind a path; None when there is nothing.

        For what only has to be there, whatever changes in it.
        """
        if path in self._stamps:
            seen = self._stamps[path]
            return seen[:2] if seen else None
        if path not in self._identities:
            self._identities[path] = identity(path)
        return self._identities[path]

    def real(self, path: str) -> str:
        """Return the path behind all links; empty where they lead nowhere or in a circle."""
        if path not in self._real:
            self._real[path] = realpath(path, self._folders)
        return self._real[path]

    def names(self, folder: str) -> tuple[str, ...]:
        """Return the names in a folder, sorted."""
        if folder not in self._names:
            there = self.stamp(folder)
            self._names[folder] = tuple(paths.names(folder)) if there else ()
        return self._names[folder]

    def read(self, path: str, limit: int) -> bytes:
        """Return the first bytes of a regular file, at most `limit`."""
        if self.stamp(path) is None or not self.is_file(path):
            return b""
        if (path, limit) not in self._texts:
            self._texts[path, limit] = paths.read(path, limit)
        return self._texts[path, limit]

    def image(self, path: str) -> Image | None:
        """Return what the headers of a file say; None when it is no image."""
        return paths.read_image(path) if self.stamp(path) and self.is_file(path) else None

    def is_file(self, path: str) -> bool:
        """Say whether a path leads to a regular file."""
        return self.identity(path) is not None and os.path.isfile(path)

    def is_folder(self, path: str) -> bool:
        """Say whether a path leads to a folder."""
        return self.identity(path) is not None and os.path.isdir(path)

    def matches(self, folder: str, pattern: str) -> tuple[str, ...]:
        """Return the paths below a folder that a glob names; newest names first, bounded.

        A part without wildcards is looked at without reading its folder.
        """
        found = [folder]
        for part in filter(None, pattern.split("/")):
            if not any(letter in part for letter in "*?["):
                found = [os.path.join(at, part) for at in found]
                continue
            found = [
                os.path.join(at, name)
                for at in found
                for name in sorted(
                    fnmatch.filter(self.names(at), part), key=paths.version_key, reverse=True
                )
            ][:MAX_MATCHES]
        return tuple(path for path in found if self.identity(path))

    def digest(self, path: str) -> str:
        """Return the sha256 of a regular file in hex; empty when it cannot be read."""
        seen = self.stamp(path)
        if seen is None or seen[2] > MAX_DIGESTED:
            return ""
        name = key("sha256", path, *seen)
        known = self._cache.answer(name)
        if isinstance(known, str):
            return known
        found = _sha256(path)
        self._cache.keep(name, found, *seen[3:])
        return found

    def sights(self) -> tuple[Sight, ...]:
        """Return everything that was looked at, and what was seen.

        A folder that is as it was has the same names: what was not there is not there, and what
        was no link is none. So these looks need not be taken again. Nothing is returned where
        something changed just now: it may change again within one clock tick (SPEC DET-07).
        """
        times = (time for seen in self._stamps.values() if seen for time in seen[3:])
        if not self._cache.settled(times):
            return ()
        known = {path for path, seen in self._stamps.items() if seen}
        missing = {
            path
            for path, seen in (*self._stamps.items(), *self._identities.items())
            if seen is None and os.path.dirname(path) in known and not os.path.islink(path)
        }
        plain = {
            path for path in self._real if os.path.dirname(path) in known and self._is_plain(path)
        }
        for folder in {os.path.dirname(path) for path in plain}:
            self.real(folder)
        return (
            *(("stat", path, seen) for path, seen in self._stamps.items() if path not in missing),
            *(("id", path, seen) for path, seen in self._identities.items() if path not in missing),
            *(("real", path, seen) for path, seen in self._real.items() if path not in plain),
            *(("env", name, seen) for name, seen in self._variables.items()),
            *(("own", path, paths.owner(path)) for path in self.trust.folders()),
        )

    def _is_plain(self, path: str) -> bool:
        """Say whether a path is no link, and leads to what bears its name in its folder."""
        return self._real[path] != "" and not os.path.islink(path)


def unchanged(sights: Iterable[Sight], environ: Mapping[str, str]) -> bool:
    """Say whether everything is as it was when it was looked at."""
    folders: dict[str, str] = {}
    see: dict[str, Callable[[str], object]] = {
        "stat": paths.stamp,
        "id": identity,
        "real": lambda path: realpath(path, folders),
        "env": environ.get,
        "own": paths.owner,
    }
    return all(see[kind](name) == seen for kind, name, seen in sights)


def identity(path: str) -> tuple[int, ...] | None:
    """Return device and inode of what is behind a path; None when there is nothing."""
    seen = paths.stamp(path)
    return seen[:2] if seen else None


def realpath(path: str, folders: dict[str, str]) -> str:
    """Return the path behind all links; empty where they lead nowhere or in a circle.

    Args:
        path: absolute.
        folders: what was found of folders so far; filled.
    """
    folder, name = os.path.split(path)
    try:
        if folder not in folders:
            folders[folder] = os.path.realpath(folder, strict=True)
        path = os.path.join(folders[folder], name)
        status = os.lstat(path)
        return os.path.realpath(path, strict=True) if stat.S_ISLNK(status.st_mode) else path
    except (OSError, ValueError):
        return ""


def _sha256(path: str) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return ""
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return ""
        with os.fdopen(os.dup(descriptor), "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
    finally:
        os.close(descriptor)
