"""Where an index is published to: a folder here, or one behind ssh.

Rules (SPEC PUB-15 to PUB-17):
- One writer at a time: whoever writes holds the link `.publishing` in the root of the index, whose
  text says who. On one machine the kernel's lock of the folder tells whether it still lives.
- A file named by its digest is written once. Every file gets its name only when it is whole, in
  the order of the plan: content first, head last.
- Just before the timestamp is replaced it is compared: if another wrote meanwhile, nothing is
  published.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from crpack import disk
from crpack.errors import FetchError, InstallError, UsageError
from crpack.index import places
from crpack.model.limits import MAX_HEAD_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from crpack.index.publish import File

LOCK = ".publishing"
TIMESTAMP = "metadata/timestamp.json"
PATIENCE = 60.0  # seconds that a writer elsewhere is waited for
_CHUNK = 1024 * 1024  # bytes copied at once
IMMUTABLE = ("a/", "b/", "c/", "s/", "targets/")


class Place(Protocol):
    """A folder that holds an index, wherever it is."""

    @property
    def name(self) -> str:
        """How people call it."""

    def read(self, path: str, limit: int) -> bytes:
        """Return a file below the index's root; FetchError when it is not there."""

    def read_all(self, paths: Sequence[str], limit: int) -> None:
        """Read files ahead, where that is cheaper than one by one."""

    def locked(self) -> AbstractContextManager[None]:
        """Keep other writers out within the `with`."""

    def write(self, files: Sequence[File], gone: Sequence[str], base: bytes) -> None:
        """Write files in their order, then remove some; `base` is the timestamp read before."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder on this machine."""

    path: str

    @property
    def name(self) -> str:
        """How people call it."""
        return self.path

    def read(self, path: str, limit: int) -> bytes:
        """Return a file below the index's root.

        Raises:
            FetchError: it is not there.
        """
        return places.read_folder(self.path)(path, limit)

    def read_all(self, paths: Sequence[str], limit: int) -> None:
        """Do nothing: here each file costs the same."""

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other writers out (SPEC PUB-15).

        Raises:
            UsageError: there is no such folder.
            InstallError: a writer elsewhere does not end.
        """
        held = disk.hold(self.path, shared=False, wait=True) if os.path.isdir(self.path) else None
        if held is None:
            hint = "make an index there with `crpack index new`"
            raise UsageError(f"there is no folder `{self.path}`", hint=hint)
        with held:
            link = f"{self.path}/{LOCK}"
            _take(link, holder())
            try:
                yield
            finally:
                disk.remove_file(link)

    def write(self, files: Sequence[File], gone: Sequence[str], base: bytes) -> None:
        """Write files in their order, then remove some (SPEC PUB-16, PUB-17).

        Raises:
            InstallError: the disk refused, another wrote meanwhile, or an archive has changed.
        """
        for file in files:
            if file.path == TIMESTAMP:
                self._compare(base)
            path = f"{self.path}/{file.path}"
            if file.path.startswith(IMMUTABLE) and os.path.lexists(path):
                continue
            disk.make_folders(os.path.dirname(path))
            if file.origin:
                disk.replace_file(path, copied(file))
            else:
                disk.atomic_write(path, file.data)
        for one in gone:
            disk.remove_file(f"{self.path}/{one}")

    def _compare(self, base: bytes) -> None:
        if timestamp_of(self) != base:
            raise changed_meanwhile(self.name)


def timestamp_of(place: Place) -> bytes:
    """Return the timestamp that is in force; empty for an index that has none yet."""
    try:
        return place.read(TIMESTAMP, MAX_HEAD_BYTES)
    except FetchError as error:
        if error.data.get("status") != 404:
            raise
        return b""


def changed_meanwhile(name: str) -> InstallError:
    """Return the error that says that another wrote to an index at the same time."""
    return InstallError(
        f"the index in `{name}` was changed meanwhile, so nothing was published",
        why=["another program wrote there without taking the lock"],
        hint="run the command again",
        rule="PUB-15",
    )


def holder() -> str:
    """Return what this machine writes into the lock of an index."""
    import platform

    return f"local@{platform.node() or 'unknown'}"


def _take(link: str, text: str) -> None:
    """Make the link; what a dead process of this machine left is taken over."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            disk.make_link(link, text)
            return
        except InstallError as error:
            if error.data.get("errno") != "EEXIST":
                raise
        by = _text_of(link)
        if by == text:  # the kernel's lock is ours, so its holder is dead
            disk.remove_file(link)
        elif time.monotonic() > end:
            raise being_written(link, by)
        else:
            time.sleep(0.2)


def being_written(link: str, by: str) -> InstallError:
    """Return the error that says who holds the lock of an index."""
    return InstallError(
        "someone else is publishing to this index",
        why=[f"the lock `{link}` is held by `{by}`"],
        hint="wait for it; if it is gone, remove the lock",
        rule="PUB-15",
    )


def _text_of(link: str) -> str:
    try:
        return os.readlink(link)
    except OSError:  # gone meanwhile
        return ""


def copied(file: File) -> Iterator[bytes]:
    """Yield a file that is named by its digest; the end comes only when it is still that file.

    Raises:
        InstallError: it cannot be read, or is another now (SPEC PUB-16).
    """
    digest = hashlib.sha256()
    try:
        with open(file.origin, "rb") as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
                yield chunk
    except OSError as error:
        raise disk.failure(error, file.origin) from error
    if digest.hexdigest() not in file.path:
        raise InstallError(f"`{file.origin}` was changed while it was published", rule="PUB-16")
