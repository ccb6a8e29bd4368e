"""Which requests fail together, asked of one search (SOL-10)."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from crpack.solve import solver
from crpack.solve.pool import Pool, Spent
from crpack.solve.problem import Offer, Policy, Request, Unsolvable
from crpack.solve.search import Search
from crpack.solve.trials import Trials, Unsure
from crpack.solve.universe import Universe
from tests.laws.test_solve import asked, drawn
from tests.laws.test_solve import shards as drawn_shards
from tests.tools.solver_fuzz import check
from tests.unit.solve.market import HERE, have, market, needs, problem, release, shard, solved
from tests.unit.solve.test_conflicts import rows

if TYPE_CHECKING:
    from crpack.index.entries import Shard
    from crpack.solve.problem import Problem

CASES, SUBSETS, MANY = 60, 8, 60


def closed(shards: dict[str, Shard], what: Problem) -> Universe:
    """Return all that could matter to a problem."""
    universe = Universe(Pool(what))
    run = universe.close()
    try:
        need = next(run)
        while True:
            need = run.send({name: Offer("main", shards.get(name)) for name in need.names})
    except StopIteration:
        return universe


def star(count: int) -> dict[str, Shard]:
    """Return a hub with as many versions as there are names, each of which rules out one."""
    rays = (rows(f"p{n}", needs(hub=f"!={n}")) for n in range(1, count + 1))
    return market(rows("hub", *[""] * count), *rays)


def test_trials_say_what_searching_anew_says() -> None:
    """SOL-08, SOL-10."""
    told = {True: 0, False: 0}
    for seed in range(CASES):
        world, dice = drawn_shards(drawn(seed)), random.Random(seed)  # noqa: S311 - no secret
        facts = asked(drawn(seed)).facts
        universe = closed(world, problem(*(Request(name) for name in sorted(world)), facts=facts))
        trials, requests = Trials(universe, math.inf), universe.pool.problem.requests
        plain = [n for n in range(len(requests)) if n not in trials.fixed]
        for _ in range(SUBSETS):
            some = dice.sample(plain, dice.randint(bool(plain) and not trials.fixed, len(plain)))
            try:
                failing = trials.failing(some)
            except Unsure:
                continue
            fails(universe, {*some, *trials.fixed}, expected=failing is not None)
            if failing is not None:
                assert failing <= set(some)
                fails(universe, {*failing, *trials.fixed}, expected=True)
            told[failing is None] += 1
    assert min(told.values()) > CASES


def fails(universe: Universe, numbers: set[int], *, expected: bool) -> None:
    """See that a new search for these requests says the same, with a proof that replays."""
    pool = universe.pool
    some = tuple(pool.problem.requests[number] for number in sorted(numbers))
    other = Universe(Pool(replace(pool.problem, requests=some), like=pool))
    assert list(other.close()) == []
    search = Search(other)
    outcome = search.run()
    assert (outcome.chosen is None) is expected
    if expected:
        check(search, outcome)


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Return the requests of each search that is begun after the first one, as they are."""
    found: list[tuple[str, ...]] = []
    complete = solver._complete

    def counted(pool: Pool, what: Problem, spare: Any) -> Any:
        found.append(tuple(one.name for one in what.requests))
        return complete(pool, what, spare)

    monkeypatch.setattr(solver, "_complete", counted)
    return found


def test_many_requests_that_fail_together_take_one_search(begun: list[tuple[str, ...]]) -> None:
    """SOL-10: what may be left out is asked of the same search, not of a new one each time."""
    names = [f"p{n}" for n in range(1, MANY + 1)]
    with pytest.raises(Unsolvable) as caught:
        solved(star(MANY), problem(*names))
    assert [one.name for one in caught.value.requests] == names
    assert len(begun) == len(caught.value.conflict.fixes) == 3


def test_a_change_that_is_known_to_fail_is_not_tried(begun: list[tuple[str, ...]]) -> None:
    """SOL-10: two pairs are in conflict, and no single change helps."""
    pairs = (("a", "x", "<2"), ("b", "x", ">=2"), ("c", "y", "<2"), ("d", "y", ">=2"))
    asking = (rows(one, needs(**{other: text})) for one, other, text in pairs)
    with pytest.raises(Unsolvable) as caught:
        solved(market(*asking, rows("x", "", ""), rows("y", "", "")), problem(*"abcd"))
    assert len(caught.value.requests) == 2
    assert caught.value.hint == ""
    assert begun == [tuple(one.name for one in caught.value.requests)]


def test_a_request_that_is_judged_otherwise_counts_always() -> None:
    """SOL-04, SOL-05: by the machine's software, a pre-release, its options, a switch."""
    shards = market(rows("a", ""), rows("b", ""), shard("e", release("e", "1rc1")))
    facts = replace(HERE, found=(have("a", "1"),))
    asked_for = problem("a", "b", "e", Request("b", prerelease=True), facts=facts)
    assert Trials(closed(shards, asked_for), math.inf).fixed == {0, 1, 2, 3}
    assert Trials(closed(shards, problem("a", "b")), math.inf).fixed == frozenset()
    bare = problem("a", "b", policy=Policy(only_detected=True))
    assert Trials(closed(shards, bare), math.inf).fixed == {0, 1}


def test_trials_that_ran_out_of_work_say_nothing_more() -> None:
    """SOL-08."""
    names = [f"p{n}" for n in range(1, 9)]
    trials = Trials(closed(star(8), problem(*names)), 3)
    for _ in range(2):
        with pytest.raises(Spent):
            trials.failing(range(8))
        trials.work = 1_000_000
