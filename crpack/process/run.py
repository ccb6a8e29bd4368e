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

import os
import sys
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from crpack.errors import RunFailed
from crpack.process import supervisor
from crpack.process.pipes import Sink, pump
from crpack.process.sandbox import NONE, Level, Sandbox

if TYPE_CHECKING:
    import socket
    import subprocess
    from collections.abc import Iterator, Mapping, Sequence

_PATIENCE = supervisor.SWEEP_SECONDS + 5.0  # seconds a supervisor has to end a run
_BOOT = (
    "import sys; sys.path.append(sys.argv[1]); "
    "from crpack.process.supervisor import main; main(int(sys.argv[2]))"
)
_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


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


def run(
    argv: Sequence[str],
    *,
    cwd: str,
    env: Mapping[str, str],
    limits: Limits,
    stdin: bytes | None = None,
    log: BinaryIO | None = None,
    sandbox: Sandbox = NONE,
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

    Raises:
        RunFailed: the program cannot be started, or a wall cannot be built.
    """
    import subprocess

    started = time.monotonic()
    sinks = (Sink(limits.output_bytes, log), Sink(limits.output_bytes, None))
    request = _request(argv, cwd, env, limits, sandbox, session=True)
    with _supervised(
        request,
        stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if log else subprocess.PIPE,
    ) as (process, control):
        patience = limits.wall_s + _PATIENCE if limits.wall_s else None
        if not pump(process, control, stdin or b"", sinks, patience):
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
) -> int:
    """Run a program on the caller's terminal; return its exit status, 128 + N for signal N.

    Ctrl-C reaches the program by the terminal; SIGTERM and SIGHUP are passed on. A second Ctrl-C
    ends the run.

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
    with (
        _supervised(request, stdin=None, stdout=stdout, stderr=stderr) as (_, control),
        _forwarded_signals(control),
    ):
        try:
            answer = _answer(control, argv)
        except KeyboardInterrupt:
            _answer(control, argv)
            raise
    if answer["timed_out"]:
        raise RunFailed(
            f"`{argv[0]}` did not end within {timeout_s:g} seconds", data={"timed_out": True}
        )
    code: int = answer["code"]
    return code if code >= 0 else 128 - code


def try_level(level: Level) -> str:
    """Build the walls of a level in a child that then does nothing; return why not, or ``""``."""
    sandbox = Sandbox(level=level, hidden=(os.path.expanduser("~"),))
    try:
        outcome = run((), cwd="/", env={}, limits=Limits(wall_s=10), sandbox=sandbox)
    except RunFailed as error:
        return error.why[0] if error.why else error.what
    return "" if outcome.code == 0 else f"the walls of {level} do not hold: code {outcome.code}"


def _request(
    argv: Sequence[str],
    cwd: str,
    env: Mapping[str, str],
    limits: Limits,
    sandbox: Sandbox,
    *,
    session: bool,
) -> dict[str, object]:
    return {
        "argv": list(argv),
        "cwd": cwd,
        "env": dict(env),
        "session": session,
        "wall": limits.wall_s,
        "cpu": limits.cpu_s,
        "file": limits.file_bytes,
        "processes": limits.processes,
        "memory": limits.memory_bytes,
        "sandbox": asdict(sandbox),
    }


@contextmanager
def _supervised(
    request: dict[str, object], *, stdin: int | None, stdout: int | None, stderr: int | None
) -> Iterator[tuple[subprocess.Popen[bytes], socket.socket]]:
    """Start a supervisor with a request; at the end, whatever happened, it and the run are gone."""
    import socket
    import subprocess

    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            try:
                process = subprocess.Popen(
                    [sys.executable, "-I", "-S", "-c", _BOOT, _ROOT, str(theirs.fileno())],
                    stdin=stdin,
                    stdout=stdout,
                    stderr=stderr,
                    cwd="/",
                    env=_loader(),
                    pass_fds=(theirs.fileno(),),
                    start_new_session=bool(request["session"]),
                    bufsize=0,
                )
            except OSError as error:
                raise RunFailed("no process can be started", why=[str(error)]) from error
        try:
            supervisor.send(ours.fileno(), request)
            yield process, ours
        except BrokenPipeError as error:
            raise RunFailed("the supervisor of a run ended early") from error
        finally:
            ours.close()  # the supervisor's sign to end the run
            _finish(process)


def _loader() -> dict[str, str]:
    """Return what an interpreter may need to start at all; a run could read all the rest."""
    names = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
    return {name: os.environ[name] for name in names if name in os.environ}


def _finish(process: subprocess.Popen[bytes]) -> None:
    """Wait for the supervisor, and close what is open."""
    import subprocess

    for stream in (process.stdin, process.stdout, process.stderr):
        if stream:
            stream.close()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


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


def _answer(control: socket.socket, argv: Sequence[str]) -> dict[str, Any]:
    answer: dict[str, Any] | None = supervisor.receive(control.fileno())
    name = argv[0] if argv else "nothing"
    if answer is None:
        raise RunFailed(f"`{name}` ended together with its supervisor")
    if answer["reason"]:
        raise RunFailed(f"`{name}` cannot be started", why=[answer["reason"]])
    return answer
