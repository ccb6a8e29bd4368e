"""Numbers of a result against its own samples (SPEC RES-09)."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from crpack.errors import FormatError
from crpack.model.limits import MAX_SAMPLES
from crpack.model.results import Check, Metric, Samples, Validity
from crpack.work import measures, recount
from tests.unit.model.test_results import WHOLE

if TYPE_CHECKING:
    from crpack.model.results import Result
    from crpack.work.measures import Repeat


def repeats(counts: tuple[int, ...]) -> list[Repeat]:
    """Return repeats with so many samples each, about 2 ms, a few of them late."""
    drawn = random.Random(7)  # noqa: S311 - numbers, no secret
    found = []
    for count in counts:
        laps = [round(2e6 * drawn.lognormvariate(0, 0.2)) for _ in range(count)]
        answer = {"latencies_ns": laps, "images": count, "wall_ns": sum(laps) + 1000}
        found.append(measures.repeat(answer, cpu_s=0.0, peak_bytes=4096, joules=None))
    return found


def made(*counts: int, quality: bool = True) -> Result:
    """Return an honest result of some repeats."""
    every = repeats(counts)
    found = (*measures.metrics(every, scenario="SingleStream"), *WHOLE.metrics[1:][:quality])
    return replace(
        WHOLE,
        metrics=tuple(sorted(found, key=lambda one: one.name)),
        samples=measures.samples(every),
        provenance=replace(WHOLE.provenance, repeats=len(counts)),
    )


HONEST = made(100, 101, 99)
BINNED = made(MAX_SAMPLES, 1000)


def refusal(result: Result) -> str:
    with pytest.raises(FormatError) as caught:
        recount.check(result)
    assert caught.value.rule == "RES-09"
    return caught.value.what


def with_metric(result: Result, which: str, /, *, quantile: str = "", **changes: Any) -> Result:
    """Return a result with one of its metrics, or a quantile of it, changed."""
    (one,) = (one for one in result.metrics if one.name == which)
    if quantile:
        changes = {"quantiles": tuple(sorted({**dict(one.quantiles), quantile: "0.5"}.items()))}
    other = replace(one, **changes)
    return replace(result, metrics=tuple(other if m is one else m for m in result.metrics))


@pytest.mark.parametrize("result", [HONEST, BINNED, made(1), made(5, 5), made(2000)])
def test_an_honest_result_holds(result: Result) -> None:
    """RES-09: of one sample as of a histogram."""
    recount.check(result)


@pytest.mark.parametrize("result", [HONEST, BINNED])
@pytest.mark.parametrize(
    "changes",
    [
        {"value": "0.5"},
        {"low": "1.999999"},
        {"high": "2.000001"},
        {"low": "", "high": ""},
        {"n": 299},
        {"unit": "s"},
        {"direction": "higher"},
        {"kind": "other"},
        *({"quantile": name} for name in ("p50", "p90", "p99", "min", "max", "mean", "p90_high")),
    ],
)
def test_a_latency_is_what_its_samples_give(result: Result, changes: dict[str, Any]) -> None:
    """RES-09: a fast median over slow samples is told."""
    assert "`latency`" in refusal(with_metric(result, "latency", **changes))


def test_single_samples_give_every_digit() -> None:
    """RES-09."""
    assert "sd" in refusal(with_metric(HONEST, "latency", quantile="sd"))
    (one,) = (one for one in HONEST.metrics if one.name == "latency")
    assert one.value in refusal(with_metric(HONEST, "latency", value=one.value[:-1]))
    told = refusal(with_metric(HONEST, "latency", quantile="p75"))
    assert "says p75 0.5, its samples give none" in told


def test_what_repeats_widen_is_known_by_their_samples() -> None:
    """BEN-04: the samples of each repeat are told apart."""
    (samples,) = HONEST.samples
    for sizes in ((300,), (100, 101), (100, 101, 98), (0, 201, 99), (100, 101, 99, 0)):
        other = replace(samples, repeats=sizes)
        assert refusal(replace(HONEST, samples=(other,)))
    fewer = replace(HONEST, provenance=replace(HONEST.provenance, repeats=1))
    assert "of 1 repeats" in refusal(fewer)


@pytest.mark.parametrize(
    "samples",
    [
        (),
        (Samples("latency", "ms", (1, 2)),),
        (Samples("latency", "ns"),),
        (Samples("latency", "ns", (1,) * 300, 3, (300,), (300,)),),
        (Samples("latency", "ns", (0,) * 300, repeats=(100, 101, 99)),),
        (Samples("latency", "ns", first=99_000, counts=(300,), repeats=(100, 101, 99)),),
        (Samples("latency", "ns", first=-5, counts=(300,), repeats=(100, 101, 99)),),
        (Samples("latency", "ns", first=9, counts=(0, 300), repeats=(100, 101, 99)),),
        (*HONEST.samples, *HONEST.samples),
        (*HONEST.samples, Samples("speed", "ns", (1,))),
    ],
)
def test_samples_that_are_none_prove_nothing(samples: tuple[Samples, ...]) -> None:
    """RES-09: neither do none at all."""
    assert refusal(replace(HONEST, samples=samples))


def test_a_result_without_latency_is_of_the_scenario_offline() -> None:
    """RES-09: where nothing tells of the throughput."""
    rest = tuple(one for one in HONEST.metrics if one.name != "latency")
    assert "measures no latency" in refusal(replace(HONEST, metrics=rest, samples=()))
    recount.check(replace(HONEST, metrics=rest, samples=(), scenario="Offline"))
    told = refusal(replace(HONEST, scenario="Offline", params=(("scenario", "SingleStream"),)))
    assert "its param says `SingleStream`" in told
    another = Metric("mine", "latency", "ms", "lower", "0.1")
    assert "`mine` has no samples" in refusal(replace(HONEST, metrics=(*HONEST.metrics, another)))


@pytest.mark.parametrize("result", [HONEST, BINNED])
def test_a_throughput_is_no_more_than_the_latencies_leave_room_for(result: Result) -> None:
    """RES-09, BEN-01: within 1 %."""
    (rate,) = (one for one in result.metrics if one.kind == "throughput")
    bare: dict[str, Any] = {"quantiles": (), "low": "", "high": ""}
    fast = with_metric(result, rate.name, value=str(float(rate.value) * 1.05), **bare)
    assert "leave room for" in refusal(fast)
    assert "leave room for" in refusal(with_metric(fast, rate.name, name="a.rate"))
    recount.check(with_metric(result, rate.name, value=str(float(rate.value) * 0.5), **bare))
    high = (("max", "99999"), ("min", "1"))
    assert "max 99999" in refusal(with_metric(result, rate.name, quantiles=high))
    recount.check(replace(fast, scenario="MultiStream"))


def test_a_histogram_does_not_tell_which_repeat_was_slow() -> None:
    """RES-09: what is faster than all samples together may be so all the same."""
    first, second = repeats((40_000, 40_000))
    slow = replace(
        second,
        latencies=tuple(3 * one for one in second.latencies),
        wall_ns=3 * second.wall_ns,
    )
    every = [first, slow, first]
    honest = replace(
        HONEST,
        metrics=measures.metrics(every, scenario="SingleStream"),
        samples=measures.samples(every),
    )
    assert honest.samples[0].counts
    recount.check(honest)


def test_a_histogram_of_endless_samples_is_judged_at_once() -> None:
    """RES-09: its ranks are not looked for one by one."""
    count = 2**53 - 1
    (samples,) = BINNED.samples
    many = replace(samples, counts=(count,) * len(samples.counts), repeats=(count,))
    refusal(replace(BINNED, samples=(many,)))
    each = count // len(samples.counts)
    total = each * len(samples.counts)
    many = replace(samples, counts=(each,) * len(samples.counts), repeats=(total,))
    forged = with_metric(replace(BINNED, samples=(many,)), "latency", n=total)
    forged = replace(forged, provenance=replace(forged.provenance, repeats=1))
    refusal(forged)


def test_nothing_else_is_looked_at_where_there_are_no_samples() -> None:
    """RES-09: whatever the metrics are called."""
    (rate,) = (one for one in HONEST.metrics if one.kind == "throughput")
    latency = Metric("latency", "other", "ms", "lower", "1")
    assert refusal(replace(HONEST, metrics=(replace(rate, name="a"), latency), samples=()))


def test_a_number_lies_within_its_own_bounds() -> None:
    """RES-09."""
    for changes in ({"low": "5000"}, {"high": "3"}, {"quantiles": (("max", "4"), ("min", "1"))}):
        assert "bounds" in refusal(with_metric(HONEST, "memory", **changes))


@pytest.mark.parametrize(
    ("value", "direction", "passed", "holds"),
    [
        ("0.89", "higher", True, True),
        ("0.891", "higher", False, False),
        ("0.889", "higher", True, False),
        ("0.911", "lower", True, False),
        ("0.911", "lower", False, True),
        ("0.889999999", "higher", True, True),  # what decimals of floats may be apart
        ("", "higher", False, True),
        ("", "higher", True, False),
    ],
)
def test_a_check_has_passed_if_its_numbers_say_so(
    value: str, direction: Any, *, passed: bool, holds: bool
) -> None:
    """RES-09, MET-02."""
    one = Check("map", value, "0.9", "0.01", direction, passed)
    judged = Validity(valid=passed, reasons=() if passed else ("map",), checks=(one,))
    seen = with_metric(HONEST, "map", value=value) if value else made(100, quality=False)
    result = replace(seen, validity=judged)
    if holds:
        recount.check(result)
    else:
        assert "`map`" in refusal(result)


@pytest.mark.parametrize(
    ("which", "value", "holds"),
    [
        ("map", "0.9", True),
        ("map", "0.95", False),
        ("quality.map", "0.9", True),
        ("f1", "0.9", False),
    ],
)
def test_a_quality_is_what_its_check_was_made_with(which: str, value: str, *, holds: bool) -> None:
    """RES-09."""
    result = with_metric(HONEST, "map", name=which, value=value)
    if holds:
        recount.check(result)
    else:
        assert f"`{which}` is {value}, its check says" in refusal(result)
