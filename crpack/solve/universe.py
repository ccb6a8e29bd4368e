"""What could matter to a problem: slots, each with its domain.

Rules (SPEC SOL-08):
- It grows with what is asked of it. A slot has a candidate for each value of an option that
  somebody was seen to ask for, and detected ones come first where somebody was seen to prefer
  them; when that changes, the slot is filled again.
- Open, it has one candidate more for each release with options: its variants that nobody was seen
  to ask for yet. Who comes to choose such a one must close the universe first.
- Closed, whatever a candidate in it may ask of a slot, the slot and the candidates with those
  option values are in it. So a search that finds nothing in it has proved something.
- It is bounded; one that is cut is not `whole`, and proves nothing.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from crpack.solve import order
from crpack.solve.domains import Domain
from crpack.solve.problem import Need
from crpack.solve.variants import variants

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    from crpack.solve.candidates import Edge
    from crpack.solve.pool import Pool
    from crpack.solve.problem import Offer, Slot

MAX_CANDIDATES = 100_000  # of all slots together
MAX_VARIANTS = 64  # choices of options of one slot


class Universe:
    """The slots of a problem and their domains.

    Attributes:
        pool: what is known of the problem.
        whole: nothing was left out.
        closed: nothing is missing.
        leading: closed: every edge to a slot.
    """

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.whole = True
        self.closed = False
        self.leading: dict[Slot, list[Edge]] = {}
        self._domains: dict[Slot, Domain] = {}
        self._count = 0  # candidates of all slots
        self._preferred: set[Slot] = set()
        self._asked: dict[str, dict[str, dict[str, None]]] = {}

    def domain(self, slot: Slot) -> Domain:
        """Return the domain of a slot.

        Raises:
            Unloaded: its name was not looked up.
        """
        if slot not in self._domains:
            asked = self._asked.get(slot.name, {})
            if math.prod(len(values) + 1 for values in asked.values()) > MAX_VARIANTS:
                self.whole, asked = False, {}
            every = variants(self.pool, slot, asked, rest=not self.closed)
            order.sort(self.pool, every, external=slot in self._preferred)
            self._domains[slot] = Domain(self.pool, slot, tuple(every))
            self._count += len(every)
            self.whole &= self._count <= MAX_CANDIDATES
        return self._domains[slot]

    def note(self, edge: Edge) -> list[Slot]:
        """Remember what an edge asks; return the slots that were filled without knowing it."""
        if edge.mode == "avoid" or not (edge.options or edge.external == "prefer"):
            return []
        asked = self._asked.setdefault(edge.slot.name, {})
        fresh = edge.external == "prefer" and edge.slot not in self._preferred
        if fresh:
            self._preferred.add(edge.slot)
        for option, value in edge.options:
            values = asked.setdefault(option, {})
            fresh |= value not in values
            values[value] = None
        return self._forget((edge.slot.name,)) if fresh else []

    def prefers(self, slot: Slot) -> bool:
        """Say whether somebody was seen to prefer what the machine has of a slot."""
        return slot in self._preferred

    def take(self, offers: Mapping[str, Offer]) -> bool:
        """Add what was looked up; say whether a slot was filled without knowing it."""
        return bool(self._forget(self.pool.take(offers)))

    def prefetch(self) -> Generator[Need, Mapping[str, Offer], None]:
        """Look up what the first choices need, level by level, so that few waves are needed."""
        left: dict[Slot, int] = {}
        wave = list(self.pool.roots)
        while wave:
            if lacking := self.pool.lacking(e.slot.name for e in wave if e.mode != "avoid"):
                self.take((yield Need(lacking)))
            fresh: dict[Slot, None] = {}
            for edge in wave:
                if edge.mode != "avoid":
                    domain = self.domain(edge.slot)
                    if edge.slot not in left:
                        fresh[edge.slot] = None
                        left[edge.slot] = domain.full & ~domain.needy
                    left[edge.slot] &= domain.admitted(edge)
            wave = []
            for slot in fresh:
                first = next(self.domain(slot).of(left[slot] & -(left[slot] & ~1)), None)
                wave += self.pool.edges(first) if first else ()

    def close(self) -> Generator[Need, Mapping[str, Offer], bool]:
        """Close the universe from the requests on.

        Returns:
            Whether a slot was filled without a component that provides its name.
        """
        self.closed = True
        before = {slot.name for slot in self._domains}
        for slot, domain in tuple(self._domains.items()):
            if any(one.origin == "open" for one in domain.candidates):
                self._forget((slot.name,))
        seen: dict[Slot, None] = {}
        late = False
        edges: list[Edge] = list(self.pool.roots)
        while edges and self.whole:
            wave = self._wanted(edges, seen)
            if lacking := self.pool.lacking(slot.name for slot in wave):
                fresh = self.pool.take((yield Need(lacking)))
                late |= not before.isdisjoint(fresh)
                wave |= dict.fromkeys(self._forget(fresh))
            edges = []
            for slot in wave:
                every = self.domain(slot).candidates if self.whole else ()
                edges += (edge for one in every for edge in self.pool.edges(one))
        self.closed = self.whole
        self.leading = {}
        for edge in (*self.pool.roots, *self._every()):
            self.leading.setdefault(edge.slot, []).append(edge)
        return late

    def _every(self) -> Iterator[Edge]:
        for domain in tuple(self._domains.values()):
            for one in domain.candidates:
                yield from self.pool.edges(one)

    def _wanted(self, edges: list[Edge], seen: dict[Slot, None]) -> dict[Slot, None]:
        """Return the slots that edges lead to and that must be filled, or filled again."""
        wave: dict[Slot, None] = {}
        for edge in edges:
            wave |= dict.fromkeys(self.note(edge))
            if edge.mode != "avoid" and edge.slot not in seen:
                seen[edge.slot] = wave[edge.slot] = None
        return wave

    def _forget(self, names: tuple[str, ...]) -> list[Slot]:
        stale = [slot for slot in self._domains if slot.name in names]
        for slot in stale:
            self._count -= len(self._domains.pop(slot).candidates)
        return stale
