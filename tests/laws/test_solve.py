"""Random small problems: the solver says what trying everything says (SOL-04, SOL-07, SOL-08).

The other side of the comparison is written from the rules alone: versions are whole numbers,
ranges are sets, and a choice is judged as a whole.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from crpack.model.facts import Facts
from crpack.solve import problem as problems
from crpack.solve import provider
from crpack.solve.problem import Request, Unsolvable
from tests.unit.solve.market import LINUX, have, problem, release, shard, solved

if TYPE_CHECKING:
    import pytest

    from crpack.index.entries import Shard
    from crpack.solve.candidates import Candidate
    from crpack.solve.pool import Pool
    from crpack.solve.problem import Answer, Problem

NAMES = "abcde"
CASES = 1000
OPTION = "[options.o]\ntype = 'enum'\nvalues = ['x', 'y']\ndefault = 'x'\n"

Slot = tuple[str, str]


@dataclass(frozen=True)
class Ask:
    """One requirement; `versions` admits, `option` is a value, `same` for the asker's, or none."""

    name: str
    versions: frozenset[int]
    option: str = ""
    mode: str = "need"
    forbid: bool = False
    tool: bool = False


@dataclass(frozen=True)
class Item:
    """One release; without a way to be made it is no candidate."""

    asks: tuple[Ask, ...]
    optional: bool
    more: tuple[Ask, ...] = ()  # asked as well where its option is `y`
    made: bool = True
    yanked: bool = False


@dataclass(frozen=True)
class World:
    items: dict[tuple[str, int], Item]
    found: dict[str, int]
    requests: tuple[Ask, ...]


@dataclass(frozen=True)
class Way:
    """A candidate: version 0 is nothing; an empty option is that of what has none."""

    version: int
    option: str = ""
    found: bool = False


def drawn(seed: int) -> World:
    dice = random.Random(seed)  # noqa: S311 - no secret
    names = NAMES[: dice.randint(2, 5)]
    every = {name: range(1, dice.randint(1, 3) + 1) for name in names}
    with_options = {name for name in names if dice.random() < 0.35}

    def ask(owner: str = "") -> Ask:
        name = dice.choice(names if dice.random() < 0.97 else "z")
        size = dice.choice([1, 2, 2, 3])
        option = dice.choice(["", "", "x", "y", "same"]) if name in with_options else ""
        if owner not in with_options:
            option = option.replace("same", "")
        mode = dice.choice(["need"] * 6 + ["wish", "avoid"])
        return Ask(
            name,
            frozenset(dice.sample([1, 2, 3], size)),
            "" if mode == "avoid" else option,
            mode if owner else "need",
            not owner or dice.random() < 0.1,
            bool(owner) and mode == "need" and dice.random() < 0.1,
        )

    def asks(owner: str, most: int) -> tuple[Ask, ...]:
        rows = {}
        for _ in range(dice.randint(0, most)):
            one = ask(owner)
            if one.mode != "avoid" or one.name != owner:  # a recipe cannot conflict with itself
                rows[one.name, one.tool, one.mode == "avoid"] = one
        return tuple(rows.values())

    def item(name: str) -> Item:
        optional = name in with_options
        first, more = asks(name, 3), asks(name, 1) if optional else ()
        # A block that names a component again would change what the base asks of it.
        more = tuple(one for one in more if one.name not in {ask.name for ask in first})
        return Item(first, optional, more, dice.random() < 0.93, dice.random() < 0.05)

    items = {(name, version): item(name) for name in names for version in every[name]}
    found = {name: dice.randint(1, 3) for name in names if dice.random() < 0.15}
    requests = {one.name: one for one in (ask() for _ in range(dice.randint(1, 3)))}
    return World(items, found, tuple(requests.values()))


def ways(world: World, name: str) -> list[Way]:
    made = [
        Way(version, option)
        for (owner, version), item in world.items.items()
        if owner == name and item.made and not item.yanked
        for option in (("x", "y") if item.optional else ("",))
    ]
    return made + ([Way(world.found[name], found=True)] if name in world.found else [])


def edges(world: World, slot: Slot, way: Way) -> list[tuple[Slot, Ask, str]]:
    """Return what a candidate asks: of whom, what, and the value of the option asked for."""
    if way.found or not way.version:
        return []
    item = world.items[slot[0], way.version]
    asks = item.asks + (item.more if way.option == "y" else ())
    return [
        (
            (one.name, "build" if one.tool else slot[1]),
            one,
            (way.option or "x") if one.option == "same" else one.option,
        )
        for one in asks
    ]


def users(world: World) -> dict[str, str]:
    """Return the options that the user sets; nobody else's wish for them counts."""
    return {ask.name: ask.option for ask in world.requests if ask.option}


def holds(ask: Ask, option: str, way: Way) -> bool:
    if not way.version:
        return ask.mode != "need"
    if ask.mode == "avoid":
        return way.version not in ask.versions
    if way.version not in ask.versions or (way.found and ask.forbid):
        return False
    return way.found or not option or option == way.option


def every_edge(world: World, chosen: dict[Slot, Way]) -> list[tuple[Slot, Ask, str]]:
    """Return all edges of what is reached, breadth first."""
    found = [((ask.name, "target"), ask, ask.option) for ask in world.requests]
    seen: set[Slot] = set()
    user = users(world)
    for slot, ask, _ in found:
        if slot in chosen and slot not in seen and ask.mode != "avoid":
            seen.add(slot)
            found += edges(world, slot, chosen[slot])
    return [(slot, ask, user.get(slot[0], option)) for slot, ask, option in found]


def right(world: World, chosen: dict[Slot, Way]) -> bool:
    """Say whether a whole choice is a solution."""
    asked: dict[Slot, set[str]] = {}
    for slot, ask, option in every_edge(world, chosen):
        way = chosen.get(slot, Way(0))
        if not holds(ask, option, way):
            return False
        if option and not way.found:
            asked.setdefault(slot, set()).add(option)
    user = users(world)
    return all(
        way.option in (asked.get(slot) or {user.get(slot[0], "x")})
        for slot, way in chosen.items()
        if way.option
    )


def solvable(world: World) -> bool:
    """Try everything."""

    def go(chosen: dict[Slot, Way]) -> bool:
        found = every_edge(world, chosen)
        for slot, ask, option in found:
            if slot in chosen and not holds(ask, option, chosen[slot]):
                return False
        fresh = [(s, a) for s, a, _ in found if s not in chosen and a.mode != "avoid"]
        if not fresh:
            return right(world, chosen)
        slot = fresh[0][0]
        options = [Way(0), *ways(world, slot[0])]
        return any(go({**chosen, slot: way}) for way in options)

    return go({})


def text(versions: frozenset[int]) -> str:
    return "" if len(versions) == 3 else " || ".join(f"=={one}.*" for one in sorted(versions))


def table(rows: tuple[Ask, ...], *, tool: bool, prefix: str = "") -> str:
    told = f"[{prefix}requires{'.build' if tool else ''}]\n"
    for one in rows:
        if one.tool is not tool or one.mode == "avoid":
            continue
        option = "{option.o}" if one.option == "same" else one.option
        options = f"options = {{ o = '{option}' }}, " if one.option else ""
        extra = f"external = '{'forbid' if one.forbid else 'allow'}', optional = "
        extra += "true" if one.mode == "wish" else "false"
        told += f"{one.name} = {{ version = '{text(one.versions)}', {options}{extra} }}\n"
    return told


def conflicts(rows: tuple[Ask, ...], *, prefix: str = "") -> str:
    told = [f"{one.name} = '{text(one.versions)}'\n" for one in rows if one.mode == "avoid"]
    return f"[{prefix}conflicts]\n{''.join(told)}"


def shards(world: World) -> dict[str, Shard]:
    made: dict[str, Shard] = {}
    for (name, version), item in world.items.items():
        told = (OPTION if item.optional else "") + table(item.asks, tool=False)
        told += table(item.asks, tool=True) + conflicts(item.asks)
        if item.more:
            told += "[[when]]\nmatch = { option = { o = 'y' } }\n"
            told += table(item.more, tool=False, prefix="when.")
            told += table(item.more, tool=True, prefix="when.")
            told += conflicts(item.more, prefix="when.")
        one = release(
            name,
            f"{version}.0",
            told,
            build=item.made,
            yanked="broken" if item.yanked else "",
        )
        made[name] = shard(name, one, *(made[name].releases if name in made else ()))
    return made


def asked(world: World) -> Problem:
    requests = (
        Request(ask.name, text(ask.versions), (("o", ask.option),) if ask.option else ())
        for ask in world.requests
    )
    found = tuple(have(name, f"{version}.0") for name, version in world.found.items())
    return problem(*requests, facts=Facts(LINUX, found=found))


def choice(answer: Answer) -> dict[Slot, Way]:
    return {
        (one.name, one.context): Way(
            int(one.version.split(".")[0]), dict(one.options).get("o", ""), one.found is not None
        )
        for one in answer.picks
    }


def judged(seed: int) -> bool:
    """Return whether the solver found an answer, which must be right."""
    world = drawn(seed)
    try:
        answer = solved(shards(world), asked(world))
    except Unsolvable:
        assert not solvable(world), seed
        return False
    assert right(world, choice(answer)), seed
    return True


def test_the_verdict_is_that_of_trying_everything() -> None:
    found = [judged(seed) for seed in range(CASES)]
    assert CASES // 4 < sum(found) < CASES * 3 // 4


def test_the_engine_alone_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(pool: Pool, known: object = None) -> None:
        del pool, known

    monkeypatch.setattr(provider, "propose", nothing)
    found = [judged(seed) for seed in range(CASES, CASES + CASES // 5)]
    assert 0 < sum(found) < len(found)


def test_a_proposal_that_is_wrong_is_never_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is derived: it is checked, or replaced by what the engine found."""
    dice = random.Random(7)  # noqa: S311 - no secret

    def anything(pool: Pool, known: object = None) -> dict[problems.Slot, Candidate]:
        del known
        chosen, waiting = {}, list(pool.roots)
        for edge in waiting:
            if edge.slot in chosen or pool.lacking([edge.slot.name]):
                continue
            every = [*pool.found(edge.slot), *pool.made(edge.slot, ())]
            if every:
                chosen[edge.slot] = dice.choice(every)
                waiting += pool.edges(chosen[edge.slot])
        return chosen

    monkeypatch.setattr(provider, "propose", anything)
    found = [judged(seed) for seed in range(200)]
    assert 0 < sum(found) < len(found)


def test_the_first_request_gets_its_newest_version() -> None:
    """SOL-06: whatever that costs the others."""
    seen = 0
    for seed in range(CASES // 4):
        world = drawn(seed)
        first, *others = world.requests
        try:
            answer = solved(shards(world), asked(world))
        except Unsolvable:
            continue
        best = int(answer.picks[0].version[0])
        newer = frozenset(version for version in first.versions if version > best)
        if newer:
            seen += 1
            better = replace(world, requests=(replace(first, versions=newer), *others))
            assert not solvable(better), seed
    assert seen > CASES // 80


@given(st.permutations(range(6)), st.integers(0, 400))
@settings(max_examples=40)
def test_the_answer_does_not_depend_on_the_order_of_offers(order: list[int], seed: int) -> None:
    """SOL-01."""
    world = drawn(seed)
    known = list(shards(world).items())
    mixed = dict(known[i] for i in order if i < len(known))

    def told(market: dict[str, Shard]) -> object:
        try:
            return solved(market, asked(world))
        except Unsolvable as error:
            return (error.what, error.why, error.hint)

    assert told(dict(known)) == told(mixed)
