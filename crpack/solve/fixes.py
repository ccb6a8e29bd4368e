"""Changes of what is asked for that would make it satisfiable.

Rules (SPEC SOL-10):
- A change is one word to one request: any version, pre-releases, or nothing of it at all.
- Each was solved before it is told, with the version that came out; at most `MOST` are.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from crpack.solve.problem import Fix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from crpack.solve.check import Walk
    from crpack.solve.problem import Request

    Attempt = Callable[[tuple[Request, ...]], Walk | None]

MOST = 3


def tried(core: tuple[Request, ...], requests: tuple[Request, ...], attempt: Attempt) -> list[Fix]:
    """Return the first changes that do, of the requests in conflict.

    Args:
        core: those in conflict.
        requests: all that were asked for.
        attempt: solves other requests.
    """
    found: list[Fix] = []
    for fix, others in _changes(core, requests):
        walk = attempt(others)
        if walk is None:
            continue
        name = next(one.name for one in core if str(one) == fix.request)
        hits = (one.version or "" for one in walk.reached if one.slot.name == name)
        version = next(hits, "") if fix.change != "drop" else ""
        found.append(dataclasses.replace(fix, version=version, text=fix.text.format(version)))
        if len(found) == MOST:
            break
    return found


def _changes(
    core: tuple[Request, ...], requests: tuple[Request, ...]
) -> Iterator[tuple[Fix, tuple[Request, ...]]]:
    def instead(request: Request, other: Request) -> tuple[Request, ...]:
        return tuple(other if one is request else one for one in requests)

    for one in core:
        if one.range:
            text = f"ask for `{one.name}` in any version: {{}} would do"
            yield (
                Fix("any-version", str(one), "", text),
                instead(one, dataclasses.replace(one, range="")),
            )
        if not one.prerelease:
            text = f"allow pre-releases of `{one.name}`: {{}} would do"
            yield (
                Fix("pre-releases", str(one), "", text),
                instead(one, dataclasses.replace(one, prerelease=True)),
            )
    for one in core if len(requests) > 1 else ():
        text = f"leave out `{one}`: the rest would do"
        yield Fix("drop", str(one), "", text), tuple(o for o in requests if o is not one)
