"""A change: what one lock decides and another one does not, or otherwise.

Rules (SPEC CLI-07):
- One change for each target, name and context, and for each wheel of a target, in that order.
- Each side says how the name is had; a side that has it not is None.
- A line for people is made of the same values, so that no program need read prose.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from crpack.model import lock as locks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crpack.model.lock import Choice, Lock, LockedPackage

_SIGNS = {"added": "+", "removed": "-", "changed": "~"}
_Key = tuple[str, str, str]  # target, name or file name, context


@dataclass(frozen=True, slots=True)
class Side:
    """How a lock has a name on a target.

    Attributes:
        version: of the release, as detected, or of the wheel.
        revision: of the release.
        origin: `binary`, `source`, `detected`, `virtual` or `wheel`.
        identity: of the archive; of a wheel its sha256; empty for neither.
        instead: for `detected`: what is installed where it is not there, and how; empty: nothing.
    """

    version: str
    revision: int
    origin: str
    identity: str = ""
    instead: str = ""

    def __str__(self) -> str:
        if self.origin == "wheel":
            return self.version
        if self.origin == "detected":
            other = f", in place of {self.instead}" if self.instead else ""
            return f"{self.version} detected{other}"
        known = f" ({self.identity[:12]})" if self.identity else ""
        return f"{self.version} {self.origin}{known}"


@dataclass(frozen=True, slots=True)
class Change:
    """One name, or file of a wheel, that is other than before.

    Attributes:
        kind: what happened to it.
        platform: of the target.
        name: of the component, or of the wheel's file.
        context: `target` or `build`; empty for a wheel.
        before: None where it was not there.
        after: None where it is not there any more.
    """

    kind: Literal["added", "removed", "changed"]
    platform: str
    name: str
    context: str
    before: Side | None
    after: Side | None

    def __str__(self) -> str:
        sides = " -> ".join(str(side) for side in (self.before, self.after) if side is not None)
        where = " (to build)" if self.context == "build" else ""
        return f"{_SIGNS[self.kind]} {self.platform} {self.name}{where} {sides}"


def between(old: Lock | None, new: Lock) -> tuple[Change, ...]:
    """Return what one lock has and the other has not, sorted."""
    before, after = dict(_rows(old)) if old else {}, dict(_rows(new))
    found = []
    for key in sorted(before.keys() | after.keys()):
        one, two = before.get(key), after.get(key)
        if one != two:
            kind: Literal["added", "removed", "changed"] = "added" if one is None else "changed"
            found.append(Change("removed" if two is None else kind, *key, one, two))
    return tuple(found)


def instead(package: LockedPackage | None, choice: Choice) -> str:
    """Return what is installed where a detected choice is not there; empty for nothing."""
    if package is None or not choice.fallback:
        return ""
    return f"{package.version} ({choice.fallback})"


def _rows(lock: Lock) -> Iterator[tuple[_Key, Side]]:
    for target in lock.target:
        for choice in target.package:
            side = _side(locks.package_of(lock, choice), choice)
            yield (target.platform, choice.name, choice.context), side
        for wheel in lock.wheel:
            if wheel.sha256 in target.wheels:
                side = Side(wheel.version, 0, "wheel", wheel.sha256)
                yield (target.platform, wheel.filename, ""), side


def _side(package: LockedPackage | None, choice: Choice) -> Side:
    if choice.origin == "detected":
        return Side(choice.tested, 0, "detected", instead=instead(package, choice))
    version = choice.version or (package.version if package else "")
    revision = package.revision if package else 0
    return Side(version, revision, choice.origin, package.identity if package else "")
