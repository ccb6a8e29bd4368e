"""Candidacy: every candidate of a name, and the first constraint that it failed.

Rules (SPEC SOL-11):
- Each thing that was found, each release that is listed and each component that provides the name
  is told, whether it could serve or not, in the order in which the machine and the index have it.
- What failed is the first of: what the thing itself is, what the user asked, what somebody needs.
  What failed nothing says what is preferred to it.
- Judged by the same pool that an answer is made of, so that the words are those of the choice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from crpack.errors import UsageError
from crpack.index.entries import Release
from crpack.model import versions
from crpack.model.facts import Found
from crpack.solve.candidates import Candidate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crpack.solve.candidates import Edge
    from crpack.solve.pool import Pool
    from crpack.solve.problem import Slot
    from crpack.solve.solver import Explored


@dataclass(frozen=True, slots=True)
class Judged:
    """One candidate.

    Attributes:
        kind: found on the machine, listed in an index, or provided by another component.
        version: of it; empty where it could not be determined.
        chosen: it serves.
        why: the first constraint that it failed, or what is preferred to it; empty if chosen.
        found: for `found`.
        release: for `listed`.
        way: of a listed one that could serve: `binary` or `source`.
    """

    kind: Literal["found", "listed", "provided"]
    version: str
    chosen: bool
    why: str = ""
    found: Found | None = None
    release: Release | None = None
    way: str = ""


def judged(
    pool: Pool, slot: Slot, edges: tuple[Edge, ...], chosen: Candidate | None
) -> tuple[Judged, ...]:
    """Return every candidate of a slot with its verdict (SPEC SOL-11).

    Args:
        pool: that the slot's name was looked up for.
        slot: which.
        edges: what is asked of it.
        chosen: what serves; None for nothing.
    """
    return (
        *_found(pool, slot, edges, chosen),
        *_listed(pool, slot, edges, chosen),
        *_provided(pool, slot, edges, chosen),
    )


def asking(explored: Explored, slot: Slot) -> tuple[Edge, ...]:
    """Return what is asked of a slot in an answer; without one, what anybody could ask."""
    walk = explored.walk
    if walk is None:
        return explored.pool.leading_to(slot)
    pairs = zip(walk.reached, walk.edges, strict=True)
    return next((edges for one, edges in pairs if one.slot == slot), ())


def asker(pool: Pool, edge: Edge) -> str:
    """Return who asks, as people read it."""
    if isinstance(edge.source, int):
        return pool.problem.requests[edge.source].origin
    return " ".join(part for part in (edge.source.slot.name, edge.source.version) if part)


def _found(
    pool: Pool, slot: Slot, edges: tuple[Edge, ...], chosen: Candidate | None
) -> Iterator[Judged]:
    usable = {one.found: one for one in pool.found(slot) if one.found is not None}
    for found in pool.had(slot):
        serves = chosen is not None and chosen.found is found
        one = usable.get(found)
        why = _unusable(pool, found) if one is None else _unfit(pool, edges, one)
        why = why or _preferred(edges, chosen)
        yield Judged("found", found.version or "", serves, "" if serves else why, found=found)


def _listed(
    pool: Pool, slot: Slot, edges: tuple[Edge, ...], chosen: Candidate | None
) -> Iterator[Judged]:
    given, index = pool.given(slot, edges), pool.offers[slot.name].index
    for release in pool.releases(slot.name):
        way = pool.ways.way(slot, release, given, index)
        serves = chosen is not None and chosen.release is release
        why = (
            _unfit(pool, edges, way) or _preferred(edges, chosen)
            if isinstance(way, Candidate)
            else way.why
        )
        how = way.origin if isinstance(way, Candidate) else ""
        yield Judged(
            "listed", release.version, serves, "" if serves else why, release=release, way=how
        )


def _provided(
    pool: Pool, slot: Slot, edges: tuple[Edge, ...], chosen: Candidate | None
) -> Iterator[Judged]:
    for one in pool.found(slot):
        if one.origin == "virtual":
            by = pool.edges(one)[0].slot.name
            why = _unfit(pool, edges, one) or _preferred(edges, chosen)
            text = "" if one is chosen else f"by `{by}`: {why}"
            yield Judged("provided", one.version or "", one is chosen, text)


def _unusable(pool: Pool, found: Found) -> str:
    """Return why something that was found is no candidate at all."""
    if not found.runnable:
        there = f": it is for `{found.platform}`" if found.platform else ""
        return f"it does not run here{there}"
    if not found.version:
        return "its version is not known, and satisfies no range"
    try:
        versions.parse(found.version)
    except UsageError:
        return f"`{found.version}` is no version that can be compared"
    if not pool.problem.policy.detect:
        return "nothing of the machine may serve: `--no-detect`"
    return "it cannot serve here"


def _unfit(pool: Pool, edges: tuple[Edge, ...], one: Candidate) -> str:
    """Return the first thing asked that a candidate does not satisfy; empty for none."""
    if not pool.supported(one, edges):
        if one.origin == "detected":
            return "it was asked for by name, and crpack installs what is asked for by name"
        return "it is a pre-release, and nobody asked for one"
    for edge in edges:
        if not pool.admits(edge, one):
            return _told(pool, edge, one)
    return ""


def _told(pool: Pool, edge: Edge, one: Candidate) -> str:
    by = asker(pool, edge)
    if edge.mode == "avoid":
        return f"`{by}` conflicts with {edge.range or 'any version'}"
    if one.origin == "detected" and edge.external == "forbid":
        return f"`{by}` takes nothing of the machine"
    if one.found is not None and edge.use == "link" and not one.found.linkable:
        return f"`{by}` links it, and only what runs of it was found: no headers"
    pairs = ", ".join(f"`{option}={value}`" for option, value in edge.options)
    wanted = edge.range.strip()
    admitted = versions.parse_range(wanted)
    if wanted and not admitted.admits(one.version, early=True):
        return f"wrong version: `{by}` needs {wanted}"
    if one.order.is_prerelease and not admitted.admits(one.version):
        return f"it is a pre-release, and `{by}` asks for none"
    if pairs:
        return f"`{by}` needs it with {pairs}"
    return f"`{by}` needs {wanted or 'another one'}"


def _preferred(edges: tuple[Edge, ...], chosen: Candidate | None) -> str:
    if not edges:
        return "nobody asks for it"
    if chosen is None:
        return "it could serve, and nothing was chosen"
    how = {"detected": "of this machine", "virtual": "provided by another component"}
    where = how.get(chosen.origin, "of the index")
    version = " ".join(part for part in (chosen.version, where) if part)
    return f"it would fit; {version} is preferred"


def together(pool: Pool, edges: Iterable[Edge]) -> tuple[tuple[str, str], ...]:
    """Return who asks and what, each pair once, in order."""
    found: dict[tuple[str, str], None] = {}
    for edge in edges:
        wanted = [edge.range.strip() or "any version"]
        wanted += [f"{option}={value}" for option, value in edge.options]
        word = "none of " if edge.mode == "avoid" else ""
        found[asker(pool, edge), word + ", ".join(wanted)] = None
    return tuple(found)
