"""Building the walls, from inside the forked process that becomes the step (Linux, ctypes).

Rules:
- Order: another user, namespaces (L3), no capabilities, no new privileges, Landlock, seccomp.
  Each wall is built with what the earlier ones still allow.
- Any failure raises; the caller reports it and the program does not start.
- Called in a process with one thread, after fork and before exec, by the supervisor alone.
"""

from __future__ import annotations

import ctypes
import os
import socket
import sys

from crpack.process import landlock, namespaces, seccomp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_CAP_VERSION_3 = 0x20080522


def enter(sandbox: dict[str, Any], report: int) -> None:
    """Build all walls of a sandbox around this process (SPEC SBX-02).

    Args:
        sandbox: the fields of `crpack.process.sandbox.Sandbox`.
        report: the descriptor that tells of failures; closed in processes that stay behind.

    Raises:
        OSError: the kernel refused; the message names the wall.
    """
    level = sandbox["level"]
    if level == "L0":
        _change_user(sandbox["user"])
        return
    if sys.platform != "linux":
        raise OSError(f"{level} needs Linux")
    supervisor = os.getppid()
    rooms = namespaces.Rooms(sandbox) if level == "L3" else None
    _change_user(sandbox["user"])
    _prctl("dumpable", _PR_SET_DUMPABLE, 1)  # its own /proc/self, which namespaces need
    if rooms:
        supervisor = 0  # out of reach, in another namespace
        namespaces.enter(sandbox, rooms, report)
    _drop_capabilities()
    _prctl("no new privileges", _PR_SET_NO_NEW_PRIVS, 1)
    if level == "L2" or (level == "L3" and landlock.version()):
        landlock.restrict(sandbox)
    seccomp.restrict(
        supervisor=supervisor,
        network=sandbox["network"],
        local=sandbox["local"],
        bare=level == "L1",
    )


def check(sandbox: dict[str, Any]) -> None:
    """Do what the walls must refuse; raise where one lets it happen (SPEC SBX-03).

    Raises:
        OSError: a wall that was built does not hold.
    """
    level = sandbox["level"]
    if level != "L0" and not sandbox["network"]:
        try:
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()
        except OSError:
            pass
        else:
            raise OSError("the kernel accepts a seccomp filter and does not apply it")
    if level in ("L2", "L3"):
        try:  # a file without a name, in a folder that all may write
            os.open("/tmp", os.O_WRONLY | os.O_TMPFILE, 0o600)  # noqa: S108
        except OSError:
            return
        raise OSError("a file outside the given folders could be written")


def _change_user(user: tuple[int, int] | None) -> None:
    if user is None or os.geteuid() != 0:
        return
    uid, gid = user
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)


def _drop_capabilities() -> None:
    """Give all up; without new privileges, not even a program run by root gains one again."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(_CAP_VERSION_3, 0)
    if libc.capset(header, (ctypes.c_uint32 * 6)()) != 0:
        raise OSError(f"capabilities: {os.strerror(ctypes.get_errno())}")


def _prctl(wall: str, option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(f"{wall}: {os.strerror(ctypes.get_errno())}")
