"""What the caller and the supervisor of a run tell each other over the control socket.

Rules:
- One request, one answer; between them the caller may send signal numbers, one byte each.
- A message is its length and a marshalled value: both ends are the same interpreter.
- The end of the socket is a message too: the other side is gone.
"""

from __future__ import annotations

import marshal
import os

from crpack.process import sweep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    Request = dict[str, Any]  # what `run` sends: plain values between equal interpreters

PATIENCE = sweep.SECONDS + 5.0  # seconds until the caller takes a silent supervisor for dead
_LENGTH = 8  # bytes of a message's length


def send(control: int, message: Any) -> None:
    """Write one message to a descriptor: its length, then the marshalled value."""
    data = marshal.dumps(message)
    data = len(data).to_bytes(_LENGTH, "big") + data
    while data:
        data = data[os.write(control, data) :]


def receive(control: int) -> Any:
    """Return the next message from a descriptor, or None when the other end is gone."""
    head = exactly(control, _LENGTH)
    body = exactly(control, int.from_bytes(head, "big")) if head else b""
    return marshal.loads(body) if body else None  # noqa: S302 - both ends are this function's


def request(
    argv: Sequence[str],
    *,
    sandbox: dict[str, Any],
    wall: float,
    cwd: str = "/",
    env: Mapping[str, str] | None = None,
    session: bool = True,
    cpu: int = 0,
    file: int = 0,
    processes: int = 0,
    memory: int = 0,
) -> Request:
    """Return what to ask of a supervisor; without an argv it builds the walls and ends.

    Args:
        argv: the program and its arguments.
        sandbox: the fields of `crpack.process.sandbox.Sandbox`.
        wall: seconds; the other limits are those of `crpack.process.run.Limits`; 0 means none.
        cwd: the folder the program starts in.
        env: its whole environment.
        session: give it a session of its own.
        cpu: seconds of each process.
        file: bytes of each file.
        processes: beyond those the user has.
        memory: bytes of address space of each process.
    """
    return {**locals(), "argv": list(argv), "env": dict(env or {})}


def exactly(control: int, size: int) -> bytes:
    """Return that many bytes of a descriptor; none when the other end is gone."""
    data = b""
    while len(data) < size:
        try:
            piece = os.read(control, size - len(data))
        except ConnectionResetError:
            piece = b""
        if not piece:
            return b""
        data += piece
    return data
