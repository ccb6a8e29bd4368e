"""From a walk that holds to the answer that is shown, locked and installed.

Rules (SPEC SOL-09):
- Where results run on the machine that builds them, a tool that is also a component of the results
  is the same one, if that breaks nothing.
- A detected pick says what would have been installed instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack.solve import check, order
from crpack.solve.fitting import together
from crpack.solve.problem import Answer, Instead, Pick, Slot

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crpack.solve.candidates import Candidate, Edge
    from crpack.solve.check import Walk
    from crpack.solve.pool import Pool
    from crpack.solve.problem import Origin


def answer(pool: Pool, walk: Walk) -> Answer:
    """Return the picks of a walk, breadth first."""
    there = {pick.slot for pick in walk.reached}
    return Answer(
        tuple(
            _pick(pool, one, edges, there)
            for one, edges in zip(walk.reached, walk.edges, strict=True)
            if one.slot.name[:1] != "@"
        )
    )


def aligned(pool: Pool, walk: Walk) -> Walk:
    """Return a walk with tools that are the components of the results, where that holds too."""
    problem = pool.problem
    if problem.machine("target") is not problem.machine("build"):
        return walk
    for one in walk.reached:
        if one.slot.context != "build":
            continue
        chosen = {pick.slot: pick for pick in walk.reached}
        twin = chosen.get(Slot(one.slot.name))
        other = _twin(pool, twin, one.slot) if twin else None
        if other is not None and other is not one:
            trial = check.walk(pool, {**chosen, one.slot: other})
            walk = trial if trial.holds else walk
    return walk


def _twin(pool: Pool, one: Candidate, slot: Slot) -> Candidate | None:
    """Return the candidate of another slot that is the same thing."""
    every = (*pool.found(slot), *pool.made(slot, one.options))
    alike = (c for c in every if c.release is one.release and c.found is one.found)
    return next(alike, None) if one.origin != "virtual" else None


def _pick(pool: Pool, one: Candidate, edges: tuple[Edge, ...], there: set[Slot]) -> Pick:
    name, context = one.slot
    release, found = one.release, one.found
    asked = [edge for edge in pool.edges(one) if edge.slot in there and edge.mode != "avoid"]
    asked = [edge for edge in asked if edge.slot.name[:1] != "@"]  # of the machine
    return Pick(
        name=name,
        context=context,
        version=one.version or "",
        revision=release.revision if release else 0,
        identity=release.identity if release else "",
        index=pool.offers[name].index,
        origin=_origin(one),
        payload=one.payload.id if one.payload else "",
        options=one.options,
        found=found,
        range=together((e.range for e in edges if e.mode != "avoid"), one.version or ""),
        linked=any(edge.use == "link" for edge in edges),
        instead=_instead(pool, one, edges) if found else None,
        requires=_ranges(edge for edge in asked if edge.use != "tool"),
        tools=_ranges(edge for edge in asked if edge.use == "tool"),
        release=release,
    )


def _ranges(edges: Iterable[Edge]) -> tuple[tuple[str, str], ...]:
    """Return name and joined range of each name that edges lead to, sorted."""
    ranges: dict[str, list[str]] = {}
    for edge in edges:
        ranges.setdefault(edge.slot.name, []).append(edge.range)
    return tuple((name, together(texts)) for name, texts in sorted(ranges.items()))


def _instead(pool: Pool, one: Candidate, edges: tuple[Edge, ...]) -> Instead | None:
    """Return the best release that would do for the same askers, what it needs aside."""
    made = [c for c in order.matches(pool, one.slot, edges) if c.made]
    if not made or made[0].release is None:
        return None
    best, release = made[0], made[0].release
    payload = best.payload.id if best.payload else ""
    return Instead(release.version, release.revision, _origin(best), payload, best.options, release)


def _origin(one: Candidate) -> Origin:
    if one.origin == "absent" or one.origin == "open":  # noqa: PLR1714 - what mypy narrows
        raise AssertionError("nothing is not a pick")
    return one.origin
