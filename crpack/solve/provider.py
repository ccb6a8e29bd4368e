"""The door of `resolvelib`, which derives the graph of a choice, or finds one.

Rules (SPEC SOL-07):
- Its candidates, their order and what they ask come from the pool; nothing here decides.
- Its core is driven without its result builder, which recurses over the graph.
- Whatever it answers is a proposal; that it answers nothing says nothing.
- Each of its rounds looks at every edge again. So the slots of a choice come in `MAX_GROUPS`
  groups, one round each; every edge is still an edge of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crpack.solve import order

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from crpack.solve.candidates import Candidate, Edge
    from crpack.solve.pool import Pool
    from crpack.solve.problem import Slot

MAX_GROUPS = 32  # of the slots of a choice that is derived again
MAX_ASKS = 20_000  # times that one proposal may ask for the candidates of a slot
MAX_ROUNDS = 5000  # of one proposal; a round pins one slot or steps back


def derive(pool: Pool, chosen: Mapping[Slot, Candidate]) -> dict[Slot, Candidate] | None:
    """Return what of a choice is reached; None where it does not satisfy everybody.

    Args:
        pool: what is known of the problem.
        chosen: what serves; nothing does for a slot that is not in it.
    """
    from resolvelib import AbstractProvider, BaseReporter
    from resolvelib.resolvers import Resolution, ResolverException

    size = -(-len(chosen) // MAX_GROUPS) or 1
    rows = tuple(chosen.values())
    groups = [rows[start : start + size] for start in range(0, len(rows), size)]
    places = {one.slot: number for number, group in enumerate(groups) for one in group}
    groups.append(())  # of the slots that nothing serves
    judged: dict[Edge, bool] = {}

    class Provider(AbstractProvider):  # type: ignore[type-arg]
        """One group of candidates for each group of slots."""

        def identify(self, requirement_or_candidate: Edge | tuple[Candidate, ...]) -> int:
            one = requirement_or_candidate
            if isinstance(one, tuple):
                return places[one[0].slot] if one else -1
            return places.get(one.slot, -1)

        def get_preference(self, identifier: int, *_: Any, **__: Any) -> int:
            return identifier

        def narrow_requirement_selection(
            self, identifiers: Iterable[int], *_: Any, **__: Any
        ) -> Iterable[int]:
            return [next(iter(identifiers))]

        def find_matches(
            self,
            identifier: int,
            requirements: Mapping[int, Iterator[Edge]],  # noqa: ARG002 - given by name
            incompatibilities: Mapping[int, Iterator[Any]],
        ) -> Iterable[tuple[Candidate, ...]]:
            return [] if any(True for _ in incompatibilities[identifier]) else [groups[identifier]]

        def is_satisfied_by(self, requirement: Edge, candidate: tuple[Candidate, ...]) -> bool:  # noqa: ARG002
            if requirement not in judged:
                one = chosen.get(requirement.slot) or pool.absent(requirement.slot)
                judged[requirement] = pool.admits(requirement, one)
            return judged[requirement]

        def get_dependencies(self, candidate: tuple[Candidate, ...]) -> Iterable[Edge]:
            return [edge for one in candidate for edge in pool.edges(one)]

    resolution: Resolution[Any, Any, int] = Resolution(Provider(), BaseReporter())
    try:
        found = resolution.resolve(pool.roots, max_rounds=2 * MAX_GROUPS).mapping
    except (ResolverException, RecursionError):
        return None
    return {one.slot: one for group in found.values() for one in group}


def propose(pool: Pool) -> dict[Slot, Candidate] | None:
    """Return a choice that may satisfy everybody; None where none was found.

    Raises:
        Unloaded: a name must be looked up first.
    """
    from resolvelib import AbstractProvider, BaseReporter
    from resolvelib.resolvers import Resolution, ResolverException

    class Provider(AbstractProvider):  # type: ignore[type-arg]
        """The pool, as `resolvelib` asks for it."""

        def __init__(self) -> None:
            self.asks = 0
            self.seen: dict[Slot, int] = {}

        def identify(self, requirement_or_candidate: Edge | Candidate) -> Slot:
            return requirement_or_candidate.slot

        def get_preference(
            self,
            identifier: Slot,
            resolutions: Mapping[Slot, Candidate],  # noqa: ARG002 - given by name
            candidates: Mapping[Slot, Iterator[Candidate]],
            information: Mapping[Slot, Iterator[Any]],  # noqa: ARG002
            backtrack_causes: Sequence[Any],
        ) -> tuple[bool, bool, int]:
            choice = candidates[identifier]
            forced = next(choice, None) is None or next(choice, None) is None
            cause = any(
                identifier == one.requirement.slot
                or (one.parent is not None and identifier == one.parent.slot)
                for one in backtrack_causes
            )
            return (not forced, not cause, self.seen[identifier])

        def find_matches(
            self,
            identifier: Slot,
            requirements: Mapping[Slot, Iterator[Edge]],
            incompatibilities: Mapping[Slot, Iterator[Candidate]],
        ) -> Iterable[Candidate]:
            self.asks += 1
            if self.asks > MAX_ASKS:
                raise ResolverException
            self.seen.setdefault(identifier, len(self.seen))
            refused = set(incompatibilities[identifier])
            found = order.matches(pool, identifier, tuple(requirements[identifier]))
            return [candidate for candidate in found if candidate not in refused]

        def is_satisfied_by(self, requirement: Edge, candidate: Candidate) -> bool:
            return pool.admits(requirement, candidate)

        def get_dependencies(self, candidate: Candidate) -> Iterable[Edge]:
            return pool.edges(candidate)

    resolution: Resolution[Edge, Candidate, Slot] = Resolution(Provider(), BaseReporter())
    try:
        return dict(resolution.resolve(pool.roots, max_rounds=MAX_ROUNDS).mapping)
    except (ResolverException, RecursionError):
        return None
