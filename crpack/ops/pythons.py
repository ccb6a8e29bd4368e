"""Python for a solution: choose an interpreter, lock wheels for it, make the environment.

Rules (SPEC PYE):
- The interpreter is the one that the settings name, else crpack's own, else the first detected
  one that the components' ranges admit.
- Locking asks the user's configured index; installing reads crpack's cache of wheels only.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Literal

from crpack import disk
from crpack.errors import InstallError, NoSolution
from crpack.install.python import environment, tools
from crpack.install.python.lock import Located, lock_wheels
from crpack.install.python.wheels import WheelCache
from crpack.model import versions
from crpack.ops.progress import News

if TYPE_CHECKING:
    from crpack.install.python.tools import Interpreter
    from crpack.install.transaction import Transaction
    from crpack.model.facts import Facts
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
        if all(versions.parse_range(text).admits(found.version) for text in ranges):
            return found
        seen.append(f"`{path}` is Python {found.version}")
    raise NoSolution(
        f"no Python {' and '.join(ranges) or 'interpreter'} was found",
        why=seen or ["there is no Python interpreter on this machine"],
        hint="install one, or name one with the setting `python` (CRPACK_PYTHON)",
    )


def lock(
    session: Session, requires: tuple[str, ...], interpreter: Interpreter
) -> tuple[Located, ...]:
    """Return the wheels that satisfy requirements on an interpreter.

    Raises:
        NoSolution: none do.
        FetchError: the index cannot be reached.
    """
    root = f"{session.homes.cache}/stage"
    disk.sweep(root)
    stage = disk.make_stage(root)
    try:
        return lock_wheels(
            requires,
            interpreter,
            tool=tools.find_tool(interpreter, os.environ),
            cache=_cache(session),
            transport=session.transport(),
            folder=stage.path,
            environ=os.environ,
        )
    finally:
        stage.close()


def make(
    session: Session,
    transaction: Transaction,
    interpreter: Interpreter,
    located: tuple[Located, ...],
    tell: Tell,
) -> str:
    """Make the environment of an interpreter and wheels, and return its digest.

    Raises:
        FetchError: a wheel cannot be had.
        InstallError: the environment cannot be made.
    """
    wheels = tuple(one.wheel for one in located)
    digest = environment.digest_of(interpreter, wheels)
    transaction.pin_environment(digest)
    if environment.is_complete(session.prefix, digest):
        return digest
    cache = _cache(session)
    missing = [wheel for wheel in wheels if not cache.has(wheel)]
    if missing:
        _fetch(session, cache, located, sum(wheel.size for wheel in missing), tell)
    tell(News("Making", f"a Python environment of {len(wheels)} distributions"))
    return environment.make(
        session.prefix,
        interpreter,
        wheels,
        cache=cache,
        tool=tools.find_tool(interpreter, os.environ),
        folder=transaction.folder(),
        environ=os.environ,
    )


def standing(
    session: Session, interpreter: Interpreter, located: tuple[Located, ...]
) -> Literal["stored", "make"]:
    """Say whether the environment is there already."""
    digest = environment.digest_of(interpreter, tuple(one.wheel for one in located))
    return "stored" if environment.is_complete(session.prefix, digest) else "make"


def is_cached(session: Session, located: Located) -> bool:
    """Say whether a wheel is in the cache."""
    return _cache(session).has(located.wheel)


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
