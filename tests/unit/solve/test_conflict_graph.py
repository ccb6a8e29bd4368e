"""The graph of a failure: one value, from which sentences, tree and JSON are drawn (SOL-12)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, get_args

import jsonschema
import pytest

from crpack.solve import conflict, wording
from crpack.solve.conflict import Code, Node
from crpack.solve.problem import Policy, Preference, Request, Unsolvable
from tests.house.source import ROOT
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
from tests.unit.solve.test_conflicts import OPTION, TOLD, rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from crpack.index.entries import Shard
    from crpack.solve.conflict import Conflict
    from crpack.solve.problem import Problem
    from tests.unit.solve.test_conflicts import Case

WHEN = "[[when]]\nmatch = {option = {o = 'y'}}\n[when.requires]\ngone = ''\n"
SCHEMA = json.loads((ROOT / "spec/conflict.schema.json").read_text())


def failed(shards: dict[str, Shard], what: Problem) -> Unsolvable:
    with pytest.raises(Unsolvable) as caught:
        solved(shards, what)
    return caught.value


def kinds(found: Conflict) -> list[str]:
    return [node.kind for node in found.nodes]


@pytest.mark.parametrize("case", TOLD, ids=lambda case: case.__name__)
def test_each_node_stands_behind_what_it_follows_from_and_one_is_the_end(
    case: Callable[[], Case],
) -> None:
    """SOL-12."""
    error = failed(*case())
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(json.dumps(error.data)))
    nodes = error.conflict.nodes
    assert [node.id for node in nodes] == [f"n{number}" for number in range(1, len(nodes) + 1)]
    known: set[str] = set()
    for node in nodes:
        assert known >= set(node.because), node
        assert (node.kind == "derived") <= bool(node.because), node
        known.add(node.id)
    last = nodes[-1]
    assert (last.kind, last.package, last.text) == ("derived", "", error.what)
    assert {one for node in nodes for one in node.because} == known - {last.id}
    assert error.data["roots"] == [node.id for node in nodes if node.kind == "request"]


@pytest.mark.parametrize("case", TOLD, ids=lambda case: case.__name__)
def test_sentences_and_tree_say_nothing_that_is_not_in_the_graph(
    case: Callable[[], Case],
) -> None:
    """SOL-12."""
    error = failed(*case())
    texts = {node.text for node in error.conflict.nodes}
    assert set(error.why) <= texts
    assert {line.strip().removesuffix(", see above") for line in error.tree} <= texts
    assert set(error.why) <= {line.strip().removesuffix(", see above") for line in error.tree}
    assert error.hint.splitlines() == [fix.text for fix in error.conflict.fixes]


def test_kinds_tell_conflicts_replacements_and_what_is_provided_apart() -> None:
    """SOL-12, REQ-05 to REQ-07."""
    for word, kind in (("conflicts", "conflict"), ("replaces", "replaces")):
        shards = market(rows("a", f"[{word}]\nb = '<3'\n"), rows("b", "", ""))
        found = failed(shards, problem("a", "b")).conflict
        assert kinds(found) == ["request", "request", kind, "available", "derived", "derived"]
        said = found.nodes[2]
        assert (said.package, said.on, said.ranges) == ("a", "b", ("<3",))
    shards = market(
        rows("app", needs(blas=">=4", openblas="")), rows("openblas", "[provides]\nblas = '3.9'\n")
    )
    told = failed(shards, problem("app")).conflict.nodes
    assert [(n.package, n.on, n.span) for n in told if n.kind == "provides"] == [
        ("openblas", "blas", "3.9")
    ]


def test_a_release_of_another_index_than_the_one_of_the_lock_is_a_pin() -> None:
    """SOL-12, SOL-05."""
    kept = Preference("b", "1", 0, index="elsewhere")
    shards = market(rows("a", needs(b="")), rows("b", ""))
    error = failed(shards, problem("a", locked=(kept,)))
    assert [node.text for node in error.conflict.nodes if node.kind == "pin"] == [
        "`b` 1 is left out because `b` is bound to the index `elsewhere`"
    ]


def left_out(shards: dict[str, Shard], what: Problem) -> dict[str, str]:
    """Return the codes of what is left out, by version."""
    nodes = failed(shards, what).conflict.nodes
    return {one: n.code for n in nodes if n.kind in ("excluded", "pin") for one in n.versions}


def test_what_is_left_out_has_a_stable_word_for_it() -> None:
    """SOL-12: each code that the schema lists."""
    floor = payload(floors=(("glibc", "2.38"),))
    shards = market(
        shard(
            "a",
            release("a", "1", payloads=(payload("linux-aarch64-gnu"),), build=False),
            release("a", "2", payloads=(payload("linux-aarch64-gnu"), floor), build=False),
            release("a", "3", yanked="it eats files"),
            release("a", "4", needs=">=99"),
            release("a", "5", payloads=(payload(),), copies=("thin",)),
            release("a", "6", build=False),
            release("a", "7rc1"),
            replace(release("a", "8"), recipe=b'{"package":{"name":7}}'),
        ),
        rows("b", needs(a="")),
    )
    codes = left_out(shards, problem("b"))
    assert codes == {
        "1": "platform", "2": "floor", "3": "yanked", "4": "needs-crpack", "5": "thin",
        "6": "no-driver", "7rc1": "pre-release", "8": "malformed",
    }  # fmt: skip
    asked = problem(Request("c", options=(("o", "z"),)))
    codes |= {f"{c}c": c for c in left_out(market(rows("c", OPTION)), asked).values()}
    shards = market(rows("d", needs(e="")), rows("e", ""))
    ways = [
        problem("d", "e", builds=False),
        problem("d", policy=Policy(only_detected=True)),
        problem("d", locked=(Preference("e", "1", 0, index="elsewhere"),)),
    ]
    codes |= {f"{c}d": c for what in ways for c in left_out(shards, what).values()}
    listed = SCHEMA["$defs"]["node"]["properties"]["code"]["enum"]
    assert {"", *codes.values()} == set(listed) == {"", *get_args(Code)}


def test_several_wrong_platforms_are_told_three_of_them_and_how_many_more() -> None:
    """SOL-12."""
    names = [f"linux-{one}-gnu" for one in ("aarch64", "riscv64", "ppc64le", "s390x", "armv7")]
    for count, told in (
        (2, "`linux-aarch64-gnu` and `linux-riscv64-gnu`"),
        (3, "`linux-aarch64-gnu`, `linux-riscv64-gnu` and `linux-ppc64le-gnu`"),
        (4, "`linux-aarch64-gnu`, `linux-riscv64-gnu`, `linux-ppc64le-gnu` and 1 more platform"),
        (5, "`linux-aarch64-gnu`, `linux-riscv64-gnu`, `linux-ppc64le-gnu` and 2 more platforms"),
    ):
        payloads = tuple(payload(name, packed=n) for name in names[:count] for n in (1, 2))
        shards = market(shard("a", release("a", "1", payloads=payloads, build=False)))
        assert failed(shards, problem("a")).why == (f"`a` 1 is left out because it is for {told}",)


def test_a_payload_that_fits_and_is_not_there_is_not_left_out_for_another_platform() -> None:
    """SOL-03: its copy is thin."""
    payloads = (payload("linux-aarch64-gnu"), payload())
    thin = release("a", "1", payloads=payloads, copies=("thin",))
    assert left_out(market(shard("a", thin)), problem("a")) == {"1": "thin"}


def test_versions_are_all_there_for_programs_and_merged_for_people() -> None:
    """SOL-12."""
    shards = market(
        rows("a", *[needs(c=">=9")] * 7, needs(c=""), *[needs(c=">=9")] * 2),
        rows("c", *[""] * 5),
    )
    error = failed(shards, problem(Request("a", "!=8")))
    said = next(node for node in error.conflict.nodes if node.kind == "dependency")
    assert said.versions == ("1", "2", "3", "4", "5", "6", "7", "9", "10")
    assert said.text == "`a` 1 to 7, 9 and 10 require `c` >=9"
    assert not said.every


def test_what_only_some_builds_require_is_told_with_their_options() -> None:
    shards = market(
        rows("a", needs(codec="{options = {o = 'y'}}")),
        rows("codec", OPTION + WHEN),
    )
    assert failed(shards, problem("a")).why[1] == "`codec` 1 with `o=y` requires `gone`"


def test_what_is_left_out_on_the_way_is_told_too() -> None:
    """SOL-10: the reader sees why the newest version is not the one that was tried."""
    shards = market(
        rows("a", needs(b=">=2")),
        shard(
            "b",
            release("b", "1", yanked="out of range"),
            release("b", "2", needs(gone="")),
            release("b", "3", yanked="it eats files"),
        ),
    )
    assert failed(shards, problem("a")).why == (
        "`a` 1 requires `b` >=2",
        "`b` 2 requires `gone`",
        "no index has `gone`, and it was not found on this machine",
        "`b` 3 is left out because it is yanked: it eats files",
    )


def test_requests_that_a_lock_makes_are_told_with_their_origin() -> None:
    """SOL-10."""
    shards = market(rows("a", needs(c="<2")), rows("c", "", ""))
    asked = (Request("a", origin="crpack.lock"), Request("c", ">=2", origin="crpack.lock"))
    assert failed(shards, problem(*asked)).why[:2] == (
        "crpack.lock asked for `a`",
        "crpack.lock asked for `c>=2`",
    )


def test_a_switch_that_is_in_the_way_is_named() -> None:
    """SOL-10."""
    shards = market(rows("a", needs(gcc=">=12")), rows("gcc", "", first=14))
    bare = problem("a", policy=Policy(only_detected=True))
    assert failed(shards, bare).hint == "leave out `--only-detected`: `a` 1 would do"
    shards["gcc"] = shard("gcc", release("gcc", "14", build=False))
    facts = replace(HERE, found=(have("gcc", "12.2"),))
    blind = problem("a", facts=facts, policy=Policy(detect=False))
    assert failed(shards, blind).hint == "leave out `--no-detect`: `a` 1 would do"


def requests(*names: str) -> Conflict:
    numbered = enumerate(names, 1)
    return conflict.of(tuple(Node(f"n{n}", "request", name, origin="you") for n, name in numbered))


@pytest.mark.parametrize(
    "names",
    [
        ["a" * 100],
        ["a" * 100, "b" * 100],
        [f"component-{number}" for number in range(40)],
        ["a" * 64 + "/" + "b" * 64, *(f"c{number}" for number in range(500))],
    ],
    ids=["long", "two-long", "forty", "five-hundred"],
)
def test_the_first_line_has_eighty_columns_at_most(names: list[str]) -> None:
    """SOL-10: what it does not name in full is told below."""
    line = f"error: {wording.headline(requests(*names))}"
    assert len(line) <= 80
    assert names[0][:9] in line
    if len(names) > 2:
        assert "more cannot be had together" in line


def test_a_request_that_the_first_line_has_no_room_for_is_told_below() -> None:
    """SOL-10."""
    long = "a" * 50 + "/" + "b" * 50
    shards = market(rows(long, needs(gone="")))
    error = failed(shards, problem(long))
    assert error.why[0] == f"you asked for `{long}`"
    assert "…" in error.what


def test_a_chain_of_forty_is_told_by_its_ends() -> None:
    """SOL-10."""
    shards = market(*(rows(f"p{n}", needs(**{f"p{n + 1}": ">=1"})) for n in range(40)))
    error = failed(shards, problem("p0"))
    assert error.why == (
        *(f"`p{n}` 1 requires `p{n + 1}` >=1" for n in range(4)),
        "and 33 more of this kind: see `--json`",
        *(f"`p{n}` 1 requires `p{n + 1}` >=1" for n in range(37, 40)),
        "no index has `p40`, and it was not found on this machine",
    )
    assert len(error.tree) == 42
    assert max(map(len, error.tree)) < 100
