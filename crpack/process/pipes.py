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
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    import socket
    import subprocess

_PIECE = 65536  # bytes moved at once


class Sink:
    """Takes one stream: keeps the first bytes, in memory or in a log, and counts the rest."""

    __slots__ = ("dropped", "kept", "log", "room")

    def __init__(self, room: int, log: BinaryIO | None) -> None:
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


def pump(
    process: subprocess.Popen[bytes],
    control: socket.socket,
    stdin: bytes,
    sinks: tuple[Sink, Sink],
    seconds: float | None,
) -> bool:
    """Serve the streams until the supervisor answers; False when it did not in that time.

    Args:
        process: the supervisor, whose streams are the step's.
        control: readable when the answer is there.
        stdin: bytes for the step's standard input.
        sinks: for standard output and standard error.
        seconds: how long to wait; None without end.
    """
    end = None if seconds is None else time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        for stream, sink in zip((process.stdout, process.stderr), sinks, strict=True):
            if stream:
                os.set_blocking(stream.fileno(), False)
                selector.register(stream, selectors.EVENT_READ, sink)
        if process.stdin:
            os.set_blocking(process.stdin.fileno(), False)
            selector.register(process.stdin, selectors.EVENT_WRITE, memoryview(stdin))
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
