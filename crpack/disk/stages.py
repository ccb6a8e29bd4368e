"""Stages: private folders of running processes.

Rules (SPEC STO-04, STO-15):
- A stage is locked by its process for as long as that lives.
- Recovery is deletion: a stage whose lock is free belongs to nobody and is removed. Nothing in
  it was ever visible.
"""

from __future__ import annotations

import contextlib
import os

from crpack.disk.faults import do
from crpack.disk.files import make_folders, names, rename
from crpack.disk.locks import Lock, hold
from crpack.disk.removal import OWNER_ALL, remove_tree
from crpack.errors import InstallError


class Stage:
    """A private folder at `path`, readable by its owner only."""

    __slots__ = ("_lock", "path")

    def __init__(self, path: str, held: Lock) -> None:
        self.path = path
        self._lock = held

    def close(self) -> None:
        """Remove the folder; what cannot be removed now is left to the next `sweep`."""
        with self._lock, contextlib.suppress(InstallError):
            remove_tree(self.path)


def make_stage(root: str) -> Stage:
    """Make a stage below the folder `root` (SPEC STO-04)."""
    make_folders(root)
    while True:
        path = os.path.join(root, os.urandom(8).hex())
        do("stage.create", path, os.mkdir, path, OWNER_ALL)
        held = hold(path, shared=False)
        if held is not None:  # else a sweep was quicker
            return Stage(path, held)


def discard(path: str, folder: str) -> bool:
    """Move a folder or file away into `folder`, under a name of its own, in one step."""
    return rename(path, os.path.join(folder, os.urandom(8).hex()))


def abandoned(root: str) -> tuple[str, ...]:
    """Return what below a folder no process has locked, such as stages whose process is gone."""
    found = []
    for name in names(root):
        path = os.path.join(root, name)
        held = hold(path)
        if held is not None:
            held.release()
            found.append(path)
    return tuple(found)


def sweep(root: str) -> int:
    """Remove the stages below `root` whose process is gone; return how many (SPEC STO-15)."""
    count = 0
    for name in names(root):
        path = os.path.join(root, name)
        held = hold(path, shared=False)
        if held is not None:
            with held:
                remove_tree(path)
            count += 1
    return count
