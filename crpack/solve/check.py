"""The walk: every answer is followed from the requests, edge by edge, before anyone sees it.

Rules (SPEC SOL-07):
- Only what the walk reaches is in an answer, breadth first, in the order of requests and recipes.
- Every edge between what is reached holds, every option has exactly the value that its askers
  leave it, and a pre-release was asked for.
- No recursion: a graph may be deep and may have circles.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack.solve.candidates import Candidate, Edge

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from crpack.solve.pool import Pool
    from crpack.solve.problem import Slot


@dataclass(frozen=True, slots=True)
class Walk:
    """What was reached.

    Attributes:
        reached: the candidates, breadth first.
        edges: those that lead to each of them, in the same order.
        broken: edges that do not hold.
        strays: candidates with options, or of a kind of version, that nobody asked for.
    """

    reached: tuple[Candidate, ...]
    edges: tuple[tuple[Edge, ...], ...]
    broken: tuple[Edge, ...]
    strays: tuple[Candidate, ...]

    @property
    def holds(self) -> bool:
        """Nothing is wrong with it."""
        return not self.broken and not self.strays


def walk(pool: Pool, chosen: Mapping[Slot, Candidate], roots: Iterable[Edge] | None = None) -> Walk:
    """Follow every edge from the requests through a choice; `roots`: from some of them alone."""
    reached: dict[Slot, Candidate] = {}
    asked: dict[Slot, list[Edge]] = {}
    missing: list[Edge] = []
    waiting = deque(pool.roots if roots is None else roots)
    while waiting:
        edge = waiting.popleft()
        asked.setdefault(edge.slot, []).append(edge)
        pick = chosen.get(edge.slot)
        there = pick is not None and pick.origin != "absent"
        if edge.mode == "need" and not there:
            missing.append(edge)
        if pick is not None and there and edge.mode != "avoid" and edge.slot not in reached:
            reached[edge.slot] = pick
            waiting.extend(pool.edges(pick))
    edges = {slot: tuple(asked[slot]) for slot in reached}
    broken = [e for slot, pick in reached.items() for e in edges[slot] if not pool.admits(e, pick)]
    strays = [
        pick
        for slot, pick in reached.items()
        if not (pool.settled(pick, edges[slot]) and pool.supported(pick, edges[slot]))
    ]
    return Walk(tuple(reached.values()), tuple(edges.values()), (*missing, *broken), tuple(strays))
