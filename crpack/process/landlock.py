"""Landlock without a library: which files a process and its children may touch.

Rules (SPEC SBX-05):
- Landlock only allows, so hidden folders are left out by allowing all their neighbours.
- Writing is allowed below the writable folders; beside them only to /dev/null and its like.
- Where the kernel knows them: no TCP, no abstract sockets and no signals to the outside.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # on every architecture

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_REFER, _TRUNCATE = 1 << 13, 1 << 14
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE
_TCP = 0b11  # bind, connect
_SCOPES = 0b11  # abstract sockets, signals

DEVICES = ("null", "zero", "full", "random", "urandom", "tty")


def version() -> int:
    """Return the version of the kernel's Landlock; 0 where there is none."""
    return max(0, _syscall(_CREATE_RULESET, None, 0, 1))


def restrict(sandbox: dict[str, Any]) -> None:
    """Apply the rules to this process and all its children (SPEC SBX-05).

    Raises:
        OSError: no Landlock here, or a folder cannot be opened.
    """
    known = version()
    if not known:
        raise OSError("Landlock: not in this kernel, or switched off")
    handled = _handled(known)
    network = 0 if sandbox["network"] or known < 4 else _TCP
    attributes = struct.pack("=QQQ", handled, network, _SCOPES if known >= 6 else 0)
    size = 24 if known >= 6 else 16 if known >= 4 else 8
    rules = _checked(_syscall(_CREATE_RULESET, attributes, size, 0))
    for path in _visible({os.path.realpath(path) for path in (*sandbox["hidden"], "/dev")}):
        _allow(rules, path, _READ, must_exist=False)
    for path in sandbox["readable"]:
        _allow(rules, path, _READ, must_exist=False)
    for name in DEVICES:
        _allow(rules, f"/dev/{name}", handled & _OF_FILES & ~_EXECUTE, must_exist=False)
    for path in sandbox["writable"]:
        _allow(rules, path, handled, must_exist=True)
    _checked(_syscall(_RESTRICT_SELF, rules, 0, 0))
    os.close(rules)


def _handled(known: int) -> int:
    """Return the rights that this version can withhold."""
    handled = (1 << 13) - 1
    handled |= _REFER if known >= 2 else 0
    handled |= _TRUNCATE if known >= 3 else 0
    return handled


def _visible(hidden: Iterable[str], folder: str = "/") -> Iterator[str]:
    """Yield places that together hold everything but the hidden folders and their parents."""
    try:
        names = os.listdir(folder)
    except OSError:
        return  # not even listed for this user: nothing to give
    for name in names:
        path = os.path.join(folder, name)
        if path in hidden or os.path.islink(path):
            continue  # a link gives nothing that its target does not give
        if any(other.startswith(path + "/") for other in hidden):
            yield from _visible(hidden, path)
        else:
            yield path


def _allow(rules: int, path: str, rights: int, *, must_exist: bool) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        if must_exist:
            raise
        return
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            rights &= _OF_FILES
        _checked(_syscall(_ADD_RULE, rules, 1, struct.pack("=Qi", rights, place), 0))
    finally:
        os.close(place)


def _syscall(number: int, *arguments: object) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    return int(libc.syscall(number, *arguments))


def _checked(result: int) -> int:
    if result < 0:
        raise OSError(f"Landlock: {os.strerror(ctypes.get_errno())}")
    return result
