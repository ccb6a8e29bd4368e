"""The scan: from probes and this machine's files to what is installed.

Rules (SPEC DET-06…):
- Files are read first. What the plan names and the cache does not know is run; nothing else is.
- Where nothing can confine it, nothing is run unless the caller allows that.
- Everything that was a candidate and is no finding is told with its reason.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack.detect import agreement, passive, places, probes
from crpack.detect import path as paths
from crpack.detect.asking import Late, Passing, ask_all, seen_all
from crpack.detect.cache import DAY, Cache
from crpack.detect.evidence import Refused, Subject
from crpack.detect.eyes import Eyes, Sight
from crpack.detect.packages import Databases
from crpack.detect.plan import plan
from crpack.model.facts import Found
from crpack.process import sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from crpack.detect.places import Places
    from crpack.detect.plan import Candidate
    from crpack.model.recipe import Recipe


_SWAMPED = 4  # running programs on each processor
_MINUTE = 60  # seconds
UNCONFINED = "this machine cannot confine a probe, so it was not run"


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scan found.

    Attributes:
        found: findings; those of one name in order of preference.
        refused: what was looked at and is none.
        missing: components of which nothing was found.
        cache: bytes to give to the next scan; empty when nothing changed.
        sandbox: the level around what was run; empty when nothing was.
        sights: everything that the answer depends on; empty when it is not to be remembered.
        until: when the answer ends whatever is seen, seconds since 1970; 0 for never.
    """

    found: tuple[Found, ...]
    refused: tuple[Refused, ...]
    missing: tuple[str, ...] = ()
    cache: bytes = b""
    sandbox: str = ""
    sights: tuple[Sight, ...] = ()
    until: int = 0


class Ground:
    """What of a machine is scanned.

    Args:
        environ: the caller's environment: PATH, and what `roots` name.
        root: what stands before every usual folder, for a tree that is not this machine's own.
        data: folders that the user named for models and data sets.
    """

    __slots__ = ("data", "environ", "root")

    def __init__(
        self, environ: Mapping[str, str], root: str = "", data: tuple[str, ...] = ()
    ) -> None:
        self.environ, self.root, self.data = environ, root, data


def scan(
    recipes: Sequence[Recipe],
    ground: Ground,
    *,
    cache: bytes = b"",
    refresh: bool = False,
    execute: bool = True,
    hidden: tuple[str, ...] = (),
    unconfined: bool = False,
) -> Scan:
    """Return what is installed of these components (SPEC DET-05…09).

    Args:
        recipes: components whose probes are looked for.
        ground: the machine.
        cache: what an earlier scan returned; anything unreadable counts as empty.
        refresh: ask again, whatever the cache says.
        execute: False runs nothing: what the cache does not know has no version.
        hidden: folders that programs must not read, such as the user's home.
        unconfined: run programs also where no sandbox can be built.
    """
    kept = Cache(b"" if refresh else cache, time.time_ns())
    eyes = Eyes(ground.environ, kept)
    planned = plan(recipes, eyes, kept)
    answers: dict[str, Found | str] = {
        one.key: known for one in planned.candidates if (known := kept.answer(one.key)) is not None
    }
    missing = [one for one in planned.candidates if one.key not in answers]
    level = sandbox.best("L2").level if missing and execute else ""
    if not level:
        answers |= {one.key: seen for one, seen in zip(missing, seen_all(missing), strict=True)}
    elif level == "L0" and not unconfined:
        answers |= {one.key: UNCONFINED for one in missing}
        level = ""
    else:
        walls = sandbox.Sandbox(level=level, hidden=hidden, local=False)
        for one, answer in zip(missing, ask_all(missing, planned.path, walls), strict=True):
            answers[one.key] = answer
            if isinstance(answer, Late):
                kept.keep_for(_believed(), one.key, answer, *one.file.stamp[3:])
            elif not isinstance(answer, Passing):
                kept.keep(one.key, answer, *one.file.stamp[3:])
    asked = [(one, answers[one.key]) for one in planned.candidates]
    where = places.of(eyes, paths.own_image(), root=ground.root, data=ground.data)
    seen = [*_told(asked), *_looked(recipes, eyes, where)]
    whole = not missing or (bool(level) and kept.holds(one.key for one in missing))
    found = agreement.settle(_ordered(recipes, seen))
    have = {one.name for one in found}
    return Scan(
        found=found,
        refused=tuple(dict.fromkeys(one for one in seen if isinstance(one, Refused))),
        missing=tuple(r.package.name for r in recipes if have.isdisjoint(probes.names(r))),
        cache=kept.to_bytes() if kept.changed else b"",
        sandbox=level,
        sights=eyes.sights() if whole else (),
        until=kept.until(answers),
    )


def _believed() -> int:
    """Return seconds that a program which took too long is not asked again (SPEC DET-07).

    Where the machine has too much to do, a good one may have: then it is not asked in every step.
    """
    try:
        swamped = os.getloadavg()[0] > _SWAMPED * (os.cpu_count() or 1)
    except OSError:
        swamped = True
    return _MINUTE if swamped else DAY


def _looked(recipes: Sequence[Recipe], eyes: Eyes, where: Places) -> Iterator[Found | Refused]:
    """Yield what the passive probes find, and what is wrong with the databases they read."""
    databases = Databases(eyes, where)
    for recipe in recipes:
        for probe in recipe.probe:
            if probe.kind != "exec":
                subject = Subject(recipe.package.name, recipe.package.version, probe)
                yield from passive.look(subject, eyes, where, databases)
    yield from databases.faults()


def _told(results: list[tuple[Candidate, Found | str]]) -> Iterator[Found | Refused]:
    """Yield the findings, each file once for each thing that it says it is (SPEC DET-08)."""
    distinct: set[object] = set()
    for one, answer in results:
        if isinstance(answer, str):
            yield Refused(one.file.path, probes.name(one.probe), answer, program=True)
            continue
        says = (*one.file.stamp[:2], answer.name, answer.version, answer.target, answer.notes)
        if says not in distinct:
            distinct.add(says)
            yield answer


def _ordered(recipes: Sequence[Recipe], seen: Sequence[Found | Refused]) -> tuple[Found, ...]:
    """Return the findings in the order of the components; of one, programs first."""
    place: dict[str, int] = {}
    for index, recipe in enumerate(recipes):
        for name in probes.names(recipe):
            place.setdefault(name, index)
    found = (one for one in seen if isinstance(one, Found))
    return tuple(sorted(found, key=lambda one: place[one.name]))
