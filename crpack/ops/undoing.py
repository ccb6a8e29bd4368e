"""Undoing: going back to an earlier generation, and removing solutions.

Rules (SPEC GEN-05, GEN-08): going back makes a new generation equal to an old one; removing takes
what only the removed needed. Every failure says whether it changed anything.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack.errors import CrpackError, Interrupted
from crpack.install import collect, generations
from crpack.install import rollback as rollbacks
from crpack.model.dates import utc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crpack.session import Session


@dataclass(frozen=True, slots=True)
class RolledBack:
    """A solution that went back: `restored` is the number of the state that it has again."""

    name: str
    version: str
    generation: int
    restored: int


@dataclass(frozen=True, slots=True)
class Gone:
    """One removed solution; the version of one whose record is damaged is `damaged`."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Removed:
    """What `remove` took away: solutions, and numbers of trees and environments."""

    solutions: tuple[Gone, ...]
    trees: int
    environments: int


@contextmanager
def telling_what_changed() -> Iterator[None]:
    """Make every failure say whether it changed anything."""
    try:
        yield
    except KeyboardInterrupt as error:
        raise Interrupted("interrupted", data={"changed": False}) from error
    except CrpackError as error:
        error.data.setdefault("changed", False)
        raise


def keep(session: Session) -> int:
    """Return how many generations of a solution are kept: the setting, at least one."""
    return max(1, session.config.number("keep"))


def rollback_target(session: Session, name: str, to: int) -> int:
    """Return the number of the generation that `rollback` would restore.

    Raises:
        InstallError: it is not installed, or what would be restored is damaged.
        UsageError: there is no such generation.
    """
    return rollbacks.target(session.prefix, name, to).record.number


def rollback(session: Session, name: str, to: int) -> RolledBack:
    """Make the state of an earlier generation the current one (SPEC GEN-05).

    Raises:
        InstallError: it is not installed, or what would be restored is damaged.
        UsageError: there is no such generation.
    """
    with telling_what_changed():
        made = rollbacks.rollback(session.prefix, name, date=utc(time.time()), to=to).record
    return RolledBack(name, made.version, made.number, made.restored)


def require(session: Session, names: tuple[str, ...]) -> None:
    """See that solutions are installed.

    Raises:
        InstallError: one is not.
    """
    for name in names:
        generations.require(session.prefix, name)


def remove(session: Session, names: tuple[str, ...]) -> Removed:
    """Remove solutions and what only they needed; checks all names before the first.

    Raises:
        InstallError: one is not installed; nothing was changed.
    """
    names = tuple(dict.fromkeys(names))
    require(session, names)
    gone, trees, environments = [], 0, 0
    for name in names:
        version = generations.version(session.prefix, name)
        collected = collect.remove(session.prefix, name, keep=keep(session))
        trees += len(collected.trees)
        environments += len(collected.environments)
        gone.append(Gone(name, version))
    return Removed(tuple(gone), trees, environments)
