"""Changes of what is asked for that would make it satisfiable.

Rules (SPEC SOL-10):
- A change is one word: another range of a request, one request more or less, a value of an
  option, or a switch. It is told as it would be typed.
- Each was solved before it is told, with the versions that came out; at most `MOST` are.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from crpack.model import versions
from crpack.solve import wording
from crpack.solve.conflict import Chosen, Fix
from crpack.solve.problem import Request, Slot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from crpack.solve.candidates import Edge
    from crpack.solve.check import Walk
    from crpack.solve.pool import Pool
    from crpack.solve.problem import Problem

    Attempt = Callable[[Problem], Walk | None]
    Changed = tuple[Fix, Problem]

MOST = 3
MAX_TRIED = 12


def tried(
    pool: Pool, edges: tuple[Edge, ...], problem: Problem, attempt: Attempt
) -> tuple[Fix, ...]:
    """Return the first changes that do.

    Args:
        pool: of the requests in conflict.
        edges: that their proof rests on.
        problem: all that was asked.
        attempt: solves another problem.
    """
    found: list[Fix] = []
    for number, (fix, other) in enumerate(_changes(pool, edges, problem)):
        if number == MAX_TRIED or len(found) == MOST:
            break
        walk = attempt(other)
        if walk is not None:
            found.append(_told(fix, walk, [one.name for one in other.requests]))
    return tuple(found)


def _told(fix: Fix, walk: Walk, names: list[str]) -> Fix:
    """Return a change with what came out of it for what is asked for then."""
    versions_of = {one.slot: one.version or "" for one in walk.reached}
    result = tuple(Chosen(name, versions_of.get(Slot(name), "")) for name in dict.fromkeys(names))
    said = f"{fix.text}: {wording.outcome(result)}"
    return replace(fix, result=result, text=said)


def _changes(pool: Pool, edges: tuple[Edge, ...], problem: Problem) -> Iterator[Changed]:
    core = pool.problem.requests
    for one in core:
        yield from _other_ranges(pool, problem, one)
    yield from _options(edges, problem)
    yield from _switches(problem)
    yield from _additions(pool, edges, problem)
    for one in core if len(problem.requests) > 1 else ():
        rest = tuple(other for other in problem.requests if other is not one)
        fix = Fix("drop", str(one), "", text=f"leave out `{one}`")
        yield fix, replace(problem, requests=rest)


def _other_ranges(pool: Pool, problem: Problem, one: Request) -> Iterator[Changed]:
    def instead(other: Request) -> Problem:
        requests = tuple(other if it is one else it for it in problem.requests)
        return replace(problem, requests=requests)

    alone = [it.name for it in problem.requests].count(one.name) == 1
    if one.range and alone:  # else it is left out
        text = f"ask for `{one.name}` in any version"
        fix = Fix("any-version", str(one), one.name, text=text)
        yield fix, instead(replace(one, range=""))
    early = _newest_early(pool, Slot(one.name), one.range)
    if early and not pool.early(Slot(one.name)):
        other = replace(one, range=versions.conjunction(one.range, f">={early}"))
        fix = Fix("pre-release", str(one), str(other), text=f"ask for `{other}`, a pre-release")
        yield fix, instead(other)


def _newest_early(pool: Pool, slot: Slot, wanted: str) -> str:
    """Return the newest pre-release in a range that an index has and could be had; empty: none."""
    admitted = versions.parse_range(wanted)
    if any(c.names_prerelease for clauses in admitted.lists for c in clauses):
        return ""
    early = (
        one
        for one in pool.made(slot, pool.given(slot, ()))
        if one.order.is_prerelease and admitted.admits(one.version, early=True)
    )
    best = max(early, key=lambda one: one.order, default=None)
    return (best.version or "") if best else ""


def _options(edges: tuple[Edge, ...], problem: Problem) -> Iterator[Changed]:
    """Yield each value of an option for which several are asked: what the user says decides."""
    said = {(name, option) for name, option, _ in problem.options}
    said |= {(one.name, option) for one in problem.requests for option, _ in one.options}
    asked: dict[tuple[str, str], dict[str, None]] = {}
    for edge in edges:
        for option, value in edge.options if edge.mode != "avoid" else ():
            if (edge.slot.name, option) not in said:
                asked.setdefault((edge.slot.name, option), {})[value] = None
    for (name, option), values in asked.items():
        for value in values if len(values) > 1 else ():
            word = f"{name}.{option}={value}"
            fix = Fix("option", "", word, text=f"say `--option {word}`")
            yield fix, replace(problem, options=(*problem.options, (name, option, value)))


def _switches(problem: Problem) -> Iterator[Changed]:
    policy = problem.policy
    if policy.only_detected:
        fix = Fix("install", "--only-detected", "", text="leave out `--only-detected`")
        yield fix, replace(problem, policy=replace(policy, only_detected=False))
    if not policy.detect:
        fix = Fix("detect", "--no-detect", "", text="leave out `--no-detect`")
        yield fix, replace(problem, policy=replace(policy, detect=True))


def _additions(pool: Pool, edges: tuple[Edge, ...], problem: Problem) -> Iterator[Changed]:
    """Yield requests for pre-releases of what is needed and has nothing else."""
    names = {request.name for request in problem.requests}
    for slot in dict.fromkeys(edge.slot for edge in edges if edge.mode != "avoid"):
        if slot.name in names or slot.name[:1] == "@" or slot.context != "target":
            continue
        early = _newest_early(pool, slot, "")
        if early and not any(pool.supported(one, ()) for one in pool.made(slot, ())):
            other = Request(slot.name, f">={early}")
            fix = Fix("add", "", str(other), text=f"ask for `{other}` too, a pre-release")
            yield fix, replace(problem, requests=(*problem.requests, other))
