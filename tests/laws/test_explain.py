"""Whatever fails: what is told of it is a graph, its core is minimal, and its changes do."""

from __future__ import annotations

import functools
import json
from dataclasses import replace

import jsonschema

from crpack.ops.resolving import request
from crpack.solve.problem import Answer, Problem, Request, Unsolvable
from tests.house.source import ROOT
from tests.laws.test_solve import asked, drawn, shards
from tests.unit.solve.market import solved

CASES = 200


@functools.cache
def failures() -> tuple[tuple[int, Unsolvable], ...]:
    """Return worlds without a solution, by their seeds."""
    found = []
    for seed in range(CASES):
        try:
            solved(shards(drawn(seed)), asked(drawn(seed)))
        except Unsolvable as error:
            found.append((seed, error))
    assert len(found) > CASES // 4
    return tuple(found)


def answer(seed: int, problem: Problem) -> Answer | None:
    try:
        return solved(shards(drawn(seed)), problem)
    except Unsolvable:
        return None


def test_a_failure_is_a_graph_with_one_end() -> None:
    """SOL-12."""
    schema = jsonschema.Draft202012Validator(
        json.loads((ROOT / "spec/conflict.schema.json").read_text())
    )
    for seed, error in failures():
        schema.validate(json.loads(json.dumps(error.data)))
        known: set[str] = set()
        for node in error.conflict.nodes:
            assert known >= set(node.because), seed
            assert node.because or node.kind not in ("dependency", "conflict", "derived"), seed
            known.add(node.id)
        last = error.conflict.nodes[-1].id
        assert {one for node in error.conflict.nodes for one in node.because} == known - {last}
        told = {text for text in error.why if not text.endswith("see `--json`")}
        assert told <= {node.text for node in error.conflict.nodes}, seed
        assert len(f"error: {error.what}") <= 80, seed


def test_none_of_the_requests_in_conflict_can_be_left_out() -> None:
    """SOL-10."""
    several = 0
    for seed, error in failures():
        problem = asked(drawn(seed))
        core = error.requests
        assert answer(seed, replace(problem, requests=core)) is None, seed
        for one in core if len(core) > 1 else ():
            several += 1
            rest = tuple(other for other in core if other is not one)
            assert answer(seed, replace(problem, requests=rest)) is not None, seed
    assert several > 5


def test_each_change_that_is_proposed_gives_what_it_says() -> None:
    """SOL-10."""
    kinds = set()
    for seed, error in failures():
        problem = asked(drawn(seed))
        for fix in error.conflict.fixes:
            kinds.add(fix.change)
            found = answer(seed, changed(problem, fix.change, fix.request, fix.instead))
            assert found is not None, (seed, fix)
            versions = {one.name: one.version for one in found.picks if one.context == "target"}
            assert {one.package: one.version for one in fix.result}.items() <= versions.items()
    assert kinds >= {"any-version", "drop"}


def changed(problem: Problem, change: str, old: str, new: str) -> Problem:
    """Return a problem with a change as it is told to programs."""
    if change == "option":
        option, _, value = new.partition("=")
        return replace(problem, options=(*problem.options, (*option.split("."), value)))  # type: ignore[arg-type]
    kept = [one for one in problem.requests if str(one) != old]
    if change == "add":
        return replace(problem, requests=(*problem.requests, request(new)))
    if change == "drop":
        return replace(problem, requests=tuple(kept))
    rows = (_instead(one, new) if str(one) == old else one for one in problem.requests)
    return replace(problem, requests=tuple(rows))


def _instead(one: Request, new: str) -> Request:
    return replace(one, range=request(new).range)
