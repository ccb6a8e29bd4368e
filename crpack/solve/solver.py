"""Solving: from a problem to an answer, by proposal, check and, if need be, proof.

Rules (SPEC SOL-01, SOL-07, SOL-08):
- The search looks up only what it comes to. `resolvelib` derives the graph of what it found again,
  and the walk checks every edge; only what holds is answered.
- That there is no solution is said when a search came to its end and its proof was seen to hold,
  and no component that provides a name was overlooked; else the answer is that it is not decided.
"""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

from crpack.errors import NoSolution, Undecided
from crpack.model import parameters
from crpack.solve import answers, check, explain, proof, provider, trials
from crpack.solve.candidates import Unloaded
from crpack.solve.check import Walk
from crpack.solve.facts import Outcome, Stale, Unclosed
from crpack.solve.pool import MAX_WORK, Pool, Spent
from crpack.solve.problem import Need
from crpack.solve.search import Search
from crpack.solve.trials import Trials
from crpack.solve.universe import Universe

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping

    from crpack.solve.problem import Answer, Offer, Problem, Request, Solving


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


# Comparisons that may go into a shorter explanation, and as many into hints: so many times what
# the failure took, within bounds.
SPARE_TIMES, MIN_SPARE, MAX_SPARE = 10, 100_000, 5_000_000
MIN_TRIALS = 500_000  # for trials, which count all that they do


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
        yield from every.close()
        return Explored(pool, None, error)
    return Explored(pool, walk, None)


def _walked(pool: Pool) -> Generator[Need, Mapping[str, Offer], Walk]:
    universe = Universe(pool)
    try:
        yield from universe.prefetch()
        outcome = yield from _searched(universe)
        if outcome.chosen is not None:
            walk = _derived(pool, outcome.chosen)
            pool.work = math.inf  # it is found: what follows only describes it
            return answers.aligned(pool, walk)
    except Spent as error:
        raise _undecided() from error
    if outcome.proof is None or not proof.follows(outcome.proof, outcome.full):
        raise _undecided()
    spare = min(max(SPARE_TIMES * (MAX_WORK - pool.work), MIN_SPARE), MAX_SPARE)
    pool.work = math.inf  # it is proved: what follows only describes it
    asked = Trials(universe, max(spare, MIN_TRIALS))
    core, outcome = _core(asked, outcome, _Spare(spare))
    rest = _Spare(spare)
    raise explain.unsolvable(
        core, outcome, pool.problem, lambda p: _fix(asked, core.pool.problem.requests, p, rest)
    )


def _derived(pool: Pool, walk: Walk) -> Walk:
    """Return what `resolvelib` derives from a choice, seen to hold; else the choice's own walk."""
    chosen = provider.derive(pool, {one.slot: one for one in walk.reached})
    again = check.walk(pool, chosen) if chosen is not None else walk
    return again if again.holds else walk


def _searched(universe: Universe) -> Generator[Need, Mapping[str, Offer], Outcome]:
    """Search, closing the universe where that matters to the verdict.

    Raises:
        Undecided: it cannot be closed.
    """
    search = Search(universe)
    while True:
        try:
            outcome = search.run()
        except Unloaded as signal:
            if universe.take((yield Need(tuple(sorted(signal.names))))):
                search = Search(universe)
            continue
        except Stale:
            search = Search(universe)
            continue
        except Unclosed:
            yield from universe.close()
        else:
            if outcome.chosen is not None or universe.closed:
                return outcome
            if not (yield from universe.close()) and universe.closed:
                return outcome
        if not universe.closed:
            raise _undecided()
        search = Search(universe)


def _undecided() -> Undecided:
    return Undecided(
        "no solution was found, and it was not proved that there is none",
        why=["there are more combinations than could be looked through"],
        hint="ask for narrower ranges, or for less at once",
        rule="SOL-08",
    )


def _core(asked: Trials, outcome: Outcome, spare: _Spare) -> tuple[Universe, Outcome]:
    """Return a part of the requests that fails too, with its failure (SPEC SOL-10).

    It is one that has no smaller one in it, unless there are so many that work runs out.
    """
    pool = asked.pool
    requests = pool.problem.requests
    best = (asked.universe, outcome)
    if not asked.fixed <= outcome.requests:
        kept = tuple(requests[number] for number in sorted(outcome.requests))
        best = _again(pool, kept, spare) or best
    for number in sorted(asked.fixed):
        kept = best[0].pool.problem.requests
        fewer = tuple(one for one in kept if one is not requests[number])
        if fewer and len(fewer) < len(kept) and spare.left:
            best = _again(pool, fewer, spare) or best
    same = best[0] is asked.universe
    kept = _needed(asked if same else Trials(best[0], asked.work), best[1], spare)
    if len(kept) < len(best[0].pool.problem.requests):
        best = _again(pool, kept, _Spare(MAX_SPARE)) or best
    return best


def _needed(several: Trials, outcome: Outcome, spare: _Spare) -> tuple[Request, ...]:
    """Return the part of requests that fails too and has no smaller one; see `trials.needed`."""
    pool = several.pool
    requests = pool.problem.requests

    def fail(numbers: Iterable[int]) -> bool:
        some = tuple(requests[number] for number in sorted(numbers))
        return bool(some) and _again(pool, some, spare) is not None

    return tuple(requests[n] for n in trials.needed(several, outcome.requests, fail))


def _again(
    pool: Pool, requests: tuple[Request, ...], spare: _Spare
) -> tuple[Universe, Outcome] | None:
    """Return the proof that other requests fail too; None where they do not, or may not."""
    other = dataclasses.replace(pool.problem, requests=requests)
    universe, outcome = _complete(pool, other, spare)
    return (universe, outcome) if outcome.proof else None


def _complete(pool: Pool, problem: Problem, spare: _Spare) -> tuple[Universe, Outcome]:
    """Search for other requests, with what was looked up already, while there is work to spare."""
    other = Pool(problem, like=pool, work=spare.left)
    universe = Universe(other)
    outcome = Outcome(None)
    try:
        next(_searched(universe))
    except StopIteration as end:
        outcome = end.value
    except (Spent, Undecided):
        pass
    spare.left, other.work = max(other.work, 0), math.inf
    return universe, outcome


def _fix(asked: Trials, core: tuple[Request, ...], problem: Problem, spare: _Spare) -> Walk | None:
    """Return the walk that other requests give; None where they fail or are not decided."""
    if trials.fails(asked, core, problem):
        return None
    return _complete(asked.pool, problem, spare)[1].chosen


def _check_options(problem: Problem, answer: Answer) -> None:
    known = tuple(dict.fromkeys(pick.name for pick in answer.picks))
    for name, _, _ in problem.options:
        if name not in known:
            raise parameters.unknown(name, known, f"there is no component `{name}` here")
