"""Choices that were made before: from what a lock decides for this machine to what is installed.

Rules (SPEC LCK-08):
- Nothing is chosen here. What a lock decided is held against the archives and this machine, and
  what does not hold is refused: a payload that does not run here, a requirement that the lock
  leaves open.
- A component comes after what it needs. No recursion: a lock may be deep.
Pure: rows, facts and opened archives in, choices out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack.errors import ArchiveError, NoSolution
from crpack.model import platforms, recipe_document, versions
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
    from crpack.model.requirements import Requirement
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

    A lock does not say which build needs which tool, nor who provides a name that is no
    component's own; one too many costs nothing but its archive.

    Raises:
        NoSolution: the lock does not have the request for this machine.
    """
    known = by_name(decided)
    if root not in known or known[root].origin == "detected":
        what = f"the lock does not say how `{root}` is had here"
        raise NoSolution(what, hint="lock again: `crpack lock`", rule="LCK-08")
    waiting = [root, *(one.package.name for one in decided if one.context == "build")]
    seen = set(waiting)
    for name in waiting:
        if name not in known:
            return known
        fresh = [need for need, _ in known[name].package.requires if need not in seen]
        seen.update(fresh)
        waiting += fresh
    return {name: one for name, one in known.items() if name in seen}


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
        NoSolution: something decided does not fit this machine, or the lock leaves out what an
            archive requires.
        ArchiveError: an archive lacks what the lock chose.
    """
    made = {name: _choice(one, components.get(name), facts) for name, one in decided.items()}
    _check_conflicts(made)
    ordered: dict[str, Choice] = {}
    entered: set[str] = set()
    waiting = [(root, False)]
    while waiting:
        name, left = waiting.pop()
        if left:
            ordered[name] = made[name]
        elif name not in entered:
            entered.add(name)
            waiting.append((name, True))
            waiting += [(need, False) for need in reversed(_needs(made[name], made))]
    return tuple(ordered.values())


def _check_conflicts(made: Mapping[str, Choice]) -> None:
    """Refuse a lock with components that exclude each other.

    Raises:
        NoSolution: two do.
    """
    for name, choice in made.items():
        for other, text in (*choice.recipe.conflicts, *choice.recipe.replaces):
            if other == name or other not in made:
                continue
            version = made[other].recipe.package.version
            if versions.parse_range(text).admits(version, early=True):
                raise NoSolution(
                    f"`{name}` conflicts with `{other}` {version}, and the lock has both",
                    hint="lock again: `crpack lock`",
                    rule="LCK-08",
                )


def _needs(choice: Choice, made: Mapping[str, Choice]) -> tuple[str, ...]:
    """Return the names of the choices that a choice needs.

    Raises:
        NoSolution: the lock leaves one of its requirements open.
    """
    requires = choice.recipe.requires
    found: dict[str, None] = {}
    for need in (*requires.run, *requires.target):
        serving = _serving(need, made)
        if not serving and not need.optional:
            other = f"it has {made[need.name].recipe.package.version}" if need.name in made else ""
            raise NoSolution(
                f"the lock leaves open that `{choice.name}` requires "
                f"`{need.name}` {need.version}".rstrip(),
                why=[other] if other else (),
                hint="lock again: `crpack lock`",
                rule="LCK-08",
            )
        found |= dict.fromkeys(serving)
    tools = [need.name for need in requires.build if need.name in made]
    return tuple(found | dict.fromkeys(tools))


def _serving(need: Requirement, made: Mapping[str, Choice]) -> tuple[str, ...]:
    """Return the names of what satisfies a requirement: the component itself, or who provides it.

    What was detected was held against its range before.
    """
    if need.name in made:
        one = made[need.name]
        wanted = versions.parse_range(need.version)
        fits = one.found is not None or wanted.admits(one.recipe.package.version, early=True)
        return (need.name,) if fits else ()
    return tuple(
        name
        for name, one in made.items()
        if any(provided == need.name for provided, _ in one.recipe.provides)
    )


def _choice(one: Decided, component: Component | None, facts: Facts) -> Choice:
    if one.origin == "detected" or component is None:
        return Choice(
            None, _bare(one.package), one.package.options, "detected", found=one.found,
            range=one.range, instead=one.instead,
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
    if not problem and tuple(sorted(payload.options)) != tuple(sorted(options)):
        problem = "its payload was made with other options than the lock says"
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
