"""What results are worth."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from crpack.report import own
from crpack.report.badges import badges
from tests.tools.sample_results import digest, invalid, latency, sample, with_metrics

if TYPE_CHECKING:
    from crpack.model.results import Result
    from crpack.report.rows import Row


def row(result: Result, name: str, *signers: str) -> Row:
    """Return the row of a result under a made-up id."""
    return own.row(result, digest(name), signers)


def test_a_result_that_nobody_signed_is_unsigned() -> None:
    """DSH-07."""
    assert badges([row(sample(), "a")]) == ("unsigned",)
    assert badges([row(sample(), "a", "alice", "bob")]) == ("signed by alice, bob",)


def test_two_keys_that_agree_have_reproduced_it() -> None:
    """DSH-08."""
    again = with_metrics(sample(), latency(8.0))
    assert badges([row(sample(), "a", "alice"), row(again, "b", "bob")]) == ("reproduced",) * 2


def test_one_key_reproduces_nothing_by_itself() -> None:
    """DSH-08: nor does one that signed both, nor somebody without a key."""
    rows = [row(sample(), "a", "alice"), row(sample(), "b", "alice")]
    assert badges(rows) == ("signed by alice",) * 2
    both = badges([row(sample(), "a", "alice"), row(sample(), "b", "alice", "bob")])
    assert both == ("signed by alice", "signed by alice, bob")
    assert badges([row(sample(), "a", "alice"), row(sample(), "b")])[0] == "signed by alice"


def test_other_numbers_or_another_experiment_reproduce_nothing() -> None:
    """DSH-08: 10 % apart, another lock, other parameters, another machine, not valid."""
    result = sample()
    others = [
        with_metrics(result, latency(8.5)),
        replace(result, software=replace(result.software, lock=digest("other"))),
        replace(result, params=(*result.params, ("x", "1"))),
        replace(result, machine=replace(result.machine, cores=64)),
        invalid(result),
    ]
    for other in others:
        assert badges([row(result, "a", "alice"), row(other, "b", "bob")])[0] == "signed by alice"
