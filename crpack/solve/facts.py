"""Facts: why a clause is true, and what a search comes to.

Rules (SPEC SOL-08, SOL-10):
- Every clause that was not learned has its fact, so an explanation needs nothing but the proof.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from crpack.solve.candidates import Edge
from crpack.solve.check import Walk
from crpack.solve.domains import Domain
from crpack.solve.engine import Clause


class Stale(Exception):  # noqa: N818 - a signal
    """A slot was filled without the candidates that somebody asks for."""


class Unclosed(Exception):  # noqa: N818 - a signal
    """What comes next can only be judged in a closed universe."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Why a clause is true.

    Attributes:
        kind: `asks`: each candidate of `owner` in `mask` has one of the edges, or the request has
            it; `backed`: nobody else asks for what `owner` needs to be asked for; `reached`:
            nobody else leads to it; `wrong`: a choice that does not hold.
        owner: whose candidates; None for a request.
        mask: of candidates.
        edges: one for each thing asked.
    """

    kind: Literal["asks", "backed", "reached", "wrong"]
    owner: Domain | None = None
    mask: int = 0
    edges: tuple[Edge, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a search found.

    Attributes:
        chosen: a walk that holds; None where there is none.
        proof: the clause that excludes the requests.
        requests: numbers of those that it excludes.
        full: the whole domain of each variable of the proof.
    """

    chosen: Walk | None
    proof: Clause | None = None
    requests: frozenset[int] = frozenset()
    full: tuple[int, ...] = ()
