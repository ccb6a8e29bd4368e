from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from crpack.model.results import Check, Metric, Result, State
from crpack.ops import replaying
from tests.unit.model.test_results import WHOLE

if TYPE_CHECKING:
    from crpack.ops.replaying import Compared

LATENCY, MAP = WHOLE.metrics
BASE = replace(WHOLE, metrics=(LATENCY, MAP))


def verdict(was: Metric, now: Metric, **machine: Any) -> bool | None:
    """Return whether one metric agrees with what it was."""
    return compared(was, now, **machine).agrees


def compared(
    was: Metric, now: Metric, *, busy: bool = False, load: str = "0.10", **machine: Any
) -> Compared:
    """Return what is said of one metric, in the scenario `Offline`."""
    checks = (Check(was.name, was.value, was.value, "0.01", "higher", passed=True),)
    validity = replace(WHOLE.validity, checks=checks)
    there = replace(WHOLE.machine, **machine)
    before = replace(WHOLE.before, load=load)
    (one,) = replaying._compared(
        replace(WHOLE, metrics=(was,), validity=validity, before=before),
        replace(WHOLE, metrics=(now,), machine=there, scenario="Offline"),
        busy=busy,
    )
    return one


@pytest.mark.parametrize(
    ("value", "low", "high", "agrees"),
    [
        ("1.25", "", "", True),
        ("1.37", "", "", True),
        ("1.38", "", "", False),
        ("1.12", "", "", False),
        ("1.45", "1.30", "1.6", True),  # the intervals meet
        ("1.45", "1.42", "1.6", True),  # or nearly
        ("1.45", "1.43", "1.6", False),
    ],
)
def test_a_speed_agrees_where_the_intervals_are_within_ten_percent(
    value: str, low: str, high: str, *, agrees: bool
) -> None:
    """BEN-10: faster by more is no confirmation either."""
    was = replace(LATENCY, value="1.25", low="1.2" if low else "", high="1.3" if high else "")
    assert verdict(was, replace(LATENCY, value=value, low=low, high=high)) is agrees


def test_an_interval_without_end_confirms_nothing() -> None:
    """BEN-10: whoever makes up a result makes up its intervals, too."""
    was = replace(LATENCY, value="2.6", low="0.001", high="99999")
    assert verdict(was, replace(LATENCY, value="1.25", low="1.2", high="1.3")) is False
    assert verdict(replace(was, value="2.5"), replace(LATENCY, low="1.2", high="1.3")) is True


def test_a_result_does_not_decide_what_is_judged_and_how() -> None:
    """BEN-10: neither by kind, nor by tolerance, nor by unit, nor by what nobody can measure."""
    for one in (LATENCY, MAP):
        assert verdict(replace(one, kind="other", value="0.3"), one) is False
        assert verdict(replace(one, unit="s"), one) is False
    assert verdict(replace(LATENCY, direction="higher"), LATENCY) is False
    check = replace(WHOLE.validity.checks[0], tolerance="1000000")
    was = replace(WHOLE, metrics=(replace(MAP, value="0.99"),),
                  validity=replace(WHOLE.validity, checks=(check,)))  # fmt: skip
    (found,) = replaying._compared(was, replace(WHOLE, metrics=(MAP,)), busy=False)
    assert found.agrees is False
    (found,) = replaying._compared(was, replace(WHOLE, metrics=()), busy=True)
    assert (found.agrees, found.now) == (False, "")


def test_a_number_without_an_interval_has_that_of_its_repeats() -> None:
    """BEN-10."""
    was = Metric("throughput", "throughput", "1/s", "higher", "100", 3,
                 quantiles=(("max", "130"), ("min", "90")))  # fmt: skip
    now = replace(was, value="145", quantiles=(("max", "150"), ("min", "139")))
    assert verdict(was, now) is True
    assert verdict(was, replace(now, quantiles=(("max", "150"), ("min", "141")))) is False


def test_the_throughput_of_single_queries_is_judged_by_their_latencies() -> None:
    """BEN-10, RES-09: the mean swings with every other program, the median does not."""
    was = Metric("throughput", "throughput", "1/s", "higher", "100", 3)
    (one,) = replaying._compared(
        replace(WHOLE, metrics=(was,)),
        replace(WHOLE, metrics=(replace(was, value="50"),)),
        busy=False,
    )
    assert (one.agrees, one.change, one.open) == (None, "-50.0%", False)


@pytest.mark.parametrize(
    ("least", "busy", "agrees"),
    [
        ("1.3", True, None),  # it was as fast, and other programs ran
        ("1.37", True, None),
        ("1.38", True, False),  # it never was
        ("1.3", False, False),
    ],
)
def test_what_a_busy_machine_makes_slower_is_not_decided(
    least: str, *, busy: bool, agrees: bool | None
) -> None:
    """BEN-10: a latency that no query had is refuted all the same."""
    was = replace(LATENCY, low="1.2", high="1.3")
    now = replace(was, value="2", low="1.9", high="2.1", quantiles=(("min", least),))
    one = compared(was, now, busy=busy)
    assert (one.agrees, one.open) == (agrees, agrees is None)
    turned = compared(now, was, busy=True)
    assert turned.agrees is False  # what is faster now is so for no other program
    then = compared(now, was, load="3.5")
    assert then.open == (least != "1.38")


def test_memory_needs_no_quiet_machine() -> None:
    """BEN-10."""
    was = Metric("memory", "memory", "By", "lower", "100", 3)
    now = replace(was, value="300", quantiles=(("min", "100"),))
    assert compared(was, now, busy=True).agrees is False


def test_speed_is_judged_on_an_equal_machine_alone() -> None:
    """BEN-10, RES-03."""
    slow = replace(LATENCY, value="9", low="", high="")
    assert verdict(LATENCY, slow) is False
    assert verdict(LATENCY, slow, cpu="Another") is None


@pytest.mark.parametrize(("value", "agrees"), [("0.9", True), ("0.91", True), ("0.911", False)])
def test_accuracy_agrees_within_its_tolerance_on_any_machine(value: str, *, agrees: bool) -> None:
    """BEN-10."""
    assert verdict(MAP, replace(MAP, value=value), cpu="Another") is agrees


def test_times_and_what_one_result_lacks_are_told_and_not_judged() -> None:
    """BEN-10."""
    load = Metric("load_time", "time", "ms", "lower", "10")
    assert verdict(load, replace(load, value="90")) is None
    found = {one.name: one for one in replaying._compared(
        replace(WHOLE, metrics=(load,)), replace(WHOLE, metrics=(MAP,)), busy=False)}  # fmt: skip
    assert (found["load_time"].now, found["map"].recorded) == ("", "")
    assert all(one.agrees is None for one in found.values())
    zero = replace(MAP, value="0")
    none, some = replace(WHOLE, metrics=(zero,)), replace(WHOLE, metrics=(MAP,))
    (one,) = replaying._compared(none, some, busy=False)
    assert one.change == ""


def test_what_differs_beside_the_numbers_is_told() -> None:
    """BEN-10."""
    assert list(replaying._differences(WHOLE, WHOLE)) == []
    now: Result = replace(
        WHOLE,
        machine=replace(WHOLE.machine, cores=8, accelerators=()),
        before=State("3.10", "performance", "3000", "0", "1000", "0-1"),
        provenance=replace(WHOLE.provenance, harness="native"),
        params=(("backend", "native"), ("batch", "8")),
    )
    assert list(replaying._differences(WHOLE, now)) == [
        "cores: 2, now 8",
        "accelerators: nvidia, now not known",
        "load before: 0.10, now 3.10",
        "harness: loadgen 6.0, now native",
        "batch: not known, now 8",
        "threads: 1, now not known",
    ]
