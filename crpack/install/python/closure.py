"""Closure: which distributions some requirements need on a machine, and what is lacking.

Rules (SPEC PYE-09, PYE-10):
- pip holds markers against the machine that it runs on, even where it chooses for another one.
  So the dependencies of what it chose are gone through again, with the target's markers.
- What is lacking is asked for as well; what nothing asks for on the target is left out.
- The wheels of a lock are gone through likewise, by their own metadata.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack.model.dependencies import Dependency, counted, plain
from crpack.model.distribution import Distribution

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Closure:
    """What a target needs of an answer.

    Attributes:
        names: of the distributions that it needs, of those that there are.
        lacking: requirements that the answer does not satisfy.
    """

    names: frozenset[str]
    lacking: tuple[str, ...]


def distributions(report: bytes) -> tuple[Distribution, ...]:
    """Return the distributions in pip's installation report (version 1).

    Raises:
        ValueError, KeyError, TypeError, AttributeError, RecursionError: it is not such a report.
    """
    rows = [item["metadata"] for item in json.loads(report)["install"]]
    return tuple(
        Distribution(
            plain(row["name"]), str(row["version"]), tuple(map(str, row.get("requires_dist", ())))
        )
        for row in rows
    )


def closure(
    requires: Sequence[str],
    chosen: Sequence[Distribution],
    environment: tuple[tuple[str, str], ...],
) -> Closure:
    """Return what requirements need of distributions.

    Args:
        requires: requirements by PEP 508.
        chosen: the distributions, one a name.
        environment: of the machine, for markers, without `extra`.

    Raises:
        UsageError: a dependency of a distribution is none.
    """
    there = {one.name: one for one in chosen}
    waiting = list(counted(requires, environment))
    seen: set[Dependency] = set()
    lacking: list[str] = []
    while waiting:
        asked = waiting.pop()
        if asked in seen:
            continue
        seen.add(asked)
        found = there.get(asked.name)
        if found is None or not asked.admits(found.version):
            lacking.append(asked.text)
        else:
            waiting += counted(found.requires, environment, asked.extras)
    names = frozenset(one.name for one in seen) & there.keys()
    return Closure(names, tuple(sorted(lacking)))
