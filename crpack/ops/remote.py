"""An index behind ssh: read, locked and written with the user's own `ssh`, and `rsync` or `scp`.

Rules (SPEC PUB-15 to PUB-17):
- Files travel into a folder of their own below the index's root; then one script on the other
  side gives each its name, in order, content first and the timestamp last.
- Nothing is asked: keys and known hosts are those that `ssh` has. No password is typed for crpack.
- Whatever becomes a word of a remote shell is made of plain characters.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from crpack import disk
from crpack.errors import FetchError, UsageError
from crpack.model.limits import MAX_INDEX_PACKED
from crpack.ops.publishing import (
    IMMUTABLE,
    LOCK,
    PATIENCE,
    TIMESTAMP,
    Folder,
    being_written,
    changed_meanwhile,
    copied,
)
from crpack.process.run import Limits, Outcome, run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crpack.index.publish import File
    from crpack.ops.publishing import Place
    from crpack.session import Session

_KEPT = ("HOME", "USER", "LOGNAME", "PATH", "SSH_AUTH_SOCK", "LANG")
_OPTIONS = ("-o", "BatchMode=yes", "-o", "ConnectTimeout=20")
_HOST = re.compile(r"(?:[A-Za-z0-9._][A-Za-z0-9._-]*@)?[A-Za-z0-9_][A-Za-z0-9._-]*", re.ASCII)
_PATH = re.compile(r"[A-Za-z0-9._/~@+=,-]*[A-Za-z0-9._/@+=,-]", re.ASCII)
_DIGITS = 12  # of the size of a file that is shown
_UNREACHED = 255  # what ssh answers for faults of its own
_TAKEN = 45  # what our scripts answer when the lock is held
_CHANGED = 46  # … when the timestamp is another

# Shows a file: its path and size in a line, then its bytes; nothing when it is not there.
_SHOW = """\
show() {
  [ -f "$1" ] || return 0
  size=$(($(head -c "$(($2 + 1))" "$1" | wc -c)))
  echo "$1 $size"
  head -c "$size" "$1"
}"""
# Shows what reading an index begins with: its drafts, roots, and newest metadata and targets.
_HEAD = f"""\
for f in pending/*.json metadata/timestamp.json metadata/*.root.json \\
  $(ls -t metadata/*.json 2>/dev/null | head -n 12) \\
  $(ls -t targets/*.index.json.zst 2>/dev/null | head -n 2) \\
  $(ls -t targets/*.publishers.json 2>/dev/null | head -n 1)
do show "$f" {MAX_INDEX_PACKED}; done"""
_LISTED = re.compile(r"pending/.*|metadata/[0-9]+\.root\.json|metadata/timestamp\.json")


class Remote:
    """A folder on another machine, reached with few connections: each costs a moment."""

    def __init__(self, host: str, port: int, path: str, scratch: str) -> None:
        """Take a place; nothing is opened yet.

        Args:
            host: with the user before `@`, as `ssh` takes it.
            port: 0 for the one that `ssh` has.
            path: of the index's folder there.
            scratch: folder for files on their way.
        """
        self.host = host
        self.path = path
        self._scratch = scratch
        self._port = ("-o", f"Port={port}") if port else ()
        self._token = os.urandom(8).hex()
        self._known: dict[str, bytes] = {}

    @property
    def name(self) -> str:
        """How people call it."""
        return f"{self.host}:{self.path}"

    def read(self, path: str, limit: int) -> bytes:
        """Return a file below the index's root.

        Raises:
            FetchError: it is not there, too long, or the host cannot be reached.
        """
        if not self._known:
            self._known = self._asked(_HEAD, f"the index in `{self.name}` cannot be read")
        if path not in self._known and not _LISTED.fullmatch(path):
            self.read_all((path,), limit)
        if path not in self._known:
            what = f"the index in `{self.name}` has no `{path}`"
            raise FetchError(what, data={"status": 404})
        if len(self._known[path]) > limit:
            raise FetchError(f"`{path}` in `{self.name}` is longer than {limit} bytes")
        return self._known[path]

    def read_all(self, paths: Sequence[str], limit: int) -> None:
        """Read files ahead, all over one connection; those that are not there are left out.

        Raises:
            FetchError: the host cannot be reached.
        """
        script = f"for f in {' '.join(paths)}; do show $f {limit}; done"
        self._known |= self._asked(script, f"files of `{self.name}` cannot be read")

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other writers out (SPEC PUB-15).

        Raises:
            FetchError: the host cannot be reached.
            InstallError: another writer does not end.
        """
        mine = f"ssh-{self._token}"
        end = time.monotonic() + PATIENCE
        script = f"ln -s {mine} {LOCK} 2>/dev/null || {{ readlink {LOCK}; exit {_TAKEN}; }}"
        while (done := self._ask(f"{script}\n{_SHOW}\n{_HEAD}")).code == _TAKEN:
            if time.monotonic() > end:
                by = done.stdout.decode("utf-8", "replace").strip()
                raise being_written(f"{self.name}/{LOCK}", by)
            time.sleep(1.0)
        self._succeed(done, f"the index in `{self.name}` cannot be locked")
        self._known = shown(done.stdout, self.name)
        try:
            yield
        finally:
            script = f'[ "$(readlink {LOCK})" = {mine} ] && rm -f {LOCK}'
            self._ask(f"rm -rf {self._incoming}; {script}")

    def write(self, files: Sequence[File], gone: Sequence[str], base: bytes) -> None:
        """Write files in their order, then remove some (SPEC PUB-16, PUB-17).

        Raises:
            FetchError: the host cannot be reached, or refused.
            InstallError: another wrote meanwhile.
        """
        there = self._there([file.path for file in files if file.path.startswith(IMMUTABLE)])
        fresh = [file for file in files if file.path not in there]
        stage = disk.make_stage(self._scratch)
        try:
            _lay_out(stage.path, fresh, base)
            self._send(stage.path)
        finally:
            stage.close()
        done = self._ask(self._script([file.path for file in fresh], gone, base))
        if done.code == _CHANGED:
            raise changed_meanwhile(self.name)
        self._succeed(done, f"the index in `{self.name}` cannot be written")
        self._known |= {file.path: file.data for file in files if file.data}
        for one in gone:
            self._known.pop(one, None)

    def _script(self, paths: Sequence[str], gone: Sequence[str], base: bytes) -> str:
        """Return what the other side does with what it got."""
        new = self._incoming
        same = f"cmp -s {new}/base {TIMESTAMP}" if base else f"[ ! -e {TIMESTAMP} ]"
        folders = sorted({os.path.dirname(path) for path in paths})
        lines = [f"{same} || {{ rm -rf {new}; exit {_CHANGED}; }}", "set -e"]
        lines += [f"mkdir -p {' '.join(folders)}"] if folders else []
        lines += [f"chmod -R u=rwX,go=rX {new}"]
        lines += [f"mv -f {new}/{path} {path}" for path in paths]
        lines += [f"rm -f {path}" for path in gone]
        return "\n".join([*lines, f"rm -rf {new}"])

    @property
    def _incoming(self) -> str:
        return f".incoming-{self._token}"

    def _there(self, paths: Sequence[str]) -> set[str]:
        """Return those of the paths that exist there."""
        script = "\n".join(f"[ -f {path} ] && echo {path}" for path in paths)
        done = self._ask(f"{script}\ntrue")
        self._succeed(done, f"`{self.name}` cannot be listed")
        return set(done.stdout.decode("ascii", "replace").split())

    def _send(self, folder: str) -> None:
        """Copy a folder to the other side, by rsync where both have it, else by scp."""
        target = f"{self.host}:{self.path.rstrip('/')}/{self._incoming}"
        ssh = " ".join(shlex.quote(word) for word in (_tool("ssh"), *_OPTIONS, *self._port))
        if rsync := shutil.which("rsync"):
            done = _run([rsync, "-rt", "-e", ssh, f"{folder}/", target])
            if done.code == 0:
                return
            self._ask(f"rm -rf {self._incoming}")  # `scp` would copy into what is half there
        words = [_tool("scp"), "-q", "-r", *_OPTIONS, *self._port, folder, target]
        self._succeed(_run(words), f"files cannot be sent to `{self.name}`")

    def _asked(self, script: str, what: str) -> dict[str, bytes]:
        """Return the files that a script shows."""
        done = self._ask(f"{_SHOW}\n{script}")
        self._succeed(done, what)
        return shown(done.stdout, self.name)

    def _ask(self, script: str) -> Outcome:
        """Run a script in the index's folder on the other side."""
        command = f"cd {self.path} && exec sh -s"
        words = [_tool("ssh"), *_OPTIONS, *self._port, self.host, command]
        return _run(words, script.encode())

    def _succeed(self, done: Outcome, what: str) -> None:
        if done.code == 0:
            return
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        if done.code == _UNREACHED:
            what = f"`{self.host}` cannot be reached by ssh"
        raise FetchError(what, why=said[-3:], hint=f"see that `ssh {self.host}` works by itself")


def place(session: Session, text: str) -> Place:
    """Return where an index is: a folder, `ssh://[USER@]HOST[:PORT]/PATH` or `[USER@]HOST:PATH`.

    Raises:
        UsageError: the text names no such place, or `ssh` may not be used offline.
    """
    host, port, path = _split(text)
    if not host:
        return Folder(os.path.abspath(path))
    if not _HOST.fullmatch(host) or not _PATH.fullmatch(path) or path.startswith("-"):
        raise UsageError(
            f"`{text}` is not a place that crpack publishes to",
            why=["host and path are made of letters, digits and `._-/~@+=,` there"],
        )
    if session.config.flag("offline"):
        raise FetchError(f"`{text}` is on another machine, and crpack is offline")
    return Remote(host, port, path, f"{session.homes.cache}/stage")


def _split(text: str) -> tuple[str, int, str]:
    """Return host, port and path; no host for a folder here."""
    if text.startswith("ssh://"):
        try:
            parts = urlsplit(text)
            return parts.netloc.rpartition(":")[0] if parts.port else parts.netloc, \
                parts.port or 0, parts.path  # fmt: skip
        except ValueError as error:
            raise UsageError(f"`{text}` is not an address", why=[str(error)]) from error
    if "://" in text:
        raise UsageError(
            f"`{text}` cannot be published to",
            hint="use a folder, `HOST:PATH` or `ssh://HOST/PATH`",
        )
    host, colon, path = text.partition(":")
    return (host, 0, path) if colon and "/" not in host else ("", 0, text)


def _lay_out(folder: str, files: Sequence[File], base: bytes) -> None:
    """Lay files out as they travel; archives as copies, held against their digests (PUB-16)."""
    disk.write_file(f"{folder}/base", [base])
    for file in files:
        path = f"{folder}/{file.path}"
        disk.make_folders(os.path.dirname(path))
        if file.origin:
            disk.write_file(path, copied(file))
        else:
            disk.write_file(path, [file.data])


def shown(data: bytes, name: str) -> dict[str, bytes]:
    """Return the files that `show` wrote on the other side, by path.

    Raises:
        FetchError: the answer is something else, or cut off.
    """
    found: dict[str, bytes] = {}
    at = 0
    while at < len(data):
        start = data.find(b"\n", at) + 1
        path, _, size = data[at:start].rstrip().partition(b" ")
        at = start + int(size) if size.isdigit() and len(size) <= _DIGITS else 0
        if not 0 < start <= at <= len(data):
            raise FetchError(
                f"`{name}` answers with something else than files",
                hint="see that its shell prints nothing when `ssh` runs a command",
            )
        found[path.decode("ascii", "replace")] = data[start:at]
    return found


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise UsageError(f"`{name}` was not found on PATH", hint="install the OpenSSH client")
    return found


def _run(words: Sequence[str], stdin: bytes | None = None) -> Outcome:
    kept = {key: os.environ[key] for key in _KEPT if key in os.environ}
    limits = Limits(wall_s=6 * 3600.0)
    return run(words, cwd="/", env=kept, limits=limits, stdin=stdin)
