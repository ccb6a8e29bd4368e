"""What the machine has of the releases that are offered (DAT-02)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from crpack.solve import solver
from crpack.solve.problem import Answer, Offer, Policy, Problem
from tests.unit.solve.market import have, needs, payload, problem, release, shard, shown

IMAGES = "[options.size]\ntype = 'enum'\nvalues = ['small', 'large']\ndefault = 'small'\n"
IMAGES += "scope = 'build'\n"
SHARDS = {
    "user": shard("user", release("user", "1.0", needs(data=">=1"), payloads=(payload(),))),
    "data": shard("data", release("data", "1.2", payloads=(payload(),))),
}
FOUND = replace(have("data", "1.1"), path="/data/set", files=("a.json",))


def solved(what: Problem) -> Answer:
    """Return the answer where the machine has `data`, as the offer says."""
    run = solver.solve(what)
    try:
        need = next(run)
        while True:
            offers = {
                name: Offer("main", SHARDS.get(name), (FOUND,) if name == "data" else ())
                for name in need.names
            }
            need = run.send(offers)
    except StopIteration as end:
        answer: Answer = end.value
        return answer


def test_what_an_offer_was_found_as_serves() -> None:
    answer = solved(problem("user"))
    assert shown(answer) == ["user 1.0 binary", "data 1.1 detected"]
    pick = answer.picks[1]
    assert pick.found is FOUND
    assert pick.fallback == "binary"


@pytest.mark.parametrize("policy", [Policy(detect=False), Policy("made"), Policy("newest")])
def test_a_policy_may_leave_it_aside(policy: Policy) -> None:
    assert shown(solved(problem("user", policy=policy)))[1] == "data 1.2 binary"


def test_what_is_asked_for_by_name_comes_from_its_archive() -> None:
    assert shown(solved(problem("data"))) == ["data 1.2 binary"]


def test_it_serves_nobody_who_asks_for_other_options(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = needs(data="{ version = '>=1', options = { size = 'large' } }")
    large = payload(options=(("size", "large"),))
    small = payload(options=(("size", "small"),))
    monkeypatch.setitem(
        SHARDS, "user", shard("user", release("user", "1.0", wanted, payloads=(payload(),)))
    )
    monkeypatch.setitem(
        SHARDS, "data", shard("data", release("data", "1.2", IMAGES, payloads=(large, small)))
    )
    for size, origin in (("small", "1.2 binary"), ("large", "1.1 detected")):
        found = replace(FOUND, notes=(("option.size", size),))
        monkeypatch.setitem(globals(), "FOUND", found)
        assert shown(solved(problem("user")))[1] == f"data {origin}"
