"""The verb `detect`: what is known of this machine, and what its probes find or would ask.

Rules (SPEC DET-15, DET-16): what was looked at and is no finding is told with the reason. This
module brings in nothing but detection: a run that has all its answers costs little more than to
start.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from crpack import disk
from crpack.detect import scan
from crpack.detect.evidence import Refused
from crpack.model import facts as facts_module
from crpack.model import parameters
from crpack.model.facts import Facts
from crpack.ops import detection

if TYPE_CHECKING:
    from crpack.model.recipe import Recipe
    from crpack.session import Session


@dataclass(frozen=True, slots=True)
class Seen:
    """What detection saw.

    Attributes:
        facts: with what was found.
        missing: names that were not found.
        refused: what was looked at and is none, each with the reason (SPEC DET-16).
        unasked: how many of those nothing here can confine (SPEC DET-06).
    """

    facts: Facts
    missing: tuple[str, ...]
    refused: tuple[Refused, ...]
    unasked: int

    @property
    def unfit(self) -> tuple[Refused, ...]:
        """The programs of PATH that do not count, but for those that were not asked."""
        every = (one for one in self.refused if one.program and one.why != scan.UNCONFINED)
        return tuple(sorted(every, key=lambda one: one.path))


def detect(session: Session, names: tuple[str, ...], *, refresh: bool, execute: bool) -> Seen:
    """Return this machine's facts with the software found on it.

    Raises:
        UsageError: crpack has no probe for a name.
    """
    recipes = _probed(names) if names else ()
    found, seen = detection.facts(session, recipes, refresh=refresh, execute=execute)
    missing = seen.missing
    if names:
        wanted = _findings(recipes, names)
        kept = tuple(item for item in found.found if item.name in wanted)
        found = replace(found, found=kept)
        have = {item.name for item in kept}
        missing = tuple(n for n in names if have.isdisjoint(_findings(recipes, (n,))))
    return Seen(
        found,
        missing,
        seen.refused,
        sum(item.why == scan.UNCONFINED for item in seen.refused),
    )


def _findings(recipes: tuple[Recipe, ...], names: tuple[str, ...]) -> frozenset[str]:
    """Return the names of findings that are asked for: one, or all of a component's."""
    known = {name for recipe in recipes for name in detection.names(recipe)}
    of_components = {r.package.name: detection.names(r) for r in recipes}
    return frozenset(
        found
        for name in names
        for found in ((name,) if name in known else of_components.get(name, ()))
    )


def detect_plan(session: Session, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return, as people read it, which programs `detect` would ask."""
    planned = detection.planned(session, _probed(names))
    return tuple(
        f"would ask {' '.join((one.file.path, *one.probe.args))}"
        for one in planned.candidates
        if not one.file.distrust
    )


def save_facts(facts: Facts, path: str) -> None:
    """Write facts as JSON to a file."""
    disk.atomic_write(path, facts_module.to_json(facts) + b"\n")


def _probed(names: tuple[str, ...]) -> tuple[Recipe, ...]:
    """Return the components that are asked for by their own or by a probe's first name."""
    owners = {
        name: recipe
        for recipe in detection.shipped()
        for name in (recipe.package.name, *detection.names(recipe))
    }
    for name in names:
        if name not in owners:
            raise parameters.unknown(name, tuple(owners), f"crpack has no probe for `{name}`")
    wanted = {owners[name].package.name: owners[name] for name in names or owners}
    return tuple(wanted.values())
