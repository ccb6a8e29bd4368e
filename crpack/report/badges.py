"""What a result is worth: a badge for each row.

Rules (SPEC DSH-07, DSH-08):
- `official` is a row of a published round.
- `reproduced` is a valid result with another one of the same lock, action, parameters and machine
  that is valid too, that other pinned keys signed, and that agrees with it.
- `signed by NAME` names a pinned key; `unsigned` is everything else, a signature by a stranger
  included, as it proves nothing.
- Two results agree if each speed and each quality that both state differs by at most `TOLERANCE`
  of the greater one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack.report.rows import OFFICIAL, Row

if TYPE_CHECKING:
    from collections.abc import Sequence

TOLERANCE = 0.10

_JUDGED = ("latency", "throughput", "quality")


def badges(rows: Sequence[Row]) -> tuple[str, ...]:
    """Return the badge of each row."""
    twins: dict[str, list[Row]] = {}
    for row in rows:
        if row.twin and row.valid and row.signers:
            twins.setdefault(row.twin, []).append(row)
    return tuple(_badge(row, twins.get(row.twin, ())) for row in rows)


def _badge(row: Row, twins: Sequence[Row]) -> str:
    if row.series == OFFICIAL:
        return "official"
    if not row.signers:
        return "unsigned"
    if row.valid and any(_confirms(other, row) for other in twins):
        return "reproduced"
    return f"signed by {', '.join(row.signers)}"


def _confirms(other: Row, row: Row) -> bool:
    return set(other.signers).isdisjoint(row.signers) and _agree(other, row)


def _agree(one: Row, other: Row) -> bool:
    known = {value.axis: value.value for value in other.values if value.axis.kind in _JUDGED}
    shared = [(value.value, known[value.axis]) for value in one.values if value.axis in known]
    return bool(shared) and all(abs(a - b) <= TOLERANCE * max(abs(a), abs(b)) for a, b in shared)
