"""Exploring: which points of a space are tried, which go on, and which are best.

Rules (SPEC BEN-07 to BEN-09):
- A space is a product of axes. A small one is tried whole, in order; of a large one so many
  points are drawn, each at most once, by a seed alone.
- Halving: all points are tried on few images, the better half on twice as many, and so on. What
  no other point beats in everything always goes on.
- Of the points that remain those are best that no other is better than, where differences within
  the margin of a number count as none.
Pure.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack.errors import UsageError
from crpack.model import parameters, pareto

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crpack.model.parameters import Parameter

Point = tuple[tuple[str, str], ...]

MOST = 1000  # points that are tried at once
FEW = 12  # points that are not worth a round on fewer images
_MAX_AXES = 16
_MAX_VALUES = 1000  # of one axis


@dataclass(frozen=True, slots=True)
class Axis:
    """One param and the values that it takes, as texts."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Margin:
    """What is no difference in a number: a share of it, or an amount."""

    share: float = 0.0
    amount: float = 0.0


def axes(text: str, params: Sequence[Parameter]) -> tuple[Axis, ...]:
    """Return the axes that a text such as `backend=*,threads=1,2` describes (SPEC BEN-07).

    Raises:
        UsageError: not of that form, no such param, or a value that does not fit.
    """
    found: list[tuple[str, list[str]]] = []
    for piece in text.split(","):
        name, equals, value = piece.partition("=")
        if equals:
            found.append((name.strip(), [value.strip()]))
        elif found:
            found[-1][1].append(piece.strip())
    names = [name for name, _ in found]
    if not found or len(set(names)) < len(names) or len(names) > _MAX_AXES:
        hint = "write it as `--explore 'backend=*,threads=1,2'`, each param once"
        raise UsageError(f"`{text}` describes no space of params", hint=hint, rule="BEN-07")
    known = {one.name: one for one in params}
    for name in names:
        if name not in known:
            what = f"the benchmark has no param `{name}` to explore"
            raise parameters.unknown(name, tuple(known), what)
    return tuple(Axis(name, _values(known[name], values)) for name, values in found)


def _values(param: Parameter, texts: list[str]) -> tuple[str, ...]:
    if texts == ["*"]:
        every = ("false", "true") if param.type == "bool" else param.values
        if not every:
            what = f"`{param.name}` has no list of values that `*` could stand for"
            raise UsageError(what, hint=f"name them: `{param.name}=1,2,4`", rule="BEN-07")
        return every
    values = tuple(parameters.to_text(parameters.from_text(param, text)) for text in texts)
    if len(values) > _MAX_VALUES:
        raise UsageError(f"`{param.name}` has more than {_MAX_VALUES} values", rule="BEN-07")
    return tuple(dict.fromkeys(values))


def volume(space: Sequence[Axis]) -> int:
    """Return how many points a space has."""
    return math.prod(len(axis.values) for axis in space)


def points(space: Sequence[Axis], limit: int, seed: int) -> tuple[Point, ...]:
    """Return the points that are tried: all in order, or `limit` of them drawn by the seed."""
    size = volume(space)
    if size <= limit:
        return tuple(_point(space, index) for index in range(size))
    drawn: dict[int, None] = {}
    turn = 0
    while len(drawn) < limit:
        digest = hashlib.sha256(f"{seed}:{turn}".encode()).digest()
        drawn[int.from_bytes(digest, "big") % size] = None
        turn += 1
    return tuple(_point(space, index) for index in drawn)


def _point(space: Sequence[Axis], index: int) -> Point:
    """Return one point by its number; the last axis moves fastest."""
    found = []
    for axis in reversed(space):
        index, place = divmod(index, len(axis.values))
        found.append((axis.name, axis.values[place]))
    return tuple(reversed(found))


def rounds(count: int, images: int) -> tuple[int, ...]:
    """Return on how many images so many points are tried before the last round (SPEC BEN-08).

    Args:
        count: of points.
        images: of the last round; 0 where the benchmark has no such param, or no limit.
    """
    halvings = 0
    while count > FEW and images >> (halvings + 1):
        count = -(-count // 2)
        halvings += 1
    return tuple(images >> step for step in range(halvings, 0, -1))


def survivors(scores: Sequence[Sequence[float]], directions: Sequence[str]) -> tuple[int, ...]:
    """Return the places of those that go on, in order: at least half, and the whole front.

    Args:
        scores: one number for each objective, for every point.
        directions: `lower` or `higher` for each objective.
    """
    left, kept = list(range(len(scores))), list[int]()
    wanted = -(-len(scores) // 2)
    while left and len(kept) < wanted:
        front = [left[at] for at in pareto.front([scores[at] for at in left], directions)]
        kept += front if not kept else front[: wanted - len(kept)]
        left = [at for at in left if at not in front]
    return tuple(sorted(kept))


def best(
    scores: Sequence[Sequence[float]], directions: Sequence[str], margins: Sequence[Margin]
) -> tuple[int, ...]:
    """Return the places of the points of the ε-Pareto front, best first in the first objective.

    Every other point has one in it that is no worse in any objective by more than its margin.
    """
    signs = [1.0 if one == "lower" else -1.0 for one in directions]
    found: list[int] = []
    for at in pareto.front(scores, directions):
        if not any(_alike(scores[one], scores[at], signs, margins) for one in found):
            found.append(at)
    return tuple(found)


def _alike(
    one: Sequence[float], two: Sequence[float], signs: Sequence[float], margins: Sequence[Margin]
) -> bool:
    """Say whether the first is no worse than the second by more than the margins."""
    return all(
        sign * (a - b) <= margin.share * abs(b) + margin.amount
        for a, b, sign, margin in zip(one, two, signs, margins, strict=True)
    )
