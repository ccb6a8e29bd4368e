"""Asking a program what it is, by running it.

Rules (SPEC DET-06, DET-09):
- argv, no shell, empty input, an environment of its own, 5 seconds, 64 KiB, at sandbox level L2
  where the kernel can: a program that is asked for its version has no reason to write.
- Of hidden folders it sees itself and its installation, as a build that uses it does.
- Only files of this machine's kind are run, by the name they were found under: a dispatcher
  decides by it. A file for another machine is a finding that cannot be run.
- A script is run only when its interpreter may be (SPEC DET-02).
- macOS's stand-ins in /usr/bin open a dialog where the developer tools are not installed; they
  are not run then.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from crpack.binary.image import Image
from crpack.detect import path as paths
from crpack.detect import probes
from crpack.detect.evidence import same_machine
from crpack.errors import CrpackError
from crpack.model.facts import Found
from crpack.process import installation
from crpack.process.environment import clean
from crpack.process.launcher import Launcher
from crpack.process.run import Limits, run
from crpack.process.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from crpack.detect.path import File
    from crpack.detect.plan import Candidate
    from crpack.process.run import Outcome

# What a probe may use (SPEC DET-06).
LIMITS = Limits(
    wall_s=5.0,
    cpu_s=5,
    file_bytes=1,
    processes=64,
    output_bytes=64 * 1024,
    memory_bytes=2 * 2**30,
)
MAX_WORD = 40  # characters of an argument that evidence shows

_NOT_STARTED = (126, 127)  # status: it, or a library of it, could not be loaded
_HOME = "/nonexistent"  # nothing of the user's is read or written


class Passing(str):
    """Why a program does not count this time: it did not get to answer, and may the next."""

    __slots__ = ()


class Late(Passing):
    """It took too long: that is believed for a day, for it costs as long every time."""

    __slots__ = ()


def ask_all(
    candidates: list[Candidate], path: tuple[str, ...], walls: Sandbox
) -> list[Found | str]:
    """Return for each candidate, in order, what it is, or why it is nothing (SPEC DET-06).

    Args:
        candidates: whom to ask; several are asked at a time.
        path: folders that they may look for other programs in.
        walls: the sandbox around them.
    """
    from concurrent.futures import ThreadPoolExecutor

    env = tuple(clean({}, home=_HOME, tmp=_HOME, path=path).items())
    with Launcher() as launcher, ThreadPoolExecutor(2 * (os.cpu_count() or 1)) as pool:
        asker = _Asker(paths.own_image(), paths.Trust(os.getuid()), env, walls, launcher)
        try:
            return list(pool.map(asker.ask, candidates))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def seen_all(candidates: list[Candidate]) -> list[Found | str]:
    """Return for each candidate, in order, what is known without running it (SPEC DET-15)."""
    own, trust = paths.own_image(), paths.Trust(os.getuid())
    return [_seen(one, own, trust) for one in candidates]


def _seen(one: Candidate, own: Image | None, trust: paths.Trust) -> Found | str:
    """Return what is known of a file before it is run, or why it must not be: no version."""
    image = paths.read_image(one.file.realpath)
    refused = one.file.distrust or ("" if image else script(one.file, trust))
    refused = refused or stand_in(one.file, sys.platform, os.path.exists)
    if refused:
        return refused
    platform = image.platform if image else ""
    here = not (image and own) or runs(image, own)
    return Found(
        name=probes.name(one.probe),
        path=one.file.path,
        realpath=one.file.realpath,
        platform=platform,
        how="a file on PATH that was not run" if here else f"the file is for `{platform}`",
        size=one.file.stamp[2],
        mtime_ns=one.file.stamp[3],
        runnable=here,
        notes=(("prefix", prefix),) if (prefix := place(one)) else (),
    )


@dataclass(frozen=True, slots=True)
class _Asker:
    """What all programs of one scan are run with."""

    own: Image | None
    trust: paths.Trust
    env: tuple[tuple[str, str], ...]
    walls: Sandbox
    launcher: Launcher

    def ask(self, one: Candidate) -> Found | str:
        """Return what one candidate is, or why it is nothing."""
        seen = _seen(one, self.own, self.trust)
        if isinstance(seen, str) or not seen.runnable:
            return seen
        try:
            return self._answer(one, seen)
        except CrpackError as error:
            return Passing("; ".join((error.what, *error.why)))

    def _answer(self, one: Candidate, found: Found) -> Found | str:
        outcome = self._run(one, one.probe.args)
        if outcome.timed_out:
            seconds = f"{LIMITS.wall_s:g} seconds"
            return Late(f"it did not answer within {seconds}; `crpack detect --refresh` asks again")
        answer = probes.judge(one.probe, outcome.code, outcome.stdout, outcome.stderr)
        if answer.refused:
            stopped = outcome.code < 0 or outcome.code in _NOT_STARTED
            return Passing(answer.refused) if stopped else answer.refused
        notes = dict(answer.notes)
        if prefix := notes.get("prefix") or self._prefix(one):
            notes["prefix"] = prefix
        return replace(
            found,
            version=answer.version,
            raw=answer.raw,
            target=self._target(one, outcome),
            how=_how(one),
            notes=tuple(sorted(notes.items())),
        )

    def _target(self, one: Candidate, outcome: Outcome) -> str:
        """Return the target triple of a compiler, whose first answer may hold it (SPEC PRB-02)."""
        asked = one.probe.target
        same = asked == one.probe.args
        return probes.triple((outcome if same else self._run(one, asked)).stdout) if asked else ""

    def _prefix(self, one: Candidate) -> str:
        """Return the folder that a program is installed in: as it prints it, or by its place."""
        if one.probe.prefix:
            return probes.folder(self._run(one, one.probe.prefix).stdout)
        return place(one)

    def _run(self, one: Candidate, args: tuple[str, ...]) -> Outcome:
        base = installation.user_base(one.file.path)
        own = {"PYTHONUSERBASE": base} if base else {}
        return run(
            (one.file.path, *args),
            cwd="/",
            env={**dict(self.env), **own},
            limits=LIMITS,
            sandbox=self.walls.reading(*installation.around(one.file.path)),
            launcher=self.launcher,
        )


def place(one: Candidate) -> str:
    """Return the folder above the `bin` that a program lies in; a dispatcher's tells nothing."""
    real = os.path.realpath(one.behind) if one.behind else one.file.realpath
    folder = os.path.dirname(real)
    known = one.behind != "" and any(probes.genuine(probe, real) for probe in one.kin)
    return os.path.dirname(folder) if known and os.path.basename(folder) in ("bin", "sbin") else ""


def script(file: File, trust: paths.Trust) -> str:
    """Say why a file that is no image must not be run; empty for a script of trust (DET-02)."""
    words = installation.interpreter(installation.head(file.realpath))
    if not words:
        return "it is neither a program of a known format nor a script"
    behind = trust.file(words[0]) if os.path.isabs(words[0]) else None
    if behind is None:
        return f"its interpreter `{words[0]}` is not there"
    return behind.distrust


def stand_in(file: File, system: str, exists: Callable[[str], bool]) -> str:
    """Say why a program of macOS must not be run: it would ask to install the real one."""
    tools = ("/Library/Developer/CommandLineTools", "/var/db/xcode_select_link")
    if (
        system != "darwin"
        or os.path.dirname(file.realpath) != "/usr/bin"
        or any(map(exists, tools))
    ):
        return ""
    return "it stands for a developer tool that is not installed (`xcode-select --install`)"


def runs(image: Image, own: Image) -> bool:
    """Say whether a file is of this process's kind, and what loads it is there (SPEC DET-09)."""
    loaded = not image.interpreter or os.path.exists(image.interpreter)
    return same_machine(image, own) and loaded


def _how(one: Candidate) -> str:
    words = [os.path.basename(one.file.path), *one.probe.args]
    text = " ".join(word if len(word) <= MAX_WORD else "…" for word in words)
    return f"exec `{text}`"
