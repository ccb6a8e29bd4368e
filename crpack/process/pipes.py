"""The pipes between a run and its caller.

Rules:
- All streams are served at once, so that neither side waits for the other.
- What exceeds the cap is read and dropped: a program is not stopped for being talkative, and
  memory stays bounded.
- The end is the supervisor's answer, not the end of the streams: a descriptor that a process
  carried elsewhere delays nothing.
"""

from __future__ import annotations

import os
import selectors
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator
    from io import FileIO

_PIECE = 65536  # bytes moved at once


class Log(Protocol):
    """What takes the bytes of a run as they come."""

    def write(self, data: bytes, /) -> object:
        """Take some bytes."""


class Sink:
    """Takes one stream: keeps the first bytes, in memory or in a log, and counts the rest."""

    __slots__ = ("dropped", "kept", "log", "room")

    def __init__(self, room: int, log: Log | None) -> None:
        self.room = room
        self.log = log
        self.kept = bytearray()
        self.dropped = 0

    def take(self, piece: bytes) -> None:
        """Keep what there is room for."""
        head = piece[: self.room]
        self.room -= len(head)
        self.dropped += len(piece) - len(head)
        if self.log:
            self.log.write(head)
        else:
            self.kept += head


class Pipes:
    """The ends of a run's pipes: ours, and the three that become its standard streams."""

    __slots__ = ("stderr", "stdin", "stdout", "theirs")

    def __init__(
        self,
        stdin: FileIO | None,
        stdout: FileIO,
        stderr: FileIO | None,
        theirs: tuple[FileIO, FileIO, FileIO],
    ) -> None:
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
        self.theirs = theirs

    def close_theirs(self) -> None:
        """Close what the run has its own copies of."""
        for end in self.theirs:
            end.close()


@contextmanager
def opened(*, feed: bool, merged: bool) -> Iterator[Pipes]:
    """Open the pipes of a run, and close them at the end.

    Args:
        feed: make a pipe for standard input; else it is empty.
        merged: standard output and error share one pipe.
    """
    with ExitStack() as stack:

        def pipe() -> tuple[FileIO, FileIO]:
            read, write = os.pipe()
            return (
                stack.enter_context(open(read, "rb", buffering=0)),
                stack.enter_context(open(write, "wb", buffering=0)),
            )

        if feed:
            their_in, our_in = pipe()
        else:
            their_in, our_in = stack.enter_context(open(os.devnull, "rb", buffering=0)), None
        our_out, their_out = pipe()
        our_err, their_err = (None, their_out) if merged else pipe()
        yield Pipes(our_in, our_out, our_err, (their_in, their_out, their_err))


def pump(
    pipes: Pipes,
    control: socket.socket,
    stdin: bytes,
    sinks: tuple[Sink, Sink],
    seconds: float | None,
) -> bool:
    """Serve the streams until the supervisor answers; False when it did not in that time.

    Args:
        pipes: our ends.
        control: readable when the answer is there.
        stdin: bytes for the step's standard input.
        sinks: for standard output and standard error.
        seconds: how long to wait; None without end.
    """
    end = None if seconds is None else time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        for stream, sink in zip((pipes.stdout, pipes.stderr), sinks, strict=True):
            if stream:
                os.set_blocking(stream.fileno(), False)
                selector.register(stream, selectors.EVENT_READ, sink)
        if pipes.stdin:
            os.set_blocking(pipes.stdin.fileno(), False)
            selector.register(pipes.stdin, selectors.EVENT_WRITE, memoryview(stdin))
        answered = False
        while not answered:
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                return False
            for key, _ in selector.select(left):
                if key.fileobj is control:
                    answered = True
                else:
                    _serve(selector, key)
        for key in list(selector.get_map().values()):  # what the pipes still hold
            while isinstance(key.data, Sink) and _serve(selector, key):
                pass
    return True


def _serve(selector: selectors.BaseSelector, key: selectors.SelectorKey) -> bool:
    """Move one piece; False when nothing moved, after closing a stream that has ended."""
    try:
        if isinstance(key.data, Sink):
            piece = os.read(key.fd, _PIECE)
            key.data.take(piece)
            moved = len(piece)
        else:
            moved = os.write(key.fd, key.data[:_PIECE])
            selector.modify(key.fileobj, selectors.EVENT_WRITE, key.data[moved:])
    except BlockingIOError:
        return False
    except BrokenPipeError:
        moved = 0  # the program does not read its input
    if not moved:
        selector.unregister(key.fileobj)
        key.fileobj.close()  # type: ignore[union-attr] # a stream of the process
    return bool(moved)
