"""The engine: a search that is complete within its universe and its budget.

Rules (SPEC SOL-08):
- Depth first, best candidates first; a slot with one candidate left goes before the others, else
  breadth first. Each edge narrows the slots that are still open; a slot with nothing left is a
  dead end.
- A dead end knows the choices that led to it, and the search goes straight back to the last of
  them. When no choice is left, the requests among them cannot be satisfied together.
- A candidate that failed through nothing but itself and the requests never comes back.
- No recursion, no clock: the budget counts comparisons.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crpack.solve import check
from crpack.solve.candidates import Candidate, Edge
from crpack.solve.check import Walk
from crpack.solve.problem import Slot

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crpack.solve.universe import Universe

MAX_ENDS = 100  # dead ends that are kept for the explanation
MAX_STEPS = 1_000_000  # comparisons of a candidate with an edge


@dataclass(frozen=True, slots=True)
class DeadEnd:
    """A slot that nothing satisfies, what was asked of it, and what led from requests there."""

    slot: Slot
    edges: tuple[Edge, ...]
    above: tuple[Edge, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a search found.

    Attributes:
        chosen: a walk that holds; None where there is none.
        proved: without a choice: there is none at all.
        requests: numbers of requests that cannot be satisfied together.
        ends: the dead ends in the order met, each slot with the same askers once.
    """

    chosen: Walk | None
    proved: bool = False
    requests: frozenset[int] = frozenset()
    ends: tuple[DeadEnd, ...] = ()


class _Spent(Exception):  # noqa: N818 - a signal
    """The budget is used up."""


class _Stale(Exception):  # noqa: N818 - a signal
    """A slot was filled without the candidates that somebody asks for."""


@dataclass(frozen=True, slots=True, eq=False)
class _Frame:
    """One slot that is being decided, and what its current candidate changed.

    `blame` are the slots and requests that narrowed it or made its candidates fail.
    """

    slot: Slot
    whole: list[Candidate]
    rest: list[Candidate]
    blame: set[Slot | int]
    narrowed: list[tuple[Slot, list[Candidate] | None]] = field(default_factory=list)
    added: list[Edge] = field(default_factory=list)


def search(universe: Universe, most: int = 0) -> Outcome:
    """Return a choice for the requests, or that none was found (SPEC SOL-08).

    Args:
        universe: it need not be closed, but then nothing is proved.
        most: comparisons; 0: MAX_STEPS.

    Raises:
        Unloaded: the universe is not closed and a name in it was not looked up.
    """
    left = most or MAX_STEPS
    while True:
        run = _Search(universe, left)
        try:
            return run.run()
        except _Spent:
            return Outcome(None)
        except _Stale:
            left = run.left


class _Search:
    def __init__(self, universe: Universe, left: int) -> None:
        self.pool, self.universe, self.left = universe.pool, universe, left
        self.chosen: dict[Slot, Candidate] = {}
        self.asked: dict[Slot, list[Edge]] = {}
        self.open: dict[Slot, list[Candidate]] = {}  # what is left of each slot still to decide
        self.rank: dict[Slot, int] = {}
        self.frames: list[_Frame] = []
        self.dead: dict[Candidate, frozenset[int]] = {}  # and the requests that rule it out
        self.ends: dict[tuple[object, ...], DeadEnd] = {}

    def run(self) -> Outcome:
        """Search to the end."""
        ground = _Frame(Slot(""), [], [], set())
        blame = self._ask(self.pool.roots, ground)
        while True:
            frame: _Frame | None
            if blame:
                frame = self._retreat(blame)
                if frame is None:
                    numbers = frozenset(one for one in blame if isinstance(one, int))
                    ends = tuple(self.ends.values())
                    return Outcome(None, self.universe.closed, numbers, ends)
            elif (slot := self._next()) is not None:
                frame = self._enter(slot)
            else:
                found = check.walk(self.pool, self.chosen)
                if found.holds:
                    return Outcome(found)
                for stray in found.strays:
                    self._note(stray.slot)
                blame = {*self.chosen, *range(len(self.pool.roots))}
                continue
            blame = self._advance(frame)

    def _next(self) -> Slot | None:
        """Return the slot to decide: one with a single candidate left, else the first seen."""
        return min(
            self.open, key=lambda slot: (len(self.open[slot]) != 1, self.rank[slot]), default=None
        )

    def _enter(self, slot: Slot) -> _Frame:
        """Begin to decide a slot; of one release the options that are asked for go first."""
        whole, asked = self.open.pop(slot), self.asked[slot]
        first: dict[int, int] = {}
        for number, one in enumerate(whole):
            first.setdefault(id(one.release or one), number)
        rest = sorted(
            whole,
            key=lambda one: (first[id(one.release or one)], not self.pool.settled(one, asked)),
        )
        frame = _Frame(slot, whole, rest[::-1], self._blame(slot))
        self.frames.append(frame)
        return frame

    def _advance(self, frame: _Frame) -> set[Slot | int]:
        """Take the next candidate of a slot that fits; return whom to blame if none does."""
        while frame.rest:
            candidate = frame.rest.pop()
            if candidate in self.dead:
                frame.blame.update(self.dead[candidate])
                continue
            self.chosen[frame.slot] = candidate
            blame = self._ask(self.pool.edges(candidate), frame)
            if not blame:
                return set()
            self._fail(frame, candidate, blame)
        return set(frame.blame)

    def _fail(self, frame: _Frame, candidate: Candidate, blame: set[Slot | int]) -> None:
        """Take a candidate back, for good where only requests rule it out."""
        rest = blame - {frame.slot}
        numbers = frozenset(one for one in rest if isinstance(one, int))
        if len(numbers) == len(rest):
            self.dead[candidate] = numbers
        frame.blame.update(rest)
        self._undo(frame)

    def _retreat(self, blame: set[Slot | int]) -> _Frame | None:
        """Go back to the last decided slot that is to blame; None if no slot is."""
        while self.frames:
            frame = self.frames[-1]
            if frame.slot in blame:
                self._fail(frame, self.chosen[frame.slot], blame)
                return frame
            self._undo(frame)
            self.frames.pop()
            self.open[frame.slot] = frame.whole
        return None

    def _ask(self, edges: tuple[Edge, ...], frame: _Frame) -> set[Slot | int]:
        """Add the edges of a choice; return whom to blame if one of them cannot hold."""
        for edge in edges:
            slot = edge.slot
            if self.universe.note(edge):
                raise _Stale
            self.asked.setdefault(slot, []).append(edge)
            frame.added.append(edge)
            if slot in self.chosen:
                if not self._fits(edge, self.chosen[slot]):
                    self._note(slot)
                    return {slot, *_sources([edge])}
            elif (slot in self.open or edge.mode != "avoid") and not self._narrow(edge, frame):
                self._note(slot)
                return self._blame(slot)
        return set()

    def _narrow(self, edge: Edge, frame: _Frame) -> bool:
        """Leave of an open slot what an edge admits, or open it; say whether something is left."""
        slot = edge.slot
        before = self.open.get(slot)
        if before is None:
            self.rank.setdefault(slot, len(self.rank))
            every = (*self.universe.domain(slot), self.pool.absent(slot))
            alive = [one for one in every if one not in self.dead]
            after = [one for one in alive if all(self._fits(e, one) for e in self.asked[slot])]
        else:
            after = [one for one in before if self._fits(edge, one)]
        frame.narrowed.append((slot, before))
        self.open[slot] = after
        return bool(after)

    def _blame(self, slot: Slot) -> set[Slot | int]:
        """Return whoever narrowed a slot."""
        ruled = (self.dead.get(one, ()) for one in self.universe.domain(slot))
        return _sources(self.asked[slot]).union(*ruled)

    def _undo(self, frame: _Frame) -> None:
        """Take back what the current candidate of a slot changed."""
        self.chosen.pop(frame.slot, None)
        for edge in reversed(frame.added):
            self.asked[edge.slot].pop()
        for slot, before in reversed(frame.narrowed):
            if before is None:
                del self.open[slot]
            else:
                self.open[slot] = before
        frame.added.clear()
        frame.narrowed.clear()

    def _fits(self, edge: Edge, candidate: Candidate) -> bool:
        self.left -= 1
        if self.left < 0:
            raise _Spent
        return self.pool.admits(edge, candidate)

    def _note(self, slot: Slot) -> None:
        """Keep a dead end with the way to it, for the explanation."""
        edges = tuple(self.asked[slot])
        key = (slot, *map(id, edges))
        if key in self.ends or len(self.ends) == MAX_ENDS:
            return
        above: dict[Edge, None] = {}
        waiting = list(edges)
        while waiting:
            source = waiting.pop().source
            asked = () if isinstance(source, int) else self.asked.get(source.slot, ())
            waiting += (edge for edge in asked if edge not in above)
            above |= dict.fromkeys(asked)
        self.ends[key] = DeadEnd(slot, edges, tuple(above))


def _sources(edges: Iterable[Edge]) -> set[Slot | int]:
    """Return who asks: slots, and requests by their number."""
    return {edge.source if isinstance(edge.source, int) else edge.source.slot for edge in edges}
