from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from crpack.solve.problem import Policy, Problem, Request, Unsolvable
from tests.unit.solve.market import (
    HERE,
    have,
    market,
    needs,
    payload,
    problem,
    release,
    shard,
    solved,
)

if TYPE_CHECKING:
    from crpack.index.entries import Shard


def told(shards: dict[str, Shard], what: Problem) -> list[str]:
    """Return a failure as it is printed: the sentence, the causes, the hint."""
    with pytest.raises(Unsolvable) as caught:
        solved(shards, what)
    error = caught.value
    assert error.code == "no-solution"
    assert error.hint.splitlines() == [fix.text for fix in error.conflict.fixes]
    return [error.what, *error.why, *error.hint.splitlines()]


def test_a_component_that_does_not_exist() -> None:
    """SOL-10."""
    assert told(market(), problem("a")) == [
        "there is no `a`",
        "no index has `a`, and it was not found on this machine",
    ]


def test_a_requirement_that_does_not_exist() -> None:
    shards = market(shard("a", release("a", "1", needs(b=">=2")), release("a", "2", needs(b=""))))
    assert told(shards, problem("a")) == [
        "`a` cannot be had",
        "every `a` (1 and 2) requires `b`",
        "no index has `b`, and it was not found on this machine",
    ]


def test_no_version_in_the_range() -> None:
    shards = market(shard("a", *(release("a", f"1.{n}") for n in range(9))))
    assert told(shards, problem(Request("a", ">=2", origin="paper.toml:3"))) == [
        "`a>=2` cannot be had",
        "paper.toml:3 asked for `a>=2`",
        "the index `main` has `a` 1.0 to 1.8",
        "ask for `a` in any version: `a` 1.8 would do",
    ]


def test_two_askers_of_one_component() -> None:
    """Only requests in conflict are named; each fact once."""
    shards = market(
        shard("a", *(release("a", str(n), needs(c=">=2")) for n in range(1, 6))),
        shard("b", *(release("b", str(n), needs(c="<2")) for n in range(1, 3))),
        shard("c", release("c", "1"), release("c", "2")),
        shard("other", release("other", "1")),
    )
    assert told(shards, problem("other", "a", "b")) == [
        "`a` and `b` cannot be had together",
        "every `a` (1 to 5) requires `c` >=2",
        "every `b` (1 and 2) requires `c` <2",
        "the index `main` has `c` 1 and 2",
        "leave out `a`: `other` 1 and `b` 2 would do",
        "leave out `b`: `other` 1 and `a` 5 would do",
    ]


def test_a_request_against_what_another_one_needs() -> None:
    shards = market(
        shard("a", release("a", "1", needs(c="<2"))),
        shard("c", release("c", "1"), release("c", "2")),
    )
    assert told(shards, problem("a", Request("c", ">=2"))) == [
        "`a` and `c>=2` cannot be had together",
        "`a` 1 requires `c` <2",
        "the index `main` has `c` 1 and 2",
        "ask for `c` in any version: `a` 1 and `c` 1 would do",
        "leave out `a`: `c` 2 would do",
        "leave out `c>=2`: `a` 1 would do",
    ]


def test_a_chain_is_told_from_the_request_on() -> None:
    shards = market(
        shard("a", release("a", "1", needs(b=""))),
        shard("b", release("b", "1", needs(c=""))),
        shard("c", release("c", "1", needs(d=">=3"))),
        shard("d", release("d", "2")),
    )
    assert told(shards, problem("a"))[1:] == [
        "`a` 1 requires `b`",
        "`b` 1 requires `c`",
        "`c` 1 requires `d` >=3",
        "the index `main` has `d` 2",
    ]


def test_what_is_left_out_says_why() -> None:
    """SOL-10, SOL-05: platform, floor, yanked, crpack, a thin copy, no way to make it."""
    shards = market(
        shard(
            "a",
            release("a", "1", payloads=(payload("linux-aarch64-gnu"),), build=False),
            release("a", "2", payloads=(payload(floors=(("glibc", "2.38"),)),), build=False),
            release("a", "3", yanked="it eats files"),
            release("a", "4", needs=">=99"),
            release("a", "5", payloads=(payload(),), copies=("thin",)),
            release("a", "6", build=False),
        )
    )
    assert told(shards, problem("a"))[1:] == [
        "`a` 6 is left out because its recipe only says how to recognise it",
        "`a` 5 is left out because the index has only a thin copy of it",
        "`a` 4 is left out because it needs crpack >=99",
        "`a` 3 is left out because it is yanked: it eats files",
        "`a` 2 is left out because it needs `glibc` 2.38 and there is 2.36",
        "`a` 1 is left out because it is for `linux-aarch64-gnu`",
    ]


def test_what_the_machine_has_is_told_too() -> None:
    shards = market(
        shard("a", release("a", "1", needs(gcc=">=13"))),
        shard("gcc", release("gcc", "14", build=False)),
    )
    facts = replace(HERE, found=(have("gcc", "12.2"),))
    assert told(shards, problem("a", facts=facts))[1:] == [
        "`a` 1 requires `gcc` >=13",
        "`gcc` 12.2 was found on this machine, at /usr/bin/gcc",
        "`gcc` 14 is left out because its recipe only says how to recognise it",
    ]
    shards = market(
        shard("a", release("a", "1", needs(gcc="{external = 'forbid'}"))),
        shard("gcc", release("gcc", "14")),
    )
    only = problem("a", facts=facts, policy=Policy(only_detected=True))
    assert told(shards, only)[1:3] == [
        "`a` 1 requires `gcc`, not from this machine",
        "`gcc` 12.2 was found on this machine, at /usr/bin/gcc",
    ]


def test_a_hint_was_tried() -> None:
    shards = market(
        shard("a", release("a", "1", needs(b="{version = '>1', optional = true}"))),
        shard("b", release("b", "2.0rc1"), release("b", "1")),
    )
    assert told(shards, problem("a", "b"))[1:] == [
        "`a` 1 works only with `b` >1",
        "the index `main` has `b` 1",
        "`b` 2.0rc1 is left out because it is a pre-release, and nobody asked for one",
        "ask for `b>=2.0rc1`, a pre-release: `a` 1 and `b` 2.0rc1 would do",
        "leave out `a`: `b` 1 would do",
        "leave out `b`: `a` 1 would do",
    ]


def test_a_name_that_is_asked_for_twice_is_told_once_in_what_would_do() -> None:
    """SOL-10: to ask for it in any version beside another range is to leave it out."""
    shards = market(shard("a", release("a", "1"), release("a", "2")), shard("b", release("b", "1")))
    below, above = Request("a", "<2"), Request("a", ">1")
    assert told(shards, problem(below, above)) == [
        "`a<2` and `a>1` cannot be had together",
        "the index `main` has `a` 1 and 2",
        "leave out `a<2`: `a` 2 would do",
        "leave out `a>1`: `a` 1 would do",
    ]
    assert told(shards, problem(below, above, "a", "b"))[-2:] == [
        "leave out `a<2`: `a` 2 and `b` 1 would do",
        "leave out `a>1`: `a` 1 and `b` 1 would do",
    ]


def test_a_long_story_is_cut() -> None:
    a = shard("a", *(release("a", str(n), needs(**{f"gone{n}": ""})) for n in range(20)))
    lines = told(market(a), problem("a"))
    assert [line for line in lines if line.startswith("and ")] == [
        "and 13 more of this kind: see `--json`",
        "and 15 more of this kind: see `--json`",
    ]


def test_a_failure_is_data_for_programs() -> None:
    with pytest.raises(Unsolvable) as caught:
        solved(market(), problem(Request("a", ">1")))
    blank: dict[str, object] = dict.fromkeys(("span", "on", "wants", "use", "origin"), "")
    blank |= {"code": "", "reason": ""}
    blank |= {"context": "target", "every": False}
    blank |= {key: [] for key in ("versions", "built", "ranges", "options", "because")}
    absent = "no index has `a`, and it was not found on this machine"
    assert caught.value.data == {
        "code": "no-solution",
        "roots": ["n1"],
        "nodes": [
            {
                **blank, "id": "n1", "kind": "request", "package": "a", "ranges": [">1"],
                "origin": "you", "text": "you asked for `a>1`",
            },
            {
                **blank, "id": "n2", "kind": "missing", "package": "a", "reason": absent,
                "text": absent,
            },
            {
                **blank, "id": "n3", "kind": "derived", "package": "a", "because": ["n1", "n2"],
                "text": "no `a` serves all who ask for it",
            },
            {
                **blank, "id": "n4", "kind": "derived", "package": "", "because": ["n3"],
                "reason": "there is no `a`", "text": "there is no `a`",
            },
        ],
        "fixes": [],
    }  # fmt: skip
