"""Choices that were made before: from what a lock decides for this machine to what is installed.

Rules (SPEC LCK-08):
- Nothing is chosen here. What a lock decided is held against the archives and this machine, and
  what does not hold is refused.
- A component comes after what it needs.
Pure: rows, facts and opened archives in, choices out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack.errors import ArchiveError, NoSolution
from crpack.model import platforms, recipe_document
from crpack.model.manifest import payload_member
from crpack.model.recipe import Package, Recipe
from crpack.model.recipe_document import Context
from crpack.ops.gathering import Part
from crpack.ops.selection import Choice, Component
from crpack.solve.fitting import misfit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crpack.model.facts import Facts
    from crpack.model.lock import LockedPackage
    from crpack.solve.restoring import Decided


def part(one: Decided) -> Part | None:
    """Return the archive that a decision needs, and what of it; None for detected software."""
    if one.origin == "detected":
        return None
    payloads = (one.payload,) if one.payload else ()
    return Part(one.package, payloads, sources=one.origin == "source")


def by_name(decided: tuple[Decided, ...]) -> dict[str, Decided]:
    """Return decisions by name; a component in both contexts is made once, for its results."""
    ordered = sorted(decided, key=lambda one: one.context == "target")
    return {one.package.name: one for one in ordered}


def reachable(root: str, decided: tuple[Decided, ...]) -> dict[str, Decided]:
    """Return, by name, what one request of a lock needs: its closure, and the tools of builds.

    A lock does not say which build needs which tool; one too many costs nothing but its archive.
    """
    known = by_name(decided)
    tools = [one.package.name for one in decided if one.context == "build"]
    waiting = [root, *tools]
    for name in waiting:
        requires = known[name].package.requires if name in known else ()
        waiting += [need for need, _ in requires if need not in waiting]
    return {name: one for name, one in known.items() if name in waiting}


def choices(
    root: str, decided: Mapping[str, Decided], components: Mapping[str, Component], facts: Facts
) -> tuple[Choice, ...]:
    """Return the choices of a lock, each after what it needs, the root last (SPEC LCK-08).

    Args:
        root: the requested component.
        decided: by name.
        components: opened archives, by name, of all that is not detected.
        facts: of this machine.

    Raises:
        NoSolution: something decided does not fit this machine.
        ArchiveError: an archive lacks what the lock chose.
    """
    made = {name: _choice(one, components.get(name), facts) for name, one in decided.items()}
    ordered: dict[str, Choice] = {}
    visiting: set[str] = set()

    def visit(name: str) -> None:
        if name in ordered or name in visiting or name not in made:
            return
        visiting.add(name)
        requires = made[name].recipe.requires
        for need in (*requires.run, *requires.target, *requires.build):
            visit(need.name)
        ordered[name] = made[name]

    visit(root)
    return tuple(ordered.values())


def _choice(one: Decided, component: Component | None, facts: Facts) -> Choice:
    if one.origin == "detected" or component is None:
        return Choice(
            None, _bare(one.package), one.package.options, "detected", found=one.found,
            range=one.range,
        )  # fmt: skip
    here = platforms.parse(facts.platform)
    options = one.package.options
    recipe = recipe_document.resolve(component.archive.recipe_bytes, Context(here, options))
    if one.origin == "source":
        if recipe.build is None:
            raise NoSolution(f"`{one.package.name}` cannot be made: its recipe says not how")
        return Choice(component, recipe, options, "source", range=one.range)
    payload = component.archive.payload(one.payload)
    problem = misfit(payload, facts)
    if problem:
        raise NoSolution(
            f"the `{one.package.name}` of the lock does not run here",
            why=[problem],
            hint="lock again for this machine: `crpack lock`",
        )
    if not component.archive.has(payload_member(payload.id)):
        raise ArchiveError(f"the archive of `{one.package.name}` lacks the payload of the lock")
    return Choice(component, recipe, options, "binary", payload=payload, range=one.range)


def _bare(package: LockedPackage) -> Recipe:
    """Return what is known of software that nobody packed: its name and kind."""
    return Recipe(
        Package(
            kind=package.kind, summary="", license="", name=package.name, version=package.version
        )
    )
