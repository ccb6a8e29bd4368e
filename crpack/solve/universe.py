"""What could matter to a problem: slots, each with its candidates, best first.

Rules (SPEC SOL-08):
- It grows with what is asked of it. A slot has a candidate for each value of an option that
  somebody was seen to ask for, and detected ones come first where somebody was seen to prefer
  them; when that changes, the slot is filled again.
- Gathered, it is closed: whatever a candidate in it may ask of a slot, the slot and the candidates
  with those option values are in it. So a search that finds nothing in it has proved something.
- It is bounded; one that is cut is not `whole`, and proves nothing.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from crpack.solve import order
from crpack.solve import pool as pools
from crpack.solve.problem import Need

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from crpack.solve.candidates import Candidate, Edge
    from crpack.solve.pool import Pool
    from crpack.solve.problem import Offer, Slot

MAX_CANDIDATES = 5000  # of all slots together
MAX_VARIANTS = 64  # choices of options of one slot


class Universe:
    """The slots of a problem and their candidates.

    Attributes:
        pool: what is known of the problem.
        whole: nothing was left out.
        closed: nothing is missing.
    """

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.whole = True
        self.closed = False
        self._domains: dict[Slot, tuple[Candidate, ...]] = {}
        self._count = 0  # candidates of all slots
        self._preferred: set[Slot] = set()
        self._asked: dict[str, dict[str, dict[str, None]]] = {}

    def domain(self, slot: Slot) -> tuple[Candidate, ...]:
        """Return the candidates of a slot, best first.

        Raises:
            Unloaded: its name was not looked up.
        """
        if slot not in self._domains:
            asked = self._asked.get(slot.name, {})
            if math.prod(len(values) + 1 for values in asked.values()) > MAX_VARIANTS:
                self.whole, asked = False, {}
            every = pools.variants(self.pool, slot, asked)
            external = slot in self._preferred
            if slot in self.pool.requested and not external:
                every = [one for one in every if one.origin != "detected"]
            order.sort(self.pool, every, external=external)
            self._domains[slot] = tuple(every)
            self._count += len(every)
            self.whole &= self._count <= MAX_CANDIDATES
        return self._domains[slot]

    def note(self, edge: Edge) -> list[Slot]:
        """Remember what an edge asks; return the slots that were filled without knowing it."""
        if edge.mode == "avoid":
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

    def gather(self) -> Generator[Need, Mapping[str, Offer], None]:
        """Close the universe from the requests on; yields the names that must be looked up."""
        wave = self._wanted(self.pool.roots)
        while wave and self.whole:
            if lacking := self.pool.lacking(slot.name for slot in wave):
                wave += self._forget(self.pool.take((yield Need(lacking))))
            edges: list[Edge] = []
            for slot in dict.fromkeys(wave):
                edges += (edge for one in self.domain(slot) for edge in self.pool.edges(one))
                if not self.whole:
                    return
            wave = self._wanted(edges)
        self.closed = self.whole

    def _wanted(self, edges: tuple[Edge, ...] | list[Edge]) -> list[Slot]:
        """Return the slots that edges lead to and that must be filled, or filled again."""
        wave: dict[Slot, None] = {}
        for edge in edges:
            wave |= dict.fromkeys(self.note(edge))
            if edge.mode != "avoid" and edge.slot not in self._domains:
                wave[edge.slot] = None
        return list(wave)

    def _forget(self, names: tuple[str, ...]) -> list[Slot]:
        stale = [slot for slot in self._domains if slot.name in names]
        for slot in stale:
            self._count -= len(self._domains.pop(slot))
        return stale
