from __future__ import annotations

from dataclasses import replace

import pytest

from crpack.cli import figures
from crpack.model.results import Metric, Validity
from tests.unit.model.test_results import WHOLE


def plain(text: str, _: str) -> str:
    return text


@pytest.mark.parametrize(
    ("value", "text"),
    [("0", "0"), ("1", "1"), ("12.34567", "12.35"), ("0.901749", "0.9017"), ("123456", "123456"),
     ("99.999", "100"), ("1525.25", "1525"), ("0.00001234", "1.23e-05"), ("-2.5", "-2.5")],
)  # fmt: skip
def test_a_number_shows_the_digits_that_count(value: str, text: str) -> None:
    assert figures.short(value) == text


def test_a_summary_has_the_median_first_and_fits_a_terminal() -> None:
    """BEN-11."""
    long = replace(
        WHOLE,
        params=tuple((f"param{n}", "a-long-value") for n in range(20)),
        validity=Validity(valid=False, reasons=("because " * 40,), notes=("word " * 50,)),
        absent=(("energy", "a reason that is long " * 6),),
    )
    for result in (WHOLE, long):
        lines = figures.summary(result, plain)
        assert max(map(len, lines)) <= figures.WIDTH
        text = "\n".join(lines)
        assert text.index("latency") < text.index("map")
        assert "1.25 ms" in text
        assert "1.2 to 1.3" in text
        assert "energy      not measured: " in text
        assert "on A processor, 2 cores, linux-x86_64-gnu2.36, container, load 0.10 to 1.10" in text
        assert "governor performance" in text


def test_a_result_that_does_not_count_says_so_in_words() -> None:
    """BEN-06: with its reasons, and without any colour."""
    bad = replace(WHOLE, validity=Validity(valid=False, reasons=("too short",)))
    text = "\n".join(figures.summary(bad, plain))
    assert "INVALID · loadgen 6.0 · local" in text
    assert "because too short" in text
    assert "INVALID" not in "\n".join(figures.summary(WHOLE, plain))


def test_a_check_stands_beside_its_metric() -> None:
    (row,) = [line for line in figures.summary(WHOLE, plain) if line.startswith("  map")]
    assert row == "  map         0.9   reference 0.9 ± 0.01: ok"


def test_percentiles_without_bounds_say_why() -> None:
    """BEN-04."""
    few = Metric("latency", "latency", "ms", "lower", "1.25", 3, quantiles=(("p50", "1.25"),))
    text = "\n".join(figures.summary(replace(WHOLE, metrics=(few,)), plain))
    assert "too few samples for bounds" in text


def test_columns_are_aligned() -> None:
    rows = [("", "engine", "ms"), ("*", "a", "1.5"), ("", "long", "10")]
    assert figures.columns(rows, numbers=[2]) == [
        "     engine   ms",
        "  *  a       1.5",
        "     long     10",
    ]
