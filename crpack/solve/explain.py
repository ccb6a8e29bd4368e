"""Why there is no solution, in words and for programs.

Rules (SPEC SOL-10):
- The first sentence names the requests in conflict and nothing else: none of them can be left
  out, or the rest would be satisfiable.
- Then who asks what on the way to each dead end, versions of one component merged; then what
  there is of the component, and why the rest is left out.
- A hint is printed only after it was tried. The same problem gives the same words.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Literal

from crpack.model import versions
from crpack.model.capabilities import is_capability
from crpack.solve import order
from crpack.solve.candidates import PYTHON
from crpack.solve.fitting import there
from crpack.solve.problem import Reason, Unsolvable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from crpack.solve.candidates import Candidate, Edge
    from crpack.solve.check import Walk
    from crpack.solve.pool import Pool
    from crpack.solve.problem import Request, Slot
    from crpack.solve.search import Outcome

MAX_ASKERS = 8  # sentences about who asks what
MAX_OFFERS = 6  # sentences about what there is


def unsolvable(
    pool: Pool,
    outcome: Outcome,
    requests: tuple[Request, ...],
    attempt: Callable[[tuple[Request, ...]], Walk | None],
) -> Unsolvable:
    """Return the error of a proved failure.

    Args:
        pool: of the requests in conflict alone.
        outcome: their failure.
        requests: all that were asked for.
        attempt: solves other requests, for the hint.
    """
    core = pool.problem.requests
    ends: dict[Slot, dict[Edge, None]] = {}
    for end in outcome.ends:
        if order.matches(pool, end.slot, end.edges):
            continue  # something fits here, and failed further on
        ends.setdefault(end.slot, {}).update(dict.fromkeys(end.edges))
    above = dict.fromkeys(edge for end in outcome.ends for edge in (*end.above, *end.edges))
    asked = list(_askers(pool, above))
    there = [reason for slot, edges in ends.items() for reason in _offers(pool, slot, tuple(edges))]
    reasons = [*_shortened(asked, MAX_ASKERS), *_shortened(there, MAX_OFFERS)]
    hint = _hint(core, requests, attempt)
    return Unsolvable(_headline(pool, core), requests=core, reasons=reasons, hint=hint)


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


def _askers(pool: Pool, edges: Iterable[Edge]) -> Iterator[Reason]:
    """Yield who asks what, from the requests on; versions of one component are one asker."""
    groups: dict[tuple[Slot | int, Slot, str], list[Edge]] = {}
    for edge in edges:
        source = edge.source if isinstance(edge.source, int) else edge.source.slot
        groups.setdefault((source, edge.slot, edge.mode), []).append(edge)
    waiting: list[Slot | int] = list(range(len(pool.roots)))
    for source in waiting:
        for (by, slot, _), alike in groups.items():
            if by == source:
                waiting += [slot] if slot not in waiting else []
                told = _asker(pool, alike)
                yield from [told] if told else []


def _asker(pool: Pool, edges: list[Edge]) -> Reason | None:
    """Return what one component asks of another one, or a request; None for what is known."""
    first = edges[0]
    if isinstance(first.source, int):
        request = pool.problem.requests[first.source]
        plain = not (request.range or request.options)
        if plain and len(pool.roots) == 1:
            return None
        text = f"{request.origin} asked for `{request}`{_with(first)}"
        return Reason("requires", request.name, text)
    name = first.source.slot.name
    texts = {_wanted(edge): edge for edge in edges}
    versions = (edge.source.version or "" for edge in edges if not isinstance(edge.source, int))
    text = f"`{name}` {_span(versions)} {_verb(first)} {_subject(first)}{next(iter(texts))}"
    if len(texts) > 1:
        text += ", or another range by version"
    code: Literal["conflicts", "requires"] = "conflicts" if first.mode == "avoid" else "requires"
    return Reason(code, name, text)


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
    early = [one.version or "" for one in made if not pool.supported(one, edges)]
    if early:
        told = f"`{name}` {_span(early)} is a pre-release, and nobody asked for one"
        yield Reason("excluded", name, told)
    groups: dict[str, dict[str, None]] = {}
    for out in pool.excluded(slot, given):
        groups.setdefault(out.why, {})[out.version] = None
    for why, known in groups.items():
        yield Reason("excluded", name, f"`{name}` {_span(known)} is left out: {why}")
    if not (found or made or groups):
        yield Reason("missing", name, f"there is no `{name}`, in no index and not on {where}")


def _hint(
    core: tuple[Request, ...],
    requests: tuple[Request, ...],
    attempt: Callable[[tuple[Request, ...]], Walk | None],
) -> str:
    """Return the first change of one request that makes all of them satisfiable."""
    for request in core:
        others = [
            dataclasses.replace(request, range="") if request.range else request,
            dataclasses.replace(request, prerelease=True),
        ]
        for other in others:
            if other == request:
                continue
            walk = attempt(tuple(other if one is request else one for one in requests))
            if walk is None:
                continue
            version = next(one.version for one in walk.reached if one.slot.name == request.name)
            if other.prerelease != request.prerelease:
                return f"allow pre-releases of `{request.name}`: {version} would do"
            return f"ask for `{request.name}` in any version: {version} would do"
    for request in core if len(core) > 1 else ():
        if attempt(tuple(one for one in requests if one is not request)) is not None:
            return f"leave out `{request}`: the rest would do"
    return ""


def _linkable(one: Candidate) -> bool:
    return one.found is not None and one.found.linkable


def _span(texts: Iterable[str]) -> str:
    """Return versions, each once, oldest first; of many the first and the last."""
    known = sorted({text for text in texts if text}, key=versions.parse)
    if len(known) <= 3:
        return ", ".join(known)
    return f"{known[0]} to {known[-1]}"
