"""This machine as a place where programs run."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack.work.executors import terminal
from crpack.work.executors.errand import Ended, Executor, Ground

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    from crpack.work.executors.errand import Errand


@dataclass(frozen=True, slots=True)
class Local:
    """This machine.

    Attributes:
        listen: keep the last lines of a program; it then writes to a pipe, not to a terminal.
    """

    listen: bool = False

    @property
    def name(self) -> str:
        """Its name in records."""
        return "local"

    @property
    def here(self) -> bool:
        """Programs run on this machine."""
        return True

    def words(self, argv: Sequence[str]) -> tuple[str, ...]:
        """Return how a program is started: as it is."""
        return tuple(argv)

    def visit(self, errand: Errand) -> AbstractContextManager[Here]:
        """Stay where one is."""
        return nullcontext(Here(self, errand.folder, listen=self.listen))


@dataclass(frozen=True, slots=True)
class Here:
    """A run on this machine: everything is where it is, and nothing is brought anywhere.

    Attributes:
        executor: how programs are started.
        folder: the run folder.
        listen: keep the last lines of a program.
        more: variables beside those of the action.
    """

    executor: Executor
    folder: str
    listen: bool
    more: tuple[tuple[str, str], ...] = ()

    @property
    def ground(self) -> Ground:
        """The user's own folders."""
        return Ground(os.environ.get("HOME", "/"), tempfile.gettempdir())

    def at(self, path: str) -> str:
        """Return the path itself."""
        return path

    def back(self, text: str) -> str:
        """Return the path itself."""
        return text

    def give(self, document: bytes) -> None:
        """Do nothing: the document lies in the run folder."""

    def run(self, argv: Sequence[str], *, env: Mapping[str, str], timeout_s: float) -> Ended:
        """Run a program on the user's terminal.

        Raises:
            RunFailed: it cannot be started, or did not end in time.
        """
        words = self.executor.words((_found(argv[0], env), *argv[1:]))
        full = {**env, **dict(self.more)}
        return terminal.run(
            words, cwd=self.folder, env=full, timeout_s=timeout_s, listen=self.listen
        )

    def collect(self) -> None:
        """Do nothing: programs wrote into the run folder."""


def _found(program: str, env: Mapping[str, str]) -> str:
    """Return the file of a program on the PATH of an environment; its name where it is not."""
    found = None if "/" in program else shutil.which(program, path=env.get("PATH", os.defpath))
    return found or program
