"""What several probes say of one thing. Pure.

Rules (SPEC DET-19):
- Two findings speak of one thing when name, prefix and platform are the same.
- Where their versions agree, as far as both tell them, and one is passive, they are one finding:
  the first, which notes what else says so.
- One that is for linking notes the library of its prefix, which is what runs with the result.
- Where no finding of another probe agrees, both note the disagreement. Nothing is averaged.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crpack.model.facts import Found

_PARTS = re.compile(r"(?:0+(?=[0-9]))?([0-9]+|[A-Za-z]+)", re.ASCII)  # 6.00 is 6.0


def settle(found: Sequence[Found]) -> tuple[Found, ...]:
    """Return the findings with what agrees made one, and what disagrees noted.

    Args:
        found: of any names; those of one name in order of preference.
    """
    kept: list[Found] = []
    for one in found:
        index = _index(kept, one)
        if index is None:
            kept.append(one)
        else:
            kept[index] = _with(kept[index], one)
    return tuple(_judged(_loading(one, found), kept) for one in kept)


def agree(one: str, other: str) -> bool:
    """Say whether two versions are the same as far as both tell: 3.0 and 3.0.15 are."""
    first, second = _PARTS.findall(one), _PARTS.findall(other)
    shared = min(len(first), len(second))
    return one == other or (shared > 0 and first[:shared] == second[:shared])


def _index(kept: list[Found], one: Found) -> int | None:
    """Return which kept finding says the same by other evidence."""
    for index, first in enumerate(kept):
        other = _of_one_thing(first, one) and _evidence(one) not in ("", _evidence(first))
        if other and _same(first, one):
            return index
    return None


def _with(first: Found, one: Found) -> Found:
    notes = dict(first.notes)
    also = [*notes.get("also", "").split(", "), _evidence(one)]
    notes["also"] = ", ".join(dict.fromkeys(text for text in also if text))
    if dict(one.notes).get("provides") == "dev" and "provides" in notes:
        notes["provides"] = "dev"
    return replace(first, notes=tuple(sorted(notes.items())))


def _loading(one: Found, every: Sequence[Found]) -> Found:
    """Return a finding with the library of its thing noted, of several that of its version."""
    if _evidence(one) in ("", "elf"):
        return one
    near = [e for e in every if _of_one_thing(one, e) and _evidence(e) == "elf"]
    near = [e for e in near if _same(one, e)] or [e for e in near if not e.version]
    if not near:
        return one
    soname = dict(near[0].notes).get("soname", "")
    notes = dict(one.notes) | {"library": near[0].path} | ({"soname": soname} if soname else {})
    return replace(one, notes=tuple(sorted(notes.items())))


def _judged(one: Found, kept: list[Found]) -> Found:
    """Return a finding with a note of the first one that says otherwise, if none says the same."""
    told = [
        other
        for other in kept
        if other.version and _of_one_thing(one, other) and _evidence(other) != _evidence(one)
    ]
    if not one.version or not told or any(_same(one, other) for other in told):
        return one
    note = f"{told[0].how} says {told[0].version}"
    return replace(one, notes=tuple(sorted((*one.notes, ("disagrees", note)))))


def _same(one: Found, other: Found) -> bool:
    return bool(one.version and other.version and agree(one.version, other.version))


def _of_one_thing(one: Found, other: Found) -> bool:
    if one.name != other.name:  # of nearly all pairs
        return False
    prefix = dict(one.notes).get("prefix", "")
    return (
        bool(prefix)
        and prefix == dict(other.notes).get("prefix")
        and one.runnable == other.runnable
        and (one.runnable or one.platform == other.platform)
    )


def _evidence(found: Found) -> str:
    """Return the kind of evidence; empty for a program that was asked."""
    return dict(found.notes).get("evidence", "")
