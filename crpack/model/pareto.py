"""The Pareto front: the points that no other point beats in everything.

Rules (SPEC DSH-06):
- A point dominates another if it is as good in every objective and better in one.
- Equal points are all on the front, or none is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Point = tuple[float, ...]


def front(points: Sequence[Sequence[float]], directions: Sequence[str]) -> tuple[int, ...]:
    """Return the places in `points` of those on the front, the best in the first objective first.

    Args:
        points: one finite number for each objective.
        directions: `lower` or `higher` for each objective: what is better.

    Raises:
        ValueError: a direction is neither, or a point has another number of objectives.
    """
    if any(direction not in ("lower", "higher") for direction in directions):
        raise ValueError("a direction is `lower` or `higher`")
    signs = [1.0 if direction == "lower" else -1.0 for direction in directions]
    costs = [_costs(point, signs) for point in points]
    order = sorted(range(len(costs)), key=costs.__getitem__)
    return tuple(_two(costs, order) if len(signs) == 2 else _many(costs, order))


def _costs(point: Sequence[float], signs: Sequence[float]) -> Point:
    return tuple(sign * value for sign, value in zip(signs, point, strict=True))


def _two(costs: Sequence[Point], order: Sequence[int]) -> list[int]:
    """Return the front of two objectives in one pass over what is sorted by the first."""
    found: list[int] = []
    for index in order:
        if not found or costs[index][1] < costs[found[-1]][1] or costs[index] == costs[found[-1]]:
            found.append(index)
    return found


def _many(costs: Sequence[Point], order: Sequence[int]) -> list[int]:
    """Return the front of any number of objectives: what dominates a point is sorted before it."""
    found: list[int] = []
    for index in order:
        if not any(_covers(costs[one], costs[index]) for one in found):
            found.append(index)
    return found


def _covers(one: Point, other: Point) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))
