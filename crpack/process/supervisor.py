"""The process between crpack and a step: starts it, watches it, leaves nothing behind.

It lives in an interpreter of its own (`launcher`), for three reasons:
- It has one thread, so that fork and Python code before exec are safe; the caller may have many.
- It can become the reaper of orphans and kill every process left of a run, without touching
  other children of the program that uses crpack as a library.
- It learns of the caller's death, even by kill -9, from the end of the control socket.

Rules:
- The request comes and the answer goes over the control socket, one message each; between them
  the caller may send signal numbers, one byte each, for the step.
- Nothing of the step outlives the answer (SPEC SBX-10).
- What fails before exec is answered as a sentence, never as an exit status.

This module, and what it imports, runs on its own: the standard library only, and little of it.
"""

from __future__ import annotations

import os
import resource
import select
import signal
import sys
import time

from crpack.process import messages, step, sweep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

_DESCRIPTORS = 4  # that come with each run: the standard streams, the control socket

# The kernel counts what a process used before its exec too, which is this interpreter's memory:
# a peak that is no larger tells nothing of the program (getrusage(2)).
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes
_SLACK = 2**20 // _RSS_UNIT


def main(descriptor: int) -> None:
    """Fork a supervisor for each run that comes over the socket of that number, until its end."""
    import socket

    os.set_inheritable(descriptor, False)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)  # the caller decides
    with socket.socket(fileno=descriptor) as caller:
        while True:
            more, descriptors, _, _ = socket.recv_fds(caller, 1, _DESCRIPTORS)
            sweep.reap({})
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
        os.set_inheritable(control, False)
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        request: messages.Request | None = messages.receive(control)
        if request is not None:
            messages.send(control, _supervise(control, request))
        code = 0
    except (BrokenPipeError, ConnectionResetError):
        code = 0  # the caller is gone; the sweep is done
    finally:
        os._exit(code)


def _supervise(control: int, request: messages.Request) -> dict[str, object]:
    """Run the step to its end and return the answer."""
    if request["session"]:
        os.setsid()
    _become_reaper()
    wake = _wakeup()
    read, write = os.pipe()
    floor = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss + _SLACK
    child = os.fork()
    if child == 0:
        step.become(request, write)
    os.close(write)
    reason = _read_all(read)  # closed by exec, or a sentence why there is none
    begun = time.monotonic()
    deadline = begun + request["wall"] if request["wall"] else None
    statuses: dict[int, int] = {}
    timed_out = _watch(control, wake, child, statuses, deadline)
    wall = time.monotonic() - begun
    sweep.sweep(child, statuses, grouped=request["session"])
    status = statuses.get(child)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "reason": reason.decode("utf-8", "replace"),
        "code": os.waitstatus_to_exitcode(status) if status is not None else -signal.SIGKILL,
        "timed_out": timed_out,
        "cpu": used.ru_utime + used.ru_stime,
        "wall": wall,
        "peak": used.ru_maxrss * _RSS_UNIT if used.ru_maxrss > floor else 0,
    }


def _watch(
    control: int, wake: int, child: int, statuses: dict[int, int], deadline: float | None
) -> bool:
    """Wait until the step ends, or must be ended; say whether its time was over."""
    poll = select.poll()
    poll.register(wake, select.POLLIN)
    poll.register(control, select.POLLIN)
    while True:
        sweep.reap(statuses)
        if child in statuses:
            return False
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            return True
        ready = {name for name, _ in poll.poll(None if left is None else left * 1000 + 1)}
        if wake in ready:
            _drain(wake)
        if control in ready:
            numbers = messages.exactly(control, 1)
            if not numbers:
                return False
            for number in numbers:
                os.kill(child, number)  # not reaped yet, so the id is still the child's


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
