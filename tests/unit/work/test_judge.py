from __future__ import annotations

import pytest

from crpack.model.recipe import Metric
from crpack.work.judge import Verdict, judge

MAP = Metric(reference="0.41", tolerance="0.01", name="map")
TIME = Metric(reference="10", tolerance="0.5", direction="lower", unit="s", name="time")


def verdict(metric: Metric, answer: object) -> Verdict:
    (found,) = judge((metric,), {metric.name: answer})
    return found


@pytest.mark.parametrize(
    ("metric", "answer", "passed"),
    [
        (MAP, 0.41, True),
        (MAP, 0.40, True),
        (MAP, "0.40", True),
        (MAP, 0.3999999, False),
        (MAP, 0.9, True),
        (MAP, 1, True),
        (MAP, 0, False),
        (MAP, -1, False),
        (TIME, 10, True),
        (TIME, 10.5, True),
        (TIME, 10.500001, False),
        (TIME, 0, True),
        (TIME, -5, True),
        (TIME, 1e300, False),
        (MAP, 1e300, True),
        (MAP, 5e-324, False),
    ],
)
def test_a_value_passes_when_it_is_not_worse_by_more_than_the_tolerance(
    metric: Metric, answer: object, *, passed: bool
) -> None:
    """MET-02: compared as decimals, so that 0.41 - 0.01 is 0.40."""
    assert verdict(metric, answer).passed is passed


@pytest.mark.parametrize(
    "answer",
    [None, True, False, "", "x", "nan", "NaN", "sNaN", "inf", "-Infinity", float("nan"),
     float("inf"), [0.41], {"value": 0.41}, "1e999999999", "-1e999999999", "1e-999999999",
     "1e" + "9" * 30, "9" * 5000],
)  # fmt: skip
@pytest.mark.parametrize("metric", [MAP, TIME], ids=["higher", "lower"])
def test_what_is_no_finite_number_fails(metric: Metric, answer: object) -> None:
    """MET-02: and no exponent is worked out."""
    found = verdict(metric, answer)
    assert (found.passed, found.value) == (False, None)
    assert len(found.sentence()) < 200


def test_a_missing_value_fails() -> None:
    """MET-02."""
    (found,) = judge((MAP,), {"other": 1})
    assert found.sentence() == "FAIL map = missing (reference 0.41 ± 0.01, higher is better)"


def test_a_verdict_tells_all_that_it_was_made_of() -> None:
    """MET-01."""
    assert verdict(TIME, 9.50) == Verdict("time", "s", "lower", 9.5, 10.0, 0.5, passed=True)
    assert verdict(TIME, 9.50).sentence() == (
        "ok   time = 9.5 (reference 10 ± 0.5, lower is better)"
    )
    assert verdict(TIME, 1e-7).value == 1e-7
    assert "time = 0.0000001 (" in verdict(TIME, 1e-7).sentence()


def test_every_metric_is_judged_in_order() -> None:
    """MET-01."""
    assert [one.name for one in judge((TIME, MAP), {"map": 0.5})] == ["time", "map"]
    assert judge((), {"map": 0.5}) == ()
