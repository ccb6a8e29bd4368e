"""Why there is no solution, in words and for programs.

Rules (SPEC SOL-10):
- The first sentence names the requests in conflict and nothing else: none of them can be left
  out, or the rest would be satisfiable.
- Then who asks what on the way to each dead end, versions of one component merged; then what
  there is of the component, and why the rest is left out.
- A plain request that the first sentence names is not told again. At most three changes are
  proposed, each only after it was tried. The same problem gives the same words.
- The tree tells the same from the requests down, each component once.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Literal

from crpack.model import versions
from crpack.model.capabilities import is_capability
from crpack.solve import fixes, proof
from crpack.solve.candidates import PYTHON
from crpack.solve.domains import ABSENT
from crpack.solve.fitting import there
from crpack.solve.problem import YOU, Reason, Unsolvable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from crpack.solve.candidates import Candidate, Edge
    from crpack.solve.check import Walk
    from crpack.solve.facts import Outcome
    from crpack.solve.pool import Pool
    from crpack.solve.problem import Request, Slot
    from crpack.solve.universe import Universe

MAX_ASKERS = 8  # sentences about who asks what
MAX_OFFERS = 6  # sentences about what there is


def unsolvable(
    universe: Universe,
    outcome: Outcome,
    requests: tuple[Request, ...],
    attempt: Callable[[tuple[Request, ...]], Walk | None],
) -> Unsolvable:
    """Return the error of a proved failure.

    Args:
        universe: of the requests in conflict alone.
        outcome: their failure.
        requests: all that were asked for.
        attempt: solves other requests, for the changes that are proposed.
    """
    pool, core = universe.pool, universe.pool.problem.requests
    edges = tuple(proof.edges(outcome.proof)) if outcome.proof else ()
    groups = _grouped(pool, edges)
    ends = _ends(universe, edges)
    asked = [told for group in groups if (told := _asker(universe, group))]
    there = {slot: tuple(_offers(pool, slot, rows)) for slot, rows in ends.items()}
    offers = [reason for rows in there.values() for reason in rows]
    return Unsolvable(
        _headline(pool, core),
        requests=core,
        reasons=[*_shortened(asked, MAX_ASKERS), *_shortened(offers, MAX_OFFERS)],
        fixes=fixes.tried(core, requests, attempt),
        tree=tuple(_tree(universe, groups, there)),
    )


def _grouped(pool: Pool, edges: Iterable[Edge]) -> list[list[Edge]]:
    """Return edges by who asks whom, from the requests on; versions of one are one asker."""
    groups: dict[tuple[Slot | int, Slot, str], list[Edge]] = {}
    for edge in edges:
        groups.setdefault((_source(edge), edge.slot, edge.mode), []).append(edge)
    waiting = [source for source, _, _ in groups if isinstance(source, int)]
    order: list[Slot | int] = sorted(waiting)
    found = []
    for source in order:
        mine = [
            sorted(alike, key=_age, reverse=True)
            for (by, _, _), alike in groups.items()
            if by == source
        ]
        mine.sort(key=lambda alike: _place(pool, alike[0]))
        order += [rows[0].slot for rows in mine if rows[0].slot not in order]
        found += mine
    return found


def _place(pool: Pool, edge: Edge) -> int:
    """Return the place of an edge in the recipe that it is of."""
    return 0 if isinstance(edge.source, int) else pool.edges(edge.source).index(edge)


def _ends(universe: Universe, edges: Iterable[Edge]) -> dict[Slot, tuple[Edge, ...]]:
    """Return the slots of which nothing is left, with what is asked of them."""
    asked: dict[Slot, dict[Slot | int, list[Edge]]] = {}
    for edge in edges:
        asked.setdefault(edge.slot, {}).setdefault(_source(edge), []).append(edge)
    ends = {}
    for slot, askers in asked.items():
        domain = universe.domain(slot)
        left = domain.full & ~ABSENT
        for rows in askers.values():
            some = 0
            for edge in rows:
                some |= domain.admitted(edge)
            left &= some
        every = tuple(edge for rows in askers.values() for edge in rows)
        if not any(universe.pool.supported(one, every) for one in domain.of(left)):
            ends[slot] = every
    return ends


def _source(edge: Edge) -> Slot | int:
    return edge.source if isinstance(edge.source, int) else edge.source.slot


def _tree(
    universe: Universe, groups: list[list[Edge]], there: Mapping[Slot, tuple[Reason, ...]]
) -> Iterator[str]:
    """Yield the lines of the tree: requests, who asks what below them, what there is."""
    below: dict[Slot | int, list[list[Edge]]] = {}
    for group in groups:
        below.setdefault(_source(group[0]), []).append(group)
    seen: set[Slot] = set()
    waiting = [(0, group) for rows in below.values() for group in rows if _is_root(group)][::-1]
    while waiting:
        depth, group = waiting.pop()
        first, slot = group[0], group[0].slot
        text = _told(universe, group)
        known = slot in seen and (slot in below or slot in there)
        yield f"{'  ' * depth}{text}{', see above' if known else ''}"
        if known or first.mode == "avoid":
            continue
        seen.add(slot)
        yield from (f"{'  ' * (depth + 1)}{reason.text}" for reason in there.get(slot, ()))
        waiting += [(depth + 1, one) for one in reversed(below.get(slot, []))]


def _is_root(group: list[Edge]) -> bool:
    return isinstance(group[0].source, int)


def _headline(pool: Pool, core: tuple[Request, ...]) -> str:
    names = [f"`{request}`" for request in core]
    if len(core) > 1:
        return f"{', '.join(names[:-1])} and {names[-1]} cannot be had together"
    offer = pool.offers[core[0].name]
    if offer.shard is None:
        return f"there is no component `{core[0].name}`"
    return f"{names[0]} cannot be had"


def _shortened(reasons: list[Reason], most: int) -> list[Reason]:
    if len(reasons) <= most:
        return reasons
    last = reasons[most - 1]
    more = f"and {len(reasons) - most + 1} facts more of this kind"
    return [*reasons[: most - 1], dataclasses.replace(last, text=more)]


def _asker(universe: Universe, edges: list[Edge]) -> Reason | None:
    """Return what one component asks of another one, or a request; None for what is known."""
    first = edges[0]
    if isinstance(first.source, int):
        request = universe.pool.problem.requests[first.source]
        if request.origin == YOU and not first.options:
            return None
        return Reason("requires", request.name, _told(universe, edges))
    code: Literal["conflicts", "requires"] = "conflicts" if first.mode == "avoid" else "requires"
    return Reason(code, first.source.slot.name, _told(universe, edges))


def _told(universe: Universe, edges: list[Edge]) -> str:
    first = edges[0]
    if isinstance(first.source, int):
        request = universe.pool.problem.requests[first.source]
        return f"{request.origin} asked for `{request}`{_with(first)}"
    versions = (edge.source.version or "" for edge in edges if not isinstance(edge.source, int))
    who = f"`{first.source.slot.name}` {_span(versions)}"
    return f"{who} {_verb(first)} {_subject(first)}{_wanted_by_all(universe, edges)}"


def _wanted_by_all(universe: Universe, edges: list[Edge]) -> str:
    """Return what edges to one slot ask: the widest, if it admits what any of them admits."""
    texts = {_wanted(edge): edge for edge in edges}
    if len(texts) == 1:
        return next(iter(texts))
    domain = universe.domain(edges[0].slot)
    every = 0
    for edge in edges:
        every |= domain.admitted(edge)
    for text, edge in texts.items() if every & ~ABSENT else ():
        if domain.admitted(edge) == every and all(one.mode != "avoid" for one in edges):
            return f"{text} or stricter" if text else ", some in a range"
    return f"{next(iter(texts))}, or another range by version"


def _verb(edge: Edge) -> str:
    if edge.mode == "avoid":
        return "conflicts with"
    if edge.serves is not None:
        return "is provided by"
    return {"run": "requires", "link": "links", "tool": "needs, to be built,"}[edge.use]


def _subject(edge: Edge) -> str:
    return "Python" if edge.slot.name == PYTHON else f"`{edge.slot.name}`"


def _wanted(edge: Edge) -> str:
    wanted = f" {edge.range}" if edge.range.strip() else ""
    made = ", not from this machine" if edge.external == "forbid" else ""
    return f"{wanted}{_with(edge)}{made}"


def _with(edge: Edge) -> str:
    pairs = " and ".join(f"`{option}={value}`" for option, value in edge.options)
    return f" with {pairs}" if pairs else ""


def _offers(pool: Pool, slot: Slot, edges: tuple[Edge, ...]) -> Iterator[Reason]:
    """Yield what there is of a slot, and why the rest of it is left out."""
    name = slot.name
    if name == PYTHON:
        have = ", ".join(pool.problem.pythons)
        yield Reason("offers", name, f"there is Python {have}")
        return
    if is_capability(name):
        yield Reason("offers", name, there(name, pool.problem.machine(slot.context)))
        return
    where = (
        "this machine"
        if slot.context == "build" or pool.problem.machine("target") is pool.problem.facts
        else f"`{pool.problem.target}`"
    )
    found = [one for one in pool.found(slot) if one.origin == "detected"]
    given = pool.given(slot, edges)
    made = pool.made(slot, given)
    if found:
        told = f"`{name}` {_span(one.version or '' for one in found)} was found on {where}"
        if any(edge.use == "link" for edge in edges) and not any(map(_linkable, found)):
            told += ", without what linking it needs: headers"
        yield Reason("offers", name, told)
    if made:
        source = pool.offers[name].index
        at = f" in the index `{source}`" if source else ""
        told = f"`{name}` is there{at} as {_span(one.version or '' for one in made)}"
        yield Reason("offers", name, told)
    provided = [one for one in pool.found(slot) if one.origin == "virtual"]
    for one in provided:
        by = pool.edges(one)[0].slot.name
        yield Reason("offers", name, f"`{by}` provides `{name}` {one.version or ''}".rstrip())
    early = [one.version or "" for one in made if not pool.supported(one, edges)]
    if early:
        told = f"`{name}` {_span(early)} is a pre-release, and nobody asked for one"
        yield Reason("excluded", name, told)
    groups: dict[str, dict[str, None]] = {}
    for out in pool.excluded(slot, given):
        groups.setdefault(out.why, {})[out.version] = None
    for why, known in groups.items():
        yield Reason("excluded", name, f"`{name}` {_span(known)} is left out: {why}")
    if not (found or made or provided or groups):
        yield Reason("missing", name, f"there is no `{name}`, in no index and not on {where}")


def _age(edge: Edge) -> tuple[object, ...]:
    if isinstance(edge.source, int):
        return ()
    release = edge.source.release
    return edge.source.order, release.revision if release else 0


def _linkable(one: Candidate) -> bool:
    return one.found is not None and one.found.linkable


def _span(texts: Iterable[str]) -> str:
    """Return versions, each once, oldest first; of many the first and the last."""
    known = sorted({text for text in texts if text}, key=versions.parse)
    if len(known) <= 3:
        return ", ".join(known)
    return f"{known[0]} to {known[-1]}"
