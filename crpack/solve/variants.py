"""The variants of releases: one candidate for each choice of options that anybody could ask for.

Rules (SPEC SOL-04, SOL-08):
- An option that the user sets has one value. Any other has its default and those that were asked.
- What all other values come to is one candidate more, which only a closed universe can judge.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from crpack.solve.candidates import Candidate
    from crpack.solve.pool import Pool
    from crpack.solve.problem import Slot


def variants(
    pool: Pool, slot: Slot, asked: Mapping[str, Iterable[str]], *, rest: bool = False
) -> list[Candidate]:
    """Return every candidate of a slot for every combination of option values (SPEC SOL-08).

    Args:
        pool: what is known.
        slot: which.
        asked: option, and all values that anybody could ask for.
        rest: one candidate more for all other values of the options of each release.
    """
    user = pool.user.get(slot.name, {})
    free = [(option, values) for option, values in sorted(asked.items()) if option not in user]
    every = [[(), *(((option, value),) for value in values)] for option, values in free]
    found: dict[Candidate, None] = {}
    for choice in itertools.product(*every):
        given = {**user, **dict(pair for part in choice for pair in part)}
        found |= dict.fromkeys(pool.made(slot, tuple(sorted(given.items()))))
    if rest:
        releases = pool.releases(slot.name) if slot.name[:1] != "@" else ()
        every_way = (
            pool.ways.rest(slot, one, user, pool.offers[slot.name].index) for one in releases
        )
        found |= dict.fromkeys(one for one in every_way if one)
    return [*pool.found(slot), *found]
