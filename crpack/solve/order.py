"""Which candidate of a slot comes first.

Rules (SPEC SOL-06):
- What a lock kept comes first.
- A requested name: newest version, newest revision, no build, least bytes, id.
- A dependency: compatibility lines (major versions), those that need no build before those that
  do, newest first; within a line detected, stored, payload, provided by another, source; then
  as above.
- `prefer = "newest"` and `"lowest"`: the version decides before the way. `"locked"`: what is there
  already comes before the rest, of a requested name too. `"made"`: detected last.
- Nothing at all comes last where somebody wishes for it, and first where nobody does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crpack.model.versions import Version
    from crpack.solve.candidates import Candidate, Edge
    from crpack.solve.pool import Pool
    from crpack.solve.problem import Slot

STORED, MADE_HERE = 1, 4  # the ways that need nothing more, and that need a build


def matches(pool: Pool, slot: Slot, edges: tuple[Edge, ...]) -> list[Candidate]:
    """Return the candidates of a slot that all edges to it admit, best first.

    Raises:
        Unloaded: the name was not looked up.
    """
    modes = {edge.mode for edge in edges}
    if not modes - {"avoid"}:
        return [pool.absent(slot)]
    every = [*pool.found(slot), *pool.made(slot, pool.given(slot, edges))]
    kept = [
        candidate
        for candidate in every
        if all(pool.admits(edge, candidate) for edge in edges) and pool.supported(candidate, edges)
    ]
    sort(pool, kept, external=any(edge.external == "prefer" for edge in edges))
    return kept if "need" in modes else [*kept, pool.absent(slot)]


def sort(pool: Pool, candidates: list[Candidate], *, external: bool = False) -> None:
    """Sort candidates of one slot in place, best first; `external`: detected ones if any."""
    if not candidates:
        return
    slot = candidates[0].slot
    wants = pool.problem.policy.prefer
    stored = frozenset(pool.problem.stored)
    candidates.sort(key=_cost)
    if slot in pool.requested or wants in ("newest", "lowest"):
        candidates.sort(key=lambda one: _way(one, stored))
        candidates.sort(key=_version, reverse=wants != "lowest")
    else:
        candidates.sort(key=_version, reverse=True)
        ways = {one: _way(one, stored) for one in candidates}
        lines = {one: _line(one) for one in candidates}
        easy = {lines[one] for one, way in ways.items() if way < MADE_HERE}
        candidates.sort(key=lambda one: (lines[one] not in easy, *lines[one], ways[one]))
    if wants == "locked":
        candidates.sort(key=lambda one: _way(one, stored) > STORED)
    if wants == "made":
        candidates.sort(key=lambda one: not one.made)
    elif external:
        candidates.sort(key=lambda one: one.origin != "detected")
    if slot in pool.locked:
        candidates.sort(key=lambda one: _drift(pool, one))


def _cost(candidate: Candidate) -> tuple[int, str]:
    payload = candidate.payload
    return (payload.packed, payload.id) if payload else (0, "")


def _version(candidate: Candidate) -> tuple[Version, int]:
    return candidate.order, candidate.release.revision if candidate.release else 0


def _line(candidate: Candidate) -> tuple[int, int]:
    """Return the place of a candidate's compatibility line, the newest one first."""
    order = candidate.order
    return -order.epoch, -order.major


def _way(candidate: Candidate, stored: Iterable[str]) -> int:
    if candidate.payload is not None:
        return STORED if candidate.payload.tree in stored else 2
    return {"detected": 0, "virtual": 3}.get(candidate.origin, MADE_HERE)


def _drift(pool: Pool, candidate: Candidate) -> int:
    """Return 0 for what the lock kept, more for what is further from it."""
    kept = pool.locked.get(candidate.slot)
    if kept is None:
        return 0
    if candidate.origin == "detected":
        return 0 if kept.detected else 2
    return 1 if pool.keeps(candidate) else 2
