"""Executors: where an action's programs run.

Rules: an action sees only an `Executor`; this one runs programs on this machine. Their
output goes to standard error, so that standard output holds the answer alone. What they said
last is kept for those who ask, since a program that is listened to loses its terminal.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from crpack.process.run import stream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_TAIL_BYTES = 8192  # of a program's output that are looked at for its last lines
_TAIL_LINES = 5
_LINE_LENGTH = 300  # characters kept of such a line


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended: its exit status, and its last lines where they were kept."""

    code: int
    said: tuple[str, ...] = ()


class Executor(Protocol):
    """A place that runs programs."""

    @property
    def name(self) -> str:
        """The executor's name in records."""

    def run(
        self, argv: Sequence[str], *, cwd: str, env: Mapping[str, str], timeout_s: float
    ) -> Ended:
        """Run a program to its end and tell how it ended."""


@dataclass(frozen=True, slots=True)
class Local:
    """This machine.

    Attributes:
        listen: keep the last lines of a program; it then writes to a pipe, not to a terminal.
    """

    listen: bool = False

    @property
    def name(self) -> str:
        """The executor's name in records."""
        return "local"

    def run(
        self, argv: Sequence[str], *, cwd: str, env: Mapping[str, str], timeout_s: float
    ) -> Ended:
        """Run a program on the user's terminal, both its streams on standard error.

        Raises:
            RunFailed: it cannot be started, or did not end in time.
        """
        with _errors() as error:
            if not self.listen:
                code = stream(
                    argv, cwd=cwd, env=env, timeout_s=timeout_s, stdout=error, stderr=error
                )
                return Ended(code)
            with _heard(error) as (end, kept):
                code = stream(argv, cwd=cwd, env=env, timeout_s=timeout_s, stdout=end, stderr=end)
            return Ended(code, _last(bytes(kept)))


@contextmanager
def _errors() -> Iterator[int]:
    """Give the descriptor of standard error; where it was closed, one that nobody hears."""
    if sys.stderr is not None:
        yield sys.stderr.fileno()
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        yield nowhere
    finally:
        os.close(nowhere)


@contextmanager
def _heard(error: int) -> Iterator[tuple[int, bytearray]]:
    """Give a descriptor to write to and what came last; all of it is passed on at once.

    The end is awaited: no process that could hold the pipe open outlives a run (SPEC SBX-10).
    """
    from threading import Thread

    read, write = os.pipe()
    kept = bytearray()
    thread = Thread(target=_pass, args=(read, error, kept), daemon=True)
    thread.start()
    try:
        yield write, kept
    finally:
        os.close(write)
        thread.join()
        os.close(read)


def _pass(read: int, error: int, kept: bytearray) -> None:
    deaf = False
    while piece := os.read(read, 65536):
        kept += piece
        del kept[:-_TAIL_BYTES]
        try:
            while piece and not deaf:
                piece = piece[os.write(error, piece) :]
        except OSError:  # nobody hears it; the program need not care
            deaf = True


def _last(data: bytes) -> tuple[str, ...]:
    lines = [line.strip() for line in data.decode("utf-8", "replace").splitlines()]
    return tuple(line[:_LINE_LENGTH] for line in lines if line)[-_TAIL_LINES:]
