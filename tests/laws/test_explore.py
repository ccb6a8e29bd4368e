"""Laws of exploring: spaces, rounds, survivors, the ε-Pareto front."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crpack.errors import UsageError
from crpack.model.parameters import Parameter
from crpack.work import explore
from crpack.work.explore import Axis, Margin

AXES = st.lists(st.integers(1, 5), min_size=1, max_size=4).map(
    lambda sizes: tuple(
        Axis(f"p{place}", tuple(str(value) for value in range(size)))
        for place, size in enumerate(sizes)
    )
)
SCORES = st.integers(1, 3).flatmap(
    lambda wide: st.lists(
        st.lists(st.integers(1, 40).map(float), min_size=wide, max_size=wide),
        min_size=1,
        max_size=24,
    )
)
DIRECTIONS = ("lower", "higher", "lower")


def beats(one: list[float], two: list[float], slack: float = 0.0) -> bool:
    """Say whether one is no worse than two by more than a share, in every objective."""
    return all(
        a <= b * (1 + slack) if direction == "lower" else a >= b * (1 - slack)
        for a, b, direction in zip(one, two, DIRECTIONS, strict=False)
    )


@given(AXES)
def test_a_small_space_is_tried_whole_and_in_order(space: tuple[Axis, ...]) -> None:
    """BEN-07: the last param moves fastest."""
    found = explore.points(space, 10_000, 0)
    values = itertools.product(*(axis.values for axis in space))
    names = [axis.name for axis in space]
    assert found == tuple(tuple(zip(names, one, strict=True)) for one in values)
    assert len(found) == explore.volume(space)


@given(AXES, st.integers(1, 30), st.integers(0, 5))
def test_of_a_large_space_distinct_points_are_drawn(
    space: tuple[Axis, ...], limit: int, seed: int
) -> None:
    """BEN-07: the same by the same seed."""
    found = explore.points(space, limit, seed)
    assert len(found) == len(set(found)) == min(limit, explore.volume(space))
    assert found == explore.points(space, limit, seed)
    for point in found:
        assert all(value in axis.values for (_, value), axis in zip(point, space, strict=True))


def test_a_huge_space_is_drawn_from_at_once() -> None:
    """BEN-07: it is never listed; another seed draws others, and all of it is reached."""
    space = tuple(Axis(f"p{n}", tuple(map(str, range(1000)))) for n in range(16))
    one, two = explore.points(space, 24, 0), explore.points(space, 24, 1)
    assert len(set(one) | set(two)) == 48
    assert {int(value) // 500 for point in one for _, value in point} == {0, 1}


def test_the_numbers_drawn_are_those_of_the_specification() -> None:
    """BEN-07: sha256 of `SEED:TURN` modulo the size; so that others draw the same."""
    space = (Axis("a", tuple("abcde")), Axis("b", tuple("vwxyz")))
    assert explore.points(space, 3, 7) == (
        (("a", "a"), ("b", "x")),
        (("a", "d"), ("b", "w")),
        (("a", "a"), ("b", "y")),
    )


@given(st.integers(0, 1000), st.integers(0, 100_000))
def test_rounds_double_the_images_and_end_before_the_whole(count: int, images: int) -> None:
    """BEN-08."""
    rounds = explore.rounds(count, images)
    for one, two in itertools.pairwise((*rounds, images)):
        assert 1 <= one <= two // 2 <= one + 1
    left = count
    for _ in rounds:
        assert left > explore.FEW
        left = -(-left // 2)
    assert left <= explore.FEW or images < 2 ** (len(rounds) + 1)


@given(SCORES)
def test_survivors_are_at_least_half_and_the_whole_front(scores: list[list[float]]) -> None:
    """BEN-08: what no other point beats is never lost, however slow it is."""
    kept = explore.survivors(scores, DIRECTIONS[: len(scores[0])])
    assert len(kept) >= math.ceil(len(scores) / 2)
    assert list(kept) == sorted(set(kept))
    for at, one in enumerate(scores):
        if not any(beats(two, one) and two != one for two in scores):
            assert at in kept


@given(SCORES, st.sampled_from([0.0, 0.05, 0.3]))
def test_every_point_has_one_of_the_front_that_is_nearly_as_good(
    scores: list[list[float]], share: float
) -> None:
    """BEN-09: which is what ε-Pareto means; and none of the front is beaten by another point."""
    directions = DIRECTIONS[: len(scores[0])]
    best = explore.best(scores, directions, [Margin(share=share)] * len(directions))
    for one in scores:
        assert any(beats(scores[at], one, share + 1e-9) for at in best)
    for at in best:
        assert not any(beats(two, scores[at]) and two != scores[at] for two in scores)
    for first, second in itertools.combinations(best, 2):
        assert not share or not beats(scores[first], scores[second], share - 1e-9)


def test_a_margin_may_be_an_amount() -> None:
    """BEN-09: 0.003 of accuracy, 5 % of latency."""
    scores = [[10.0, 0.900], [10.4, 0.902], [10.4, 0.904], [20.0, 0.906]]
    margins = [Margin(share=0.05), Margin(amount=0.003)]
    assert explore.best(scores, ("lower", "higher"), margins) == (0, 2)


PARAMS = (
    Parameter("enum", ("native", "onnx"), name="backend"),
    Parameter("int", name="threads", range=("1", "8")),
    Parameter("bool", name="tiled"),
    Parameter("float", name="scale"),
)


@pytest.mark.parametrize(
    ("text", "axes"),
    [
        ("backend=*", [("backend", ("native", "onnx"))]),
        ("tiled=*", [("tiled", ("false", "true"))]),
        ("backend=onnx,threads=1,2", [("backend", ("onnx",)), ("threads", ("1", "2"))]),
        ("threads = 1 , 2,2 , backend=*", [("threads", ("1", "2")),
                                           ("backend", ("native", "onnx"))]),
        ("scale=1,1.0,2", [("scale", ("1.0", "2.0"))]),
    ],
)  # fmt: skip
def test_a_text_describes_a_space(text: str, axes: list[tuple[str, tuple[str, ...]]]) -> None:
    """BEN-07."""
    assert explore.axes(text, PARAMS) == tuple(Axis(name, values) for name, values in axes)


@pytest.mark.parametrize(
    "text",
    ["", "threads", "threads=9", "threads=*", "backend=tvm", "thread=1", "backend=*,backend=*",
     "threads=1,two", "=1", ",", "scale=" + ",".join(map(str, range(1001)))],
)  # fmt: skip
def test_what_describes_none_is_refused(text: str) -> None:
    """BEN-07."""
    with pytest.raises(UsageError):
        explore.axes(text, PARAMS)
