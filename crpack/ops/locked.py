"""Choices that were made before: from what a lock decides for this machine to what is installed.

Rules (SPEC LCK-08):
- Nothing is chosen here. What a lock decided is held against the archives and this machine, and
  what does not hold is refused: a payload that does not run here, a requirement that the lock
  leaves open.
- A component comes after what it needs. No recursion: a lock may be deep.
Pure: rows, facts and opened archives in, choices out.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from crpack.errors import ArchiveError, NoSolution
from crpack.model import platforms, recipe_document, versions
from crpack.model.manifest import payload_member
from crpack.model.recipe import Package, Recipe
from crpack.model.recipe_document import Context
from crpack.ops import data
from crpack.ops.gathering import Part
from crpack.ops.selection import Choice, Component
from crpack.solve.fitting import check_machine, misfit
from crpack.solve.problem import Slot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crpack.model.facts import Facts
    from crpack.model.lock import LockedPackage
    from crpack.model.requirements import Requirement
    from crpack.solve.problem import Context as SlotContext
    from crpack.solve.restoring import Decided


def part(one: Decided) -> Part | None:
    """Return the archive that a decision needs, and what of it; None for detected software.

    Of data in place it is that of the release that was found, which says what it exports (DAT-05).
    """
    if one.origin == "detected":
        row = data.release(one.found) if one.found else None
        return Part(row) if row else None
    payloads = (one.payload,) if one.payload else ()
    return Part(one.package, payloads, sources=one.origin == "source")


def by_slot(decided: tuple[Decided, ...], *, crossing: bool = False) -> dict[Slot, Decided]:
    """Return decisions by name and context.

    Where results run on the machine that makes them, a component in both contexts is made once,
    for its results, and there is one context.
    """
    if crossing:
        return {Slot(one.package.name, one.context): one for one in decided}
    ordered = sorted(decided, key=lambda one: one.context == "target")
    return {Slot(one.package.name): one for one in ordered}


def reachable(
    root: str, decided: tuple[Decided, ...], *, crossing: bool = False
) -> dict[Slot, Decided]:
    """Return what one request of a lock needs: its closure, and the tools of builds.

    A lock does not say which build needs which tool, nor who provides a name that is no
    component's own; one too many costs nothing but its archive.

    Raises:
        NoSolution: the lock does not have the request for this machine.
    """
    known = by_slot(decided, crossing=crossing)
    first = Slot(root)
    if first not in known or known[first].origin == "detected":
        what = f"the lock does not say how `{root}` is had here"
        raise NoSolution(what, hint="lock again: `crpack lock`", rule="LCK-08")
    tools = (one.package.name for one in decided if one.context == "build")
    waiting = [first, *(Slot(name, "build" if crossing else "target") for name in tools)]
    seen = set(waiting)
    for slot in waiting:
        if slot not in known:
            return known
        needs = (Slot(need, slot.context) for need, _ in known[slot].package.requires)
        fresh = [need for need in needs if need not in seen]
        seen.update(fresh)
        waiting += fresh
    return {slot: one for slot, one in known.items() if slot in seen}


def choices(
    root: str,
    decided: Mapping[Slot, Decided],
    components: Mapping[str, Component],
    facts: Facts,
    maker: Facts | None = None,
) -> tuple[Choice, ...]:
    """Return the choices of a lock, each after what it needs, the root last (SPEC LCK-08).

    Args:
        root: the requested component.
        decided: by name and context.
        components: opened archives, by identity, of all that is not detected.
        facts: of the machine that results run on.
        maker: of the machine that makes them, where it is another one.

    Raises:
        NoSolution: something decided does not fit this machine, or the lock leaves out what an
            archive requires.
        ArchiveError: an archive lacks what the lock chose.
    """
    made: dict[Slot, Choice] = {}
    for slot, one in decided.items():
        machine = maker if maker is not None and slot.context == "build" else facts
        needed = part(one)
        component = components.get(needed.package.identity) if needed else None
        choice = _choice(one, component, machine)
        made[slot] = replace(choice, context=slot.context)
    _check_conflicts(made)
    ordered: dict[Slot, Choice] = {}
    entered: set[Slot] = set()
    waiting = [(Slot(root), False)]
    while waiting:
        slot, left = waiting.pop()
        if left:
            ordered[slot] = made[slot]
        elif slot not in entered:
            entered.add(slot)
            waiting.append((slot, True))
            needs = _needs(made[slot], made, crossing=maker is not None)
            waiting += [(need, False) for need in reversed(needs)]
    return tuple(ordered.values())


def _check_conflicts(made: Mapping[Slot, Choice]) -> None:
    """Refuse a lock with components that exclude each other.

    Raises:
        NoSolution: two do.
    """
    for slot, choice in made.items():
        for name, text in (*choice.recipe.conflicts, *choice.recipe.replaces):
            other = Slot(name, slot.context)
            if other == slot or other not in made:
                continue
            version = made[other].recipe.package.version
            if versions.parse_range(text).admits(version, early=True):
                raise NoSolution(
                    f"`{slot.name}` conflicts with `{name}` {version}, and the lock has both",
                    hint="lock again: `crpack lock`",
                    rule="LCK-08",
                )


def _needs(choice: Choice, made: Mapping[Slot, Choice], *, crossing: bool) -> tuple[Slot, ...]:
    """Return the choices that a choice needs, by name and context.

    Raises:
        NoSolution: the lock leaves one of its requirements open.
    """
    requires = choice.recipe.requires
    context = choice.context
    found: dict[Slot, None] = {}
    for need in (*requires.run, *requires.target):
        serving = _serving(need, context, made)
        if not serving and not need.optional:
            there = made.get(Slot(need.name, context))
            other = f"it has {there.recipe.package.version}" if there else ""
            raise NoSolution(
                f"the lock leaves open that `{choice.name}` requires "
                f"`{need.name}` {need.version}".rstrip(),
                why=[other] if other else (),
                hint="lock again: `crpack lock`",
                rule="LCK-08",
            )
        found |= dict.fromkeys(serving)
    where: SlotContext = "build" if crossing else context
    tools = (Slot(need.name, where) for need in requires.build)
    return tuple(found | dict.fromkeys(slot for slot in tools if slot in made))


def _serving(
    need: Requirement, context: SlotContext, made: Mapping[Slot, Choice]
) -> tuple[Slot, ...]:
    """Return what satisfies a requirement: the component itself, or who provides it.

    What was detected was held against its range before.
    """
    slot = Slot(need.name, context)
    if slot in made:
        one = made[slot]
        wanted = versions.parse_range(need.version)
        fits = one.found is not None or wanted.admits(one.recipe.package.version, early=True)
        return (slot,) if fits else ()
    return tuple(
        other
        for other, one in made.items()
        if other.context == context
        and any(provided == need.name for provided, _ in one.recipe.provides)
    )


def _choice(one: Decided, component: Component | None, facts: Facts) -> Choice:
    here = platforms.parse(facts.platform)
    options = one.package.options
    if one.origin == "detected" or component is None:
        bare = _bare(one.package)
        if component is not None:
            whole = recipe_document.resolve(component.archive.recipe_bytes, Context(here, options))
            bare = replace(bare, exports=whole.exports)
        return Choice(
            None, bare, options, "detected", found=one.found, range=one.range, instead=one.instead
        )
    recipe = recipe_document.resolve(component.archive.recipe_bytes, Context(here, options))
    check_machine(one.package.name, recipe.requires, facts)
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
