"""Random problems for the solver, judged by a SAT solver, with every refutation replayed.

`python tests/tools/solver_fuzz.py [COUNT [SEED]]`. A world is written down twice from the rules of
SPEC: as releases for crpack, and as clauses for the SAT solver. Circles, options, conflicts,
replacements, names that are provided, optional requirements, tools, pre-releases, what the machine
has, and what is yanked are in it. An answer must hold, and no better one may exist; a refutation
must follow step by step from facts that are true of the pool.
"""

from __future__ import annotations

import hashlib
import random
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from crpack.index.entries import Copy, Release, Shard
from crpack.model import canonical
from crpack.model.facts import Facts
from crpack.solve.domains import ABSENT
from crpack.solve.pool import Pool
from crpack.solve.problem import Offer, Request, Unsolvable
from crpack.solve.search import Search
from crpack.solve.universe import Universe
from tests.unit.solve.market import LINUX, have, problem, solved

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crpack.solve.engine import Clause
    from crpack.solve.facts import Outcome
    from crpack.solve.problem import Answer, Problem

VERSIONS = ("1.0", "2.0", "3.0", "4.0rc1")
EARLY = 3  # the place of the pre-release
ANY = frozenset(range(len(VERSIONS)))
Slot = tuple[str, str]


@dataclass(frozen=True)
class Ask:
    """One thing that is asked; `option` is a value, or `same` for the asker's own."""

    name: str
    versions: frozenset[int] = ANY
    option: str = ""
    mode: str = "need"
    external: str = "allow"
    tool: bool = False


@dataclass(frozen=True)
class Item:
    """One release; `more` is asked where its option is `y`."""

    asks: tuple[Ask, ...]
    more: tuple[Ask, ...] = ()
    options: bool = False
    made: bool = True
    yanked: bool = False
    provides: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class World:
    """Releases by name and place of their version, what was found, and what is asked for."""

    items: dict[tuple[str, int], Item]
    found: dict[str, int]
    requests: tuple[Ask, ...]


@dataclass(frozen=True)
class Way:
    """A candidate: a release with its option, what was found, or what another one provides."""

    kind: str
    version: int = -1
    option: str = ""
    provider: str = ""
    provided: str = ""


@dataclass(frozen=True)
class Edge:
    """One thing asked of a slot; by a request where there is no source."""

    slot: Slot
    ask: Ask
    option: str
    serves: tuple[str, str] | None = None


def drawn(seed: int) -> World:
    """Return the world of a seed."""
    dice = random.Random(seed)  # noqa: S311 - no secret
    names = "abcdefgh"[: dice.randint(2, 8)]
    optional = {name for name in names if dice.random() < 0.25}
    virtual = "v" if dice.random() < 0.3 else ""
    hard = dice.random() < 0.5

    def ask(owner: str = "") -> Ask:
        name = dice.choice(names)
        if virtual and owner and dice.random() < 0.15:
            name = virtual
        elif dice.random() < 0.02:
            name = "z"
        size = dice.choice([1, 1, 2] if hard else [1, 2, 3])
        versions = ANY if dice.random() < 0.25 else frozenset(dice.sample(range(4), size))
        option = dice.choice(["", "x", "y", "same"]) if name in optional else ""
        if owner not in optional:
            option = option.replace("same", "")
        mode = dice.choice(["need"] * 7 + ["wish", "avoid"]) if owner else "need"
        external = dice.choice(["allow"] * 8 + ["forbid"])
        tool = bool(owner) and mode != "avoid" and dice.random() < 0.08
        plain = mode == "avoid" or not owner
        option = "" if mode == "avoid" else option
        return Ask(name, versions, option, mode, "allow" if plain else external, tool)

    def asks(owner: str, most: int) -> tuple[Ask, ...]:
        rows = {}
        for _ in range(dice.randint(0, most)):
            one = ask(owner)
            if one.mode != "avoid" or one.name != owner:
                rows[one.name, one.tool, one.mode == "avoid"] = one
        return tuple(rows.values())

    def item(name: str) -> Item:
        first = asks(name, 3)
        more = asks(name, 1) if name in optional else ()
        more = tuple(one for one in more if one.name not in {ask.name for ask in first})
        provides = ((virtual, dice.choice(["", "1.0", "2.0"])),) if virtual else ()
        return Item(
            first,
            more,
            name in optional,
            dice.random() < 0.95,
            dice.random() < 0.05,
            provides if dice.random() < 0.2 else (),
        )

    items = {
        (name, place): item(name)
        for name in names
        for place in sorted(dice.sample(range(4), dice.randint(1, 4)))
    }
    found = {name: dice.randint(0, 2) for name in names if dice.random() < 0.1}
    requests = {one.name: one for one in (ask() for _ in range(dice.randint(1, 3)))}
    return World(items, found, tuple(requests.values()))


def text(versions: frozenset[int]) -> str:
    """Return a range that admits just these."""
    if versions == ANY:
        return ""
    return " || ".join(f"=={VERSIONS[place]}" for place in sorted(versions))


def shards(world: World) -> dict[str, Shard]:
    """Return the world's releases."""
    rows: dict[str, list[Release]] = {}
    for (name, place), item in world.items.items():
        rows.setdefault(name, []).append(_release(name, VERSIONS[place], item))
    return {
        name: Shard(name, tuple(sorted(some, key=lambda one: one.order, reverse=True)))
        for name, some in rows.items()
    }


def _release(name: str, version: str, item: Item) -> Release:
    table: dict[str, Any] = {
        "package": {
            "name": name,
            "version": version,
            "kind": "software",
            "summary": "",
            "license": "",
        },
        **_tables(item.asks),
    }
    if item.made:
        table["build"] = {"driver": "make"}
    if item.options:
        table["options"] = {"o": {"type": "enum", "values": ["x", "y"], "default": "x"}}
    if item.provides:
        table["provides"] = dict(item.provides)
    if item.more:
        table["when"] = [{"match": {"option": {"o": "y"}}, **_tables(item.more)}]
    data = canonical.encode(table)
    copy = Copy("full", "a/x.crpkg", "0" * 64, 100, 10)
    return Release(
        version,
        0,
        hashlib.sha256(data).hexdigest(),
        "2026-01-31T12:00:00Z",
        (),
        data,
        (),
        (),
        (copy,),
        "broken" if item.yanked else "",
    )


def _tables(asks: tuple[Ask, ...]) -> dict[str, Any]:
    requires: dict[str, Any] = {}
    conflicts: dict[str, str] = {}
    replaces: dict[str, str] = {}
    for one in asks:
        if one.mode == "avoid":
            (replaces if one.external == "forbid" else conflicts)[one.name] = text(one.versions)
            continue
        need: dict[str, Any] = {"version": text(one.versions)}
        if one.option:
            need["options"] = {"o": "{option.o}" if one.option == "same" else one.option}
        if one.external != "allow":
            need["external"] = one.external
        if one.mode == "wish":
            need["optional"] = True
        plain = need["version"] if len(need) == 1 else need
        (requires.setdefault("build", {}) if one.tool else requires)[one.name] = plain
    tables = {"requires": requires, "conflicts": conflicts, "replaces": replaces}
    return {key: table for key, table in tables.items() if table}


def asked(world: World) -> Problem:
    """Return what is asked of the world."""
    requests = (
        Request(one.name, text(one.versions), (("o", one.option),) if one.option else ())
        for one in world.requests
    )
    found = tuple(have(name, VERSIONS[place]) for name, place in world.found.items())
    return problem(*requests, facts=Facts(LINUX, found=found))


class Oracle:
    """The world as clauses; which choices there are is decided by a SAT solver."""

    def __init__(self, world: World) -> None:
        from pysat.solvers import Solver

        self.world = world
        self.user = {one.name: one.option for one in world.requests if one.option}
        self.requested = {one.name for one in world.requests}
        self.ways: dict[Slot, list[Way]] = {}
        self.numbers: dict[tuple[Slot, Way], int] = {}
        self.edges: dict[tuple[Slot, Way], list[Edge]] = {}
        self.roots = [self._edge((one.name, "target"), one, one.option) for one in world.requests]
        self._gather()
        self.sat = Solver(name="cadical153")
        self.count = len(self.numbers)
        self._clauses()
        self._founded = False

    def close(self) -> None:
        """Let the SAT solver go."""
        self.sat.delete()

    def solvable(self, fixed: dict[Slot, Way | None] | None = None) -> bool:
        """Say whether a choice exists that begins as told; None: the slot is empty."""
        assumed = []
        for slot, way in (fixed or {}).items():
            if way is None:
                assumed += [-self.numbers[slot, one] for one in self.ways[slot]]
            else:
                assumed.append(self.numbers[slot, way])
        if not self.sat.solve(assumptions=assumed):
            return False
        if not self._founded:
            truth = set(self.sat.get_model())
            chosen = {slot: way for (slot, way), number in self.numbers.items() if number in truth}
            reached = self.reached(chosen)
            if self.right({slot: chosen[slot] for slot in reached}):
                return True
            self._found()
            return bool(self.sat.solve(assumptions=assumed))
        return True

    def reached(self, chosen: dict[Slot, Way]) -> list[Slot]:
        """Return the slots of a choice that the requests lead to, breadth first."""
        seen: dict[Slot, None] = {}
        edges = list(self.roots)
        for edge in edges:
            slot = edge.slot
            if edge.ask.mode != "avoid" and slot in chosen and slot not in seen:
                seen[slot] = None
                edges += self.edges[slot, chosen[slot]]
        return list(seen)

    def right(self, chosen: dict[Slot, Way]) -> bool:
        """Say whether a choice, all of it reached, is a solution."""
        edges = [*self.roots, *(e for slot, way in chosen.items() for e in self.edges[slot, way])]
        for edge in edges:
            way = chosen.get(edge.slot)
            if way is None:
                if edge.ask.mode == "need":
                    return False
            elif not self.admits(edge, way):
                return False
        return all(
            any(self.backs(edge, way, need) for edge in edges if edge.slot == slot)
            for slot, way in chosen.items()
            for need in self.needs(slot, way)
        )

    def admits(self, edge: Edge, way: Way) -> bool:
        """SOL-04."""
        ask = edge.ask
        if ask.mode == "avoid":
            return way.kind == "virtual" or way.version not in ask.versions
        if edge.serves is not None:
            item = self.world.items.get((edge.slot[0], way.version))
            return way.kind == "made" and item is not None and edge.serves in item.provides
        if way.kind == "virtual":
            if not way.provided:
                return ask.versions == ANY
            return VERSIONS.index(way.provided) in ask.versions
        if way.version not in ask.versions:
            return False
        if way.kind == "found":
            return ask.external != "forbid"
        item = self.world.items[edge.slot[0], way.version]
        wanted = edge.option
        if wanted and not item.options:
            return False
        return not wanted or self.user.get(edge.slot[0], wanted) == way.option

    def needs(self, slot: Slot, way: Way) -> list[str]:
        """Return what somebody must ask for before a candidate may serve."""
        found = []
        if way.kind == "found" and slot[1] == "target" and slot[0] in self.requested:
            found.append("prefer")
        if way.kind == "made" and way.version == EARLY and not self.early(slot):
            found.append("early")
        if way.option == "y" and slot[0] not in self.user:
            found.append("option")
        return found

    def early(self, slot: Slot) -> bool:
        """Say whether a requested name has nothing but a pre-release."""
        if slot[1] != "target" or slot[0] not in self.requested:
            return False
        wanted = next(one.versions for one in self.world.requests if one.name == slot[0])
        return not any(
            name == slot[0] and place != EARLY and not item.yanked and place in wanted
            for (name, place), item in self.world.items.items()
        )

    def backs(self, edge: Edge, way: Way, need: str) -> bool:
        """Say whether an edge asks for what a candidate needs to be asked for."""
        if edge.ask.mode == "avoid" or edge.serves is not None:
            return False
        if need == "prefer":
            return edge.ask.external == "prefer"
        if need == "early":
            return edge.ask.versions != ANY
        return edge.option == way.option

    def rank(self, slot: Slot, way: Way, before: list[Edge]) -> tuple[Any, ...]:
        """Return the place of a candidate among the others (SOL-06); less is better."""
        late = [
            need
            for need in self.needs(slot, way)
            if need != "option" and not any(self.backs(edge, way, need) for edge in before)
        ]
        major = way.version + 1 if way.kind != "virtual" else int(float(way.provided or 0))
        if slot[1] == "target" and slot[0] in self.requested:
            return (bool(late), -major)
        easy = {one.version + 1 for one in self.ways[slot] if one.kind == "found"}
        kind = {"found": 0, "virtual": 3, "made": 4}[way.kind]
        return (bool(late), major not in easy, -major, kind)

    def _edge(self, slot: Slot, ask: Ask, option: str) -> Edge:
        return Edge(slot, ask, option)

    def _gather(self) -> None:
        """Collect whatever the requests can lead to, providers that come into it included."""
        while True:
            names = {slot[0] for slot in self.ways}
            every = [edge for edges in self.edges.values() for edge in edges]
            values = {(e.slot[0], e.option) for e in (*self.roots, *every)}
            known = names, values
            self.ways, self.edges = {}, {}
            waiting = [edge.slot for edge in self.roots]
            for slot in waiting:
                if slot in self.ways:
                    continue
                self.ways[slot] = list(self._every(slot, names, values))
                for way in self.ways[slot]:
                    self.edges[slot, way] = list(self._asks(slot, way))
                    waiting += [e.slot for e in self.edges[slot, way] if e.ask.mode != "avoid"]
            every = [edge for edges in self.edges.values() for edge in edges]
            values = {(e.slot[0], e.option) for e in (*self.roots, *every)}
            if known == ({slot[0] for slot in self.ways}, values):
                break
        keys = [(slot, way) for slot, ways in self.ways.items() for way in ways]
        self.numbers = {key: number for number, key in enumerate(keys, 1)}

    def _every(self, slot: Slot, names: set[str], values: set[tuple[str, str]]) -> Iterator[Way]:
        name = slot[0]
        if name in self.world.found:
            yield Way("found", self.world.found[name])
        for (owner, place), item in self.world.items.items():
            if owner == name and item.made and not item.yanked:
                both = ("x", "y") if (name, "y") in values else ("x",)
                options = both if item.options else ("",)
                if item.options and name in self.user:
                    options = (self.user[name],)
                if name in self.user and not item.options:
                    continue
                yield from (Way("made", place, option) for option in options)
            if owner in names:
                for provided, version in item.provides:
                    if provided == name:
                        one = Way("virtual", provider=owner, provided=version)
                        first = next(
                            place
                            for (o, place), i in self.world.items.items()
                            if o == owner and (provided, version) in i.provides
                        )
                        if first == place:
                            yield one

    def _asks(self, slot: Slot, way: Way) -> Iterator[Edge]:
        if way.kind == "virtual":
            yield Edge((way.provider, slot[1]), Ask(way.provider), "", (slot[0], way.provided))
        if way.kind != "made":
            return
        item = self.world.items[slot[0], way.version]
        asks = item.asks + (item.more if way.option == "y" else ())
        for one in sorted(asks, key=lambda one: (one.tool, one.name)):
            option = (way.option or "x") if one.option == "same" else one.option
            yield Edge((one.name, "build" if one.tool else slot[1]), one, option)

    def _clauses(self) -> None:
        add = self.sat.add_clause
        for slot, ways in self.ways.items():
            mine = [self.numbers[slot, way] for way in ways]
            for place, one in enumerate(mine):
                for other in mine[:place]:
                    add([-one, -other])
        for edge in self.roots:
            self._must(edge, [])
        for key, edges in self.edges.items():
            for edge in edges:
                self._must(edge, [-self.numbers[key]])
        for slot, ways in self.ways.items():
            for way in ways:
                for need in self.needs(slot, way):
                    if any(e.slot == slot and self.backs(e, way, need) for e in self.roots):
                        continue
                    backers = [
                        self.numbers[key]
                        for key, edges in self.edges.items()
                        if any(e.slot == slot and self.backs(e, way, need) for e in edges)
                    ]
                    add([-self.numbers[slot, way], *backers])

    def _must(self, edge: Edge, unless: list[int]) -> None:
        ways = self.ways.get(edge.slot, [])
        if edge.ask.mode == "need":
            good = [self.numbers[edge.slot, way] for way in ways if self.admits(edge, way)]
            self.sat.add_clause([*unless, *good])
        for way in ways:
            if not self.admits(edge, way):
                self.sat.add_clause([*unless, -self.numbers[edge.slot, way]])

    def _found(self) -> None:
        """Add that whatever is chosen is reached from the requests, in so many steps at most."""
        self._founded = True
        slots = list(self.ways)
        first = {edge.slot for edge in self.roots}
        number: dict[tuple[Slot, int], int] = {}
        for depth in range(len(slots) + 1):
            for slot in slots:
                self.count += 1
                number[slot, depth] = self.count
        for slot in slots:
            if slot not in first:
                self.sat.add_clause([-number[slot, 0]])
            for depth in range(1, len(slots) + 1):
                some = [number[slot, depth - 1]]
                for (source, way), edges in self.edges.items():
                    if any(e.slot == slot and e.ask.mode != "avoid" for e in edges):
                        self.count += 1
                        self.sat.add_clause([-self.count, self.numbers[source, way]])
                        self.sat.add_clause([-self.count, number[source, depth - 1]])
                        some.append(self.count)
                self.sat.add_clause([-number[slot, depth], *some])
            for way in self.ways[slot]:
                self.sat.add_clause([-self.numbers[slot, way], number[slot, len(slots)]])


def choice(answer: Answer) -> dict[Slot, Way]:
    """Return an answer as the oracle sees it; of virtual picks the slot alone."""
    found: dict[Slot, Way] = {}
    for one in answer.picks:
        place = VERSIONS.index(one.version) if one.version in VERSIONS else -1
        kind = {"detected": "found", "virtual": "virtual"}.get(one.origin, "made")
        found[one.name, one.context] = Way(kind, place, dict(one.options).get("o", ""))
    return found


def judge(seed: int, *, best: bool = True) -> bool:
    """Return whether there is a solution; raise AssertionError where crpack is wrong about it."""
    world = drawn(seed)
    oracle = Oracle(world)
    try:
        try:
            answer = solved(shards(world), asked(world))
        except Unsolvable:
            assert not oracle.solvable(), f"{seed}: there is a solution"
            replay(world, seed)
            return False
        chosen = choice(answer)
        if any(way.kind == "virtual" for way in chosen.values()):
            fixed = {slot: way for slot, way in chosen.items() if way.kind != "virtual"}
            assert oracle.solvable(dict(fixed)), f"{seed}: the answer does not hold"
            return True
        assert oracle.reached(chosen) == list(chosen), f"{seed}: not what is reached"
        assert oracle.right(chosen), f"{seed}: the answer does not hold"
        if best and not any(item.provides for item in world.items.values()):
            no_better(oracle, chosen, seed)
        return True
    finally:
        oracle.close()


def no_better(oracle: Oracle, chosen: dict[Slot, Way], seed: int) -> None:
    """See that no slot could have a better candidate, with all slots before it as they are."""
    if any((name, "target") in chosen for name, context in chosen if context == "build"):
        return  # a tool becomes the component of the results (SOL-09)
    fixed: dict[Slot, Way | None] = {}
    edges = list(oracle.roots)
    seen: set[Slot] = set()
    for edge in edges:
        slot = edge.slot
        if edge.ask.mode == "avoid" or slot in seen:
            continue
        seen.add(slot)
        way = chosen.get(slot)
        before = [one for one in edges if one.slot == slot]
        mine = oracle.rank(slot, way, before) if way else (2,)
        for other in oracle.ways[slot]:
            if oracle.rank(slot, other, before) < mine:
                better = oracle.solvable({**fixed, slot: other})
                assert not better, f"{seed}: {slot} could be {other}, not {way}"
        fixed[slot] = way
        if way is not None:
            edges += oracle.edges[slot, way]


def replay(world: World, seed: int) -> None:
    """See that the refutation of a world follows from what is true of it, step by step."""
    market = shards(world)
    pool = Pool(asked(world))
    universe = Universe(pool)
    run = universe.close()
    try:
        need = next(run)
        while True:
            need = run.send({name: Offer("main", market.get(name)) for name in need.names})
    except StopIteration:
        pass
    search = Search(universe)
    outcome = search.run()
    assert outcome.proof is not None, f"{seed}: refuted once, and not again"
    check(search, outcome)


def check(search: Search, outcome: Outcome) -> None:
    """Replay a proof: facts against the pool, each learned clause against those it is made of."""
    full = search.engine.full
    seen: set[int] = set()
    waiting = [outcome.proof]
    while waiting:
        clause = waiting.pop()
        if clause is None or id(clause) in seen:
            continue
        seen.add(id(clause))
        waiting += [other for _, other in clause.steps]
        if clause.steps:
            _check_step(clause, full)
        else:
            _check_fact(search, clause)
    assert outcome.proof is not None
    assert all(isinstance(search.owners[number], int) for number, _ in outcome.proof.lits)


def _check_step(clause: Clause, full: list[int]) -> None:
    """Any values that violate the clause violate the first part, or another one at its pivot."""
    said = dict(clause.lits)
    masks = [dict(part.lits) for _, part in clause.steps]
    pivots = [pivot for pivot, _ in clause.steps]
    have = {v: said.get(v, full[v]) for lits in (said, *masks) for v in lits}
    # Unit propagation, backwards: each part in turn leaves its pivot outside of its mask.
    for lits, pivot in zip(masks[:0:-1], pivots[:0:-1], strict=True):
        if all(not have[v] & ~mask for v, mask in lits.items() if v != pivot):
            have[pivot] &= ~lits[pivot]
            if not have[pivot]:
                return
    assert all(not have[v] & ~mask for v, mask in masks[0].items()), "a step does not follow"


def _check_fact(search: Search, clause: Clause) -> None:
    """An edge of each candidate admits nothing of the target's mask; other kinds are not judged."""
    fact: Any = clause.why
    if fact.kind != "asks":
        return
    pool, lits = search.pool, dict(clause.lits)
    for edge in fact.edges:
        target = search.universe.domain(edge.slot)
        number = search.numbers[edge.slot]
        sources = [edge.source] if fact.owner is None else list(fact.owner.of(fact.mask))
        for source in sources:
            rows = [edge] if isinstance(source, int) else pool.edges(source)
            mine = [row for row in rows if row.slot == edge.slot]
            out = lits.get(number, target.full)
            values = [one for one in target.of(out) if one is not source]
            if out & ABSENT:
                values.append(pool.absent(edge.slot))
            for value in values:
                assert any(not pool.admits(row, value) for row in mine), "a fact is not true"


def main(count: int, seed: int) -> None:
    """Judge so many worlds and say how it went."""
    start, good = time.monotonic(), 0
    for number in range(seed, seed + count):
        good += judge(number)
    took = time.monotonic() - start
    told = f"{count} problems from {seed}, {good} with a solution: no fault, {took:.0f} s"
    sys.stdout.write(told + "\n")


if __name__ == "__main__":
    words = [int(word) for word in sys.argv[1:3]]
    main(*(words + [1_000_000, 0][len(words) :]))
