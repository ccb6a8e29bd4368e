"""The filter's logic on every architecture, by a small interpreter of its instructions (SBX-04)."""

from __future__ import annotations

import struct

import pytest

from crpack.process import seccomp

ALLOW, KILL = 0x7FFF0000, 0x80000000
EPERM, EACCES = 0x00050001, 0x0005000D
ARCHES = {
    ("x86_64", 8): 0xC000003E,
    ("aarch64", 8): 0xC00000B7,
    ("riscv64", 8): 0xC00000F3,
    ("aarch64", 4): 0x40000028,  # a 32-bit userland on a 64-bit kernel
    ("armv7l", 4): 0x40000028,
    ("armv6l", 4): 0x40000028,
}
SOCKET = {0xC000003E: 41, 0xC00000B7: 198, 0xC00000F3: 198, 0x40000028: 281}
KILL_CALL = {0xC000003E: 62, 0xC00000B7: 129, 0xC00000F3: 129, 0x40000028: 37}
PTRACE = {0xC000003E: 101, 0xC00000B7: 117, 0xC00000F3: 117, 0x40000028: 26}
PRLIMIT = {0xC000003E: 302, 0xC00000B7: 261, 0xC00000F3: 261, 0x40000028: 369}
SETSCHEDULER = {0xC000003E: 144, 0xC00000B7: 119, 0xC00000F3: 119, 0x40000028: 156}
FCNTL = {0xC000003E: 72, 0xC00000B7: 25, 0xC00000F3: 25, 0x40000028: 221}
SUPERVISOR = 4321


def decide(code: bytes, arch: int, number: int, first: int = 0, second: int = 0) -> int:
    """Return what the kernel would do with one system call."""
    words = (first & (2**64 - 1), second)
    data = struct.pack("<iIQQQ", number & 0x7FFFFFFF, arch, 0, *words)
    data = struct.pack("<I", number) + data[4:]
    at = value = 0
    for _ in range(1000):
        kind, if_true, if_false, constant = struct.unpack_from("<HBBI", code, at * 8)
        at += 1
        if kind == 0x20:
            (value,) = struct.unpack_from("<I", data, constant)
        elif kind == 0x15:
            at += if_true if value == constant else if_false
        elif kind == 0x35:
            at += if_true if value >= constant else if_false
        else:
            assert kind == 0x06
            return int(constant)
    raise AssertionError("the filter does not end")


@pytest.mark.parametrize("key", ARCHES, ids=lambda key: f"{key[0]}-{8 * key[1]}")
def test_the_filter_decides_alike_on_every_architecture(key: tuple[str, int]) -> None:
    arch = ARCHES[key]
    code = seccomp.program(key, supervisor=SUPERVISOR, network=False, local=True, bare=True)
    assert decide(code, arch, SOCKET[arch], 1) == ALLOW  # AF_UNIX
    for family in (0, 2, 10, 16, 17, 40, 2**32 - 1):
        assert decide(code, arch, SOCKET[arch], family) == EACCES
    # The kernel looks at the low half only, and so must the filter.
    assert decide(code, arch, SOCKET[arch], (1 << 32) | 2) == EACCES
    assert decide(code, arch, 425) == EPERM  # io_uring_setup
    assert decide(code, arch, PTRACE[arch]) == EPERM
    for process in (SUPERVISOR, -SUPERVISOR, -1):
        assert decide(code, arch, KILL_CALL[arch], process) == EPERM
    assert decide(code, arch, KILL_CALL[arch], SUPERVISOR + 1) == ALLOW
    assert decide(code, arch, 3) == ALLOW
    for other in {0x40000003, *ARCHES.values()} - {arch}:
        assert decide(code, other, 3) == KILL


@pytest.mark.parametrize("key", ARCHES, ids=lambda key: f"{key[0]}-{8 * key[1]}")
def test_the_supervisor_keeps_its_limits_and_its_turn(key: tuple[str, int]) -> None:
    arch = ARCHES[key]
    code = seccomp.program(key, supervisor=SUPERVISOR, network=True, local=True, bare=False)
    assert decide(code, arch, PRLIMIT[arch], 0) == ALLOW
    assert decide(code, arch, PRLIMIT[arch], SUPERVISOR) == EPERM
    assert decide(code, arch, PRLIMIT[arch], SUPERVISOR - 1) == EPERM
    assert decide(code, arch, SETSCHEDULER[arch], SUPERVISOR) == EPERM
    assert decide(code, arch, SETSCHEDULER[arch], 0) == ALLOW
    for command, answer in {1: ALLOW, 8: EPERM, 15: EPERM}.items():  # F_GETFD, F_SETOWN(_EX)
        assert decide(code, arch, FCNTL[arch], 3, command) == answer
    alone = seccomp.program(key, supervisor=0, network=True, local=True, bare=False)
    assert decide(alone, arch, PRLIMIT[arch], SUPERVISOR) == ALLOW


@pytest.mark.parametrize("key", ARCHES, ids=lambda key: f"{key[0]}-{8 * key[1]}")
def test_local_sockets_can_be_refused_too(key: tuple[str, int]) -> None:
    arch = ARCHES[key]
    code = seccomp.program(key, supervisor=0, network=False, local=False, bare=False)
    for family in (0, 1, 2, 10, (1 << 32) | 1):
        assert decide(code, arch, SOCKET[arch], family) == EACCES
    assert decide(code, arch, SOCKET[arch] - 1) == ALLOW


def test_x32_calls_are_refused() -> None:
    code = seccomp.program(("x86_64", 8), supervisor=0, network=True, local=True, bare=False)
    assert decide(code, 0xC000003E, 0x40000000 + 41, 2) == EPERM


def test_an_open_network_and_other_walls_leave_more_alone() -> None:
    arch = 0xC000003E
    code = seccomp.program(("x86_64", 8), supervisor=0, network=True, local=True, bare=False)
    assert decide(code, arch, 41, 2) == decide(code, arch, 425) == ALLOW
    assert decide(code, arch, 101) == decide(code, arch, 62, -1) == ALLOW


def test_an_unknown_architecture_is_told_not_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Uname:
        machine = "sparc64"

    monkeypatch.setattr(seccomp.os, "uname", Uname)  # type: ignore[attr-defined]
    with pytest.raises(OSError, match="no system-call table for sparc64"):
        seccomp.restrict(supervisor=0, network=False, local=True, bare=True)
