"""The command `crpack`, run in a fork of a process that has read its modules.

Starting Python and reading modules costs several times what most commands do. A command that is
run here still has a process of its own, with its memory, streams, folder, environment and umask,
and runs as `python -m crpack` does. What the interpreter reads before any module cannot be given
late: another `PYTHON...`, language or time zone than the first command's gets a new interpreter.
No two modules import each other (tests/house), so that reading all of them first hides nothing.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from typing import Any, NoReturn

_EARLY = ("PYTHON", "LANG", "LC_", "LD_", "TZ")
_STDIN_BYTES = 4096  # what a pipe takes before somebody reads
_THIRD_PARTIES = (  # crpack reads them only where it needs them
    "cryptography.hazmat.primitives.asymmetric.ed25519",
    "cryptography.hazmat.primitives.serialization",
    "packaging.metadata",
    "requests",
    "resolvelib",
    "securesystemslib.signer",
    "tomlkit",
    "tqdm",
    "tuf.api.metadata",
    "zstandard",
)


# Who asks


@dataclass
class Forker:
    """The process that forks: started when it is first asked for, by any thread."""

    early: dict[str, str] = field(default_factory=dict)
    control: socket.socket | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def serves(self, env: dict[str, str], text: str) -> bool:
        """Return whether a fork sees what a new interpreter would."""
        with self.lock:
            if self.control is None:
                self._start(env)
        return _early(env) == self.early and len(text.encode()) <= _STDIN_BYTES

    def run(
        self, words: list[str], text: str, cwd: str, env: dict[str, str], umask: int
    ) -> subprocess.CompletedProcess[str]:
        """Run one command to its end, as `subprocess.run` would."""
        assert self.control is not None
        asked = {"words": words, "cwd": cwd, "env": env, "umask": umask}
        own, reply = socket.socketpair()
        read, write = os.pipe()
        with (
            own, tempfile.TemporaryFile("w+") as request,
            tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err,
        ):  # fmt: skip
            with open(write, "w") as stdin:
                stdin.write(text)
            json.dump(asked, request)
            request.seek(0)
            files = (read, out.fileno(), err.fileno(), request.fileno(), reply.fileno())
            socket.send_fds(self.control, [b"."], files)
            os.close(read)
            reply.close()
            code = int(own.recv(16))
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(words, code, out.read(), err.read())

    def _start(self, env: dict[str, str]) -> None:
        self.early = _early(env)
        self.control, there = socket.socketpair()
        with there:
            child = subprocess.Popen(
                [sys.executable, __file__, str(there.fileno())],
                pass_fds=[there.fileno()], env=env, cwd="/", stdin=subprocess.DEVNULL,
            )  # fmt: skip
        atexit.register(child.wait)
        atexit.register(self.control.close)  # first: the end of the socket ends the process


def _early(env: dict[str, str]) -> dict[str, str]:
    return {key: env[key] for key in env if key.startswith(_EARLY)}


# Who forks


def _serve(control: socket.socket) -> dict[str, Any]:
    """Fork at each request and tell how it ended; return, in each fork, what was asked."""
    running: dict[int, socket.socket] = {}
    woken, wake = socket.socketpair()
    for end in (woken, wake):
        end.setblocking(False)
    signal.set_wakeup_fd(wake.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    interrupted = signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        ready, _, _ = select.select([control, woken], [], [])
        if woken in ready:
            woken.recv(4096)
            _tell(running)
        if control not in ready:
            continue
        asked, files, _, _ = socket.recv_fds(control, 1, 5)
        if not asked:
            sys.exit()
        child = os.fork()
        if child:
            running[child] = socket.socket(fileno=files.pop())
            for file in files:
                os.close(file)
            continue
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, interrupted)
        for end in (control, woken, wake, *running.values()):
            end.close()
        return _taken(files)


def _tell(running: dict[int, socket.socket]) -> None:
    """Tell whoever waits how the processes that ended did."""
    while running:
        child, status = os.waitpid(-1, os.WNOHANG)
        if not child:
            return
        with running.pop(child) as reply:
            reply.send(str(os.waitstatus_to_exitcode(status)).encode())


def _taken(files: list[int]) -> dict[str, Any]:
    """Take the streams that came with a request, and return what it says."""
    with open(files[3]) as stream:
        request: dict[str, Any] = json.load(stream)
    for number in range(3):
        os.dup2(files[number], number)
    for file in (*files[:3], files[4]):
        os.close(file)
    return request


def _become(request: dict[str, Any]) -> NoReturn:
    """Be `python -m crpack WORDS` to its end, without taking the interpreter apart."""
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    if request["umask"] >= 0:
        os.umask(request["umask"])
    sys.path[0] = request["cwd"]
    sys.argv = ["crpack", *request["words"]]
    code: Any = 1
    try:
        runpy.run_module("crpack", run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        code = ended.code
    except BaseException:  # noqa: BLE001 - as the interpreter does
        sys.excepthook(*sys.exc_info())
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _read_modules() -> None:
    import crpack

    for name in _THIRD_PARTIES:
        importlib.import_module(name)
    for module in pkgutil.walk_packages(crpack.__path__, "crpack."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    gc.freeze()  # what is shared stays shared


if __name__ == "__main__":
    sys.path[0] = ""
    _read_modules()
    _become(_serve(socket.socket(fileno=int(sys.argv[1]))))
