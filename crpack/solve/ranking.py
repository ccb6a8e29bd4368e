"""Versions ranked once, so that a range is a mask found by bisection.

Rules (SPEC VER-03, VER-04):
- It says what `versions.parse_range` says of each version, pre-releases counting as elsewhere.
- A clause whose meaning is not an interval of the order is asked of each version.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from crpack.model import versions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crpack.model.versions import Clause, Version


class Ranking:
    """Versions with the bits of those who have them."""

    def __init__(self, rows: Iterable[tuple[str, int]]) -> None:
        """Rank versions; rows of version and bit."""
        bits: dict[str, int] = {}
        for text, bit in rows:
            bits[text] = bits.get(text, 0) | bit
        self._order: list[Version] = []
        self._bits: list[int] = []
        self._place: dict[str, int] = {}  # by every text of it that was seen
        for version, text in sorted((versions.parse(text), text) for text in bits):
            if self._order[-1:] != [version]:
                self._order.append(version)
                self._bits.append(0)
            self._bits[-1] |= bits[text]
            self._place[text] = len(self._order) - 1
        self._below = [0]  # the bits of all versions before each place
        for bit in self._bits:
            self._below.append(self._below[-1] | bit)
        pairs = list(zip(self._order, self._bits, strict=True))
        self._early = sum(bit for version, bit in pairs if version.is_prerelease)
        self._plain = not any(version.local for version in self._order)
        self._known: dict[str, tuple[int, int]] = {}

    def admitted(self, text: str, *, early: bool = False) -> int:
        """Return the bits of the versions in a range; `early`: see `Range.admits`."""
        if text not in self._known:
            strict = loose = 0
            for clauses in versions.parse_range(text).lists:
                mask = self._below[-1]
                for clause in clauses:
                    mask &= self._one(clause)
                wary = clauses and not any(clause.names_prerelease for clause in clauses)
                strict |= mask & ~self._early if wary else mask
                loose |= mask
            self._known[text] = strict, loose
        return self._known[text][early]

    def _one(self, clause: Clause) -> int:
        bounds = self._bounds(clause) if self._plain else None
        if bounds is None:
            pairs = zip(self._order, self._bits, strict=True)
            return sum(bit for version, bit in pairs if clause.admits(version))
        mask = self._below[bounds[1]] & ~self._below[bounds[0]]
        return self._below[-1] & ~mask if clause.operator == "!=" else mask

    def _bounds(self, clause: Clause) -> tuple[int, int] | None:
        """Return the first place that a clause admits and the one behind the last.

        For `!=` those that it does not admit; None where it is no interval.
        """
        operator, order = clause.operator, self._order
        if clause.text.endswith(".*"):
            return self._prefix(versions.parse(clause.text[:-2]))
        left = self._place.get(clause.text, -1)
        right = left + 1
        if left < 0 or operator == "~=":
            bound = versions.parse(clause.text)
            if bound.local:
                return None
            left = bisect_left(order, bound)
            right = left + (order[left : left + 1] == [bound])
        if operator == "~=":
            within = self._prefix(bound, cut=1)
            return (max(left, within[0]), within[1]) if within else None
        ends = {
            "<": (0, left),
            "<=": (0, right),
            ">": (right, len(order)),
            ">=": (left, len(order)),
        }
        return ends.get(operator, (left, right))

    def _prefix(self, version: Version, cut: int = 0) -> tuple[int, int] | None:
        if not cut and (version.is_prerelease or version.is_postrelease or version.local):
            return None
        parts = version.release[: len(version.release) - cut]
        after = (*parts[:-1], parts[-1] + 1)
        first, last = (
            versions.parse(f"{version.epoch}!{'.'.join(map(str, one))}.dev0")
            for one in (parts, after)
        )
        return bisect_left(self._order, first), bisect_left(self._order, last)
