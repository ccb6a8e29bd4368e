"""Python for a solution: choose an interpreter, lock wheels for it, make the environment.

Rules (SPEC PYE):
- The interpreter is the one that the settings name, else crpack's own, else the first detected
  one that the components' ranges admit.
- Wheels for another machine are chosen and fetched here; its environment is made there.
- Locking asks the user's configured index; installing reads crpack's cache of wheels only, or the
  bundle that is installed. Wheels are held against what signed recipes ask for, whoever locked.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from crpack import disk
from crpack.errors import InstallError, NoSolution
from crpack.install.python import environment, exact, metadata, pins, tools
from crpack.install.python.chooser import Chooser
from crpack.install.python.lock import Located, lock_wheels
from crpack.install.python.target import Target
from crpack.install.python.wheels import WheelCache
from crpack.model import platforms, versions
from crpack.ops.progress import News

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import BinaryIO

    from crpack.install.python.tools import Interpreter, Tool
    from crpack.install.transaction import Transaction
    from crpack.model.facts import Facts
    from crpack.model.lock import Lock, LockedTarget, Wheel
    from crpack.model.platforms import Platform
    from crpack.ops.needs import Needs
    from crpack.ops.progress import Tell
    from crpack.session import Session


def choose(session: Session, facts: Facts, ranges: tuple[str, ...]) -> Interpreter:
    """Return the interpreter for a solution's environment.

    Args:
        session: for the setting `python`.
        facts: with the interpreters that were detected.
        ranges: what the components ask of Python.

    Raises:
        NoSolution: no interpreter lies in every range.
        InstallError: the one that the settings name does not work.
    """
    named = session.config.text("python")
    if named:
        paths = [named]
    else:
        own = getattr(sys, "_base_executable", None) or sys.executable
        paths = [own, *(found.path for found in facts.all("python"))]
    seen = []
    for path in dict.fromkeys(paths):
        try:
            found = tools.ask(path, os.environ)
        except InstallError:
            if named:
                raise
            continue
        if _admitted(found.version, ranges):
            return found
        seen.append(f"`{path}` is Python {found.version}")
    raise NoSolution(
        f"no Python {' and '.join(ranges) or 'interpreter'} was found",
        why=seen or ["there is no Python interpreter on this machine"],
        hint="install one, or name one with the setting `python` (CRPACK_PYTHON)",
    )


def elsewhere(
    session: Session, here: Facts, there: Facts, platform: Platform, ranges: tuple[str, ...]
) -> Target:
    """Return what wheels for another machine are chosen for (SPEC PYE-09).

    Its Python is the newest one of its facts that the ranges admit. Facts without Python say
    nothing: then it is the minor version that this machine would take.

    Args:
        session: for this machine's interpreter.
        here: facts of this machine.
        there: facts of the other one.
        platform: of the other one.
        ranges: what the components ask of Python.

    Raises:
        NoSolution: no Python of the facts, or else of this machine, lies in every range.
    """
    if platform.os == "macos" and not platform.floor:
        raise NoSolution(
            f"which wheels fit `{platform}` depends on its floor, and none is stated",
            hint=f"state the oldest system to run on: `{platform}-11.0`",
            rule="PYE-09",
        )
    known = [one.version for one in there.all("python") if one.version]
    if not known:
        return Target(platform, minor(choose(session, here, ranges).version))
    admitted = [text for text in known if _admitted(text, ("", *ranges))]
    if not admitted:
        raise NoSolution(
            f"no Python {' and '.join(ranges)} is among the facts of `{platform}`",
            why=[f"there is Python {', '.join(known)}"],
        )
    return Target(platform, minor(max(admitted, key=versions.parse)))


def minor(version: str) -> str:
    """Return the minor version of a Python: `3.11` of `3.11.7`."""
    return ".".join(version.split(".")[:2])


def _admitted(version: str, ranges: tuple[str, ...]) -> bool:
    return all(versions.parse_range(text).admits(version) for text in ranges)


def lock(
    session: Session,
    requires: tuple[str, ...],
    interpreter: Interpreter,
    target: Target | None = None,
) -> tuple[Located, ...]:
    """Return the wheels that satisfy requirements on an interpreter, or on another machine.

    Raises:
        NoSolution: none do.
        FetchError: the index cannot be reached.
    """
    with _chooser(session, interpreter, target) as chooser:
        return lock_wheels(requires, chooser, cache=_cache(session), transport=session.transport())


@contextmanager
def _chooser(
    session: Session, interpreter: Interpreter, target: Target | None
) -> Iterator[Chooser]:
    """Give the user's tool a private folder for as long as it is asked."""
    root = f"{session.homes.cache}/stage"
    disk.sweep(root)
    stage = disk.make_stage(root)
    try:
        tool = _chooses(interpreter, target)
        yield Chooser(tool, interpreter, folder=stage.path, environ=os.environ, target=target)
    finally:
        stage.close()


def _chooses(interpreter: Interpreter, target: Target | None) -> Tool:
    """Return who chooses: pip before uv, which passes over the upper end of `Requires-Python`.

    What uv chooses may so be refused where it is installed (SPEC PYE-02, PYE-10).
    """
    try:
        return tools.find_tool(interpreter, {})  # without PATH there is only pip
    except InstallError:
        if target is not None and not target.uv:
            raise
        return tools.find_tool(interpreter, os.environ)


def locate(
    session: Session,
    wheels: tuple[Wheel, ...],
    known: Mapping[str, Located],
    interpreter: Interpreter,
    target: Target | None = None,
) -> tuple[Located, ...]:
    """Return the wheels of a lock with the addresses that they have now (SPEC PYE-08).

    Only those are asked for that are not in the cache and whose address nobody knows.

    Args:
        session: for the cache and the tools.
        wheels: as the lock has them.
        known: by digest, with addresses found before.
        interpreter: which they are for, unless there is a target.
        target: another machine, which they are for.

    Raises:
        FetchError: the user's index cannot be reached, or has other files.
    """
    found = {one.sha256: known.get(one.sha256, Located(one, "")) for one in wheels}
    cache = _cache(session)
    lacking = [one.wheel for one in found.values() if not one.url and not cache.has(one.wheel)]
    if lacking and not session.config.flag("offline"):
        with _chooser(session, interpreter, target) as chooser:
            found |= {one.wheel.sha256: one for one in pins.locate(lacking, chooser)}
    return tuple(found.values())


def gather(
    session: Session,
    lock: Lock,
    target: LockedTarget,
    *,
    known: Mapping[str, Located],
    facts: Facts,
    tell: Tell,
) -> tuple[tuple[Wheel, str], ...]:
    """Return the wheels of a target of a lock with their files in the cache, fetched if need be.

    Args:
        session: for the cache and the tools.
        lock: with the wheels.
        target: whose wheels are wanted; this machine or another.
        known: by digest, with addresses found before.
        facts: of this machine.
        tell: takes the news.

    Raises:
        FetchError: one cannot be had.
        NoSolution: no interpreter of this machine can be asked.
    """
    wheels = tuple(wheel for wheel in lock.wheel if wheel.sha256 in target.wheels)
    if not wheels:
        return ()
    interpreter, version = choose(session, facts, ()), minor(target.python)
    same = (target.platform, version) == (facts.platform, minor(interpreter.version))
    other = None if same else Target(platforms.parse(target.platform), version)
    located = locate(session, wheels, known, interpreter, other)
    cache = _cache(session)
    _fetch(session, cache, located, sum(wheel.size for wheel in wheels), tell)
    return tuple((wheel, cache.path(wheel)) for wheel in wheels)


def stated(target: LockedTarget) -> tuple[tuple[str, str], ...]:
    """Return the environment of markers that a target of a lock was made for."""
    found = Target(platforms.parse(target.platform), minor(target.python)).environment
    exactly = {} if target.python == minor(target.python) else {
        "python_full_version": target.python, "implementation_version": target.python,
    }  # fmt: skip
    return tuple({**dict(found), **exactly}.items())


def unlocated(wheels: Iterable[Wheel]) -> tuple[Located, ...]:
    """Return wheels whose addresses nobody knows yet."""
    return tuple(Located(wheel, "") for wheel in wheels)


def make(session: Session, transaction: Transaction, needs: Needs, tell: Tell) -> str:
    """Make the environment that a solution needs, and return its digest; empty for none.

    Raises:
        FetchError: a wheel cannot be had.
        TrustError: the wheels are not those that signed recipes ask for.
        InstallError: the environment cannot be made.
    """
    interpreter = needs.interpreter
    if interpreter is None:
        return ""
    wheels = tuple(one.wheel for one in needs.wheels)
    digest = _digest(interpreter, needs)
    transaction.pin_environment(digest)
    if environment.is_complete(session.prefix, digest):
        return digest
    if needs.carried is not None:
        cache = needs.carried.unpacked(wheels, transaction.folder())
    else:
        cache = _cache(session)
        missing = [wheel for wheel in wheels if not cache.has(wheel)]
        if missing:
            _fetch(session, cache, needs.wheels, sum(wheel.size for wheel in missing), tell)
    judge(needs, cache.open)
    tell(News("Making", f"a Python environment of {len(wheels)} distributions"))
    return environment.make(
        session.prefix,
        interpreter,
        wheels,
        cache=cache,
        tool=tools.find_tool(interpreter, os.environ),
        folder=transaction.folder(),
        environ=os.environ,
        vouched=needs.vouched,
    )


def judge(needs: Needs, opened: Callable[[Wheel], BinaryIO]) -> None:
    """See that wheels are exactly what signed recipes ask for, by their metadata (SPEC PYE-10).

    Raises:
        TrustError: one is not what the lock says, or too many or lacking.
    """
    if needs.interpreter is None or not (needs.wheels or needs.own):
        return
    found = []
    for one in needs.wheels:
        with opened(one.wheel) as stream:
            found.append(metadata.read(stream, one.wheel))
    here = tools.markers(needs.interpreter.path, os.environ)
    machines = (here, needs.stated) if needs.stated else (here,)
    exact.check(found, own=needs.own, every=needs.every, machines=machines)


def standing(session: Session, needs: Needs) -> Literal["", "stored", "make"]:
    """Say whether the environment is there already; empty where none is needed."""
    if needs.interpreter is None:
        return ""
    digest = _digest(needs.interpreter, needs)
    return "stored" if environment.is_complete(session.prefix, digest) else "make"


def is_here(session: Session, needs: Needs, located: Located) -> bool:
    """Say whether a wheel is in the cache, or in the bundle that is installed."""
    return needs.carried is not None or _cache(session).has(located.wheel)


def _digest(interpreter: Interpreter, needs: Needs) -> str:
    wheels = tuple(one.wheel for one in needs.wheels)
    return environment.digest_of(interpreter, wheels, vouched=needs.vouched)


def _cache(session: Session) -> WheelCache:
    return WheelCache(session.homes.cache)


def _fetch(
    session: Session, cache: WheelCache, located: tuple[Located, ...], total: int, tell: Tell
) -> None:
    done = 0

    def report(count: int) -> None:
        nonlocal done
        done += count
        tell(News("Fetching", "Python distributions", done, total))

    tell(News("Fetching", "Python distributions", 0, total))
    places = {one.wheel.sha256: one.url for one in located}
    wheels = [one.wheel for one in located]
    cache.fetch(session.transport(), wheels, places, report)
