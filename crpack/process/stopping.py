"""Ending runs, and other work that takes time, that other threads wait for.

Rules:
- Runs that a thread starts inside of `Stop.around` end when the stop is asked for, whoever asks
  and from whatever thread; those that it starts later end at once.
- What a stopped run leaves is what every run leaves: nothing (SPEC SBX-10). Its outcome is that of
  a killed program.
- What is no run asks now and then whether it must end.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING

from crpack.errors import Interrupted

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

_CURRENT: ContextVar[Stop | None] = ContextVar("stop", default=None)


class Stop:
    """Ends the runs of some threads."""

    def __init__(self) -> None:
        import threading

        self._turn = threading.Lock()
        self._controls: set[socket.socket] = set()
        self._asked = False

    @contextmanager
    def around(self) -> Iterator[None]:
        """Make what this thread starts inside end with this stop."""
        token = _CURRENT.set(self)
        try:
            yield
        finally:
            _CURRENT.reset(token)

    def now(self) -> None:
        """End all runs, also those that are still to begin."""
        with self._turn:
            self._asked = True
            for control in self._controls:
                _end(control)

    def check(self) -> None:
        """See that nobody asked for the stop.

        Raises:
            Interrupted: somebody did.
        """
        if self._asked:
            raise Interrupted("another job failed, or the user stopped the command")

    def watch(self, control: socket.socket) -> None:
        """Take a run by its control socket."""
        with self._turn:
            self._controls.add(control)
            if self._asked:
                _end(control)

    def forget(self, control: socket.socket) -> None:
        """Let a run go, before its control socket is closed."""
        with self._turn:
            self._controls.discard(control)


@contextmanager
def stoppable(control: socket.socket) -> Iterator[None]:
    """Let a run end by the stop around this thread, if there is one."""
    stop = _CURRENT.get()
    if stop is None:
        yield
        return
    stop.watch(control)
    try:
        yield
    finally:
        stop.forget(control)


def check() -> None:
    """See that the work of this thread need not end, where a stop is around it.

    Raises:
        Interrupted: it must.
    """
    stop = _CURRENT.get()
    if stop is not None:
        stop.check()


def _end(control: socket.socket) -> None:
    import socket

    with suppress(OSError):  # the run is over
        control.shutdown(socket.SHUT_WR)
