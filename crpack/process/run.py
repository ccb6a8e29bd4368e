"""Running a program: argv in, outcome out, nothing left behind.

Rules:
- argv only, never a shell; the environment is exactly the given one.
- `run` captures or logs the output; its program has a session and process group of its own.
  `stream` passes the terminal through; its program shares the caller's group.
- A program that fails is an outcome, not an error. `RunFailed` is for one that cannot be started.
- Both end only when every process of the run is gone (SPEC SBX-10): on normal end, on a limit,
  on Ctrl-C and on any other exception; the supervisor sees to it even if the caller is killed.
"""

from __future__ import annotations

import time
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from crpack.errors import RunFailed
from crpack.process import messages, pipes, stopping
from crpack.process.sandbox import NONE, Level, Sandbox

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Mapping, Sequence

    from crpack.process.launcher import Launcher

GRACE = 5.0  # seconds that an interrupted program has to end by itself


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may use; 0 means no limit (SPEC SBX-09).

    Attributes:
        wall_s: seconds of wall time of the whole run.
        cpu_s: seconds of CPU time of each process.
        file_bytes: bytes of each file written.
        processes: processes and threads beyond those that the user has already.
        output_bytes: bytes kept of each output stream; the rest is read and dropped.
        memory_bytes: bytes of address space of each process.
    """

    wall_s: float = 3600.0
    cpu_s: int = 0
    file_bytes: int = 0
    processes: int = 0
    output_bytes: int = 64 * 2**20
    memory_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended.

    Attributes:
        code: exit status, or -N when signal N ended the program.
        stdout: captured bytes; empty when a log was given.
        stderr: captured bytes; empty when a log was given.
        timed_out: the wall limit ended the run.
        truncated: more output was written than kept.
        cpu_s: CPU seconds, user and system, of all processes of the run.
        wall_s: seconds of wall time.
        sandbox: the level that stood around the program (SPEC SBX-02).
        network: `none` or `open`.
    """

    code: int
    stdout: bytes
    stderr: bytes
    timed_out: bool
    truncated: bool
    cpu_s: float
    wall_s: float
    sandbox: Level
    network: str


@dataclass(frozen=True, slots=True)
class Streamed:
    """How a run on the caller's terminal ended.

    Attributes:
        code: exit status, or 128 + N when signal N ended the program.
        wall_s: seconds from its start to its end.
        cpu_s: CPU seconds, user and system, of all processes of the run.
        peak_bytes: most memory that one of them held at once; 0 where that is not known, since
            it is below what the process that starts it holds.
    """

    code: int
    wall_s: float
    cpu_s: float
    peak_bytes: int


def run(
    argv: Sequence[str],
    *,
    cwd: str,
    env: Mapping[str, str],
    limits: Limits,
    stdin: bytes | None = None,
    log: pipes.Log | None = None,
    sandbox: Sandbox = NONE,
    launcher: Launcher | None = None,
) -> Outcome:
    """Run a program to its end and return how it ended.

    Args:
        argv: the program (absolute, or looked for on the PATH of `env`) and its arguments.
        cwd: the folder it starts in.
        env: its whole environment.
        limits: what it may use.
        stdin: bytes for its standard input; None gives an empty one.
        log: takes both output streams in their order, up to `limits.output_bytes`.
        sandbox: the walls around it; they stand, or the program does not start.
        launcher: starts it; None makes one for this run alone.

    Raises:
        RunFailed: the program cannot be started, or a wall cannot be built.
    """
    started = time.monotonic()
    sinks = (pipes.Sink(limits.output_bytes, log), pipes.Sink(limits.output_bytes, None))
    request = _request(argv, cwd, env, limits, sandbox, session=True)
    with (
        nullcontext(launcher) if launcher else _own_launcher(session=True) as helper,
        pipes.opened(feed=stdin is not None, merged=log is not None) as ends,
        _running(helper, request, [end.fileno() for end in ends.theirs]) as control,
    ):
        ends.close_theirs()
        patience = limits.wall_s + messages.PATIENCE if limits.wall_s else None
        if not pipes.pump(ends, control, stdin or b"", sinks, patience):
            raise RunFailed(f"the supervisor of `{argv[0]}` does not answer")
        answer = _answer(control, argv)
    return Outcome(
        code=answer["code"],
        stdout=bytes(sinks[0].kept),
        stderr=bytes(sinks[1].kept),
        timed_out=answer["timed_out"],
        truncated=any(sink.dropped for sink in sinks),
        cpu_s=answer["cpu"],
        wall_s=time.monotonic() - started,
        sandbox=sandbox.level,
        network="open" if sandbox.level == "L0" or sandbox.network else "none",
    )


def stream(
    argv: Sequence[str],
    *,
    cwd: str,
    env: Mapping[str, str],
    timeout_s: float,
    stdout: int | None,
    stderr: int | None,
) -> Streamed:
    """Run a program on the caller's terminal and return how it ended.

    SIGTERM and SIGHUP are passed on. Ctrl-C reaches the program by the terminal; a SIGINT that did
    not come from there is passed on. The program then has `GRACE` seconds, and as many again after
    a SIGTERM; a second Ctrl-C ends the run at once.

    Args:
        argv: the program and its arguments.
        cwd: the folder it starts in.
        env: its whole environment.
        timeout_s: seconds of wall time; 0 means no limit.
        stdout: a descriptor for its standard output; None passes the caller's.
        stderr: a descriptor for its standard error; None passes the caller's.

    Raises:
        RunFailed: the program cannot be started, or its time is over.
        KeyboardInterrupt: Ctrl-C, after the program ended.
    """
    request = _request(argv, cwd, env, Limits(wall_s=timeout_s), NONE, session=False)
    streams = [0, 1 if stdout is None else stdout, 2 if stderr is None else stderr]
    with (
        _own_launcher(session=False) as helper,
        _running(helper, request, streams) as control,
        _forwarded_signals(control),
    ):
        try:
            answer = _answer(control, argv)
        except KeyboardInterrupt:
            _end(control)
            raise
    if answer["timed_out"]:
        raise RunFailed(
            f"`{argv[0]}` did not end within {timeout_s:g} seconds", data={"timed_out": True}
        )
    code: int = answer["code"]
    code = code if code >= 0 else 128 - code
    return Streamed(code, answer["wall"], answer["cpu"], answer["peak"])


def _request(
    argv: Sequence[str],
    cwd: str,
    env: Mapping[str, str],
    limits: Limits,
    sandbox: Sandbox,
    *,
    session: bool,
) -> messages.Request:
    return messages.request(
        argv,
        sandbox=asdict(sandbox),
        wall=limits.wall_s,
        cwd=cwd,
        env=env,
        session=session,
        cpu=limits.cpu_s,
        file=limits.file_bytes,
        processes=limits.processes,
        memory=limits.memory_bytes,
    )


def _own_launcher(*, session: bool) -> Launcher:
    from crpack.process.launcher import Launcher

    return Launcher(session=session)


@contextmanager
def _running(
    launcher: Launcher, request: messages.Request, streams: list[int]
) -> Iterator[socket.socket]:
    """Start a run; at the end, whatever happened, all of it is gone (SPEC SBX-10)."""
    import socket

    with launcher.start(request, streams) as control, stopping.stoppable(control):
        try:
            yield control
        finally:
            control.settimeout(messages.PATIENCE)
            try:
                control.shutdown(socket.SHUT_WR)  # the sign to end the run
                while control.recv(65536):  # until the supervisor has closed its end
                    pass
            except OSError:
                pass


@contextmanager
def _forwarded_signals(control: socket.socket) -> Iterator[None]:
    """Pass SIGTERM and SIGHUP on to the step; only the main thread may set handlers."""
    import signal
    import threading

    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def forward(number: int, _frame: object) -> None:
        control.send(bytes([number]))

    before = {name: signal.signal(name, forward) for name in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def _end(control: socket.socket) -> None:
    """Let the program end by itself: SIGINT, then SIGTERM, each with its grace.

    Whoever still runs after that is killed with all that it started, at the end of the run.
    """
    import signal

    if not _on_terminal():  # there the terminal has sent it, and a second one would mean haste
        _send(control, signal.SIGINT)
    if not _ended(control):
        _send(control, signal.SIGTERM)
        _ended(control)


def _ended(control: socket.socket) -> bool:
    """Say whether the run ends within its grace."""
    import select

    return bool(select.select([control], [], [], GRACE)[0])


def _send(control: socket.socket, number: int) -> None:
    with suppress(OSError):  # the run is over
        control.send(bytes([number]))


def _on_terminal() -> bool:
    """Say whether this process is in the foreground of a terminal, whose Ctrl-C reaches all."""
    import os

    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


def _answer(control: socket.socket, argv: Sequence[str]) -> dict[str, Any]:
    answer: dict[str, Any] | None = messages.receive(control.fileno())
    name = argv[0] if argv else "nothing"
    if answer is None:
        raise RunFailed(f"`{name}` ended together with its supervisor")
    if answer["reason"]:
        raise RunFailed(f"`{name}` cannot be started", why=[answer["reason"]])
    return answer
