"""Freezing: from an answer to a lock, with the wheels of its Python environment.

Rules (SPEC LCK-05, LCK-07, PYE-04, PYE-09):
- Where detected software was chosen, the problem is solved once more without it, so that the lock
  serves machines that lack it.
- The wheels are chosen for the union of what the components ask of Python, by the user's own tool
  and index, for this machine or for another platform; the lock keeps their digests.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from crpack.install.python.lock import Located
from crpack.install.python.target import Target
from crpack.model import lock as locks
from crpack.model import recipe_document
from crpack.model.facts import Facts
from crpack.model.lock import Lock, LockedIndex
from crpack.model.recipe_document import Context
from crpack.ops import data, detection, indexes, pythons, resolving
from crpack.ops.gathering import IndexShelf
from crpack.ops.indexes import Indexes
from crpack.ops.needs import Carried
from crpack.ops.progress import News
from crpack.solve import locking
from crpack.solve.locking import Solved

if TYPE_CHECKING:
    from crpack.model.platforms import Platform
    from crpack.ops.progress import Tell
    from crpack.ops.resolving import Resolved, Wish
    from crpack.session import Session
    from crpack.solve.problem import Answer


@dataclass(frozen=True, slots=True)
class Frozen:
    """A lock with what was learnt on the way to it.

    Attributes:
        lock: of all targets.
        located: its wheels with the addresses that they have now.
        facts: of the machine that is installed for.
        indexes: that were asked.
        carried: the bundle that has its wheels, all of them; None for the user's cache and index.
        maker: facts of this machine, where that is another one.
    """

    lock: Lock
    located: tuple[Located, ...]
    facts: Facts
    indexes: Indexes
    carried: Carried | None = None
    maker: Facts | None = None

    def for_machine(self, there: Facts | None, here: Facts) -> Frozen:
        """Return the same for another machine; where there is none, as it is."""
        return replace(self, facts=there, maker=here) if there else self

    @property
    def freshness(self) -> str:
        """Which indexes its packages come from, with their dates."""
        used = {package.index for package in self.lock.package if package.index}
        found = [indexes.age(index) for index in self.indexes.opened if index.name in used]
        return f"index {', '.join(found)}"


def freeze(
    session: Session,
    wish: Wish,
    resolved: tuple[Resolved, ...],
    *,
    had: Lock | None = None,
    tell: Tell,
) -> Frozen:
    """Return the lock of the answers to one wish, one a target.

    Args:
        session: for Python and the indexes.
        wish: what was asked for.
        resolved: the answers, one a target.
        had: a lock whose wheels are kept where the components of a target are the same.
        tell: takes the news.

    Raises:
        NoSolution: no wheels satisfy what the components ask.
        FetchError: the user's Python index cannot be reached.
    """
    solved, located = [], dict[str, Located]()
    for one in resolved:
        target = one.problem.target
        python, wheels = _kept(had, one) or _wheels(session, one, tell)
        located |= {wheel.wheel.sha256: wheel for wheel in wheels}
        rows = tuple(wheel.wheel for wheel in wheels)
        made = resolving.again(one, locking.without_detected(one.problem, one.answer))
        solved.append(Solved(target, one.answer, made, python, rows))
    lock = locking.lock_of(
        wish.requests,
        tuple(solved),
        indexes_of(resolved[0].indexes),
        digest=digest(wish, tuple(str(one.problem.target) for one in resolved)),
    )
    asked = resolved[0].indexes
    return Frozen(lock, tuple(located.values()), asked.beside(resolved[0].facts), asked)


def as_it_is(session: Session, lock: Lock, tell: Tell, there: Facts | None = None) -> Frozen:
    """Return a lock that was made before, with the indexes that it is bound to.

    Args:
        session: for the indexes.
        lock: of any targets.
        tell: takes the news.
        there: facts of the machine that it is installed for; None for this one.

    Raises:
        NoSolution: the root of one is not trusted here.
        FetchError, TrustError: one cannot be read.
    """
    lock = indexes.in_own_words(session, lock)
    here = detection.facts(session)[0]
    bound = {package.name: package.index for package in lock.package if package.index}
    asked = indexes.opened(session, bound)
    if there is not None:
        return Frozen(lock, (), there, asked, maker=here)
    facts = detection.stated(session, here)
    shelf = IndexShelf(session, asked)
    asked.look = data.look(session, shelf, facts.platform, data.options_of(lock), tell)
    return Frozen(lock, (), data.as_locked(facts, lock, asked), asked)


def digest(wish: Wish, targets: tuple[str, ...]) -> str:
    """Return what tells whether a lock is of this wish (SPEC LCK-07)."""
    return locking.request_hash(wish.requests, targets, options=wish.options, policy=wish.policy)


def indexes_of(asked: Indexes) -> tuple[LockedIndex, ...]:
    """Return the rows of the indexes that were asked."""
    return tuple(
        LockedIndex(index.name, index.head.fingerprint, index.head.snapshot_sha256)
        for index in asked.opened
    )


def python_of(answer: Answer, target: Platform) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what the components of an answer ask of Python: distributions, and versions."""
    requires: dict[str, None] = {}
    ranges: dict[str, None] = {}
    for pick in answer.picks:
        if pick.release is None or pick.context == "build":
            continue
        context = Context(target, pick.options)
        python = recipe_document.resolve(pick.release.recipe, context).python
        requires |= dict.fromkeys(python.requires)
        ranges |= dict.fromkeys([python.python] if python.python else [])
    return tuple(requires), tuple(ranges)


def _kept(had: Lock | None, resolved: Resolved) -> tuple[str, tuple[Located, ...]] | None:
    """Return the wheels that a lock had for the same components; None where they are others.

    Wheels for another machine are of a Python that its facts still have, where they have any.
    """
    answer, there = resolved.answer, resolved.problem.facts
    target = resolved.problem.target
    rows = [one for one in had.target if one.platform == str(target)] if had else []
    if had is None or not rows:
        return None
    known = {pythons.minor(one.version) for one in there.all("python") if one.version}
    elsewhere = there != resolved.facts
    if elsewhere and rows[0].python and known and pythons.minor(rows[0].python) not in known:
        return None
    before = {
        (package.identity, choice.options or package.options)
        for choice in rows[0].package
        if choice.origin != "detected" and (package := locks.package_of(had, choice))
    }
    after = {(pick.identity, pick.options) for pick in answer.picks if pick.release}
    if before != after:
        return None
    wheels = (wheel for wheel in had.wheel if wheel.sha256 in rows[0].wheels)
    return rows[0].python, pythons.unlocated(wheels)


def _wheels(session: Session, resolved: Resolved, tell: Tell) -> tuple[str, tuple[Located, ...]]:
    target = resolved.problem.target
    requires, ranges = python_of(resolved.answer, target)
    if not requires:
        return "", ()
    tell(News("Locking", f"{len(requires)} Python requirements for `{target}`"))
    here, there = resolved.facts, resolved.problem.facts
    if there == here:
        interpreter = pythons.choose(session, here, ranges)
        stated = None  # a floor that the user states holds for wheels too (SPEC FCT-07)
        if str(target) != detection.bare(session).platform:
            stated = Target(target, pythons.minor(interpreter.version))
        return interpreter.version, pythons.lock(session, requires, interpreter, stated)
    other = pythons.elsewhere(session, here, there, target, ranges)
    asked = pythons.choose(session, here, ())
    return other.version, pythons.lock(session, requires, asked, other)
