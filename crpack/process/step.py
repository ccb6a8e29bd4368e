"""The forked process that becomes the step: limits, signals, walls, then exec.

Rules (SPEC SBX-08, SBX-09):
- The step gets default signals, an empty mask, umask 022, and no file descriptor above 2.
- The program is found before walls are built, on absolute folders of the step's own PATH.
- Whatever fails is reported over a descriptor that exec closes, and the process ends.
"""

from __future__ import annotations

import os
import resource
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from crpack.process.messages import Request


def become(request: Request, report: int) -> NoReturn:
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
