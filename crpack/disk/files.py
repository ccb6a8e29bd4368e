"""Single files, folders and links: created whole, replaced in one step, made durable.

Rules (SPEC STO-11, STO-12):
- A file is created, never opened for change; its permission bits ignore the umask.
- A replaced file or link is whole-old or whole-new at every instant; its name is durable when
  the operation returns.
- `sync_tree` makes everything written before it durable, so a transaction needs it once.
"""

from __future__ import annotations

import fcntl
import os
import stat
import sys
from typing import TYPE_CHECKING, BinaryIO

from crpack.disk.faults import do, failure
from crpack.errors import InstallError

if TYPE_CHECKING:
    from collections.abc import Iterable

FILE_MODE = 0o644
FOLDER_MODE = 0o755


def read(path: str, *, limit: int) -> bytes:
    """Return a regular file's bytes.

    Raises:
        InstallError: not there, a link, not a regular file, not readable, or over `limit` bytes.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        fd = os.open(path, flags)
        with open(fd, "rb") as file:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise InstallError(f"`{path}` is not a file")
            data = file.read(limit + 1)
    except OSError as error:
        raise failure(error, path) from error
    if len(data) > limit:
        raise InstallError(f"`{path}` is longer than {limit} bytes")
    return data


def names(folder: str) -> tuple[str, ...]:
    """Return the names in a folder, sorted; none when it is not there."""
    try:
        return tuple(sorted(os.listdir(folder)))
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as error:
        raise failure(error, folder) from error


def free_bytes(path: str) -> int:
    """Return the bytes that this user may still write at `path`, which need not exist yet."""
    path = os.path.abspath(path)
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    try:
        numbers = os.statvfs(path)
    except OSError as error:
        raise failure(error, path) from error
    return numbers.f_bavail * numbers.f_frsize


def sync_folder(path: str) -> None:
    """Make the names in one folder durable."""
    flush("sync-folder.flush", path)


def sync_tree(path: str) -> None:
    """Make everything written so far to the file system of `path` durable (SPEC STO-12).

    Linux has `syncfs`. Elsewhere every file system is asked (`sync`), and the drive of `path`
    is told to empty its own cache where it has that call (macOS, `F_FULLFSYNC`).
    """
    do("sync-tree.flush", path, _sync_file_system, path)


def _sync_file_system(path: str) -> None:
    import ctypes

    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
        if syncfs is None:
            os.sync()
            if sys.platform == "darwin":
                fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
        elif syncfs(fd) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    finally:
        os.close(fd)


def flush(effect: str, path: str) -> None:
    """Make the names in one folder durable, as the named effect."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise failure(error, path) from error
    try:
        do(effect, path, os.fsync, fd)
    finally:
        os.close(fd)


def make_folders(path: str) -> None:
    """Make a folder and those above it that are missing; their names are durable."""
    path = os.path.abspath(path)
    if os.path.isdir(path):
        return
    above = os.path.dirname(path)
    make_folders(above)
    try:
        do("make-folder.create", path, os.mkdir, path, FOLDER_MODE)
    except InstallError:
        if not os.path.isdir(path):  # made by someone else meanwhile: fine
            raise
    flush("make-folder.sync", above)


def write_file(
    path: str, chunks: Iterable[bytes], mode: int = FILE_MODE, *, durable: bool = False
) -> int:
    """Create a file that must not exist and return its size in bytes.

    Args:
        path: of the new file; its folder exists.
        chunks: the content, piece by piece; what they raise passes through.
        mode: permission bits, whatever the umask says.
        durable: flush the content to the disk before returning.
    """
    return create(path, path, chunks, mode, durable=durable)


def create(
    name: str,
    path: str,
    chunks: Iterable[bytes],
    mode: int,
    *,
    folder: int | None = None,
    date: int | None = None,
    durable: bool = False,
) -> int:
    """Create, fill and close the file `name` in an open folder; `path` is for messages."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = do("write-file.create", path, os.open, name, flags, 0o600, dir_fd=folder)
    size = 0
    try:
        for chunk in chunks:
            size += do("write-file.write", path, write_all, fd, chunk)
        do("write-file.mode", path, os.fchmod, fd, mode)
        if date is not None:
            do("write-file.date", path, os.utime, fd, (date, date))
        if durable:
            do("write-file.sync", path, os.fsync, fd)
    except BaseException:
        os.close(fd)
        raise
    do("write-file.close", path, os.close, fd)  # network file systems report a full disk here
    return size


def open_log(path: str) -> BinaryIO:
    """Create a file that must not exist, open for writing without a buffer (SPEC STO-11).

    For a log, which a person may read while it grows; everything else is written whole.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    return open(do("write-file.create", path, os.open, path, flags, FILE_MODE), "wb", buffering=0)


def write_all(fd: int, chunk: bytes) -> int:
    """Write all of a chunk to an open file, as the system takes it, and return its length."""
    view = memoryview(chunk)
    while view:
        view = view[os.write(fd, view) :]
    return len(chunk)


def atomic_write(path: str, data: bytes, mode: int = FILE_MODE, *, scratch: str = "") -> None:
    """Replace a small file: at every instant it is whole-old or whole-new, then durable.

    `scratch` names a folder of the same file system for the new file until then (a stage, whose
    leftovers are swept); by default it stands beside `path`.
    """
    replace_file(path, [data], mode, scratch=scratch)


def replace_file(
    path: str, chunks: Iterable[bytes], mode: int = FILE_MODE, *, scratch: str = ""
) -> None:
    """Replace a file of any size as `atomic_write` does; what the chunks raise passes through."""
    path = os.path.abspath(path)
    _spare_devices(path)
    folder, name = os.path.split(path)
    fresh = os.path.join(scratch or folder, f".{name}.{os.urandom(8).hex()}")
    try:
        create(fresh, path, chunks, mode, durable=True)
        do("atomic-write.rename", path, os.rename, fresh, path)
    except BaseException:
        _forget(fresh)
        raise
    flush("atomic-write.sync", folder)


def _spare_devices(path: str) -> None:
    """Refuse to put a file in the place of a device, pipe or socket, or of a link to one.

    Raises:
        InstallError: it is one; root would take `/dev/null` from the machine.
    """
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise InstallError(f"`{path}` is a device, pipe or socket where a file belongs")


def _forget(path: str) -> None:
    """Remove what a failed operation leaves; a second failure is not the user's news."""
    try:
        os.unlink(path)
    except OSError:
        return


def make_link(path: str, target: str) -> None:
    """Make a symbolic link that must not exist."""
    do("make-link.create", path, os.symlink, target, path)


def switch_link(path: str, target: str, *, scratch: str) -> None:
    """Make `path` a link to `target` in one step, then durable (SPEC GEN-04).

    `scratch` names a folder of the same file system for the new link until then.
    """
    fresh = os.path.join(scratch, os.urandom(8).hex())
    make_link(fresh, target)
    do("switch-link.move", path, os.rename, fresh, path)
    flush("switch-link.sync", os.path.dirname(path))


def rename(source: str, path: str) -> bool:
    """Give a finished folder its name, durable; False when the name is taken (SPEC STO-03).

    The loser of two renames keeps its own; a folder that holds something is never overwritten.
    """
    try:
        do("rename.move", path, os.rename, source, path)
    except InstallError:
        if os.path.isdir(path) and os.path.lexists(source):
            return False
        raise
    flush("rename.sync", os.path.dirname(path))
    return True
