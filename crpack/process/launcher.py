"""The process that starts supervisors: one interpreter, however many runs.

Rules:
- It is forked from nothing of the caller's: a fresh interpreter, with one thread, that forks a
  supervisor for each run. So a scan of sixty programs pays for one interpreter, not for sixty.
- A run's streams and control socket travel to it as descriptors (SCM_RIGHTS).
- It ends when the caller closes its socket, or dies.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Self

from crpack.errors import RunFailed
from crpack.process import messages

if TYPE_CHECKING:
    from types import TracebackType

_BOOT = (
    "import sys; sys.path.append(sys.argv[1]); "
    "from crpack.process.supervisor import main; main(int(sys.argv[2]))"
)
_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Launcher:
    """Starts runs, from any thread, while its context is open.

    Args:
        session: give runs a session of their own; False leaves them in the caller's, on its
            terminal.
    """

    def __init__(self, *, session: bool = True) -> None:
        self.session = session
        self._socket, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-I", "-S", "-c", _BOOT, _ROOT, str(theirs.fileno())],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    cwd="/",
                    env=_loader(),
                    pass_fds=(theirs.fileno(),),
                    start_new_session=session,
                )
            except OSError as error:
                self._socket.close()
                raise RunFailed("no process can be started", why=[str(error)]) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()
        try:
            self._process.wait(messages.PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def start(self, request: messages.Request, streams: list[int]) -> socket.socket:
        """Start a supervisor with a request and return the control socket of the run.

        Args:
            request: what to run, as `run` puts it together.
            streams: descriptors that become the standard streams.

        Raises:
            RunFailed: the launcher is gone.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                socket.send_fds(self._socket, [b"1"], [*streams, theirs.fileno()])
                messages.send(ours.fileno(), request)
            except OSError as error:
                ours.close()
                raise RunFailed("no process can be started", why=[str(error)]) from error
        return ours


def _loader() -> dict[str, str]:
    """Return what an interpreter may need to start at all, and what L3 is to cover.

    A run could read all the rest.
    """
    names = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR")
    return {name: os.environ[name] for name in names if name in os.environ}
