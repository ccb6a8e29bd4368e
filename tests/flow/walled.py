"""The command on a kernel that refuses some system calls, and as another user."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crpack.process.sandbox import LEVELS, best
from tests.flow.tool import Done

if TYPE_CHECKING:
    from crpack.process.sandbox import Level
    from tests.flow.tool import Tool

NOBODY = 65534
ROOT = Path(__file__).resolve().parents[2]
_UNSHARE = {"x86_64": 272, "aarch64": 97, "riscv64": 97}
_LANDLOCK = 444  # landlock_create_ruleset
_PRCTL = {"x86_64": 157, "aarch64": 167, "riscv64": 167}
_START = """
import ctypes, os, struct, sys
user, refused, root, site, *words = sys.argv[1:]
code = [(0x20, 0, 0, 0)]
for number in filter(None, refused.split(",")):
    code += [(0x15, 0, 1, int(number)), (0x06, 0, 0, 0x00050000 | 38)]
code += [(0x06, 0, 0, 0x7FFF0000)]
data = b"".join(struct.pack("=HBBI", *one) for one in code)
class Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.byref(Program(len(code), data)), 0, 0) == 0
if user != "0":
    os.setgroups([])
    os.setresgid(*[int(user)] * 3)
    os.setresuid(*[int(user)] * 3)
sys.path[:0] = [root, *site.split(":")]
from crpack.cli.main import main
sys.exit(main(words))
"""


def run(tool: Tool, level: Level, *words: str | Path, code: int = 0, user: int = 0) -> Done:
    """Run one command where no higher wall than `level` can be built.

    Args:
        tool: whose home it is.
        level: the highest that can be built.
        words: of the command line.
        code: how it must end.
        user: who runs it; 0: who runs the tests.
    """
    reached = best("L3").level
    if LEVELS.index(reached) < LEVELS.index(level):
        pytest.skip(f"this machine does not build {level}")
    if os.uname().machine not in _UNSHARE:
        pytest.skip("the numbers of this architecture are not in the test")
    above = [_PRCTL[os.uname().machine], _LANDLOCK, _UNSHARE[os.uname().machine]]
    refused = above[LEVELS.index(level) :]
    site = [path for path in sys.path if path.endswith("site-packages")]
    done = subprocess.run(
        [interpreter(user), "-c", _START, str(user), ",".join(map(str, refused)), str(ROOT),
         ":".join(site), *map(str, words)],
        capture_output=True, text=True, cwd=tool.folder, check=False,
        env={"PATH": str(tool.folder / "no-programs"), "HOME": str(tool.folder),
             "CRPACK_HOME": str(tool.home)},
    )  # fmt: skip
    said = f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert done.returncode == code, said
    assert "Traceback" not in done.stderr, said
    return Done(done.returncode, done.stdout, done.stderr)


def interpreter(user: int) -> str:
    """Return a Python that a user can start, with the modules of this one."""
    if not user:
        return sys.executable
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    there = Path(sys.executable).resolve()
    if all(folder.stat().st_mode & 0o001 for folder in there.parents):
        return sys.executable
    system = Path(f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}")
    if not system.exists() or any(not one.stat().st_mode & 0o001 for one in ROOT.parents):
        pytest.skip("that user can start no Python of this version")
    return str(system)
