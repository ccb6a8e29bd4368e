"""Golden runs: is what an action answers what its author saw?

Rules (SPEC GLD-02, GLD-03):
- Texts, booleans and the shape of lists and objects must be equal; numbers may differ by the
  tolerance, compared as decimals.
- All differences of a run are found; each is told by its first place.
Pure.
"""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHOWN = 60  # characters of a value that a message shows
_DEEP = 64  # levels of lists and objects that are compared


def difference(expected: object, answer: object, tolerance: str) -> str:
    """Return the first difference as a sentence; empty where there is none (SPEC GLD-02).

    Args:
        expected: a JSON value.
        answer: likewise; what an action answered.
        tolerance: decimal text; numbers may differ by it.
    """
    return next(_differences(expected, answer, Decimal(tolerance), "it", _DEEP), "")


def _differences(
    wanted: object, got: object, tolerance: Decimal, place: str, levels: int
) -> Iterator[str]:
    if not levels:
        yield f"{place} is nested too deep to be compared"
    elif isinstance(wanted, list) and isinstance(got, list):
        if len(wanted) != len(got):
            yield f"{place} has {len(got)} items, not {len(wanted)}"
        for index, (one, two) in enumerate(zip(wanted, got, strict=False)):
            yield from _differences(one, two, tolerance, _below(place, f"[{index}]"), levels - 1)
    elif isinstance(wanted, dict) and isinstance(got, dict):
        for key in sorted({*wanted, *got}):
            below = _below(place, f".{key}")
            if key not in got or key not in wanted:
                yield f"{below} is {'missing' if key in wanted else 'too much'}"
            else:
                yield from _differences(wanted[key], got[key], tolerance, below, levels - 1)
    elif not _alike(wanted, got, tolerance):
        margin = f" ± {tolerance}" if tolerance and _number(wanted) is not None else ""
        yield f"{place} is {_shown(got)}, not {_shown(wanted)}{margin}"


def _below(place: str, key: str) -> str:
    return f"{'' if place == 'it' else place}{key}".lstrip(".")


def _alike(wanted: object, got: object, tolerance: Decimal) -> bool:
    one, two = _number(wanted), _number(got)
    if one is None or two is None:
        return type(wanted) is type(got) and wanted == got
    return abs(one - two) <= tolerance


def _number(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
