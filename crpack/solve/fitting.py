"""What fits a machine, and what several ask together.

Rules (SPEC SOL-03):
- A payload fits where its platform runs and each of its floors is reached by a capability; one
  whose platform or floor this crpack has never heard of does not.
- Ranges are joined by their text: what all of them admit, each bound once. What cannot be written
  down so is never a reason to refuse anything: a narrower range, of one version, stands for it.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

from crpack.errors import NoSolution, UsageError
from crpack.model import capabilities, platforms, versions
from crpack.model.limits import MAX_RANGE_LENGTH

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crpack.model.facts import Facts
    from crpack.model.manifest import Payload
    from crpack.model.recipe import Requires

MAX_ALTERNATIVES = 64  # of joined ranges


def misfit(payload: Payload, facts: Facts) -> str:
    """Return why a payload cannot be used on a machine; empty where it can (SPEC SOL-03)."""
    if not runs(payload, facts):
        return f"it is for `{payload.platform}`"
    for name, value in payload.floors:
        have = facts.capability(f"@{name}")
        if not capabilities.reaches(f"@{name}", have, value, facts.cpu.features):
            there = f"there is {have}" if have else "there is none"
            return f"it needs `{name}` {value} and {there}"
    return ""


def runs(payload: Payload, facts: Facts) -> bool:
    """Say whether a machine runs the platform that a payload is for (SPEC PLT-04)."""
    try:
        return platforms.parse(facts.platform).accepts(platforms.parse(payload.platform))
    except UsageError:
        return False


def enough(name: str, wanted: str, facts: Facts) -> bool:
    """Say whether a machine has what is required of a capability (SPEC REQ-08)."""
    return capabilities.admits(name, wanted, facts.capability(name), facts.cpu.features)


def check_machine(name: str, requires: Requires, facts: Facts) -> None:
    """See that a machine has the capabilities that a component requires (SPEC REQ-08).

    Raises:
        NoSolution: it lacks one.
    """
    for need in requires.machine:
        if not enough(need.name, need.version, facts):
            what = f"`{name}` requires `{need.name}` {need.version}".rstrip()
            raise NoSolution(what, why=[there(need.name, facts)], rule="REQ-08")


def there(name: str, facts: Facts) -> str:
    """Return what a machine has of a capability, or why it has none, in a sentence."""
    have, why = facts.capability(name), dict(facts.absent).get(name, "")
    if have:
        return f"`{name}` {have} was found on `{facts.platform}`"
    return f"there is no `{name}` on `{facts.platform}`" + (f": {why}" if why else "")


def together(ranges: Iterable[str], version: str = "") -> str:
    """Return the range that admits what all of several admit; empty ones admit everything.

    Where that has too many alternatives, or is too long, to be written down, it is the range of a
    version that all of them admit; where none is given, of every version (SPEC LCK-05).
    """
    distinct = dict.fromkeys(text for text in ranges if text.strip())
    lists = [[part.strip() for part in text.split("||")] for text in distinct]
    if math.prod(len(parts) for parts in lists) <= MAX_ALTERNATIVES:
        joined = " || ".join(_tightened(clauses) for clauses in itertools.product(*lists))
        if len(joined) <= MAX_RANGE_LENGTH:
            return joined
    return f"=={versions.parse(version)}" if version else ""


def _tightened(lists: tuple[str, ...]) -> str:
    """Return the clauses of several lists as one, of lower and upper bounds only the closest."""
    clauses = dict.fromkeys(one.strip() for text in lists for one in text.split(","))
    kept: list[str] = []
    for clause in clauses:
        side = clause[:1]
        rival = next((one for one in kept if side in "<>" and one.startswith(side)), None)
        if rival is None:
            kept.append(clause)
        elif _closer(clause, rival):
            kept[kept.index(rival)] = clause
    return ",".join(kept)


def _closer(clause: str, rival: str) -> bool:
    """Say whether of two bounds on the same side the first one admits less."""
    one, two = (versions.parse(text.lstrip("<>= ")) for text in (clause, rival))
    if one == two:
        return "=" not in clause
    return one > two if clause.startswith(">") else one < two
