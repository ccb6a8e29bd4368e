"""A machine behind ssh, reached by the user's own `ssh`.

Rules (SPEC EXE-08):
- Nothing is asked: keys and known hosts are those that `ssh` has; a host that it does not know, or
  knows by another key, is refused by it.
- Nothing of this machine is offered there: no agent, no display, no port.
- Host and folder are plain characters, so that neither is an option or a script.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

_KEPT = ("HOME", "USER", "LOGNAME", "PATH", "SSH_AUTH_SOCK", "LANG")
_OPTIONS = ("-o", "BatchMode=yes", "-o", "ConnectTimeout=20", "-o", "ClearAllForwardings=yes",
            "-a", "-x", "-T")  # fmt: skip
_HOST = re.compile(r"(?:[A-Za-z0-9._][A-Za-z0-9._-]*@)?[A-Za-z0-9_][A-Za-z0-9._-]*", re.ASCII)
_FOLDER = re.compile(r"/[A-Za-z0-9._/@+=,-]*", re.ASCII)
_USUAL = '"$HOME"/.cache/crpack/far'


@dataclass(frozen=True, slots=True)
class Ssh:
    """A host that `ssh` knows.

    Attributes:
        host: as `ssh` takes it, the user before `@`.
        folder: of crpack there; empty for one below the user's cache.
        program: path of `ssh`.
    """

    host: str
    folder: str
    program: str

    @property
    def name(self) -> str:
        """Its name in records."""
        return "ssh"

    @property
    def place(self) -> str:
        """How people call the machine."""
        return f"`{self.host}`"

    @property
    def trial(self) -> str:
        """A command for the user to try the line with."""
        return f"ssh {self.host} uname"

    @property
    def base(self) -> str:
        """Folder of crpack there, as a word of its shell."""
        return shlex.quote(self.folder) if self.folder else _USUAL

    @property
    def path(self) -> tuple[str, ...]:
        """No folders of programs beside the usual ones."""
        return ()

    @property
    def env(self) -> Mapping[str, str]:
        """What `ssh` needs of the user's environment."""
        return {key: os.environ[key] for key in _KEPT if key in os.environ}

    def words(self, script: str, *, feed: bool) -> list[str]:
        """Return the argv that runs a script there; with `feed` it gets standard input."""
        listen = () if feed else ("-n",)
        return [self.program, *_OPTIONS, *listen, "--", self.host,
                f"exec sh -c {shlex.quote(script)}"]  # fmt: skip


def line(text: str) -> Ssh:
    """Return the machine that `[USER@]HOST[:FOLDER]` names.

    Raises:
        UsageError: it names none, or there is no `ssh`.
    """
    host, colon, folder = text.partition(":")
    if not _HOST.fullmatch(host) or (colon and not _FOLDER.fullmatch(folder)):
        raise UsageError(
            f"`ssh:{text}` names no machine",
            why=["host and folder are of letters, digits and `._-@/+=,`; a folder is absolute"],
            hint="write `ssh:HOST`, with user and port in your `~/.ssh/config`",
            rule="EXE-08",
        )
    program = shutil.which("ssh")
    if program is None:
        raise UsageError("`ssh` was not found on PATH", hint="install the OpenSSH client")
    return Ssh(host, folder.rstrip("/") or ("/" if folder else ""), program)
