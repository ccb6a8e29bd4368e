"""Burying the dead of a run, and killing what is left of it.

Rules (SPEC SBX-10):
- The supervisor is the reaper of orphans: whoever loses its parent becomes its child. So killing
  its children, again and again, reaches everybody, however deep.
- A whole process group is killed at once, which no fork can escape.
- Where a system has no reaper of orphans (macOS), the step's own group is all that can be found.
"""

from __future__ import annotations

import os
import signal
import sys
import time

SECONDS = 10.0  # how long the end of a run may take, whatever the step left behind


def reap(statuses: dict[int, int]) -> bool:
    """Bury every child that has ended, noting its status by its id; False when none is left."""
    try:
        while True:
            child, status = os.waitpid(-1, os.WNOHANG)
            if child == 0:
                return True
            statuses[child] = status
    except ChildProcessError:
        return False


def sweep(step: int, statuses: dict[int, int], *, grouped: bool) -> None:
    """Kill all that is left of the run (SPEC SBX-10).

    Args:
        step: the id of the process that was started.
        statuses: as `reap` fills them.
        grouped: the step leads a process group of its own.
    """
    end = time.monotonic() + SECONDS
    own = os.getpgrp()
    if grouped and sys.platform != "linux":
        _kill(-step)
    while reap(statuses) and time.monotonic() < end:
        for child in _children(step):
            group = _group(child)
            if group not in (own, 0):
                _kill(-group)
            _kill(child)


def _kill(target: int) -> None:
    try:
        os.kill(target, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _group(process: int) -> int:
    try:
        return os.getpgid(process)
    except ProcessLookupError:
        return 0


def _children(step: int) -> list[int]:
    """Return the ids of this process's children."""
    if sys.platform != "linux":
        return [step]
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", "rb") as file:
            return [int(word) for word in file.read().split()]
    except OSError:  # a kernel without that file
        own = os.getpid()
        return [
            int(name) for name in os.listdir("/proc") if name.isdigit() and _parent(name) == own
        ]


def _parent(process: str) -> int:
    """Return the parent's id of a process; 0 for one that is gone."""
    try:
        with open(f"/proc/{process}/stat", "rb") as file:
            return int(file.read(1024).rpartition(b")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0
