"""Solving: from a problem to an answer, by proposal, check and, if need be, proof.

Rules (SPEC SOL-01, SOL-07, SOL-08):
- The engine searches, looking up only what it comes to. `resolvelib` derives the graph of what it
  found again, and the walk checks every edge; only what holds is answered.
- Where the engine runs out of its first budget, `resolvelib` searches alone.
- What was not solved that way is searched completely, within bounds. Only a search that came to
  its end says that there is no solution; else the answer is that it is not decided.
"""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

from crpack.errors import NoSolution, Undecided
from crpack.model import parameters
from crpack.solve import answers, check, explain, order, provider
from crpack.solve.candidates import Unloaded
from crpack.solve.check import Walk
from crpack.solve.pool import Pool, Spent
from crpack.solve.problem import Need
from crpack.solve.search import Outcome, search
from crpack.solve.universe import Universe

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from crpack.solve.candidates import Edge
    from crpack.solve.problem import Answer, Offer, Problem, Request, Slot, Solving

    Loading = Generator[Need, Mapping[str, Offer], None]


@dataclasses.dataclass(frozen=True, slots=True)
class Explored:
    """What a choice was made of: all that is known, and the walk or why there is none."""

    pool: Pool
    walk: Walk | None
    failure: NoSolution | None


class _Spare:
    """Comparisons that are left for what only makes an answer shorter."""

    def __init__(self, left: float) -> None:
        self.left = left


FIRST_STEPS = 100_000  # comparisons of the engine before `resolvelib` is asked
SPARE_WORK = 500_000  # comparisons that may go into a shorter explanation and a hint


def solve(problem: Problem) -> Solving:
    """Choose a version, a way and options for every name that the requests need.

    Yields the names whose offers are needed next and is sent one offer for each.

    Raises:
        Unsolvable: it is proved that the requests cannot be satisfied.
        Undecided: neither that nor an answer was found.
        UsageError: an option is set for a component that is not among the picks, or twice.
    """
    pool = Pool(problem)
    walk = yield from _walked(pool)
    answer = answers.answer(pool, walk)
    _check_options(problem, answer)
    return answer


def explore(problem: Problem) -> Generator[Need, Mapping[str, Offer], Explored]:
    """Choose as `solve` does, and return what the choice was made of (SPEC SOL-11).

    Raises:
        Undecided: neither an answer was found, nor that there is none.
    """
    pool = Pool(problem)
    try:
        walk = yield from _walked(pool)
    except NoSolution as error:
        every = Universe(pool)
        yield from every.gather()
        return Explored(pool, None, error)
    return Explored(pool, walk, None)


def _walked(pool: Pool) -> Generator[Need, Mapping[str, Offer], Walk]:
    try:
        walk = yield from _proposed(pool)
        if walk is None:
            walk = yield from _searched(pool)
    except Spent as error:
        raise _undecided() from error
    pool.work = math.inf  # it is found: what follows only describes it
    return answers.aligned(pool, walk)


def _proposed(pool: Pool) -> Generator[Need, Mapping[str, Offer], Walk | None]:
    yield from _prefetch(pool)
    while True:
        try:
            found = search(Universe(pool), FIRST_STEPS).chosen
            known = {one.slot: one for one in found.reached} if found else None
            chosen = provider.propose(pool, known)
            break
        except Unloaded as signal:
            pool.take((yield Need((signal.name,))))
            yield from _prefetch(pool)
    walk = check.walk(pool, chosen) if chosen is not None else None
    return walk if walk and walk.holds else None


def _prefetch(pool: Pool) -> Loading:
    """Look up what the first choices need, level by level, so that few waves are needed."""
    asked: dict[Slot, list[Edge]] = {}
    wave = list(pool.roots)
    while wave:
        lacking = pool.lacking(edge.slot.name for edge in wave if edge.mode != "avoid")
        if lacking:
            pool.take((yield Need(lacking)))
        fresh: dict[Slot, None] = {}
        for edge in wave:
            if edge.slot not in asked and edge.mode != "avoid":
                fresh[edge.slot] = None
            asked.setdefault(edge.slot, []).append(edge)
        first = [order.matches(pool, slot, tuple(asked[slot]))[:1] for slot in fresh]
        wave = [edge for one in first for pick in one for edge in pool.edges(pick)]


def _searched(pool: Pool) -> Generator[Need, Mapping[str, Offer], Walk]:
    universe = Universe(pool)
    yield from universe.gather()
    outcome = search(universe) if universe.closed else Outcome(None)
    if outcome.chosen is not None:
        return outcome.chosen
    if not outcome.proved:
        raise _undecided()
    pool.work = math.inf  # it is proved: what follows only describes it
    spare = _Spare(SPARE_WORK)
    core, outcome = _core(pool, outcome, spare)
    requests = pool.problem.requests
    raise explain.unsolvable(core, outcome, requests, lambda r: _fix(pool, r, spare))


def _undecided() -> Undecided:
    return Undecided(
        "no solution was found, and it was not proved that there is none",
        why=["there are more combinations than could be looked through"],
        hint="ask for narrower ranges, or for less at once",
        rule="SOL-08",
    )


def _core(pool: Pool, outcome: Outcome, spare: _Spare) -> tuple[Pool, Outcome]:
    """Return the smallest part of the requests that fails too, with its failure (SPEC SOL-10)."""
    requests = pool.problem.requests
    kept = [requests[number] for number in sorted(outcome.requests)]
    best = (pool, outcome)
    if len(kept) < len(requests):
        best = _again(pool, tuple(kept), spare) or best
        kept = list(best[0].problem.requests)
    for request in tuple(kept):
        fewer = tuple(one for one in kept if one is not request)
        failed = _again(pool, fewer, spare) if fewer else None
        if failed is not None:
            kept, best = list(fewer), failed
    return best


def _again(pool: Pool, requests: tuple[Request, ...], spare: _Spare) -> tuple[Pool, Outcome] | None:
    """Return the proof that other requests fail too; None where they do not, or may not."""
    other, outcome = _complete(pool, requests, spare)
    return (other, outcome) if outcome.proved else None


def _complete(pool: Pool, requests: tuple[Request, ...], spare: _Spare) -> tuple[Pool, Outcome]:
    """Search for other requests, with what was looked up already, while there is work to spare."""
    problem = dataclasses.replace(pool.problem, requests=requests)
    other = Pool(problem, like=pool, work=spare.left)
    universe = Universe(other)
    outcome = Outcome(None)
    try:
        if next(universe.gather(), None) is None and universe.closed:
            outcome = search(universe)
    except Spent:
        pass
    spare.left, other.work = max(other.work, 0), math.inf
    return other, outcome


def _fix(pool: Pool, requests: tuple[Request, ...], spare: _Spare) -> Walk | None:
    """Return the walk that other requests give; None where they fail or are not decided."""
    return _complete(pool, requests, spare)[1].chosen


def _check_options(problem: Problem, answer: Answer) -> None:
    known = tuple(dict.fromkeys(pick.name for pick in answer.picks))
    for name, _, _ in problem.options:
        if name not in known:
            raise parameters.unknown(name, known, f"there is no component `{name}` here")
