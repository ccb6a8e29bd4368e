"""Where a solution's programs run: chosen by the user's word, else by what they are for.

Rules (SPEC EXE-01, EXE-03, ELS-05):
- Without a word they run on this machine: as they are, or under an emulator that is found.
- Another machine is used only when it is named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack.detect import machine
from crpack.errors import CheckFailed, FetchError, RunFailed, UsageError
from crpack.make import emulators
from crpack.ops import detection, elsewhere
from crpack.work.executors import adb, ssh
from crpack.work.executors.emulator import Emulated
from crpack.work.executors.far import Far
from crpack.work.executors.local import Local

if TYPE_CHECKING:
    from crpack.install.generations import Generation
    from crpack.ops.acting import Request
    from crpack.session import Session
    from crpack.work.executors.errand import Executor

_WORDS = ("local", "emulator", "ssh", "adb")


def choose(
    session: Session, generation: Generation, request: Request, kind: type[RunFailed | CheckFailed]
) -> Executor:
    """Return where the programs of a generation run.

    Args:
        session: for what this machine has.
        generation: whose programs they are.
        request: with the user's word: `local`, `emulator`, `ssh:HOST`, `adb[:SERIAL]`, or none.
        kind: class of the error for programs that do not run here.

    Raises:
        UsageError: the word names no executor.
        FetchError: the machine is reached by the network, and crpack is offline.
        RunFailed, CheckFailed: they do not run here.
    """
    word, colon, rest = request.executor.partition(":")
    if word == "ssh":
        if session.config.flag("offline"):
            raise FetchError(f"`{rest}` is reached by the network, and crpack is offline")
        return Far(ssh.line(rest), request.listen)
    if word == "adb":
        return Far(adb.line(rest), request.listen)
    if colon or word not in ("", *_WORDS):
        why = ["it is one of " + ", ".join(f"`{one}`" for one in _WORDS)]
        hint = "write `local`, `emulator`, `ssh:HOST`, `adb` or `adb:SERIAL`"
        raise UsageError(f"`{request.executor}` is no executor", why=why, hint=hint, rule="EXE-01")
    if word != "emulator" and elsewhere.is_here(generation.record.platform):
        return Local(request.listen)
    if word == "local":
        raise not_here(generation, kind)
    return _emulated(session, generation, request, kind)


def _emulated(
    session: Session, generation: Generation, request: Request, kind: type[RunFailed | CheckFailed]
) -> Executor:
    target = elsewhere.base(generation.record.platform)
    if target is None:
        raise not_here(generation, kind)
    facts = detection.facts(session)[0]
    found = emulators.find(facts, target, os_release=machine.os_release())
    if found.missing:
        raise not_here(generation, kind, found.missing)
    if found.argv:
        return Emulated(found, request.listen)
    if request.executor:
        what = f"programs for `{target}` run on this machine as they are"
        raise UsageError(what, hint="leave `--executor` out", rule="EXE-03")
    return Local(request.listen)


def not_here(
    generation: Generation, kind: type[RunFailed | CheckFailed], missing: str = ""
) -> RunFailed | CheckFailed:
    """Return the error for a solution whose programs this machine does not run (SPEC ELS-05)."""
    record = generation.record
    why = [f"this machine is `{detection.platform()}`"]
    return kind(
        f"`{record.name}` is installed for `{record.platform}`, and its programs do not run here",
        why=[*why, missing] if missing else why,
        hint="run it on such a machine: `--executor ssh:HOST`, or copy the prefix there",
        rule="ELS-05",
    )
