"""The door of `resolvelib`, which derives the graph of a choice, or finds one.

Rules (SPEC SOL-07):
- Its candidates, their order and what they ask come from the pool; nothing here decides.
- Its core is driven without its result builder, which recurses over the graph.
- Whatever it answers is a proposal; that it answers nothing says nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crpack.solve import order

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from crpack.solve.candidates import Candidate, Edge
    from crpack.solve.pool import Pool
    from crpack.solve.problem import Slot

MAX_ASKS = 20_000  # times that one proposal may ask for the candidates of a slot
MAX_ROUNDS = 5000  # of one proposal; a round pins one slot or steps back


def propose(
    pool: Pool, known: Mapping[Slot, Candidate] | None = None
) -> dict[Slot, Candidate] | None:
    """Return a choice that may satisfy everybody; None where none was found.

    Args:
        pool: what is known of the problem.
        known: the only candidates to choose from; None: all.

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
            self.judged: dict[Edge, bool] = {}

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

        def narrow_requirement_selection(
            self,
            identifiers: Iterable[Slot],
            resolutions: Mapping[Slot, Candidate],  # noqa: ARG002
            candidates: Mapping[Slot, Iterator[Candidate]],  # noqa: ARG002
            information: Mapping[Slot, Iterator[Any]],  # noqa: ARG002
            backtrack_causes: Sequence[Any],  # noqa: ARG002
        ) -> Iterable[Slot]:
            return [next(iter(identifiers))] if known is not None else identifiers

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
            edges = tuple(requirements[identifier])
            if known is None:
                found = order.matches(pool, identifier, edges)
            else:
                one = known.get(identifier, pool.absent(identifier))
                found = [one] if all(pool.admits(edge, one) for edge in edges) else []
            return [candidate for candidate in found if candidate not in refused]

        def is_satisfied_by(self, requirement: Edge, candidate: Candidate) -> bool:
            if known is None:
                return pool.admits(requirement, candidate)
            if requirement not in self.judged:  # there is but one candidate
                self.judged[requirement] = pool.admits(requirement, candidate)
            return self.judged[requirement]

        def get_dependencies(self, candidate: Candidate) -> Iterable[Edge]:
            return pool.edges(candidate)

    resolution: Resolution[Edge, Candidate, Slot] = Resolution(Provider(), BaseReporter())
    try:
        return dict(resolution.resolve(pool.roots, max_rounds=MAX_ROUNDS).mapping)
    except (ResolverException, RecursionError):
        return None
