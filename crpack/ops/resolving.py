"""Resolving: from what a person asks for to one release and one way for every name.

Rules (SPEC SOL-01, SOL-02):
- The solver is asked about values only; what it needs to know of names is looked up here, wave by
  wave, in the indexes.
- What is installed under the requested name is kept where it still serves, unless an update is
  asked for.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from crpack import disk
from crpack.errors import NoSolution, Undecided
from crpack.install import layout
from crpack.model import platforms, requirements
from crpack.model.facts import Facts
from crpack.model.platforms import Platform
from crpack.ops import catalogue, data, detection, elsewhere, indexes
from crpack.ops.gathering import IndexShelf
from crpack.ops.indexes import Indexes
from crpack.ops.progress import News
from crpack.solve import restoring, solver
from crpack.solve.problem import Answer, Policy, Problem, Request, Unsolvable

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from crpack.model.lock import Lock
    from crpack.ops.progress import Tell
    from crpack.session import Session
    from crpack.solve.problem import Need, Offer, Preference


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for.

    Attributes:
        requests: in the user's order.
        options: component, option, value as text.
        policy: how to choose where several would do.
    """

    requests: tuple[Request, ...]
    options: tuple[tuple[str, str, str], ...] = ()
    policy: Policy = Policy()  # noqa: RUF009 - a frozen value


@dataclass(frozen=True, slots=True)
class Target:
    """Another machine to choose for.

    Attributes:
        platform: of the results; `facts` are of the machine.
        builds: it builds for itself what must be built; else this machine does.
    """

    platform: Platform
    facts: Facts
    builds: bool = False


@dataclass(frozen=True, slots=True)
class Posed:
    """A problem, this machine's facts and the indexes to solve it with."""

    problem: Problem
    facts: Facts
    indexes: Indexes


@dataclass(frozen=True, slots=True)
class Resolved:
    """An answer, with the problem, this machine's facts and the indexes it was found with."""

    answer: Answer
    problem: Problem
    facts: Facts
    indexes: Indexes


def request(text: str) -> Request:
    """Return the request that a person writes: `name`, `name>=1.2` or `name@1.2`.

    Raises:
        UsageError: the text is none.
    """
    found = requirements.parse(text)
    return Request(found.name, found.version)


def resolve(
    session: Session,
    wish: Wish,
    *,
    locked: tuple[Preference, ...] = (),
    bound: Mapping[str, str] | None = None,
    target: Target | None = None,
    tell: Tell,
) -> Resolved:
    """Choose for this machine, or for another one whose facts are given.

    Args:
        session: for indexes, detection and settings.
        wish: what is asked for.
        locked: what to keep where it still serves.
        bound: names, and the index that each is bound to, beside those of `locked`.
        target: another machine.
        tell: takes the news.

    Raises:
        NoSolution: nothing satisfies all that is asked.
        FetchError, TrustError: an index cannot be read.
        UsageError: what is stated of this machine means nothing.
    """
    if target is None and not detection.is_remembered(session):
        found = _unseen(session, wish, locked, bound, tell)
        if found is not None:
            return found
    posed = pose(session, wish, locked=locked, bound=bound, target=target, tell=tell)
    tell(News("Choosing", ", ".join(str(one) for one in wish.requests)))
    return _chosen(session, posed)


def _chosen(session: Session, posed: Posed) -> Resolved:
    try:
        answer = driven(solver.solve(posed.problem), posed.indexes)
    except Unsolvable as error:
        _point(session, error, posed)
        raise
    return Resolved(answer, posed.problem, posed.facts, posed.indexes)


def _unseen(
    session: Session,
    wish: Wish,
    locked: tuple[Preference, ...],
    bound: Mapping[str, str] | None,
    tell: Tell,
) -> Resolved | None:
    """Choose without what the machine has; None where that could make a difference (SPEC SOL-13).

    Looking through a machine for the first time takes seconds.
    """
    bare = detection.bare(session)
    posed = pose(session, wish, locked=locked, bound=bound, here=bare, tell=tell)
    try:
        found = _chosen(session, posed)
    except (NoSolution, Undecided):
        if _could_matter(posed.indexes):
            return None
        raise
    made = (pick.release for pick in found.answer.picks if pick.origin == "source" and pick.release)
    if any(driver in release.recipe for release in made for driver in detection.runs()):
        return None  # with programs of the machine
    return None if _could_matter(posed.indexes) else found


def _could_matter(asked: Indexes) -> bool:
    """Say whether a probe knows a name that was looked up, or a release asks for a Python."""
    offers = asked.offered()
    if not offers.keys().isdisjoint(detection.probed()):
        return True
    shards = (offer.shard for offer in offers.values() if offer.shard)
    return any(b'"python":' in release.recipe for shard in shards for release in shard.releases)


def _point(session: Session, error: Unsolvable, posed: Posed) -> None:
    """Add for which machine it failed, and where a name was looked for that nobody has."""
    platform = str(posed.problem.target)
    error.data["platform"] = platform
    if posed.problem.facts is not posed.facts:
        error.why = (*error.why, f"what is asked for is to run on `{platform}`")
    error.why = (*error.why, *detection.said(session))
    names = {request.name for request in error.requests}
    missing = [node.package for node in error.conflict.nodes if node.kind == "missing"]
    for name in missing if len(names) == 1 and names >= set(missing) else ():
        other = catalogue.missing(posed.indexes, name)
        error.why = (*error.why, *other.why)
        error.hint = "\n".join([other.hint, *filter(None, [error.hint])])


def pose(
    session: Session,
    wish: Wish,
    *,
    locked: tuple[Preference, ...] = (),
    bound: Mapping[str, str] | None = None,
    target: Target | None = None,
    here: Facts | None = None,
    tell: Tell,
) -> Posed:
    """Return the problem that a wish is on this machine, or on another one; see `resolve`.

    `here` are the facts of this machine, where they are known already.

    Raises:
        FetchError, TrustError: an index cannot be read.
        UsageError: what is stated of this machine means nothing.
    """
    if here is None:
        tell(News("Detecting", "this machine"))
        here = detection.facts(session)[0]
    mine = detection.stated(session, here) if target is None else here
    platform, facts = platforms.parse(mine.platform), mine
    maker = here
    if target is not None:
        platform, facts = target.platform, target.facts
        maker = elsewhere.builder(facts, here) if target.builds else here
    names = {one.name: one.index for one in locked if one.index}
    asked = indexes.opened(session, {**(bound or {}), **names})
    if target is None and wish.policy.detect:
        shelf = IndexShelf(session, asked)
        asked.look = data.look(session, shelf, mine.platform, wish.options, tell)
    problem = Problem(
        requests=wish.requests,
        facts=facts,
        target=platform,
        locked=locked,
        policy=wish.policy,
        options=wish.options,
        host=maker,
        stored=disk.names(layout.store(session.prefix)),
        pythons=_pythons(session, here) if target is None else (),
    )
    return Posed(problem, mine, asked)


def again(resolved: Resolved, problem: Problem) -> Answer | None:
    """Return the answer to another problem over the same indexes; None where it has none.

    Nothing is solved where the first answer uses nothing that was detected.
    """
    if all(pick.found is None for pick in resolved.answer.picks):
        return None
    try:
        return driven(solver.solve(problem), resolved.indexes)
    except (NoSolution, Undecided):
        return None


def preferences(lock: Lock | None, platform: str = "") -> tuple[Preference, ...]:
    """Return what a lock chose for a platform, or for this machine, as what to keep."""
    platform = platform or str(detection.platform())
    return restoring.preferences_of(lock, platform) if lock else ()


def driven(solving: Generator[Need, Mapping[str, Offer], T], asked: Indexes) -> T:
    """Return what a solver comes to, given what the indexes have of the names that it needs."""
    try:
        need = next(solving)
        while True:
            need = solving.send(asked.offers(need.names))
    except StopIteration as done:
        answer: T = done.value
        return answer


def _pythons(session: Session, facts: Facts) -> tuple[str, ...]:
    """Return the versions of the interpreters that a solution's environment may have."""
    import platform

    if session.config.text("python"):
        return ()  # what that is, is asked when it is needed
    own = platform.python_version() if os.path.exists(sys.executable) else ""
    found = [one.version or "" for one in facts.all("python")]
    return tuple(text for text in dict.fromkeys([own, *found]) if text)
