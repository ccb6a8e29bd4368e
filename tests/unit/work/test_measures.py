from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from crpack.errors import CheckFailed
from crpack.model.limits import MAX_SAMPLES
from crpack.model.parameters import Parameter
from crpack.model.recipe import Action
from crpack.work import measures

if TYPE_CHECKING:
    from crpack.work.measures import Repeat

WHOLE: dict[str, Any] = {
    "latencies_ns": [3_000_000, 1_000_000, 2_000_000],
    "images": 3,
    "wall_ns": 6_000_000,
    "load_ns": 50_000_000,
    "peak_bytes": 4096,
    "harness": "loadgen 6.0",
    "valid": True,
}


def repeat(**changes: Any) -> Repeat:
    return measures.repeat({**WHOLE, **changes}, cpu_s=0.5, peak_bytes=8192, joules=Decimal("1.5"))


def value(repeats: list[Repeat], name: str, scenario: str = "") -> str:
    found = {one.name: one for one in measures.metrics(repeats, scenario=scenario)}
    return found[name].value


def test_an_action_that_answers_latencies_is_a_benchmark() -> None:
    """BEN-01."""
    assert measures.is_benchmark(Action(("x",), outputs=(Parameter("array", name="latencies_ns"),)))
    assert not measures.is_benchmark(Action(("x",), outputs=(Parameter("int", name="images"),)))


@pytest.mark.parametrize(
    "changes",
    [
        {"latencies_ns": []},
        {"latencies_ns": None},
        {"latencies_ns": [1.5]},
        {"latencies_ns": [0]},
        {"latencies_ns": [-1]},
        {"latencies_ns": [True]},
        {"latencies_ns": ["1"]},
        {"latencies_ns": [2**60]},
        {"images": -1},
        {"wall_ns": 0.5},
        {"load_ns": "3"},
        {"peak_bytes": 2**60},
        {"images": 2**50, "wall_ns": 1},
    ],
)
def test_what_cannot_be_measured_is_refused(changes: dict[str, Any]) -> None:
    """BEN-01."""
    with pytest.raises(CheckFailed) as caught:
        repeat(**changes)
    assert caught.value.rule == "BEN-01"


def test_a_program_that_is_only_a_driver_tells_the_peak_of_its_engine() -> None:
    """BEN-03: else that of the largest process counts."""
    assert repeat().peak_bytes == 4096
    assert repeat(peak_bytes=0).peak_bytes == 8192
    assert value([repeat(), repeat(peak_bytes=5000)], "memory") == "5000"


def test_an_invalid_run_has_a_reason() -> None:
    """BEN-06."""
    assert repeat(valid=False).reason == "it does not say why"
    assert repeat(valid=False, reason="too short").reason == "too short"
    assert not repeat(valid="yes").valid


def test_latency_is_of_all_samples_and_the_rest_the_median_of_repeats() -> None:
    """BEN-04."""
    slow = repeat(latencies_ns=[9_000_000] * 4, wall_ns=36_000_000, images=4)
    found = {one.name: one for one in measures.metrics([repeat(), slow, slow], scenario="")}
    latency = found["latency"]
    assert (latency.value, latency.n, latency.unit) == ("9", 11, "ms")
    assert dict(latency.quantiles)["min"] == "1"
    assert dict(latency.quantiles)["max"] == "9"
    rate = found["throughput"]
    assert (rate.value, rate.unit, rate.direction) == ("111.111111", "1/s", "higher")
    assert dict(rate.quantiles) == {"min": "111.111111", "max": "500"}
    assert (found["load_time"].value, found["cpu_time"].value) == ("50", "0.5")
    assert (found["energy"].value, found["energy"].unit) == ("1.5", "J")
    assert [one.name for one in found.values()] == sorted(found)


def test_an_interval_holds_the_percentile_of_each_repeat() -> None:
    """BEN-04: what changes from start to start is not hidden by many samples of each."""
    one = repeat(latencies_ns=[1_000_000] * 500)
    two = repeat(latencies_ns=[2_000_000] * 600)
    (latency,) = [m for m in measures.metrics([one, two], scenario="") if m.name == "latency"]
    assert (latency.value, latency.low, latency.high) == ("2", "1", "2")


def test_few_samples_have_no_interval() -> None:
    """BEN-04."""
    (latency,) = [m for m in measures.metrics([repeat()], scenario="") if m.name == "latency"]
    assert (latency.low, latency.high) == ("", "")
    assert not [name for name, _ in latency.quantiles if "_" in name]
    many = repeat(latencies_ns=list(range(1, 1001)))
    (latency,) = [m for m in measures.metrics([many], scenario="") if m.name == "latency"]
    names = {name for name, _ in latency.quantiles if "_" in name}
    assert names == {"p90_low", "p90_high", "p99_low", "p99_high"}


def test_offline_has_throughput_and_no_latency() -> None:
    """BEN-04."""
    names = {one.name for one in measures.metrics([repeat()], scenario="Offline")}
    assert "latency" not in names
    assert "throughput" in names
    reasons = dict(measures.absent([repeat()], scenario="Offline", energy=""))
    assert reasons == {"latency": "the scenario `Offline` measures throughput alone"}


def test_what_is_not_measured_has_a_reason() -> None:
    """BEN-03, RES-02."""
    bare = measures.repeat({"latencies_ns": [1]}, cpu_s=0.0, peak_bytes=0, joules=None)
    reasons = dict(measures.absent([bare], scenario="", energy="no counter"))
    assert reasons["energy"] == "no counter"
    assert set(reasons) == {"cpu_time", "energy", "load_time", "memory", "throughput"}
    assert [one.name for one in measures.metrics([bare], scenario="")] == ["latency"]


def test_too_many_samples_become_a_histogram() -> None:
    """RES-04."""
    few = repeat(latencies_ns=[7] * MAX_SAMPLES)
    (kept,) = measures.samples([few])
    assert kept.values == (7,) * MAX_SAMPLES
    (binned,) = measures.samples([few, repeat(latencies_ns=[9])])
    assert binned.values == ()
    assert sum(binned.counts) == MAX_SAMPLES + 1
