"""Who asks what of whom: one node for all versions of a component that ask another one.

Rules (SPEC SOL-10):
- Versions that ask different things are told by the widest of them, if that admits whatever any
  of them admits; else by the ranges, a few of them.
- `every` is said where no other version of the asker could be chosen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from crpack.solve.conflict import Node
from crpack.solve.domains import ABSENT
from crpack.solve.spans import ordered, span

if TYPE_CHECKING:
    from crpack.model.versions import Version
    from crpack.solve.candidates import Candidate, Edge
    from crpack.solve.conflict import Kind
    from crpack.solve.pool import Pool
    from crpack.solve.problem import Slot
    from crpack.solve.universe import Universe

FEW = 3  # ranges that are told one by one


def node(universe: Universe, edges: list[Edge]) -> Node:
    """Return the node of what one component, or a request, asks of another one; without an id.

    Args:
        universe: of the requests in conflict.
        edges: from one asker to one slot, in one mode, what the newest version asks first.
    """
    first, pool = edges[0], universe.pool
    options = tuple(dict.fromkeys(f"{o}={v}" for edge in edges for o, v in edge.options))
    ranges = tuple(dict.fromkeys(edge.range.strip() for edge in edges if edge.range.strip()))
    if isinstance(first.source, int):
        request = pool.problem.requests[first.source]
        return Node(
            "", "request", request.name, ranges=ranges, options=options, wants=_with(first).strip(),
            origin=request.origin,
        )  # fmt: skip
    who, sources = first.source.slot, _candidates(edges)
    texts = ordered(one.version for one in sources)
    if first.serves is not None:
        return Node(
            "", "provides", first.slot.name, first.slot.context, on=who.name,
            versions=texts, span=span(texts, texts),
        )  # fmt: skip
    every, all_of_them = universe.domain(who).candidates, _are_all(universe, who, sources)
    rest = () if all_of_them else pool.excluded(who)
    known = ordered([*(one.version for one in every), *(one.version for one in rest)])
    return Node(
        "",
        _kind(first),
        who.name,
        who.context,
        versions=texts,
        span=span(texts, known),
        every=all_of_them,
        built=_built(every, sources),
        on=first.slot.name,
        ranges=ranges,
        options=options,
        wants=_wants(universe, edges).strip(),
        use=_use(first),
    )


def widest(universe: Universe, edges: list[Edge]) -> Edge | None:
    """Return that of edges to one slot which admits whatever any of them does; None: there is none.

    Of what is not there at all, that is one that asks for any version.
    """
    texts = {_wanted(edge): edge for edge in edges}
    if len(texts) == 1 or edges[0].mode == "avoid":
        return edges[0] if len(texts) == 1 else None
    domain, union = universe.domain(edges[0].slot), 0
    admitted = {text: domain.admitted(edge) & ~ABSENT for text, edge in texts.items()}
    for mask in admitted.values():
        union |= mask
    hits = (edge for text, edge in texts.items() if admitted[text] == union and (union or not text))
    return next(hits, None)


def source(edge: Edge) -> Slot | int:
    """Return who asks: a component, or a request by its number."""
    return edge.source if isinstance(edge.source, int) else edge.source.slot


def place(pool: Pool, edge: Edge) -> int:
    """Return the place of an edge in the recipe that it is of."""
    return 0 if isinstance(edge.source, int) else pool.edges(edge.source).index(edge)


def age(edge: Edge) -> tuple[object, ...]:
    """Return the place of an asker among its versions, oldest first."""
    if isinstance(edge.source, int):
        return ()
    release = edge.source.release
    return edge.source.order, release.revision if release else 0


def _candidates(edges: list[Edge]) -> dict[Candidate, None]:
    return {edge.source: None for edge in edges if not isinstance(edge.source, int)}


def _kind(edge: Edge) -> Kind:
    if edge.mode != "avoid" or isinstance(edge.source, int):
        return "dependency"
    recipe = edge.source.recipe
    replaces = recipe is not None and (edge.slot.name, edge.range) in recipe.replaces
    return "replaces" if replaces else "conflict"


def _use(edge: Edge) -> Literal["", "run", "link", "tool", "optional"]:
    if edge.mode == "avoid":
        return ""
    return "optional" if edge.mode == "wish" else edge.use


def _are_all(universe: Universe, slot: Slot, sources: dict[Candidate, None]) -> bool:
    """Say whether nothing else of a slot could be chosen, whoever asks for it."""
    rest = [one for one in universe.domain(slot).candidates if one not in sources]
    return not any(universe.pool.supported(one, ()) for one in rest)


def _built(every: tuple[Candidate, ...], sources: dict[Candidate, None]) -> tuple[str, ...]:
    """Return the options that the askers have in common and other builds of them do not."""
    texts = {one.version for one in sources}
    rest = [one for one in every if one.version in texts and one not in sources]
    common = set.intersection(*(set(one.options) for one in sources))
    told = (pair for pair in sorted(common) if any(pair not in one.options for one in rest))
    return tuple(f"{option}={value}" for option, value in told)


def _wants(universe: Universe, edges: list[Edge]) -> str:
    """Return what edges to one slot ask, as people read it."""
    texts = {_wanted(edge): edge for edge in edges}
    if len(texts) == 1:
        return next(iter(texts))
    if all(_is_own(edge) for edge in edges):
        return " of the same version"
    wide = widest(universe, edges)
    if wide is not None:
        return f"{_wanted(wide)} or stricter" if _wanted(wide) else ""
    rising = {_wanted(edge): None for edge in sorted(edges, key=_version)}
    first = [text.strip() or "any" for text in rising][: FEW if len(texts) == FEW else FEW - 1]
    more = f"{len(texts) - len(first)} other ranges"
    shown = [*first, more] if len(texts) > len(first) else first
    return f" {', '.join(shown[:-1])} or {shown[-1]}, by version"


def _version(edge: Edge) -> tuple[Version, ...]:
    return () if isinstance(edge.source, int) else (edge.source.order,)


def _is_own(edge: Edge) -> bool:
    one = edge.source
    plain = edge.mode == "need" and not edge.options and edge.external != "forbid"
    if isinstance(one, int) or not plain:
        return False
    return edge.range.replace(" ", "") == f"=={one.version}"


def _wanted(edge: Edge) -> str:
    wanted = f" {edge.range}" if edge.range.strip() else ""
    made = ", not from this machine" if edge.external == "forbid" else ""
    return f"{wanted}{_with(edge)}{made}"


def _with(edge: Edge) -> str:
    pairs = " and ".join(f"`{option}={value}`" for option, value in edge.options)
    return f" with {pairs}" if pairs else ""
