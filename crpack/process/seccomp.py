"""A seccomp filter without a library: the program is put together here, instruction by instruction.

Rules (SPEC SBX-04):
- Only the system-call table of the process's own architecture; any other (and x32) ends it.
- `socket` gives AF_UNIX only, or nothing; io_uring, which can open sockets by itself, is refused.
- The kernel's keyrings are those of the user's session, also in a namespace: they are refused.
- The supervisor cannot be signalled, nor be given other limits or priorities, so that it can end
  the run.
- At L1, where no other wall stands, other processes cannot be traced or written into.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys

_ALLOW = 0x7FFF0000
_KILL = 0x80000000
_ERRNO = 0x00050000
_EPERM = 1
_EACCES = 13
_X32 = 0x40000000  # the bit that marks a system call of the x32 table

_LOAD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_AT_LEAST = 0x35  # BPF_JMP | BPF_JGE | BPF_K
_RETURN = 0x06  # BPF_RET | BPF_K
_NUMBER, _ARCH, _ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data

_IO_URING_SETUP = 425  # one number for all architectures, like all since 2018
_PIDFD_SEND_SIGNAL = 424
_PIDFD_GETFD = 438

# By audit architecture: the calls of the keyrings: add_key, request_key, keyctl.
_GENERIC_KEYS = (217, 218, 219)
_KEYS = {
    0xC000003E: (248, 249, 250),
    0xC00000B7: _GENERIC_KEYS,
    0xC00000F3: _GENERIC_KEYS,
    0x40000028: (309, 310, 311),
}

# (machine, bytes of a pointer): (audit architecture, socket, signal calls, tracing calls).
# Signal calls: kill, tkill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo.
# Tracing calls: ptrace, process_vm_readv, process_vm_writev.
_GENERIC = (198, (129, 130, 131, 138, 240), (117, 270, 271))
_TABLES = {
    ("x86_64", 8): (0xC000003E, 41, (62, 200, 234, 129, 297), (101, 310, 311)),
    ("aarch64", 8): (0xC00000B7, *_GENERIC),
    ("riscv64", 8): (0xC00000F3, *_GENERIC),
    ("aarch64", 4): (0x40000028, 281, (37, 238, 268, 178, 363), (26, 376, 377)),
    ("armv7l", 4): (0x40000028, 281, (37, 238, 268, 178, 363), (26, 376, 377)),
    ("armv6l", 4): (0x40000028, 281, (37, 238, 268, 178, 363), (26, 376, 377)),
}

# By audit architecture: prlimit64, setpriority, fcntl calls, ioctl, scheduling calls.
# Scheduling calls: sched_setparam, sched_setscheduler, sched_setaffinity, sched_setattr.
_GENERIC_CONTROLS = (261, 140, (25,), 29, (118, 119, 122, 274))
_CONTROLS: dict[int, tuple[int, int, tuple[int, ...], int, tuple[int, ...]]] = {
    0xC000003E: (302, 141, (72,), 16, (142, 144, 203, 314)),
    0xC00000B7: _GENERIC_CONTROLS,
    0xC00000F3: _GENERIC_CONTROLS,
    0x40000028: (369, 97, (55, 221), 54, (154, 156, 241, 380)),
}
_F_SETOWN, _F_SETOWN_EX = 8, 15  # whom a signal goes to when a file is ready
_FIOSETOWN, _SIOCSPGRP = 0x8901, 0x8902  # the same


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def restrict(*, supervisor: int, network: bool, local: bool, bare: bool) -> None:
    """Apply the filter to this process and all its children (SPEC SBX-04).

    Args:
        supervisor: the process id that cannot be signalled; 0 for none.
        network: leave sockets alone.
        local: without a network, allow AF_UNIX.
        bare: no other wall stands, so tracing is refused as well.

    Raises:
        OSError: the architecture is not known here, or the kernel refused.
    """
    machine = os.uname().machine
    key = (machine, struct.calcsize("P"))
    if key not in _TABLES:
        raise OSError(f"seccomp: no system-call table for {machine}")
    code = program(key, supervisor=supervisor, network=network, local=local, bare=bare)
    libc = ctypes.CDLL(None, use_errno=True)
    # PR_SET_SECCOMP with SECCOMP_MODE_FILTER: the same call on every architecture.
    if libc.prctl(22, 2, ctypes.byref(_Program(len(code) // 8, code)), 0, 0) != 0:
        raise OSError(f"seccomp: {os.strerror(ctypes.get_errno())}")


def program(
    key: tuple[str, int], *, supervisor: int, network: bool, local: bool, bare: bool
) -> bytes:
    """Return the filter's instructions, eight bytes each (SPEC SBX-04)."""
    arch, socket, signals, tracing = _TABLES[key]
    denied = [*_KEYS[arch]] if network else [_IO_URING_SETUP, *_KEYS[arch]]
    denied += [_PIDFD_GETFD, *tracing] if bare else []
    denied += [_PIDFD_SEND_SIGNAL] if supervisor else []
    code = [(_LOAD, 0, 0, _ARCH), (_EQUAL, 1, 0, arch), (_RETURN, 0, 0, _KILL)]
    code += [(_LOAD, 0, 0, _NUMBER)]
    if key == ("x86_64", 8):
        code += [(_AT_LEAST, 0, 1, _X32), (_RETURN, 0, 0, _ERRNO | _EPERM)]
    for number in denied:
        code += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ERRNO | _EPERM)]
    if not network:
        allowed = {1: _ALLOW} if local else {}  # 1: AF_UNIX
        code += _on_argument(socket, allowed, _ERRNO | _EACCES)
    if supervisor:
        code += _protection(arch, signals, supervisor)
    code += [(_RETURN, 0, 0, _ALLOW)]
    return b"".join(struct.pack(f"{_order()}HBBI", *instruction) for instruction in code)


def _protection(
    arch: int, signals: tuple[int, ...], supervisor: int
) -> list[tuple[int, int, int, int]]:
    """Return the part that keeps the supervisor able to end the run (SPEC SBX-04)."""
    refused = _ERRNO | _EPERM
    prlimit, setpriority, fcntls, ioctl, scheduling = _CONTROLS[arch]
    code = [(_EQUAL, 0, 1, setpriority), (_RETURN, 0, 0, refused)]  # who may be a whole user
    code += _on_argument(prlimit, {0: _ALLOW}, refused)
    own = {supervisor, 2**32 - supervisor, 2**32 - 1}  # it, its group, everybody
    for number in (*signals, *scheduling):
        code += _on_argument(number, dict.fromkeys(own, refused), _ALLOW)
    owners = dict.fromkeys(fcntls, (_F_SETOWN, _F_SETOWN_EX))
    for number, requests in {**owners, ioctl: (_FIOSETOWN, _SIOCSPGRP)}.items():
        code += _on_argument(number, dict.fromkeys(requests, refused), _ALLOW, 1)
    return code


def _on_argument(
    number: int, cases: dict[int, int], otherwise: int, index: int = 0
) -> list[tuple[int, int, int, int]]:
    """Return the part that decides one call by the low half of one argument, the first is 0."""
    body = [(_LOAD, 0, 0, _ARGUMENT + 8 * index + (4 if sys.byteorder == "big" else 0))]
    for value, answer in sorted(cases.items()):
        body += [(_EQUAL, 0, 1, value), (_RETURN, 0, 0, answer)]
    body += [(_RETURN, 0, 0, otherwise)]
    return [(_EQUAL, 0, len(body), number), *body]


def _order() -> str:
    return "<" if sys.byteorder == "little" else ">"
