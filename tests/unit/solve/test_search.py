"""What the search looks at, and what it does not have to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crpack.solve import check
from tests.unit.solve.market import market, needs, problem, release, shard, solved

if TYPE_CHECKING:
    import pytest


def test_what_is_said_of_many_is_said_of_each_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """SOL-08: a candidate that was refuted with others comes back with all that it asks.

    Else only whole choices are seen to be wrong, one after the other: here 4 to the 30.
    """
    free = {f"f{number}": "" for number in range(30)}
    found = market(
        shard("app", release("app", "1", needs(middle="", y=""))),
        shard("middle", release("middle", "2", needs(x="~=2.3")), release("middle", "1")),
        shard(
            "x",
            release("x", "2.4", needs(y=">=9.5,<10", **free)),
            release("x", "2.3", needs(gone="")),
            release("x", "1.2", needs(y=">=8,<9")),
            release("x", "1.1", needs(y="<=7.2")),
            release("x", "1.0", needs(y=">=6,<7")),
        ),
        shard("y", release("y", "9.4"), release("y", "6.6")),
        *(shard(name, *(release(name, str(n)) for n in range(1, 5))) for name in free),
    )
    walks = 0
    walk = check.walk

    def counted(*words: Any) -> check.Walk:
        nonlocal walks
        walks += 1
        return walk(*words)

    monkeypatch.setattr(check, "walk", counted)
    answer = solved(found, problem("app"))
    assert {pick.name: pick.version for pick in answer.picks} == {
        "app": "1",
        "middle": "1",
        "y": "9.4",
    }
    assert walks < 5
