"""Whether the numbers of a result come from its own samples.

Rules (SPEC RES-09):
- Every latency has samples. From single samples all its numbers follow exactly. From a histogram
  each percentile, and the bounds of its interval, are known to a bin, the mean to the width of the
  bins; the standard deviation is not judged.
- In `SingleStream` no repeat can have answered more items a second than its samples leave room for;
  in a histogram, than as many of the fastest samples do.
- A number lies within its own bounds, and a check has passed exactly if its numbers say so.
- A quality is the value that a check of its name was made with.
Pure.
"""

from __future__ import annotations

from bisect import bisect_left
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from crpack.errors import FormatError
from crpack.work import measures, statistics

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crpack.model.results import Check, Metric, Result, Samples

_NANO = 10**6  # nanoseconds in a millisecond
_BINS = range(4000)  # 1.01 ** 3700 is beyond every integer of a document
_RANKED = 10**7  # samples, beyond which the ranks of an interval take too long to find
_SLACK = 1e-6  # of a mean of bins, whose bounds are no integers
_ROUNDED = Decimal("0.000001")  # last digit of a number that was computed
_ROUNDED_CHECK = Decimal("0.00000001")  # and of those of a check


def check(result: Result) -> None:
    """Refuse a result whose numbers cannot come from its samples (SPEC RES-09).

    Raises:
        FormatError: with the first number that cannot be, and what the samples give.
    """
    for fault in _faults(result):
        raise FormatError(f"the numbers of the result do not hold: {fault}", rule="RES-09")


def _faults(result: Result) -> Iterator[str]:
    named = {one.metric: one for one in result.samples}
    metrics = {one.name: one for one in result.metrics}
    told = dict(result.params).get("scenario", result.scenario)
    if told != result.scenario:
        yield f"its scenario is `{result.scenario}`, its param says `{told}`"
    if len(named) < len(result.samples) or not named.keys() <= metrics.keys():
        yield "it has samples twice, or of what it does not measure"
    if result.scenario != measures.OFFLINE and "latency" not in metrics:
        yield "it measures no latency"
    for one in sorted(result.metrics, key=lambda each: "latency" not in (each.name, each.kind)):
        if one.kind == "latency" or one.name == "latency":
            yield from _latency(one, named.get(one.name), result.provenance.repeats)
        if one.kind == "throughput" and result.scenario == measures.SINGLE:
            yield from _too_fast(one, named["latency"])
        yield from _outside(one)
        if one.kind == "quality":
            yield from _unchecked(one, result.validity.checks)
    for each in result.validity.checks:
        yield from _misjudged(each)


def _outside(one: Metric) -> Iterator[str]:
    """Yield which bounds of a metric do not hold its value."""
    told, value = dict(one.quantiles), Decimal(one.value)
    for low, high in ((one.low, one.high), (told.get("min", ""), told.get("max", ""))):
        if (low and Decimal(low) > value) or (high and Decimal(high) < value):
            yield f"`{one.name}` is {one.value}, and its bounds are {low} and {high}"


def _latency(one: Metric, of: Samples | None, repeats: int) -> Iterator[str]:
    if of is None or one.name != "latency" or of.unit != "ns" or bool(of.values) == bool(of.counts):
        yield f"`{one.name}` has no samples in nanoseconds"
        return
    if 0 in of.repeats or len(of.repeats) != repeats or sum(of.repeats) != sum(_sizes(of)):
        yield f"its samples are not those of {repeats} repeats"
    elif 0 in of.values or (of.counts and not _is_histogram(of)):
        yield "its samples are none"
    elif of.values:
        yield from _differences(one, measures.latency(_split(of)))
    else:
        yield from _outside_bins(one, of)


def _sizes(of: Samples) -> Sequence[int]:
    return of.counts or (len(of.values),)


def _split(of: Samples) -> list[tuple[int, ...]]:
    """Return the samples of each repeat."""
    ends = [0, *accumulate(of.repeats)]
    return [of.values[begin:end] for begin, end in pairwise(ends)]


def _differences(told: Metric, given: Metric) -> Iterator[str]:
    for name in ("kind", "unit", "direction", "value", "n", "low", "high"):
        one, two = getattr(told, name), getattr(given, name)
        if one != two:
            yield f"`latency` says {name} {one or 'none'}, its samples give {two or 'none'}"
    first, second = dict(told.quantiles), dict(given.quantiles)
    for name in sorted({*first, *second}):
        one, two = first.get(name, "none"), second.get(name, "none")
        if one != two:
            yield f"`latency` says {name} {one}, its samples give {two}"


def _is_histogram(of: Samples) -> bool:
    return (
        of.first in _BINS
        and of.first + len(of.counts) in _BINS
        and of.counts[0] > 0
        and of.counts[-1] > 0
    )


def _outside_bins(one: Metric, of: Samples) -> Iterator[str]:
    """Yield which numbers of a latency are not in the bins of its histogram."""
    n, ends = sum(of.counts), list(accumulate(of.counts))
    told = {**dict(one.quantiles), "value": one.value, "p50_low": one.low, "p50_high": one.high}
    if (one.n, one.kind, one.unit, one.direction) != (n, "latency", "ms", "lower"):
        yield f"`latency` tells of {one.n} samples in {one.unit}, and there are {n} in ms"
    last = of.first + len(of.counts) - 1
    bins = {"min": (of.first, of.first), "max": (last, last)}
    for percent in measures.PERCENTS:
        at = _bin(of, ends, -(-percent * n // 100))
        bins[f"p{percent}"] = (at, at)
        ranks = statistics.ranks(n, percent) if n <= _RANKED else None
        if ranks:  # and repeats widen the interval
            bins[f"p{percent}_low"] = (of.first, _bin(of, ends, ranks[0]))
            bins[f"p{percent}_high"] = (_bin(of, ends, ranks[1]), last)
    bins["value"] = bins["p50"]
    for name, (low, high) in bins.items():
        nanoseconds = Decimal(told.get(name) or "0") * _NANO
        if nanoseconds < 1 or not low <= statistics.bin_of(int(nanoseconds)) <= high:
            said = told.get(name) or "none"
            yield f"`latency` says {name} {said}, which is not where its samples are"
    least = sum(c * statistics.STEP ** (of.first + i) for i, c in enumerate(of.counts)) / n / _NANO
    mean = float(told.get("mean") or 0)
    if not least * (1 - _SLACK) <= mean <= least * statistics.STEP * (1 + _SLACK):
        yield f"`latency` says mean {mean}, which its samples cannot have"


def _bin(of: Samples, ends: Sequence[int], rank: int) -> int:
    """Return the bin of the sample of a rank, from 1."""
    return of.first + bisect_left(ends, rank)


def _too_fast(one: Metric, of: Samples) -> Iterator[str]:
    """Yield which throughput is beyond what the samples of its repeats allow."""
    most, limit = _rates(of)
    if one.n != len(of.repeats):  # not each of them told its time
        most = limit
    told = dict(one.quantiles)
    for name, text, bound in (("", one.value, most), ("max ", told.get("max", "0"), limit)):
        if Fraction(text) > bound + Fraction(_ROUNDED):
            known = statistics.text(bound, 3)
            yield f"`{one.name}` says {name}{text}, its samples leave room for {known} at most"


def _rates(of: Samples) -> tuple[Fraction, Fraction]:
    """Return what the median and the highest of the throughputs of all repeats can be.

    A histogram does not tell which samples are of which repeat. Those that are not slower than the
    median are more than half of them: their samples are no faster than as many of the fastest.
    """
    if of.values:
        each = sorted(measures.rate_allowed(len(one), sum(one)) for one in _split(of))
        return statistics.percentile(each, 50), each[-1]
    sizes = sorted(of.repeats)
    half, least = sum(sizes[: len(sizes) // 2 + 1]), sizes[0]
    return (
        measures.rate_allowed(half, _fastest(of, half)),
        measures.rate_allowed(least, _fastest(of, least)),
    )


def _fastest(of: Samples, size: int) -> int:
    """Return nanoseconds that so many of the fastest samples of a histogram took at least."""
    total = 0
    for place, count in enumerate(of.counts):
        taken = min(count, size)
        total += taken * int(statistics.STEP ** (of.first + place))
        size -= taken
    return total


def _unchecked(one: Metric, checks: Sequence[Check]) -> Iterator[str]:
    """Yield a quality that the validation did not find."""
    found = [each.value for each in checks if each.name == one.name.removeprefix("quality.")]
    if one.value not in found:
        yield f"`{one.name}` is {one.value}, its check says {', '.join(found) or 'nothing'}"


def _misjudged(one: Check) -> Iterator[str]:
    """Yield a check that has not passed, or failed, by its own numbers (SPEC MET-02)."""
    if not one.value:
        if one.passed:
            yield f"the check `{one.name}` has passed without a value"
        return
    lead = Decimal(one.value) - Decimal(one.reference)
    room = (lead if one.direction == "higher" else -lead) + Decimal(one.tolerance)
    if one.passed != (room >= 0) and abs(room) > _ROUNDED_CHECK:
        yield f"the check `{one.name}` says {one.passed} and its numbers say otherwise"
