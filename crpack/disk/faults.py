"""Fault points: where a test may fail or end the process, and how a failure reads.

Rules (SPEC STO-10):
- Every effect on the disk runs through `do`, between the fault point of its name and the one
  with `:done` behind it. So a test can fail each effect, and fail after each effect.
- `arm` gives the hook that is called with each name; it may raise an `OSError` or end the
  process. Without a hook a fault point costs one comparison.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any, TypeVar

from crpack.errors import InstallError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_EFFECTS = (
    "make-folder.create",
    "make-folder.mode",
    "make-folder.sync",
    "write-file.create",
    "write-file.write",
    "write-file.mode",
    "write-file.date",
    "write-file.sync",
    "write-file.close",
    "make-link.create",
    "atomic-write.rename",
    "atomic-write.sync",
    "rename.move",
    "rename.sync",
    "switch-link.move",
    "switch-link.sync",
    "sync-folder.flush",
    "sync-tree.flush",
    "remove.unlink",
    "remove.enter",
    "remove.hoist",
    "remove.folder",
    "remove.sync",
    "lock.create",
    "stage.create",
    "give-tree.owner",
)

_SENTENCES = {
    errno.ENOSPC: ("there is no space left for `{}`", "free some space, then try again"),
    errno.EDQUOT: ("your quota has no space left for `{}`", "free some space, then try again"),
    errno.EACCES: ("`{}` is not yours to read or change", "check who owns it"),
    errno.EPERM: ("`{}` is not yours to read or change", "check who owns it"),
    errno.EROFS: ("`{}` is on a read-only file system", "use a folder that can be written"),
    errno.EIO: ("the disk failed at `{}`", "check the disk, then try again"),
    errno.ENAMETOOLONG: ("the path `{}` is too long", "use a folder with a shorter path"),
    errno.ELOOP: ("`{}` is a link where none belongs", "remove it, then try again"),
    errno.ENOTDIR: ("`{}` goes through something that is not a folder", ""),
    errno.EISDIR: ("`{}` is a folder where a file belongs", ""),
    errno.ENOENT: ("`{}` is not there", ""),
    errno.EEXIST: ("`{}` is there already", ""),
    errno.EMFILE: ("too many files are open for `{}`", "raise the limit with `ulimit -n`"),
}

_hook: Callable[[str], None] | None = None


def points() -> tuple[str, ...]:
    """Return the names of all fault points (SPEC STO-10)."""
    return tuple(name for effect in _EFFECTS for name in (effect, f"{effect}:done"))


def arm(hook: Callable[[str], None] | None) -> None:
    """Call `hook` with the name of every fault point passed from now on; None disarms."""
    global _hook  # noqa: PLW0603 - one switch for the one writer
    _hook = hook


def do(effect: str, path: str, call: Callable[..., T], *args: Any, **options: Any) -> T:
    """Run one effect between its fault points; `path` is the file that a failure names.

    Raises:
        InstallError: the system refused the effect.
    """
    try:
        if _hook is None:
            return call(*args, **options)
        _hook(effect)
        result = call(*args, **options)
        _hook(f"{effect}:done")
        return result
    except OSError as error:
        raise failure(error, path) from error


def failure(error: OSError, path: str) -> InstallError:
    """Return a system error as a sentence that a user can act on."""
    number = error.errno or 0
    sentence, hint = _SENTENCES.get(number, ("`{}` could not be read or changed", ""))
    return InstallError(
        sentence.format(path),
        why=[error.strerror or os.strerror(number)],
        hint=hint,
        data={"path": path, "errno": errno.errorcode.get(number, str(number))},
    )
