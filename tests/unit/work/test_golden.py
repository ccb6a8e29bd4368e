from __future__ import annotations

import json

import pytest

from crpack.work.golden import difference


@pytest.mark.parametrize(
    ("wanted", "got", "tolerance"),
    [
        (1, 1, "0"),
        (1, 1.0, "0"),
        (0.3, 0.31, "0.01"),
        ("a", "a", "0"),
        (True, True, "0"),
        (None, None, "0"),
        ([{"score": 0.5, "at": [1, 2]}], [{"at": [1, 2.04], "score": 0.46}], "0.05"),
        ({}, {}, "0"),
    ],
)
def test_what_is_alike_is_no_difference(wanted: object, got: object, tolerance: str) -> None:
    """GLD-02: numbers as decimals, so that 0.31 is within 0.01 of 0.3."""
    assert difference(wanted, got, tolerance) == ""


@pytest.mark.parametrize(
    ("wanted", "got", "why"),
    [
        (1, 2, "it is 2, not 1"),
        (1, True, "it is true, not 1"),
        (1, "1", 'it is "1", not 1'),
        ([1, 2], [1], "it has 1 items, not 2"),
        ([1, 2], [1, 3], "[1] is 3, not 2"),
        ([{"a": 1}], [{"b": 1}], "[0].a is missing"),
        ([{"a": 1}], [{"a": 1, "b": 1}], "[0].b is too much"),
        ({"a": {"b": [0.5]}}, {"a": {"b": [0.25]}}, "a.b[0] is 0.25, not 0.5"),
        (1.0, float("nan"), "it is NaN, not 1.0"),
        ({"a": 1}, [1], 'it is [1], not {"a": 1}'),
    ],
)
def test_the_first_difference_is_told_with_its_place(wanted: object, got: object, why: str) -> None:
    """GLD-03."""
    assert difference(wanted, got, "0") == why


def test_a_number_beyond_the_tolerance_tells_it() -> None:
    """GLD-02."""
    assert difference(0.5, 0.4, "0.05") == "it is 0.4, not 0.5 ± 0.05"


def test_nothing_hostile_is_followed_without_end() -> None:
    """GLD-02: an answer may be nested as deep as JSON allows."""
    deep = json.loads("[" * 900 + "]" * 900)
    assert difference(deep, deep, "0").endswith("is nested too deep to be compared")
    assert len(difference("x" * 10**6, "y" * 10**6, "0")) < 200
