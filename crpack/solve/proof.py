"""Proofs: what a refutation is made of, and whether it holds.

Rules (SPEC SOL-08):
- A proof is the last clause with those that it was resolved from, down to facts. Each step is seen
  to follow, with nothing of the engine but its clauses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack.solve.domains import sign
from crpack.solve.facts import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crpack.solve.candidates import Edge
    from crpack.solve.engine import Clause


def ordered(last: Clause) -> list[Clause]:
    """Return the clauses of a proof, each once, those that others need first."""
    done: dict[int, Clause] = {}
    waiting = [last]
    while waiting:
        clause = waiting[-1]
        lacking = [one for _, one in reversed(clause.steps) if id(one) not in done]
        if lacking:
            waiting += lacking
            continue
        waiting.pop()
        done[id(clause)] = clause
    return list(done.values())


def follows(last: Clause, full: Sequence[int]) -> bool:
    """Say whether every step of a proof follows by resolution.

    Args:
        last: the clause that is proved.
        full: the whole domain of each variable.
    """
    return all(_resolves(clause, full) for clause in ordered(last) if clause.steps)


def _resolves(clause: Clause, full: Sequence[int]) -> bool:
    """Say whether whatever violates a clause violates one of those that it is made of."""
    (_, first), *rest = clause.steps
    have = dict(first.lits)
    for pivot, other in rest:
        more = dict(other.lits)
        for variable in {*have, *more}:
            one, two = (lits.get(variable, full[variable]) for lits in (have, more))
            have[variable] = one | two if variable == pivot else one & two
    said = dict(clause.lits)
    return all(not said.get(v, full[v]) & ~mask for v, mask in have.items())


def facts(last: Clause) -> Iterator[Fact]:
    """Yield the facts that a proof rests on."""
    for clause in ordered(last):
        if isinstance(clause.why, Fact):
            yield clause.why


def edges(last: Clause) -> dict[Edge, None]:
    """Return the edges that a proof rests on."""
    found: dict[Edge, None] = {}
    for fact in facts(last):
        if fact.owner is None:
            found |= dict.fromkeys(fact.edges)
            continue
        pool = fact.owner.pool
        said = {(edge.slot, sign(edge)) for edge in fact.edges}
        for one in fact.owner.of(fact.mask):
            found |= dict.fromkeys(e for e in pool.edges(one) if (e.slot, sign(e)) in said)
    return found
