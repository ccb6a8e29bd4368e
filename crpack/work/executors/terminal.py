"""A program on the user's terminal: heard by the user, and by crpack where it is asked to listen.

Rules: its output goes to standard error, so that standard output holds the answer alone. What it
said last is kept for those who ask, since a program that is listened to loses its terminal.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from crpack.process.run import stream
from crpack.work.executors.errand import Ended

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from crpack.process.run import Streamed

_TAIL_BYTES = 8192  # of a program's output that are looked at for its last lines
_TAIL_LINES = 5
_LINE_LENGTH = 300  # characters kept of such a line


def run(
    argv: Sequence[str], *, cwd: str, env: Mapping[str, str], timeout_s: float, listen: bool
) -> Ended:
    """Run a program on the user's terminal, both its streams on standard error.

    Args:
        argv: the program and its arguments.
        cwd: the folder it starts in.
        env: its whole environment.
        timeout_s: seconds of wall time; 0 means no limit.
        listen: keep its last lines; it then writes to a pipe, not to a terminal.

    Raises:
        RunFailed: it cannot be started, or did not end in time.
    """
    with _errors() as error:
        if not listen:
            return _ended(
                stream(argv, cwd=cwd, env=env, timeout_s=timeout_s, stdout=error, stderr=error)
            )
        with _heard(error) as (end, kept):
            done = stream(argv, cwd=cwd, env=env, timeout_s=timeout_s, stdout=end, stderr=end)
        return _ended(done, _last(bytes(kept)))


def _ended(done: Streamed, said: tuple[str, ...] = ()) -> Ended:
    return Ended(done.code, said, done.wall_s, done.cpu_s, done.peak_bytes)


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
