"""Laws of percentiles, intervals and histograms, against known formulas."""

from __future__ import annotations

import math
import random
import statistics as known
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crpack.work import statistics

SAMPLES = st.lists(st.integers(1, 10**12), min_size=1, max_size=200)
PERCENTS = st.sampled_from([50, 90, 99])


def below(n: int, k: int, share: Fraction) -> Fraction:
    """Return the exact chance that a binomial number is below k."""
    return sum((math.comb(n, i) * share**i * (1 - share) ** (n - i) for i in range(k)), Fraction(0))


@given(SAMPLES, st.integers(1, 100))
def test_a_percentile_is_the_smallest_sample_that_enough_are_not_above(
    values: list[int], percent: int
) -> None:
    """BEN-04."""
    ordered = sorted(values)
    found = statistics.percentile(ordered, percent)
    at_most = [one for one in ordered if one <= found]
    under = [one for one in ordered if one < found]
    assert len(at_most) * 100 >= percent * len(ordered)
    assert len(under) * 100 < percent * len(ordered)


@given(st.integers(1, 60), PERCENTS)
def test_ranks_are_the_narrowest_that_the_binomial_distribution_allows(
    n: int, percent: int
) -> None:
    """BEN-04: each tail at most 2.5 %, and the next rank inwards would leave it."""
    share, tail = Fraction(percent, 100), Fraction(25, 1000)
    found = statistics.ranks(n, percent)
    lows = [rank for rank in range(1, n + 1) if below(n, rank, share) <= tail]
    highs = [rank for rank in range(1, n + 1) if 1 - below(n, rank, share) <= tail]
    assert found == ((max(lows), min(highs)) if lows and highs else None)


@pytest.mark.parametrize(
    ("n", "ranks"), [(5, None), (6, (1, 6)), (10, (2, 9)), (20, (6, 15)), (100, (40, 61))]
)
def test_ranks_of_the_median_are_those_of_printed_tables(
    n: int, ranks: tuple[int, int] | None
) -> None:
    """BEN-04: of the sign test's interval for the median."""
    assert statistics.ranks(n, 50) == ranks


def test_the_interval_holds_the_true_median_as_often_as_it_says() -> None:
    """BEN-04: of 2000 samples of 40 numbers whose median is 500000, at least 95 %."""
    draw = random.Random(7)  # noqa: S311 - the same samples each time
    held = 0
    for _ in range(2000):
        ordered = sorted(int(draw.lognormvariate(0, 1) * 500_000) for _ in range(40))
        found = statistics.interval(ordered, 50)
        assert found
        held += found[0] <= 500_000 <= found[1]
    assert held / 2000 > 0.945


@given(st.lists(st.integers(1, 10**12), min_size=2, max_size=60))
def test_mean_and_deviation_are_those_of_the_standard_library(values: list[int]) -> None:
    assert statistics.mean(values) == Fraction(sum(values), len(values))
    assert math.isclose(float(statistics.deviation(values)), known.stdev(values), abs_tol=1e-6)


@given(SAMPLES, st.randoms())
def test_the_order_of_samples_changes_nothing(values: list[int], chance: random.Random) -> None:
    mixed = values[:]
    chance.shuffle(mixed)
    assert statistics.histogram(mixed) == statistics.histogram(values)
    assert statistics.mean(mixed) == statistics.mean(values)
    assert statistics.deviation(mixed) == statistics.deviation(values)


@given(SAMPLES)
def test_a_histogram_holds_every_sample_within_one_percent(values: list[int]) -> None:
    """RES-04: so that a percentile of the histogram is within 1 % of that of the samples."""
    first, counts = statistics.histogram(values)
    assert sum(counts) == len(values)
    assert counts[0]
    assert counts[-1]
    for value in values:
        one = statistics.bin_of(value)
        assert counts[one - first]
        assert statistics.STEP**one <= value < statistics.STEP ** (one + 1)


@given(st.lists(SAMPLES, min_size=2, max_size=4))
def test_histograms_can_be_added(parts: list[list[int]]) -> None:
    """RES-04: percentiles of several results cannot be merged; histograms can."""
    total: dict[int, int] = {}
    for part in parts:
        first, counts = statistics.histogram(part)
        for place, count in enumerate(counts):
            total[first + place] = total.get(first + place, 0) + count
    first, counts = statistics.histogram([value for part in parts for value in part])
    whole = {first + place: count for place, count in enumerate(counts) if count}
    assert {key: count for key, count in total.items() if count} == whole


@given(st.fractions(-(10**9), 10**9), st.integers(0, 9))
def test_a_number_as_text_is_within_half_of_its_last_digit(number: Fraction, digits: int) -> None:
    """RES-04."""
    text = statistics.text(number, digits)
    assert abs(Fraction(Decimal(text)) - number) <= Fraction(1, 2 * 10**digits)
    assert "E" not in text
    assert text != "-0"
    assert not ("." in text and text.endswith("0"))
