"""Executors: where an action's programs run.

Rules: an action sees only an `Executor`; this one runs programs on this machine. Their
output goes to standard error, so that standard output holds the answer alone.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from crpack.process.run import stream

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Executor(Protocol):
    """A place that runs programs."""

    @property
    def name(self) -> str:
        """The executor's name in records."""

    def run(
        self, argv: Sequence[str], *, cwd: str, env: Mapping[str, str], timeout_s: float
    ) -> int:
        """Run a program to its end and return its exit status."""


@dataclass(frozen=True, slots=True)
class Local:
    """This machine."""

    @property
    def name(self) -> str:
        """The executor's name in records."""
        return "local"

    def run(
        self, argv: Sequence[str], *, cwd: str, env: Mapping[str, str], timeout_s: float
    ) -> int:
        """Run a program on the user's terminal, both its streams on standard error.

        Raises:
            RunFailed: it cannot be started, or did not end in time.
        """
        if sys.stderr is not None:
            error = sys.stderr.fileno()
            return stream(argv, cwd=cwd, env=env, timeout_s=timeout_s, stdout=error, stderr=error)
        nowhere = os.open(os.devnull, os.O_WRONLY)  # closed by who started the command
        try:
            return stream(
                argv, cwd=cwd, env=env, timeout_s=timeout_s, stdout=nowhere, stderr=nowhere
            )
        finally:
            os.close(nowhere)
