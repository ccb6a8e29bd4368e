"""Statistics of samples: percentiles, their confidence intervals, histograms.

Rules (SPEC BEN-04, RES-04):
- A percentile is a sample: that of the nearest rank, the smallest that is not below the share.
- Its interval are two samples too. Their ranks follow from the binomial distribution alone,
  whatever the samples are distributed like; where there are too few samples there is none.
- Sums are exact, so that the same samples give the same numbers everywhere.
Pure.
"""

from __future__ import annotations

import functools
import math
from decimal import Context, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

CONFIDENCE = 0.95
STEP = 1.01  # a bound of a histogram over the one before it

_EXACT = Context(prec=60)
_SPREAD = 12  # standard deviations from the mean, beyond which a binomial tail is nothing
_MARGIN = 40  # and ranks beside them, for distributions that lean

Number = TypeVar("Number", int, Fraction)


def percentile(ordered: Sequence[Number], percent: int) -> Number:
    """Return the sample of the nearest rank.

    Args:
        ordered: samples, rising; at least one.
        percent: from 1 to 100.
    """
    return ordered[-(-percent * len(ordered) // 100) - 1]


@functools.lru_cache(64)
def ranks(n: int, percent: int) -> tuple[int, int] | None:
    """Return the ranks, from 1, of the samples that hold a percentile between them.

    Both ends of the interval miss with a chance of at most half of what `CONFIDENCE` leaves: the
    number of samples below the percentile is distributed binomially (David and Nagaraja, Order
    Statistics, 7.1). None where `n` samples are too few for that.
    """
    share, tail = percent / 100, (1 - CONFIDENCE) / 2
    middle, reach = n * share, _SPREAD * math.sqrt(n * share * (1 - share)) + _MARGIN
    low, missed = max(0, math.floor(middle - reach)), 0.0
    while (missed := missed + _chance(n, low, share)) <= tail:
        low += 1
    high, missed = min(n, math.ceil(middle + reach)), 0.0
    while (missed := missed + _chance(n, high, share)) <= tail:
        high -= 1
    return (low, high + 1) if low >= 1 and high < n else None


def _chance(n: int, k: int, share: float) -> float:
    """Return the chance of exactly `k` of `n`."""
    ways = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return math.exp(ways + k * math.log(share) + (n - k) * math.log1p(-share))


def interval(ordered: Sequence[Number], percent: int) -> tuple[Number, Number] | None:
    """Return the confidence interval of a percentile; None where the samples are too few."""
    found = ranks(len(ordered), percent)
    return (ordered[found[0] - 1], ordered[found[1] - 1]) if found else None


def mean(values: Sequence[Number]) -> Fraction:
    """Return the exact mean; of at least one value."""
    return Fraction(sum(values)) / len(values)


def deviation(values: Sequence[Number]) -> Decimal:
    """Return the standard deviation of a sample, with n - 1; of one value 0."""
    n = len(values)
    if n < 2:
        return Decimal(0)
    total, squares = Fraction(sum(values)), Fraction(sum(value * value for value in values))
    variance = (squares - total * total / n) / (n - 1)
    return _EXACT.sqrt(_EXACT.divide(Decimal(variance.numerator), Decimal(variance.denominator)))


def histogram(values: Sequence[int]) -> tuple[int, tuple[int, ...]]:
    """Return the first bin and the counts of a log histogram; of at least one value from 1 on.

    A value `v` is in bin `i` when `STEP ** i <= v < STEP ** (i + 1)`.
    """
    bins = [bin_of(value) for value in values]
    first = min(bins)
    counts = [0] * (max(bins) - first + 1)
    for one in bins:
        counts[one - first] += 1
    return first, tuple(counts)


def bin_of(value: int) -> int:
    """Return the bin of a histogram that a value from 1 on is in."""
    found = math.floor(math.log(value) / math.log(STEP))
    while STEP**found > value:
        found -= 1
    while STEP ** (found + 1) <= value:
        found += 1
    return found


def text(number: Fraction | Decimal | int, digits: int) -> str:
    """Return a number as a decimal text, rounded half to even, without needless zeros."""
    exact = Fraction(number)
    scaled = round(exact * 10**digits)
    value = Decimal(scaled).scaleb(-digits, _EXACT)
    return f"{value.normalize(_EXACT) + 0:f}"
