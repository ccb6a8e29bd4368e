"""The process between crpack and a step: starts it, watches it, leaves nothing behind.

It lives in an interpreter of its own (`launcher`), for three reasons:
- It has one thread, so that fork and Python code before exec are safe; the caller may have many.
- It can become the reaper of orphans and kill every process left of a run, without touching
  other children of the program that uses crpack as a library.
- It learns of the caller's death, even by kill -9, from the end of the control socket.

Rules:
- The request comes and the answer goes over the control socket, one message each; between them
  the caller may send signal numbers, one byte each, for the step.
- Nothing of the step outlives the answer (SPEC SBX-10): descendants are stopped until no new one
  appears, then killed.
- The step gets default signals, an empty mask, umask 022, and no file descriptor above 2.
- What fails before exec is answered as a sentence, never as an exit status.

This module runs on its own, so it imports the standard library only, and little of it.
"""

from __future__ import annotations

import marshal
import os
import resource
import select
import signal
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, NoReturn

SWEEP_SECONDS = 10.0  # how long the end of a run may take, whatever the step left behind
PATIENCE = SWEEP_SECONDS + 5.0  # seconds until the caller takes a silent supervisor for dead
_LENGTH = 8  # bytes of a message's length
_DESCRIPTORS = 4  # that come with each run: the standard streams, the control socket

if TYPE_CHECKING:
    Request = dict[str, Any]  # what `run` sends: plain values between equal interpreters


def send(control: int, message: Any) -> None:
    """Write one message to a descriptor: its length, then the marshalled value."""
    data = marshal.dumps(message)
    data = len(data).to_bytes(_LENGTH, "big") + data
    while data:
        data = data[os.write(control, data) :]


def receive(control: int) -> Any:
    """Return the next message from a descriptor, or None when the other end is gone."""
    head = _exactly(control, _LENGTH)
    body = _exactly(control, int.from_bytes(head, "big")) if head else b""
    return marshal.loads(body) if body else None  # noqa: S302 - both ends are this module


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


def main(descriptor: int) -> None:
    """Fork a supervisor for each run that comes over the socket of that number, until its end."""
    import socket

    os.set_inheritable(descriptor, False)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)  # the caller decides
    with socket.socket(fileno=descriptor) as caller:
        while True:
            more, descriptors, _, _ = socket.recv_fds(caller, 1, _DESCRIPTORS)
            _reap()
            if not more:
                break
            if os.fork() == 0:
                caller.detach()
                os.close(descriptor)
                _serve(descriptors)
            for one in descriptors:
                os.close(one)
    try:
        while True:
            os.wait()  # until the last run is over
    except ChildProcessError:
        return


def _serve(descriptors: list[int]) -> NoReturn:
    """Be the supervisor of one run."""
    code = 1
    try:
        *streams, control = descriptors
        _REAPED.clear()  # of the launcher's children; the kernel gives ids again
        os.set_inheritable(control, False)
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        request: Request | None = receive(control)
        if request is not None:
            send(control, _supervise(control, request))
        code = 0
    except (BrokenPipeError, ConnectionResetError):
        code = 0  # the caller is gone; the sweep is done
    finally:
        os._exit(code)


def _exactly(control: int, size: int) -> bytes:
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


def _supervise(control: int, request: Request) -> dict[str, object]:
    """Run the step to its end and return the answer."""
    if request["session"]:
        os.setsid()
    _become_reaper()
    wake = _wakeup()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        _become(request, write)
    os.close(write)
    reason = _read_all(read)  # closed by exec, or a sentence why there is none
    deadline = time.monotonic() + request["wall"] if request["wall"] else None
    status, timed_out = _watch(control, wake, child, deadline)
    _sweep(child if request["session"] else 0)
    if status is None:
        status = _REAPED.get(child)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "reason": reason.decode("utf-8", "replace"),
        "code": os.waitstatus_to_exitcode(status) if status is not None else -signal.SIGKILL,
        "timed_out": timed_out,
        "cpu": used.ru_utime + used.ru_stime,
    }


_REAPED: dict[int, int] = {}  # status by process id, of every process that was waited for


def _watch(control: int, wake: int, child: int, deadline: float | None) -> tuple[int | None, bool]:
    """Wait for the step; return (its status or None when it must be killed, timed out)."""
    poll = select.poll()
    poll.register(wake, select.POLLIN)
    poll.register(control, select.POLLIN)
    while True:
        _reap()
        if child in _REAPED:
            return _REAPED[child], False
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            return None, True
        ready = {name for name, _ in poll.poll(None if left is None else left * 1000 + 1)}
        if wake in ready:
            _drain(wake)
        if control in ready:
            numbers = _exactly(control, 1)
            if not numbers:
                return None, False
            for number in numbers:
                os.kill(child, number)  # not reaped yet, so the id is still the child's


def _become(request: Request, report: int) -> NoReturn:
    """Turn this forked process into the step, or report why not, and never return."""
    try:
        os.set_inheritable(report, False)
        if request["session"]:
            os.setsid()
        _default_signals()
        os.umask(0o022)
        program = _program(request)
        _limit(request)
        if request["sandbox"]["level"] != "L0" or request["sandbox"]["user"]:
            from crpack.process import confine

            confine.enter(request["sandbox"], report)
            if not program:  # a try
                confine.check(request["sandbox"])
        os.chdir(request["cwd"])
        if program:
            os.execve(program, request["argv"], request["env"])  # noqa: S606
        os._exit(0)
    except BaseException as error:  # noqa: BLE001 - this process must not run the parent's code
        os.write(report, _sentence(error).encode("utf-8", "replace")[:4000])
    os._exit(127)


def _default_signals() -> None:
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        if signal.getsignal(number) not in (signal.SIG_DFL, None):
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _program(request: Request) -> str:
    """Return the path of the program, found before walls hide the interpreter's own modules."""
    if not request["argv"]:
        return ""
    name: str = request["argv"][0]
    if "/" in name:
        return name
    for folder in request["env"].get("PATH", "").split(os.pathsep):
        path = os.path.join(folder, name)
        if os.path.isabs(folder) and os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    raise OSError(f"`{name}` is in no folder of PATH")


def _sentence(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: `{error.filename}`" if error.filename else error.strerror
    return str(error) or type(error).__name__


def _limit(request: Request) -> None:
    wanted = {
        resource.RLIMIT_CPU: request["cpu"],
        resource.RLIMIT_FSIZE: request["file"],
        resource.RLIMIT_AS: request["memory"],
        resource.RLIMIT_NPROC: request["processes"] and _running() + request["processes"],
    }
    for kind, limit in wanted.items():
        if limit:
            _, hard = resource.getrlimit(kind)
            soft = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
            slack = 2 if kind == resource.RLIMIT_CPU and soft != hard else 0  # first SIGXCPU
            resource.setrlimit(kind, (soft, soft + slack))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _running() -> int:
    """Return an upper bound of the tasks this user has: the kernel counts a user's, not a run's."""
    try:
        with open("/proc/loadavg", "rb") as file:
            return int(file.read(256).split()[3].split(b"/")[1])
    except (OSError, ValueError, IndexError):
        return 4096


def _become_reaper() -> None:
    """Orphans of the step become children of this process; nobody may trace it (Linux only)."""
    if sys.platform != "linux":
        return
    import ctypes

    prctl = ctypes.CDLL(None).prctl
    prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
    prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE


def _wakeup() -> int:
    """Return a descriptor that becomes readable when a child changes its state."""
    read, write = os.pipe()
    os.set_blocking(read, False)
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return read


def _drain(descriptor: int) -> None:
    try:
        while os.read(descriptor, 4096):
            pass
    except BlockingIOError:
        return


def _read_all(descriptor: int) -> bytes:
    data = b""
    while piece := os.read(descriptor, 4096):
        data += piece
    os.close(descriptor)
    return data


def _reap() -> bool:
    """Bury every child that has ended; False when there is no child at all."""
    try:
        while True:
            child, status = os.waitpid(-1, os.WNOHANG)
            if child == 0:
                return True
            _REAPED[child] = status
    except ChildProcessError:
        return False


def _sweep(group: int) -> None:
    """Kill all that is left of the run (SPEC SBX-10)."""
    end = time.monotonic() + SWEEP_SECONDS
    if group and sys.platform != "linux":
        _kill(-group, signal.SIGKILL)  # no way to find those that left the group
    while _reap() and time.monotonic() < end:
        stopped: set[int] = set()
        while new := _descendants() - stopped:  # a stopped process forks no further ones
            for process in new:
                _kill(process, signal.SIGSTOP)
            stopped |= new
        for process in stopped:
            _kill(process, signal.SIGKILL)
        time.sleep(0.001)


def _kill(process: int, number: int) -> None:
    try:
        os.kill(process, number)
    except (ProcessLookupError, PermissionError):
        return


def _descendants() -> set[int]:
    """Return the ids of all living processes below this one."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc") if os.path.isdir("/proc/self") else ():
        if name.isdigit() and (parent := _parent(name)):
            children.setdefault(parent, []).append(int(name))
    found: set[int] = set()
    wave = [os.getpid()]
    while wave:
        wave = [child for parent in wave for child in children.get(parent, ())]
        found.update(wave)
    return found


def _parent(process: str) -> int:
    """Return the parent's id of a living process; 0 for one that is gone or a zombie."""
    try:
        with open(f"/proc/{process}/stat", "rb") as file:
            fields = file.read(1024).rpartition(b")")[2].split()
        return 0 if fields[0] in (b"Z", b"X") else int(fields[1])
    except (OSError, ValueError, IndexError):
        return 0
