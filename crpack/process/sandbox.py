"""The walls around a step, as values, and the question how high they can be built here.

Rules (SPEC SBX-02…):
- L0: none. L1: seccomp (no network, no io_uring, one system-call table) and no capabilities.
  L2: L1 and Landlock (writes only in the given folders, no reading of the hidden ones).
  L3: L2 in namespaces of its own (user, mount, pid, network, IPC): all else read-only, hidden
  folders empty, no process outlives the run.
- What a kernel can do is found by doing it in a child, never by reading settings; the level
  reached and the reason for not reaching a higher one are answered together.
- A level that was asked for and cannot be built stops the run: no wall is dropped in silence.
"""

from __future__ import annotations

import functools
import os
from dataclasses import asdict, dataclass, replace
from typing import Literal

from crpack.errors import RunFailed

Level = Literal["L0", "L1", "L2", "L3"]
LEVELS: tuple[Level, ...] = ("L0", "L1", "L2", "L3")


@dataclass(frozen=True, slots=True)
class Sandbox:
    """What one run may do (SPEC SBX-02).

    Attributes:
        level: exactly this level is built, or the run does not start.
        writable: existing absolute folders (or files) where the program may write (L2, L3).
        readable: absolute paths below a hidden folder that may be read all the same.
        hidden: absolute folders that may not be read, such as the user's home (L2, L3); `/` and
            folders that do not exist are passed over.
        network: True leaves the network open; the other walls stay.
        local: without a network, local sockets (AF_UNIX) may still be opened.
        user: (uid, gid) to run as, when started by root; None keeps the caller's.
    """

    level: Level = "L0"
    writable: tuple[str, ...] = ()
    readable: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    network: bool = False
    local: bool = True
    user: tuple[int, int] | None = None

    def reading(self, *paths: str) -> Sandbox:
        """Return these walls with more that may be read (SPEC SBX-12).

        What is, or holds, a hidden folder is passed over, and so is `/`.
        """
        hidden = tuple(os.path.realpath(path) + "/" for path in self.hidden)
        shown = (path for path in paths if not _holds(path, hidden))
        return replace(self, readable=(*self.readable, *shown))


def _holds(path: str, hidden: tuple[str, ...]) -> bool:
    real = os.path.realpath(path)
    return real == "/" or any(folder.startswith(real + "/") for folder in hidden)


NONE = Sandbox()
_TRY_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Reached:
    """The highest level that works here, and why each higher one does not (SPEC SBX-03).

    Attributes:
        level: the level to ask for.
        refused: pairs (level, reason in one sentence), highest first; empty when none was refused.
    """

    level: Level
    refused: tuple[tuple[Level, str], ...] = ()


@functools.cache
def best(highest: Level = "L3", user: tuple[int, int] | None = None) -> Reached:
    """Return the highest level up to `highest` that this kernel can build (SPEC SBX-03).

    Each level is tried in a child, once in the life of the process.

    Args:
        highest: no higher level is tried.
        user: (uid, gid) that a run started by root will have; a policy may allow it less.
    """
    refused: list[tuple[Level, str]] = []
    for level in reversed(LEVELS[1 : LEVELS.index(highest) + 1]):
        reason = _try(level, user)
        if not reason:
            return Reached(level, tuple(refused))
        refused.append((level, reason))
    return Reached("L0", tuple(refused))


def _try(level: Level, user: tuple[int, int] | None) -> str:
    """Build the walls of a level in a child that then does nothing; return why not, or ``""``."""
    from crpack.process import messages
    from crpack.process.launcher import Launcher

    folder = os.path.dirname(os.path.realpath("/bin/sh"))  # any that all users may read
    hidden = (os.path.expanduser("~"),)
    walls = asdict(Sandbox(level=level, writable=(folder,), hidden=hidden, user=user))
    try:
        with open(os.devnull, "r+b") as null, Launcher() as launcher:
            request = messages.request((), sandbox=walls, wall=_TRY_SECONDS)
            with launcher.start(request, [null.fileno()] * 3) as control:
                answer = messages.receive(control.fileno())
    except RunFailed as error:
        return error.why[0] if error.why else error.what
    if not answer or answer["code"] != 0:
        return (answer and answer["reason"]) or f"the walls of {level} end the process"
    return ""
