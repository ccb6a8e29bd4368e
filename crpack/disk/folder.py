"""Private writes below one folder, which no path and no link can leave.

Rules (SPEC STO-05):
- Every folder on the way is opened by name in the one above it, without following a link, and
  made where it is missing. So what another process puts there cannot lead a write astray.
- Files are created exclusively; permission bits ignore the umask.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from crpack.disk.faults import do, failure
from crpack.disk.files import FILE_MODE, FOLDER_MODE, create
from crpack.errors import InstallError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Folder:
    """An open folder and the chain of folders below it that was used last. For one thread."""

    __slots__ = ("_chain", "path")

    def __init__(self, path: str) -> None:
        """Open the folder `path`, which exists."""
        self.path = path
        self._chain = [("", self._open(path, None, ""))]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all descriptors."""
        while self._chain:
            os.close(self._chain.pop()[1])

    def file(
        self, path: str, chunks: Iterable[bytes], mode: int = FILE_MODE, *, date: int | None = None
    ) -> int:
        """Create the file `path`, as old as `date` (seconds since 1970); return its size."""
        above, name = self._above(path)
        return create(name, f"{self.path}/{path}", chunks, mode, folder=above, date=date)

    def link(self, path: str, target: str) -> None:
        """Make the symbolic link `path`."""
        above, name = self._above(path)
        full = f"{self.path}/{path}"
        do("make-link.create", full, os.symlink, target, name, dir_fd=above)

    def folder(self, path: str) -> None:
        """Make the folder `path` and those above it, as far as they are missing."""
        self._walk(_parts(path))

    def _above(self, path: str) -> tuple[int, str]:
        """Return the descriptor of the folder that holds `path`, and the last name."""
        *above, name = _parts(path)
        return self._walk(above), name

    def _walk(self, parts: list[str]) -> int:
        """Return the descriptor of a folder; those on the way stay open for what comes next."""
        chain = self._chain
        while [name for name, _ in chain[1:]] != parts[: len(chain) - 1]:
            os.close(chain.pop()[1])
        for depth in range(len(chain) - 1, len(parts)):
            name = parts[depth]
            full = "/".join((self.path, *parts[: depth + 1]))
            chain.append((name, self._enter(name, chain[-1][1], full)))
        return chain[-1][1]

    def _enter(self, name: str, above: int, full: str) -> int:
        try:
            do("make-folder.create", full, os.mkdir, name, FOLDER_MODE, dir_fd=above)
        except InstallError as error:
            if error.data["errno"] != "EEXIST":
                raise
            return self._open(name, above, full)
        fd = self._open(name, above, full)
        do("make-folder.mode", full, os.fchmod, fd, FOLDER_MODE)
        return fd

    @staticmethod
    def _open(name: str, above: int | None, full: str) -> int:
        try:
            return os.open(name, FLAGS, dir_fd=above)
        except OSError as error:
            raise failure(error, full or name) from error


def _parts(path: str) -> list[str]:
    """Return the names in a plain relative path; the last guard, after SPEC PTH."""
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts):
        raise InstallError(f"`{path}` is not a plain relative path", rule="STO-05")
    return parts
