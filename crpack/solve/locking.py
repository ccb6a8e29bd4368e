"""From answers to a lock.

Rules (SPEC LCK-05, LCK-07):
- Every target has its own answer. A second one, in which crpack makes whatever it can, gives what
  to fall back on where the software of the machine is not there; it may add components, never
  change those of the first.
- A lock is stale exactly if its requests, or what decides how to choose, are others.
"""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from crpack.errors import UsageError
from crpack.model import canonical, capabilities, recipe_document, versions
from crpack.model import lock as locks
from crpack.model.lock import (
    Choice,
    Lock,
    LockedIndex,
    LockedPackage,
    LockedSource,
    LockedTarget,
    Wheel,
)
from crpack.model.platforms import Platform
from crpack.model.recipe_document import Context as Resolution
from crpack.solve.fitting import together
from crpack.solve.problem import Answer, Pick, Policy, Preference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crpack.solve.problem import Context, Problem, Request

DEFAULT = Policy()


@dataclass(frozen=True, slots=True)
class Solved:
    """What is known of one target of a lock.

    Attributes:
        platform: of the results.
        answer: what is installed there.
        made: the answer to `without_detected`, if there is one.
        python: version of the interpreter that the wheels are for; empty without wheels.
        wheels: of its environment.
    """

    platform: Platform
    answer: Answer
    made: Answer | None = None
    python: str = ""
    wheels: tuple[Wheel, ...] = ()


def request_hash(
    requests: tuple[Request, ...],
    targets: tuple[str, ...],
    *,
    options: tuple[tuple[str, str, str], ...] = (),
    policy: Policy = DEFAULT,
    builds: bool = True,
) -> str:
    """Return the digest of all that a person decided about a lock (SPEC LCK-07).

    Who asked (`Request.origin`) does not count.
    """
    rows = [
        [one.name, one.range, [list(pair) for pair in sorted(one.options)], one.prerelease]
        for one in requests
    ]
    table = {
        "requests": rows,
        "targets": sorted(targets),
        "options": [list(row) for row in sorted(options)],
        "policy": [policy.prefer, policy.detect, policy.only_detected],
        "builds": builds,
    }
    return hashlib.sha256(canonical.encode(table)).hexdigest()


def without_detected(problem: Problem, answer: Answer) -> Problem:
    """Return the problem whose answer says what to fall back on (SPEC LCK-05)."""
    policy = dataclasses.replace(problem.policy, prefer="made", only_detected=False)
    kept = tuple(one for one in preferences(answer) if not one.detected)
    return dataclasses.replace(problem, policy=policy, locked=kept)


def preferences(answer: Answer) -> tuple[Preference, ...]:
    """Return what an answer chose, for a problem that should be answered likewise."""
    return tuple(
        Preference(
            pick.name,
            pick.version,
            pick.revision,
            pick.identity,
            pick.index if pick.release else "",
            pick.found is not None,
            pick.context,
        )
        for pick in answer.picks
        if pick.origin != "virtual"
    )


def lock_of(
    requests: tuple[Request, ...],
    targets: tuple[Solved, ...],
    indexes: tuple[LockedIndex, ...] = (),
    *,
    digest: str = "",
) -> Lock:
    """Return the lock of some answers, rows in order (SPEC LCK-01 to LCK-07).

    Args:
        requests: as they were asked for.
        targets: one a platform.
        indexes: those that were asked; the ones that nothing is bound to are left out.
        digest: `request_hash`.
    """
    chosen = [(target, _consistent(target)) for target in targets]
    packages = _packages(chosen)
    used = {package.index for package in packages.values()}
    wheels = {wheel.sha256: wheel for target in targets for wheel in target.wheels}
    return locks.ordered(
        Lock(
            request=tuple(str(request) for request in requests),
            request_hash=digest,
            index=tuple(index for index in indexes if index.name in used),
            package=tuple(packages.values()),
            target=tuple(_target(target, made, packages) for target, made in chosen),
            wheel=tuple(wheels.values()),
        )
    )


def _consistent(target: Solved) -> Answer | None:
    """Return the second answer of a target, if it leaves the first one's picks alone."""
    for pick in target.answer.picks if target.made else ():
        other = target.made.pick(pick.name, pick.context) if target.made else None
        if other is None or (_way(other) != _way(pick) and not _replaces(other, pick)):
            return None
    return target.made


def _replaces(other: Pick, pick: Pick) -> bool:
    """Say whether a release may stand in for what was detected, which still serves where it is."""
    serves = versions.parse_range(other.range).admits(pick.version)
    return pick.found is not None and other.release is not None and (serves or not other.range)


def _way(pick: Pick) -> tuple[object, ...]:
    return (pick.version, pick.revision, pick.origin, pick.payload, pick.options, pick.index)


def _packages(
    chosen: list[tuple[Solved, Answer | None]],
) -> dict[tuple[str, str, int], LockedPackage]:
    """Return a row for each release of any answer; what it requires anywhere is joined."""
    rows: dict[tuple[str, str, int], LockedPackage] = {}
    for target, made in chosen:
        for pick in (*target.answer.picks, *(made.picks if made else ())):
            if pick.release is None:
                continue
            row = _package(pick, target.platform)
            key = (row.name, row.version, row.revision)
            known = rows.setdefault(key, row)
            ranges = dict(known.requires)
            for name, text in row.requires:
                ranges[name] = together((ranges.get(name, text), text))
            rows[key] = dataclasses.replace(known, requires=tuple(sorted(ranges.items())))
    return rows


def _package(pick: Pick, platform: Platform) -> LockedPackage:
    release = pick.release
    if release is None:
        raise UsageError(f"`{pick.name}` is of this machine and has no row")
    recipe = recipe_document.resolve(release.recipe, Resolution(platform, pick.options))
    return LockedPackage(
        pick.name,
        pick.version,
        pick.revision,
        recipe.package.kind,
        identity=pick.identity,
        signers=release.signers,
        index=pick.index,
        options=pick.options,
        requires=pick.requires,
        source=tuple(
            LockedSource(one.sha256, one.size, tuple(url for url in one.urls if "://" in url))
            for one in release.sources
        ),
    )


def _target(
    target: Solved, made: Answer | None, packages: dict[tuple[str, str, int], LockedPackage]
) -> LockedTarget:
    floors: dict[str, str] = {}
    rows = []
    for pick in target.answer.picks:
        rows.append(_choice(pick, made.pick(pick.name, pick.context) if made else None, packages))
        for key, value in _floors(pick, target.platform):
            floors[key] = capabilities.higher(key, floors.get(key, value), value)
    for pick, names in _extra(target.answer, made) if made else ():
        row = _choice(pick, None, packages)
        rows.append(dataclasses.replace(row, only_for=names))
    return LockedTarget(
        platform=str(target.platform),
        python=target.python,
        capabilities=tuple(sorted(floors.items())),
        wheels=tuple(wheel.sha256 for wheel in target.wheels),
        package=tuple(rows),
    )


def _choice(
    pick: Pick, made: Pick | None, packages: dict[tuple[str, str, int], LockedPackage]
) -> Choice:
    row = Choice(pick.name, pick.origin, pick.context, range=pick.range)
    source: Pick | None = pick
    if pick.found is not None:
        if made is not None:  # the fallback of another name may ask for less, or for more
            row = dataclasses.replace(row, range=together((pick.range, made.range), pick.version))
        source = made if made and made.release else None
        fallback: Literal["", "binary", "source"] = ""
        if source is not None:
            fallback = "binary" if source.origin == "binary" else "source"
        row = dataclasses.replace(row, tested=pick.version, fallback=fallback, linked=pick.linked)
    if source is None or source.release is None:
        return row
    package = packages[source.name, source.version, source.revision]
    sizes = {payload.id: payload.packed for payload in source.release.payloads}
    return dataclasses.replace(
        row,
        version=source.version,
        revision=source.revision,
        payload=source.payload,
        size=sizes.get(source.payload, 0),
        options=source.options if source.options != package.options else (),
    )


def _extra(answer: Answer, made: Answer) -> Iterator[tuple[Pick, tuple[str, ...]]]:
    """Yield what only the second answer has, with the names whose fallback leads to it."""
    known = {(pick.name, pick.context) for pick in answer.picks}
    wanted: dict[tuple[str, Context], dict[str, None]] = {}
    for pick in answer.picks:
        if pick.found is None:
            continue
        waiting = [(pick.name, pick.context)]
        for slot in waiting:
            one = made.pick(*slot)
            for inner in _below(one) if one else ():
                if inner not in known and inner not in waiting:
                    waiting.append(inner)
                    wanted.setdefault(inner, {})[pick.name] = None
    for pick in made.picks:
        names = wanted.get((pick.name, pick.context))
        if names:
            yield pick, tuple(sorted(names))


def _below(pick: Pick) -> Iterator[tuple[str, Context]]:
    for name, _ in pick.requires:
        yield name, pick.context
    for name, _ in pick.tools:
        yield name, "build"


def _floors(pick: Pick, platform: Platform) -> Iterator[tuple[str, str]]:
    """Yield the capabilities that a pick needs at least: of its payload, and of its recipe."""
    if pick.release is None or pick.context == "build":
        return
    mine = (one for one in pick.release.payloads if one.id == pick.payload)
    yield from ((f"@{name}", value) for one in mine for name, value in one.floors)
    where = Resolution(platform, pick.options)
    for need in recipe_document.resolve(pick.release.recipe, where).requires.machine:
        if floor := capabilities.least(need.name, need.version):
            yield need.name, floor
