"""The Pareto front against the plain definition."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crpack.model.pareto import front

BOTH = ("lower", "higher")
NUMBERS = st.integers(0, 6).map(float)


def dominated(point: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Lower is better in each."""
    return other != point and all(b <= a for a, b in zip(point, other, strict=True))


def test_the_best_in_the_first_objective_comes_first() -> None:
    """DSH-06: latency down, accuracy up; a slower and worse point is left out."""
    assert front([(9, 0.9), (1, 0.5), (5, 0.4), (4, 0.7)], BOTH) == (1, 3, 0)


def test_equal_points_are_all_on_the_front() -> None:
    """DSH-06."""
    assert front([(1, 1), (1, 1), (2, 1)], BOTH) == (0, 1)


@pytest.mark.parametrize("size", [1, 2, 3])
@given(data=st.data())
def test_the_front_is_what_nothing_dominates(size: int, data: st.DataObject) -> None:
    """DSH-06."""
    points = data.draw(st.lists(st.tuples(*[NUMBERS] * size), max_size=12))
    plain = {
        index
        for index, point in enumerate(points)
        if not any(dominated(point, other) for other in points)
    }
    assert set(front(points, ["lower"] * size)) == plain


def test_what_is_no_direction_is_refused() -> None:
    with pytest.raises(ValueError, match="direction"):
        front([(1,)], ["up"])
    with pytest.raises(ValueError, match=r"zip|longer|shorter"):
        front([(1, 2)], ["lower"])
