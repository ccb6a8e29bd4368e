"""What there is of a component, and why the rest of it may not serve.

Rules (SPEC SOL-10):
- First what the machine has, then what the index has, then what another component provides; then
  what is left out, one node for each reason.
- Where there is nothing at all, that is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack.model import versions
from crpack.model.capabilities import is_capability
from crpack.solve import fitting
from crpack.solve.candidates import PYTHON
from crpack.solve.conflict import Node
from crpack.solve.spans import ordered, span
from crpack.solve.wording import series

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crpack.solve.candidates import Candidate, Edge, Given
    from crpack.solve.conflict import Code, Kind
    from crpack.solve.pool import Pool
    from crpack.solve.problem import Slot

FEW = 3  # versions that were found, told one by one


def there(pool: Pool, slot: Slot, edges: tuple[Edge, ...], ranges: Iterable[str]) -> Iterator[Node]:
    """Yield what there is of a slot of which nothing serves, without ids.

    Args:
        pool: that the slot's name was looked up for.
        slot: which.
        edges: what is asked of it.
        ranges: those that cut what there is.
    """
    name, context = slot
    if name == PYTHON:
        have = pool.problem.pythons
        told = f"there is Python {series(have)}"
        yield Node("", "host", name, context, ordered(have), reason=told)
        return
    if is_capability(name):
        machine = pool.problem.machine(context)
        have = tuple(one for one in [machine.capability(name)] if one)
        told = fitting.there(name, machine)
        yield Node("", "host", name, context, have, origin=machine.platform, reason=told)
        return
    given, known = pool.given(slot, edges), _known(pool, slot)
    nodes = [*_found(pool, slot, edges)]
    plain = (one for one in pool.made(slot, given) if not _is_early(pool, one, edges))
    if made := ordered(one.version for one in plain):
        told = span(made, known, ranges)
        origin = pool.offers[name].index
        nodes.append(Node("", "available", name, context, made, told, origin=origin))
    for one in pool.found(slot):
        if one.origin == "virtual":
            by, version = pool.edges(one)[0].slot.name, one.version or ""
            nodes.append(Node("", "provides", by, context, ordered([version]), version, on=name))
    nodes += _early(pool, slot, edges, known)
    nodes += _excluded(pool, slot, given, known, ())
    yield from nodes or [_missing(pool, slot)]


def missed(pool: Pool, slot: Slot, edges: tuple[Edge, ...]) -> Iterator[Node]:
    """Yield what may not serve though it is in all the ranges that are asked for; see `there`."""
    if slot.name[:1] == "@":
        return
    ranges = [edge.range for edge in edges if edge.mode != "avoid"]
    known = _known(pool, slot)
    yield from _early(pool, slot, edges, known)
    yield from _excluded(pool, slot, pool.given(slot, edges), known, ranges)


def _known(pool: Pool, slot: Slot) -> tuple[str, ...]:
    return ordered(release.version for release in pool.releases(slot.name))


def _found(pool: Pool, slot: Slot, edges: tuple[Edge, ...]) -> Iterator[Node]:
    found = [one for one in pool.found(slot) if one.found is not None]
    if not found:
        return
    texts = ordered(one.version for one in found)
    groups = [[one for one in found if one.version == text] for text in texts]
    for group in groups if len(groups) <= FEW else [found]:
        yield _had(pool, slot, edges, group)


def _had(pool: Pool, slot: Slot, edges: tuple[Edge, ...], found: list[Candidate]) -> Node:
    texts = ordered(one.version for one in found)
    where = next((one.found.path for one in found if one.found is not None), "")
    verb = "were" if len(texts) > 1 else "was"
    told = f"`{slot.name}` {series(texts)} {verb} found on {_machine(pool, slot)}"
    told += f", at {where}" if where and len(texts) == 1 else ""
    if any(edge.use == "link" for edge in edges) and not any(map(_is_linkable, found)):
        told += ", without what linking it needs: headers"
    elif not any(pool.supported(one, edges) for one in found):
        told += ", and what is asked for by name is installed"
    return Node("", "host", slot.name, slot.context, texts, origin=where, reason=told)


def _early(
    pool: Pool, slot: Slot, edges: tuple[Edge, ...], known: tuple[str, ...]
) -> Iterator[Node]:
    made = pool.made(slot, pool.given(slot, edges))
    if texts := ordered(one.version for one in made if _is_early(pool, one, edges)):
        why = "it is a pre-release, and nobody asked for one"
        told = span(texts, known)
        yield Node(
            "", "excluded", slot.name, slot.context, texts, told, code="pre-release", reason=why
        )


def _is_early(pool: Pool, one: Candidate, edges: tuple[Edge, ...]) -> bool:
    """Say whether a pre-release is left out for being one (SPEC SOL-05, VER-04)."""
    if not one.order.is_prerelease or pool.early(one.slot):
        return False
    ranges = [versions.parse_range(edge.range) for edge in edges if edge.mode != "avoid"]
    if not all(wanted.admits(one.version, early=True) for wanted in ranges):
        return False
    return not (pool.supported(one, edges) and all(w.admits(one.version) for w in ranges))


def _excluded(
    pool: Pool, slot: Slot, given: Given, known: tuple[str, ...], ranges: Iterable[str]
) -> Iterator[Node]:
    """Yield what an index has in some ranges and may not serve, by the reason."""
    groups: dict[tuple[Code, str], list[str]] = {}
    wanted = [versions.parse_range(text) for text in ranges]
    for out in pool.excluded(slot, given):
        if all(one.admits(out.version, early=True) for one in wanted):
            groups.setdefault((out.code, out.why), []).append(out.version)
    for (code, why), some in groups.items():
        kind: Kind = "pin" if code == "bound" else "excluded"
        texts = ordered(some)
        told = span(texts, known)
        yield Node("", kind, slot.name, slot.context, texts, told, code=code, reason=why)


def _missing(pool: Pool, slot: Slot) -> Node:
    told = f"no index has `{slot.name}`"
    if pool.had(slot):
        told += f", and what was found of it cannot serve: see `crpack why {slot.name}`"
    elif pool.problem.policy.detect:
        told += f", and it was not found on {_machine(pool, slot)}"
    return Node("", "missing", slot.name, slot.context, reason=told)


def _machine(pool: Pool, slot: Slot) -> str:
    machine, here = pool.problem.machine(slot.context), pool.problem.host or pool.problem.facts
    return "this machine" if machine is here else f"`{machine.platform}`"


def _is_linkable(one: Candidate) -> bool:
    return one.found is not None and one.found.linkable
