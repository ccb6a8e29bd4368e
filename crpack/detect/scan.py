"""The scan: from probes and PATH to what is installed.

Rules (SPEC DET-06…):
- What the plan names and the cache does not know is run; nothing else is.
- Where nothing can confine it, nothing is run unless the caller allows that.
- Everything that was a candidate and is no finding is told with its reason.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack.detect import probes
from crpack.detect.asking import ask_all, not_run
from crpack.detect.cache import Cache
from crpack.detect.plan import plan
from crpack.model.facts import Found
from crpack.process import sandbox

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crpack.detect.plan import Candidate
    from crpack.model.recipe import Recipe


UNCONFINED = "this machine cannot confine a probe, so it was not run"


@dataclass(frozen=True, slots=True)
class Refused:
    """What was looked at and is no finding: its path (or component), its name, and why."""

    path: str
    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scan found.

    Attributes:
        found: findings; those of one name in order of preference.
        refused: what was looked at and is none.
        cache: bytes to give to the next scan; empty when nothing changed.
        sandbox: the level around what was run; empty when nothing was.
    """

    found: tuple[Found, ...]
    refused: tuple[Refused, ...]
    cache: bytes
    sandbox: str


def scan(
    recipes: Sequence[Recipe],
    environ: Mapping[str, str],
    *,
    cache: bytes = b"",
    refresh: bool = False,
    execute: bool = True,
    hidden: tuple[str, ...] = (),
    unconfined: bool = False,
) -> Scan:
    """Return what is installed of these components (SPEC DET-05…09).

    Args:
        recipes: components whose `exec` probes are looked for.
        environ: the caller's environment, for PATH.
        cache: what an earlier scan returned; anything unreadable counts as empty.
        refresh: ask again, whatever the cache says.
        execute: False runs nothing: what the cache does not know has no version.
        hidden: folders that programs must not read, such as the user's home.
        unconfined: run programs also where no sandbox can be built.
    """
    kept = Cache(b"" if refresh else cache, time.time_ns())
    planned = plan(recipes, environ, kept)
    answers = {one.key: kept.answer(one.key) for one in planned.candidates}
    missing = [one for one in planned.candidates if answers[one.key] is None]
    level = sandbox.best("L2").level if missing and execute else ""
    if level == "L0" and not unconfined:
        answers |= {one.key: UNCONFINED for one in missing}
        level = ""
    elif level:
        walls = sandbox.Sandbox(level=level, hidden=hidden, local=False)
        for one, answer in zip(missing, ask_all(missing, planned.path, walls), strict=True):
            answers[one.key] = answer
            kept.keep(one.key, answer, *one.file.stamp[3:])
    results = [(one, answers[one.key] or not_run(one)) for one in planned.candidates]
    return Scan(
        found=_once([(one, answer) for one, answer in results if isinstance(answer, Found)]),
        refused=tuple(
            Refused(one.file.path, probes.name(one.probe), answer)
            for one, answer in results
            if isinstance(answer, str)
        ),
        cache=kept.to_bytes() if kept.changed else b"",
        sandbox=level,
    )


def _once(results: list[tuple[Candidate, Found]]) -> tuple[Found, ...]:
    """Return the findings, each file once for each thing that it says it is (SPEC DET-08)."""
    distinct: dict[object, Found] = {}
    for one, found in results:
        says = (found.name, found.version, found.target, found.notes)
        distinct.setdefault((*one.file.stamp[:2], *says), found)
    return tuple(distinct.values())
