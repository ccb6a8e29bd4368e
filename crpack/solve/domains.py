"""Domains: the candidates of one slot as bits, and which of them an edge admits.

Rules (SPEC SOL-04, SOL-06):
- Bit 0 is nothing; the others are the candidates, the preferred one first.
- A mask says what `Pool.admits` says of each candidate, whatever way it was found.
- What needs somebody who asks for it (a pre-release, an option's value, the machine's own software
  for a requested name) comes behind the rest until somebody does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from crpack.solve.candidates import PYTHON
from crpack.solve.ranking import Ranking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crpack.solve.candidates import Candidate, Edge
    from crpack.solve.pool import Pool
    from crpack.solve.problem import Slot

FEW = 8  # candidates that are asked one by one
ABSENT = 1  # the bit of nothing
Sign: TypeAlias = tuple[object, ...]


def sign(edge: Edge) -> Sign:
    """Return what an edge asks, whoever asks it; equal ones admit the same of a slot."""
    return (edge.range, edge.options, edge.external, edge.mode, edge.use == "link", edge.serves)


class Domain:
    """The candidates of a slot.

    Attributes:
        slot: which.
        candidates: best first.
        number: of its variable.
        full: nothing, or any candidate.
        needy: candidates that need somebody who asks for them.
    """

    def __init__(self, pool: Pool, slot: Slot, candidates: tuple[Candidate, ...]) -> None:
        self.pool, self.slot, self.candidates = pool, slot, candidates
        self.number = -1
        self.full = (2 << len(candidates)) - 1
        self.needy = sum(2 << place for place, one in enumerate(candidates) if _is_needy(pool, one))
        self._bits = {one: 2 << place for place, one in enumerate(candidates)}
        self._odd = sum(bit for one, bit in self._bits.items() if not one.made)
        self._masks: dict[Sign, int] = {}
        self._signs: dict[Slot, dict[Sign, tuple[int, Edge]]] | None = None
        self._ranking: Ranking | None = None

    def bit(self, candidate: Candidate) -> int:
        """Return the bit of a candidate."""
        return self._bits[candidate]

    def of(self, mask: int) -> Iterator[Candidate]:
        """Yield the candidates in a mask, best first."""
        mask >>= 1
        while mask:
            low = mask & -mask
            yield self.candidates[low.bit_length() - 1]
            mask ^= low

    def admitted(self, edge: Edge) -> int:
        """Return what an edge to this slot admits."""
        key = sign(edge)
        if key not in self._masks:
            self._masks[key] = self._admitted(edge)
        return self._masks[key]

    def asking(self, slot: Slot, mask: int) -> list[tuple[int, Edge]]:
        """Return what candidates in a mask ask of another slot: each thing with who asks it."""
        if self._signs is None:
            self._signs = {}
            for bit, one in zip(self._bits.values(), self.candidates, strict=True):
                for edge in self.pool.edges(one):
                    rows = self._signs.setdefault(edge.slot, {})
                    who, first = rows.get(key := sign(edge), (0, edge))
                    rows[key] = (who | bit, first)
        rows = self._signs.get(slot, {})
        return [(who & mask, edge) for who, edge in rows.values() if who & mask]

    def _admitted(self, edge: Edge) -> int:
        nothing = ABSENT if edge.mode != "need" else 0
        if len(self.candidates) <= FEW or self.slot.name[:1] == "@" or edge.serves is not None:
            return nothing | self._each(edge, self.full & ~ABSENT)
        self.pool.spend(len(self.candidates).bit_length())
        if edge.mode == "avoid":
            return nothing | self._each(edge, self._odd) | self._unavoided(edge)
        plain = self._ranked().admitted(edge.range, early=self.pool.early(self.slot))
        odd = self._odd if not edge.options else self.full & ~ABSENT
        return nothing | (plain & ~odd) | self._each(edge, odd)

    def _unavoided(self, edge: Edge) -> int:
        if not edge.range.strip():
            return 0
        early = self.pool.early(self.slot)
        return self.full & ~ABSENT & ~self._odd & ~self._ranked().admitted(edge.range, early=early)

    def _each(self, edge: Edge, mask: int) -> int:
        return sum(self._bits[one] for one in self.of(mask) if self.pool.admits(edge, one))

    def _ranked(self) -> Ranking:
        if self._ranking is None:
            rows = ((one.version or "", bit) for one, bit in self._bits.items() if one.made)
            self._ranking = Ranking(rows)
        return self._ranking


def _is_needy(pool: Pool, one: Candidate) -> bool:
    """Say whether a candidate serves only where somebody asks for it (SPEC SOL-04, SOL-05)."""
    if one.slot.name == PYTHON or one.origin == "virtual":
        return False
    return not (pool.supported(one, ()) and pool.settled(one, ()))
