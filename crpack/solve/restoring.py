"""From a lock to what one machine installs, or a new answer keeps.

Rules (SPEC LCK-08, LCK-09):
- Installing chooses nothing. Of the targets that a machine can run, the one with the highest floor
  is taken.
- A detected row that a machine does not satisfy is replaced by its fallback, and then what only
  that needs is taken too; without a fallback the lock is refused.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from crpack.errors import NoSolution
from crpack.model import capabilities, platforms, versions
from crpack.model.facts import Found
from crpack.model.lock import LockedPackage
from crpack.solve.problem import Context, Preference

if TYPE_CHECKING:
    from crpack.model.facts import Facts
    from crpack.model.lock import Choice, Lock, LockedTarget
    from crpack.model.platforms import Platform


@dataclass(frozen=True, slots=True)
class Decided:
    """How a lock satisfies one name on one machine.

    Attributes:
        package: its row, with the options of this target; of software that nobody packed only
            name and version count.
        origin: how.
        context: with the results, or where they are built.
        payload: id, for `binary`.
        found: for `detected`.
        range: the versions asked for, by all.
        instead: for `detected`: what is installed where it is not there, and how.
    """

    package: LockedPackage
    origin: Literal["detected", "binary", "source"]
    context: Context = "target"
    payload: str = ""
    found: Found | None = None
    range: str = ""
    instead: str = ""


def picks_of(lock: Lock, facts: Facts, host: Facts | None = None) -> tuple[Decided, ...]:
    """Return how a lock satisfies every name on a machine (SPEC LCK-08).

    Args:
        lock: in any order of rows.
        facts: of the machine that the results run on.
        host: of the one that builds, if another.

    Raises:
        NoSolution: no target of the lock is for this machine, or it has not what a row asks for
            and there is no fallback.
    """
    target = target_for(lock, facts)
    machines: dict[str, Facts] = {"target": facts, "build": host or facts}
    gone: set[str] = set()
    found: list[Decided] = []
    rows = _rows(lock)
    for choice in sorted(target.package, key=lambda one: bool(one.only_for)):
        if choice.origin == "virtual" or (choice.only_for and not gone & set(choice.only_for)):
            continue
        one = _decided(rows.get(_key(choice)), choice, machines[choice.context])
        if choice.origin == "detected" and one.origin != "detected":
            gone.add(choice.name)
        found.append(one)
    return tuple(found)


def target_for(lock: Lock, facts: Facts) -> LockedTarget:
    """Return the target of a lock for a machine: the one with the highest floor (SPEC LCK-08).

    Raises:
        NoSolution: there is none.
    """
    here = platforms.parse(facts.platform)
    why = []
    fitting = []
    for target in lock.target:
        lacking = [floor for floor in target.capabilities if not _reaches(facts, *floor)]
        if not here.accepts(platforms.parse(target.platform)):
            why.append(f"it has `{target.platform}`")
        elif lacking:
            why.append(f"`{target.platform}` needs `{lacking[0][0]}` {lacking[0][1]}")
        else:
            fitting.append(target)
    if not fitting:
        raise NoSolution(
            f"the lock has no target for this machine, which is `{facts.platform}`",
            why=why,
            hint=f"make the lock, or the bundle, again with `--platform {facts.platform}`",
            rule="LCK-08",
        )
    return max(fitting, key=lambda one: _height(platforms.parse(one.platform)))


def _rows(lock: Lock) -> dict[tuple[str, str, int], LockedPackage]:
    """Return the packages of a lock, by what a choice says of its package (SPEC LCK-04)."""
    found: dict[tuple[str, str, int], LockedPackage] = {}
    for row in lock.package:
        found.setdefault((row.name, row.version, row.revision), row)
        found.setdefault((row.name, "", 0), row)
    return found


def _key(choice: Choice) -> tuple[str, str, int]:
    return choice.name, choice.version, choice.revision if choice.version else 0


def _decided(row: LockedPackage | None, choice: Choice, facts: Facts) -> Decided:
    if choice.origin == "detected":
        wanted = versions.parse_range(choice.range)
        asked = choice.options or (row.options if row else ())
        for found in facts.all(choice.name):
            fits = wanted.admits(found.version) and (found.linkable or not choice.linked)
            if found.runnable and fits and found.suits(asked):
                bare = LockedPackage(choice.name, found.version or "", 0, found.kind)
                return Decided(
                    row or bare, "detected", choice.context, found=found, range=choice.range,
                    instead=f"{row.version} ({choice.fallback})" if row and choice.fallback else "",
                )  # fmt: skip
    origin = choice.fallback if choice.origin == "detected" else choice.origin
    if origin not in ("binary", "source") or row is None:
        raise _absent(choice, facts)
    options = choice.options or row.options
    return Decided(
        dataclasses.replace(row, options=options),
        "binary" if origin == "binary" else "source",
        choice.context,
        choice.payload,
        range=choice.range,
    )


def _absent(choice: Choice, facts: Facts) -> NoSolution:
    there = ", ".join(found.version or "of unknown version" for found in facts.all(choice.name))
    wanted = f"`{choice.name}` {choice.range}".rstrip()
    return NoSolution(
        f"the lock counts on {wanted} of this machine, and it is not there",
        why=[f"there is {there}" if there else f"`{choice.name}` was not found", *_tested(choice)],
        hint=f"install {wanted} by your system's means, or lock again",
        rule="LCK-08",
    )


def _tested(choice: Choice) -> list[str]:
    return [f"the lock was made with {choice.tested}"] if choice.tested else []


def preferences_of(lock: Lock, platform: str) -> tuple[Preference, ...]:
    """Return what a lock chose for a platform, else for another one (SPEC LCK-09)."""
    found: dict[tuple[str, str], Preference] = {}
    rows = _rows(lock)
    for target in sorted(lock.target, key=lambda one: one.platform != platform):
        for choice in target.package:
            row = rows.get(_key(choice))
            one = Preference(
                choice.name,
                row.version if row else choice.tested,
                row.revision if row else 0,
                row.identity if row else "",
                row.index if row else "",
                choice.origin == "detected",
                choice.context,
            )
            found.setdefault((choice.name, choice.context), one)
    return tuple(one for key, one in sorted(found.items()) if one.version)


def _reaches(facts: Facts, name: str, value: str) -> bool:
    return capabilities.reaches(name, facts.capability(name), value, facts.cpu.features)


def _height(platform: Platform) -> tuple[int, ...]:
    return tuple(int(part) for part in platform.floor.split(".") if part)
