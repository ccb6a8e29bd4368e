"""A step's own namespaces: user, mount, process, network, IPC (Linux 5.12 and newer).

Rules (SPEC SBX-06):
- The user keeps one identity, its own; no other exists inside, so nothing can be given away.
- Everything is read-only but the writable folders. Hidden folders are empty, and so is where
  services of the user put sockets: /run, /tmp, /var/tmp, /dev/shm and the caller's TMPDIR.
- No device can be opened but those of `DEVICES`, with Landlock or without.
- Three processes: the first stays outside and takes over the step's way of ending, the second is
  process 1 inside and buries orphans, the third becomes the step. When the second ends, the
  kernel ends all others inside.
"""

from __future__ import annotations

import ctypes
import os
import signal
import struct

from crpack.process import reach
from crpack.process.landlock import DEVICES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, NoReturn

_NEW_MOUNT, _NEW_IPC, _NEW_USER = 0x00020000, 0x08000000, 0x10000000
_NEW_PID, _NEW_NET = 0x20000000, 0x40000000
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 2, 4, 8
_MS_BIND, _MS_REC, _MS_PRIVATE = 0x1000, 0x4000, 1 << 18
_OPEN_TREE, _MOVE_MOUNT, _MOUNT_SETATTR = 428, 429, 442  # on every architecture
_CLONE, _EMPTY_PATH = 1, 4
_AT_RECURSIVE = 0x8000
_RDONLY, _NOSUID, _NODEV = 1, 2, 4  # MOUNT_ATTR_…

_MAX_LINKS = 40  # followed, as in the kernel
_SOCKETS = ("/run", "/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 - to be covered


def enter(sandbox: dict[str, Any], rooms: Rooms, report: int) -> None:
    """Return inside new namespaces, in the process that becomes the step (SPEC SBX-06).

    Args:
        sandbox: the fields of `crpack.process.sandbox.Sandbox`.
        rooms: what is to be seen.
        report: a descriptor to close in the processes that stay behind.

    Raises:
        OSError: the kernel or its policy refuses; the message names what.
    """
    uid, gid = os.getuid(), os.getgid()
    kinds = _NEW_USER | _NEW_MOUNT | _NEW_IPC | _NEW_PID
    kinds |= 0 if sandbox["network"] else _NEW_NET
    _checked("unshare", _libc().unshare(kinds))
    for name, text in (
        ("setgroups", b"deny"),
        ("uid_map", b"%d %d 1" % (uid, uid)),
        ("gid_map", b"%d %d 1" % (gid, gid)),
    ):
        _write(f"/proc/self/{name}", text)
    rooms.arrange()
    answer, tell = os.pipe()
    if os.fork():
        os.close(report)
        os.close(tell)
        _end_like(os.read(answer, 4))
    _checked("prctl", _libc().prctl(1, signal.SIGKILL, 0, 0, 0))  # PR_SET_PDEATHSIG
    _mount("proc", "/proc", "proc", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC)
    step = os.fork()
    if step:
        os.close(report)
        _bury(step, tell)


def _bury(step: int, tell: int) -> NoReturn:
    """Be process 1: wait for all, and tell how the step ended."""
    ended, status = os.wait()
    while ended != step:
        ended, status = os.wait()
    os.write(tell, status.to_bytes(4, "little"))
    os._exit(0)


def _end_like(status: bytes) -> NoReturn:
    """End as the step did; as if killed where nobody told."""
    code = os.waitstatus_to_exitcode(int.from_bytes(status, "little")) if status else -9
    if code < 0:
        os.kill(os.getpid(), -code)
    os._exit(code if code >= 0 else 128 - code)


def _write(path: str, text: bytes) -> None:
    place = os.open(path, os.O_WRONLY)
    try:
        os.write(place, text)
    finally:
        os.close(place)


class Rooms:
    """What of the file system a step gets to see, and what it may change.

    It is looked up by who starts the step: another user may have no way to these places. What root
    gives away it clones at once, so that the other user needs none.
    """

    __slots__ = ("covered", "links", "shown", "trees", "writable")

    def __init__(self, sandbox: dict[str, Any]) -> None:
        scratch = os.environ.get("TMPDIR", "")  # the caller's, which the launcher keeps
        given = (*sandbox["writable"], *sandbox["readable"])
        user = sandbox["user"] if os.geteuid() == 0 else None
        closed = [reach.shut(path, user) for path in given] if user else []
        self.covered = _topmost(_there((*sandbox["hidden"], *_SOCKETS, scratch, *closed)))
        self.writable = [os.path.realpath(path) for path in sandbox["writable"]]
        readable = [path for path in _there(sandbox["readable"]) if _below(path, self.covered)]
        self.shown = sorted({*self.writable, *readable})  # folders before what is in them
        self.links = [link for path in sandbox["readable"] for link in _links(path)]
        self.trees = [_clone(path) for path in self.shown] if user else []

    def arrange(self) -> None:
        """Make the file system so."""
        _mount(None, "/", None, _MS_REC | _MS_PRIVATE)
        trees = self.trees or [_clone(path) for path in self.shown]
        for folder in self.covered:
            _mount("none", folder, "tmpfs", _MS_NOSUID | _MS_NODEV)
        for path, text in self.links:  # by whose names programs are known
            hidden = _below(path, self.covered) and not _below(path, self.shown)
            if hidden and not os.path.lexists(path):
                os.makedirs(os.path.dirname(path), exist_ok=True)
                os.symlink(text, path)
        for path, tree in zip(self.shown, trees, strict=True):
            if _below(path, self.covered):
                _make_place(path, folder=os.path.isdir(f"/proc/self/fd/{tree}"))
            _attach(tree, path)
        devices = [path for name in DEVICES if os.path.exists(path := f"/dev/{name}")]
        for path in devices:
            _mount(path, path, None, _MS_BIND)
        _set_attributes("/", _AT_RECURSIVE, on=_RDONLY | _NOSUID | _NODEV)
        for path in devices:
            _set_attributes(path, 0, off=_NODEV)
        for path in self.writable:
            _set_attributes(path, 0, off=_RDONLY)


def _there(paths: tuple[str, ...]) -> list[str]:
    there = (path for path in paths if os.path.isabs(path) and os.path.exists(path))
    return sorted({os.path.realpath(path) for path in there} - {"/"})


def _topmost(folders: list[str]) -> list[str]:
    """Return the folders that are in none of the others."""
    return [one for one in folders if not any(one.startswith(other + "/") for other in folders)]


def _below(path: str, folders: list[str]) -> bool:
    return any(path.startswith(folder + "/") for folder in folders)


def _links(path: str) -> Iterator[tuple[str, str]]:
    """Yield the links passed on the way to an absolute path: where each is, and its text."""
    todo, at = path.split("/")[::-1], ""
    left = _MAX_LINKS
    while todo and left:
        name = todo.pop()
        place = f"{at}/{name}"
        if name in ("", "."):
            continue
        if name == "..":
            at = os.path.dirname(at).rstrip("/")
        elif os.path.islink(place):
            left -= 1
            text = os.readlink(place)
            yield place, text
            at = "" if text.startswith("/") else at
            todo += text.split("/")[::-1]
        else:
            at = place


def _make_place(path: str, *, folder: bool) -> None:
    os.makedirs(path if folder else os.path.dirname(path), exist_ok=True)
    if not folder and not os.path.lexists(path):  # it is, in a folder that is shown
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))


def _mount(source: str | None, target: str, kind: str | None, flags: int) -> None:
    arguments = [None if text is None else os.fsencode(text) for text in (source, target, kind)]
    _checked(f"mount of `{target}`", _libc().mount(*arguments, ctypes.c_ulong(flags), None))


def _clone(path: str) -> int:
    """Return a descriptor of a mount of its own of a folder or file, and of all mounted below."""
    flags = _CLONE | _AT_RECURSIVE | os.O_CLOEXEC
    tree = int(_libc().syscall(_OPEN_TREE, -100, os.fsencode(path), flags))
    _checked(f"open_tree of `{path}`", tree)
    return tree


def _attach(tree: int, path: str) -> None:
    done = _libc().syscall(_MOVE_MOUNT, tree, b"", -100, os.fsencode(path), _EMPTY_PATH)
    _checked(f"mount of `{path}`", done)
    os.close(tree)


def _set_attributes(path: str, flags: int, *, on: int = 0, off: int = 0) -> None:
    attributes = struct.pack("=QQQQ", on, off, 0, 0)
    place = os.fsencode(path)
    done = _libc().syscall(_MOUNT_SETATTR, -100, place, flags, attributes, len(attributes))
    _checked("mount_setattr", done)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(what: str, result: int) -> None:
    if result < 0:
        raise OSError(f"{what}: {os.strerror(ctypes.get_errno())}")
