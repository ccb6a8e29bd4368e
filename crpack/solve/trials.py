"""Trials: which of the requests fail together, asked of one search again and again.

Rules (SPEC SOL-08, SOL-10):
- A request is a decision here, so it can be taken back; what was learned stays.
- Only a plain request can be left out: one whose name is judged alike whether it is requested or
  not. The others always count.
- That requests fail is a hint until it is proved for them alone; that they do not is seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack.solve import check
from crpack.solve.candidates import Unloaded
from crpack.solve.facts import Fact, Stale, Unclosed
from crpack.solve.pool import Spent
from crpack.solve.problem import Slot
from crpack.solve.search import ON, Search

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from crpack.solve.problem import Problem, Request
    from crpack.solve.universe import Universe

OFF = 1  # the bit of a request that does not
COST = 4  # comparisons that one decision is worth


class Unsure(Exception):  # noqa: N818 - a signal
    """A choice was found that may rest on requests that are left out."""


class Trials(Search):
    """A search in a closed universe in which requests are switched on and off.

    Attributes:
        fixed: numbers of the requests that always count.
        work: comparisons, and clauses that are visited, that are left for it.
    """

    def __init__(self, universe: Universe, work: float) -> None:
        super().__init__(universe)
        self.work = work
        self.fixed = frozenset(
            number
            for number, request in enumerate(self.pool.problem.requests)
            if not is_plain(universe, request)
        )
        self._requests: list[int] = []  # the variable of each request
        self._wanted: list[int] = []
        self._failed: list[frozenset[int]] = []
        self._spent = False
        self._start()

    def failing(self, numbers: Sequence[int]) -> frozenset[int] | None:
        """Return those of some plain requests that fail with the fixed ones; None: none do.

        What requests have in common with the ones before, from the first on, costs nothing.

        Raises:
            Unsure: it is not known.
            Spent: the budget is used up.
        """
        if self._spent:
            raise Spent
        known = next((some for some in self._failed if some.issubset(numbers)), None)
        if known is not None:
            return known
        pairs = enumerate(zip(self._wanted, numbers, strict=False))
        shared = min(len(self._wanted), len(numbers))
        self.engine.back(next((place for place, (old, new) in pairs if old != new), shared))
        self._restore()
        self._wanted = list(numbers)
        self._spent = True  # if it is left before its end
        before, self.pool.work = self.pool.work, self.work
        try:
            failed = self._run()
        except (Stale, Unclosed, Unloaded) as error:  # as the universe is closed, never
            raise Unsure from error
        finally:
            self.work, self.pool.work = max(self.pool.work, 0), before
        self._spent = False
        if failed is not None:
            self._failed.append(failed)
        elif any(self._have(domain) & domain.needy for domain in self._queue):
            self._see()
        return failed

    def _run(self) -> frozenset[int] | None:
        """Search with what is wanted; return the part of it that fails."""
        while True:
            if self._settle():
                return frozenset()
            if self.engine.level < len(self._wanted):
                number = self._wanted[self.engine.level]
                variable = self._requests[number]
                if not self.engine.domain[variable] & ON:
                    owners = (self.owners[one] for one in self.engine.blame(variable, OFF))
                    return frozenset(one for one in owners if one in self._wanted) | {number}
                self._count(number)
            elif self._next() is None:
                return None
            else:
                self.pool.spend(COST)
                self._step()

    def _start(self) -> None:
        for number, edge in enumerate(self.pool.roots):
            target = self._open(edge.slot)
            request = self.engine.variable(ON | OFF)
            self.owners.append(number)
            self._requests.append(request)
            domain = self.universe.domain(edge.slot)
            out = domain.full & ~domain.admitted(edge)
            if number in self.fixed:
                self.engine.assume(request, ON)
                self._enqueue(edge)
            self._add([(request, ON), (target, out)], Fact("asks", None, 0, (edge,)))

    def _count(self, number: int) -> None:
        """Let a request count."""
        self.pool.spend(COST)
        self._next()  # what is decided before it is seen once for all that come behind it
        self._saved.append((self._at, len(self._queue), len(self._log)))
        self.engine.decide(self._requests[number], ON)
        self._enqueue(self.pool.roots[number])

    def _see(self) -> None:
        """Walk through a choice in which somebody needs to be asked for."""
        roots = [self.pool.roots[n] for n in sorted({*self.fixed, *self._wanted})]
        chosen = {
            domain.slot: one for domain in self._queue for one in domain.of(self._have(domain))
        }
        if not check.walk(self.pool, chosen, roots).holds:
            raise Unsure


def needed(
    trials: Trials, numbers: Iterable[int], unsure: Callable[[Iterable[int]], bool]
) -> list[int]:
    """Return a part of some requests that fail which fails too, with all that are not plain.

    No plain one in it can be left out, unless there are so many that the work runs out.

    Args:
        trials: of a search that failed.
        numbers: of requests that fail.
        unsure: says of some whether they fail, where the trials cannot.
    """
    plain = sorted(set(numbers) - trials.fixed)
    alive = set(plain)
    waiting: list[tuple[list[int], list[int]]] = [([], plain)]  # what counts, what is asked about
    while waiting:
        rest, block = ([n for n in some if n in alive] for some in waiting.pop())
        half = len(block) // 2
        if half:
            waiting.append((rest + block[:half], block[half:]))
            waiting.append((rest + block[half:], block[:half]))
        elif block:
            try:
                failing = trials.failing(rest)
            except Unsure:
                failing = frozenset(rest) if unsure((*trials.fixed, *rest)) else None
            except Spent:
                break
            if failing is not None:
                alive &= failing
    return sorted({*alive, *trials.fixed})


def fails(trials: Trials, core: Iterable[Request], other: Problem) -> bool:
    """Say whether it is known of a changed problem that it fails, as less than it asks does.

    Args:
        trials: of all that was asked.
        core: the requests in conflict.
        other: with some requests left out, or asked for in any version, at most.
    """
    problem = trials.pool.problem
    if other.policy is not problem.policy or other.options is not problem.options:
        return False
    kept, known = ([id(one) for one in some] for some in (other.requests, core))
    numbered = {id(one): number for number, one in enumerate(problem.requests)}
    left = {one.name for one in problem.requests if id(one) not in kept}
    fresh = (one for one in other.requests if id(one) not in numbered)
    if any(str(one) not in left or one.options or one.prerelease for one in fresh):
        return False
    numbers = [numbered[one] for one in kept if one in numbered]
    if not trials.fixed.issubset(numbers):
        return False
    numbers.sort(key=lambda number: id(problem.requests[number]) in known)
    try:
        return trials.failing([n for n in numbers if n not in trials.fixed]) is not None
    except (Unsure, Spent):
        return False


def is_plain(universe: Universe, request: Request) -> bool:
    """Say whether a name is judged alike whether it is requested or not (SPEC SOL-04, SOL-05)."""
    pool = universe.pool
    if request.options or pool.problem.policy.only_detected:
        return False
    slot = Slot(request.name)
    return not pool.early(slot) and all(
        one.origin != "detected" for one in universe.domain(slot).candidates
    )
