"""From a proof to the graph of why there is no solution.

Rules (SPEC SOL-10, SOL-12):
- The requests in conflict come first: none of them can be left out, or the rest would be
  satisfiable. Then who asks what on the way to each dead end, versions of one component as one.
- Of each component of which nothing is left comes what there is of it; of the others what may not
  serve though it is in the range.
- The same problem gives the same graph.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from crpack.solve import asking, conflict, fixes, inventory, proof, wording
from crpack.solve.conflict import Node
from crpack.solve.domains import ABSENT
from crpack.solve.problem import Slot, Unsolvable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crpack.solve.candidates import Edge
    from crpack.solve.facts import Outcome
    from crpack.solve.fixes import Attempt
    from crpack.solve.problem import Problem
    from crpack.solve.universe import Universe


def unsolvable(
    universe: Universe, outcome: Outcome, problem: Problem, attempt: Attempt
) -> Unsolvable:
    """Return the error of a proved failure.

    Args:
        universe: of the requests in conflict alone.
        outcome: their failure.
        problem: all that was asked.
        attempt: solves another problem, for the changes that are proposed.
    """
    edges = tuple(proof.edges(outcome.proof)) if outcome.proof else ()
    nodes = _Graph(universe, edges).nodes()
    found = fixes.tried(universe.pool, edges, problem, attempt)
    return Unsolvable(conflict.of(nodes, found), universe.pool.problem.requests)


class _Graph:
    """The nodes in the making."""

    def __init__(self, universe: Universe, edges: tuple[Edge, ...]) -> None:
        self.universe, self.pool = universe, universe.pool
        self._nodes: list[Node] = []
        self._asked: dict[Slot, list[Edge]] = {}  # what is said of a slot, by whom requests reach
        self._leading: dict[Slot, list[str]] = {}  # ids of those that ask for a slot
        self._asking: dict[Slot, list[str]] = {}  # and of those that say anything of it
        self._groups: dict[tuple[Slot | int, Slot, str], list[Edge]] = {}
        for edge in edges:
            self._groups.setdefault((asking.source(edge), edge.slot, edge.mode), []).append(edge)

    def nodes(self) -> tuple[Node, ...]:
        """Return the nodes of the whole graph."""
        for group in self._ordered():
            edge = group[0]
            because = [] if isinstance(edge.source, int) else self._leading[edge.source.slot]
            told = self._add(asking.node(self.universe, group), because)
            self._asked.setdefault(edge.slot, []).extend(group)
            self._asking.setdefault(edge.slot, []).append(told)
            if edge.mode != "avoid":
                self._leading.setdefault(edge.slot, []).append(told)
        every = {slot: tuple(edges) for slot, edges in self._asked.items()}
        ends = {slot: edges for slot, edges in every.items() if self._is_end(slot, edges)}
        last = [self._end(slot, edges) for slot, edges in ends.items()]
        for slot in (one for one in self._leading if one not in ends):
            last += [self._add(node) for node in inventory.missed(self.pool, slot, every[slot])]
        known = {one for node in self._nodes for one in node.because} | set(last)
        last += [node.id for node in self._nodes if node.id not in known]
        reason = wording.headline(conflict.of(tuple(self._nodes)))
        self._add(Node("", "derived", "", reason=reason), last)
        return tuple(self._nodes)

    def _end(self, slot: Slot, edges: tuple[Edge, ...]) -> str:
        """Add what there is of a slot and that nothing of it serves; return the id of that."""
        there = inventory.there(self.pool, slot, edges, self._cuts(slot))
        facts = [self._add(node) for node in there]
        end = Node("", "derived", slot.name, slot.context)
        return self._add(end, [*self._asking[slot], *facts])

    def _add(self, node: Node, because: Iterable[str] = ()) -> str:
        number = f"n{len(self._nodes) + 1}"
        text = wording.sentence(node)
        self._nodes.append(dataclasses.replace(node, id=number, because=tuple(because), text=text))
        return number

    def _ordered(self) -> Iterator[list[Edge]]:
        """Yield edges by who asks whom, from the requests on, what the newest asks first."""
        order: list[Slot | int] = sorted(by for by, _, _ in self._groups if isinstance(by, int))
        for source in order:  # it grows
            mine = [
                sorted(alike, key=asking.age, reverse=True)
                for (by, _, _), alike in self._groups.items()
                if by == source
            ]
            mine.sort(key=lambda alike: asking.place(self.pool, alike[0]))
            leading = (rows[0].slot for rows in mine if rows[0].mode != "avoid")
            order += [slot for slot in dict.fromkeys(leading) if slot not in order]
            yield from mine

    def _cuts(self, slot: Slot) -> Iterator[str]:
        """Yield the ranges that decide about a slot: of an asker the widest one, if any is."""
        for (_, asked, _), edges in self._groups.items():
            if asked == slot:
                wide = asking.widest(self.universe, edges)
                yield from [wide.range] if wide else [edge.range for edge in edges]

    def _is_end(self, slot: Slot, edges: tuple[Edge, ...]) -> bool:
        """Say whether somebody needs a slot of which nothing is left for all who ask."""
        if slot not in self._leading:
            return False
        domain = self.universe.domain(slot)
        askers: dict[Slot | int, int] = {}
        for edge in edges:
            by = asking.source(edge)
            askers[by] = askers.get(by, 0) | domain.admitted(edge)
        left = domain.full & ~ABSENT
        for mask in askers.values():
            left &= mask
        return not any(self.pool.supported(one, edges) for one in domain.of(left))
