"""Another machine as a place where programs run, reached by a line such as ssh or adb.

Rules (SPEC EXE-04 to EXE-07):
- Trees are sent once, under their digests, and stay there; all else lies in a folder of the run,
  which is removed at the end, as are its programs.
- All that is asked of the other side is a script for its `sh`, each word of it quoted.
- What comes back is hostile: one tar of at most `MAX_FETCHED_BYTES` bytes, unpacked as any
  foreign archive into the run folder.
- Its programs get nothing of this machine: no variable, no file, no standard input.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from crpack import disk
from crpack.errors import ArchiveError, CheckFailed, CrpackError, FetchError, FormatError, RunFailed
from crpack.fetch.unpack import Caps, unpack
from crpack.model.limits import MAX_FETCHED_BYTES, MIB
from crpack.process.environment import SYSTEM_PATH
from crpack.process.run import Limits, run
from crpack.work.action import INPUT
from crpack.work.executors import answers, packing, terminal
from crpack.work.executors.errand import Ended, Ground

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from crpack.process.run import Outcome
    from crpack.work.executors.errand import Errand

_PIECE = 32 * MIB  # bytes that one connection carries
_TALK = MIB  # bytes of an answer that is no file
_PATIENCE = 6 * 3600.0  # seconds that sending a piece, or fetching, may take
_STALE_DAYS = 12  # after which a run has ended, since no action may take so long
_STATUS = re.compile("[0-9]{1,3}", re.ASCII)
_SHOWN = 3  # last lines of a failure that are told

# First what the machine is, then where things go, then which trees are there.
_HELLO = """\
uname -s; uname -m
base={base}; echo "$base"
find "$base/runs" -mindepth 1 -maxdepth 1 -mtime +{days} -exec rm -rf {{}} + >/dev/null 2>&1
ls "$base/store" 2>/dev/null; true"""
# A program of the run: leader of its session, so that all of it can be ended by one number.
_START = """\
umask 077
cd {run}/run || exit 127
echo $$ > ../pid
rm -f ../code
env -i {env} sh -c 'exec "$0" "$@"' {argv}
code=$?
times > ../times
echo $code > ../code
exit $code"""
_END = """\
cd {base} || exit 0
read -r leader < runs/{token}/pid 2>/dev/null
case $leader in ""|*[!0-9]*|0|1) ;; *) kill -9 "-$leader" 2>/dev/null ;; esac
rm -rf runs/{token} runs/{token}.tar"""


class Line(Protocol):
    """How another machine is reached."""

    @property
    def name(self) -> str:
        """Its name in records."""

    @property
    def place(self) -> str:
        """How people call the machine."""

    @property
    def trial(self) -> str:
        """A command for the user to try the line with."""

    @property
    def base(self) -> str:
        """Folder of crpack there, as a word of its shell."""

    @property
    def path(self) -> tuple[str, ...]:
        """Folders of programs there, beside the usual ones."""

    @property
    def env(self) -> Mapping[str, str]:
        """The environment of the line's own program."""

    def words(self, script: str, *, feed: bool) -> list[str]:
        """Return the argv that runs a script there; with `feed` it gets standard input."""


@dataclass(frozen=True, slots=True)
class Far:
    """Another machine.

    Attributes:
        line: how it is reached.
        listen: keep the last lines of a program.
    """

    line: Line
    listen: bool = False

    @property
    def name(self) -> str:
        """Its name in records."""
        return self.line.name

    @property
    def here(self) -> bool:
        """Programs run elsewhere."""
        return False

    def words(self, argv: Sequence[str]) -> tuple[str, ...]:
        """Return how a program is started: by the line."""
        return tuple(self.line.words(shlex.join(argv), feed=False))

    @contextlib.contextmanager
    def visit(self, errand: Errand) -> Iterator[Away]:
        """Send what is not there yet, and take away what the run left.

        Raises:
            RunFailed: the solution cannot be sent, or is for another platform.
            FetchError: the machine cannot be reached.
        """
        if errand.bound:
            raise RunFailed(
                f"`{errand.name}` cannot be sent to {self.line.place}",
                why=[f"it uses {one}, which stays on this machine" for one in errand.bound],
                hint="install it there, and run it there; `--no-detect` installs without what is "
                "this machine's own",
                rule="EXE-04",
            )
        away = Away(self, errand, f"{os.urandom(8).hex()}")
        try:
            away.arrive()
            yield away
        finally:
            away.leave()


class Away:
    """One run on another machine."""

    def __init__(self, far: Far, errand: Errand, token: str) -> None:
        """Take an errand; nothing is opened yet."""
        self._far = far
        self._errand = errand
        self._token = token
        self._base = ""
        self._folder = ""
        self._places: dict[str, str] = {}

    @property
    def ground(self) -> Ground:
        """The folder of the run is all that its programs call their own."""
        path = (*self._far.line.path, *SYSTEM_PATH)
        return Ground(home=f"{self._folder}/home", tmp=f"{self._folder}/scratch", path=path)

    def at(self, path: str) -> str:
        """Return where something of the errand is there."""
        return self._places[path]

    def back(self, text: str) -> str:
        """Return a path in the run folder as it is here."""
        own = f"{self._folder}/run/"
        return f"{self._errand.folder}/{text[len(own) :]}" if text.startswith(own) else text

    def arrive(self) -> None:
        """Ask what is there, and send what is not.

        Raises:
            RunFailed: the machine is of another platform.
            FetchError: it cannot be reached, or refuses.
        """
        said = self._ask(_HELLO.format(base=self._far.line.base, days=_STALE_DAYS)).stdout
        lines = said.decode("utf-8", "replace").splitlines()
        if len(lines) < 3 or not lines[2].startswith("/") or not lines[2].isprintable():
            raise FetchError(
                f"{self._far.line.place} answers with something else than was asked",
                hint="see that its shell prints nothing when a command is run",
            )
        errand, place = self._errand, self._far.line.place
        answers.check_machine(errand.name, errand.platform, lines[0], lines[1], place)
        self._base, there = lines[2], set(lines[3:])
        self._folder = f"{self._base}/runs/{self._token}"
        self._places = {self._errand.folder: f"{self._folder}/run"}
        for tree in self._errand.trees:
            self._places[tree.root] = f"{self._base}/store/{tree.digest}/files"
            if tree.digest not in there:
                self._send_tree(tree.root, tree.digest)
        for i, path in enumerate(errand.given):
            self._places[path] = f"{self._folder}/given/{i}/{os.path.basename(path)}"

    def give(self, document: bytes) -> None:
        """Make the folder of the run, with the input document and what it names."""
        own = len(self._folder) + 1
        given = {path: self._places[path][own:] for path in self._errand.given}
        files = packing.given(given, ((f"run/{INPUT}", document),))
        self._send(files, self._folder, "mkdir home scratch")

    def run(self, argv: Sequence[str], *, env: Mapping[str, str], timeout_s: float) -> Ended:
        """Run a program there; what it says comes to the user's terminal.

        Raises:
            RunFailed: it did not end in time, or the line broke.
        """
        line = self._far.line
        pairs = " ".join(shlex.quote(f"{key}={value}") for key, value in env.items())
        script = _START.format(run=shlex.quote(self._folder), env=pairs, argv=shlex.join(argv))
        try:
            ended = terminal.run(
                line.words(script, feed=False), cwd="/", env=line.env, timeout_s=timeout_s,
                listen=self._far.listen,
            )  # fmt: skip
        except RunFailed as error:
            error.what = error.what.replace(line.words("", feed=False)[0], argv[0])
            raise
        folder = shlex.quote(self._folder)
        script = f"cd {folder} && cat code times 2>/dev/null; true"
        said = self._ask(script).stdout.decode("ascii", "replace")
        code, _, times = said.partition("\n")
        if not _STATUS.fullmatch(code) or int(code) > 255:
            raise RunFailed(f"{line.place} does not tell how `{argv[0]}` ended", why=ended.said)
        return Ended(int(code), ended.said, cpu_s=answers.cpu_seconds(times))

    def collect(self) -> None:
        """Bring what the programs wrote into the run folder here (SPEC EXE-06).

        Raises:
            CheckFailed: it is more than may be fetched.
            FormatError: it is no tar, or holds what may not be taken.
        """
        folder = shlex.quote(f"{self._folder}/run")
        script = f"cd {folder} && rm -f {INPUT} && tar -cf - ."
        done = self._ask(script, room=MAX_FETCHED_BYTES)
        if done.truncated:
            what = f"the run folder on {self._far.line.place} is too big to be fetched"
            why = [f"it holds more than {MAX_FETCHED_BYTES} bytes"]
            raise CheckFailed(what, why=why, rule="EXE-06")
        stage = disk.make_stage(self._errand.folder)
        try:
            self._take(done.stdout, stage.path)
        except ArchiveError as error:
            what = f"what {self._far.line.place} sent back is refused"
            raise FormatError(what, why=[error.what, *error.why], rule="EXE-06") from error
        finally:
            stage.close()

    def _take(self, data: bytes, stage: str) -> None:
        """Unpack a tar aside; when all of it is sound, it comes into the run folder."""
        disk.write_file(f"{stage}/tar", [data])
        disk.make_folders(f"{stage}/files")
        unpack(f"{stage}/tar", f"{stage}/files", caps=Caps(size=MAX_FETCHED_BYTES))
        names = disk.names(f"{stage}/files")
        for name in names:
            if os.path.lexists(f"{self._errand.folder}/{name}"):
                raise ArchiveError(f"the member `{name}` is there already", rule="EXE-06")
        for name in names:
            disk.rename(f"{stage}/files/{name}", f"{self._errand.folder}/{name}")

    def leave(self) -> None:
        """End what still runs, and remove the folder of the run; a machine that is gone may."""
        if self._base:
            script = _END.format(base=shlex.quote(self._base), token=self._token)
            with contextlib.suppress(CrpackError):
                self._ask(script)

    def _send_tree(self, root: str, digest: str) -> None:
        """Send a component; it gets its name when all of it is there."""
        new, place = f"{self._folder}/{digest}", shlex.quote(f"{self._base}/store/{digest}")
        above = shlex.quote(f"{self._base}/store")
        then = f"mkdir -p {above} && {{ [ -d {place}/files ] || mv {shlex.quote(new)} {place}; }}"
        self._send(packing.tree(root), f"{new}/files", then)

    def _send(self, chunks: Iterable[bytes], folder: str, then: str) -> None:
        """Make a folder there out of a tar, then run another script."""
        place = shlex.quote(folder)
        head = f"umask 077 && mkdir -p {place} && cd {place}"
        last = b""
        for piece in packing.pieces(chunks, _PIECE):
            if last:
                self._ask(f"{head} && cat >> {place}.tar", feed=last)
            last = piece
        end = f"tar -xf {place}.tar && rm {place}.tar && {then}"
        self._ask(f"{head} && cat >> {place}.tar && {end}", feed=last)

    def _ask(self, script: str, *, feed: bytes = b"", room: int = _TALK) -> Outcome:
        """Run a script on the other side.

        Raises:
            FetchError: it cannot be reached, or the script failed.
        """
        line = self._far.line
        limits = Limits(wall_s=_PATIENCE, output_bytes=room)
        words = line.words(script, feed=bool(feed))
        done = run(words, cwd="/", env=line.env, limits=limits, stdin=feed)
        if done.code != 0:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()[-_SHOWN:]
            raise FetchError(
                f"{line.place} cannot be used to run programs",
                why=said or [f"`{line.name}` ended with exit status {done.code}"],
                hint=f"see that `{line.trial}` works by itself",
            )
        return done
