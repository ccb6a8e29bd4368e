"""Locks between processes.

Rules (SPEC STO-13):
- A lock is `flock` on a file or folder of a local file system: the kernel frees it when its
  holder dies, so there are no stale locks.
- A lock that was waited for is taken only if the file still has its name; so lock files and
  locked folders may be removed by who holds them.
- Lock files are their owner's alone: `flock` needs no more than the right to read, so others could
  keep the owner out.
"""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

from crpack.disk.faults import do, failure

if TYPE_CHECKING:
    from typing import Self

LOCK_MODE = 0o600
_FLAGS = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Lock:
    """A held lock; freed by `release`, by the end of its `with`, or by the end of the process."""

    __slots__ = ("_fd",)

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """Let others in; a second call does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def keep(self) -> None:
        """Let programs that this process becomes or starts hold the lock for as long as they run.

        Its descriptor goes with them.
        """
        os.set_inheritable(self._fd, True)


def lock(path: str, *, shared: bool = False) -> Lock:
    """Wait for the lock of the file `path`, made where it is missing (SPEC STO-13)."""
    while True:
        held = _take(path, shared=shared, wait=True, create=True)
        if held is not None:
            return held


def try_lock(path: str, *, shared: bool = False) -> Lock | None:
    """Take the lock of the file `path`, or return None when someone else has it."""
    return _take(path, shared=shared, wait=False, create=True)


def hold(path: str, *, shared: bool = True, wait: bool = False) -> Lock | None:
    """Take the lock of a file or folder that exists; None when it is gone, or taken by others.

    Needs no right to write there, so a user can hold what an administrator installed. With
    `wait`, None means gone.
    """
    return _take(path, shared=shared, wait=wait, create=False)


def _take(path: str, *, shared: bool, wait: bool, create: bool) -> Lock | None:
    fd = _open(path, create=create)
    if fd is None:
        return None
    held = Lock(fd)
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(fd, kind if wait else kind | fcntl.LOCK_NB)
    except BlockingIOError:
        held.release()
        return None
    except OSError as error:
        held.release()
        raise failure(error, path) from error
    except BaseException:  # Ctrl-C while waiting
        held.release()
        raise
    if _is_at(fd, path):
        return held
    held.release()  # the lock of a thing that is gone
    return None


def _open(path: str, *, create: bool) -> int | None:
    try:
        return os.open(path, _FLAGS | os.O_RDONLY)
    except FileNotFoundError:
        if not create:
            return None
    except OSError as error:
        raise failure(error, path) from error
    return do("lock.create", path, os.open, path, _FLAGS | os.O_RDWR | os.O_CREAT, LOCK_MODE)


def _is_at(fd: int, path: str) -> bool:
    """Say whether the open file still has this name."""
    try:
        return os.path.samestat(os.fstat(fd), os.stat(path, follow_symlinks=False))
    except FileNotFoundError:
        return False
