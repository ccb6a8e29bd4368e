"""Deciding what a solution needs of Python, from an archive's closure or from a lock.

Rules (SPEC PYE-10, BUN-12, BUN-14):
- Only signed recipes ask for wheels. A lock may name no wheel but those that its components'
  requirements need, by the wheels' own metadata, and none may be lacking.
- What a bundle carries is held against that before anything of it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack.errors import NoSolution, TrustError
from crpack.model import lock as locks
from crpack.model import platforms, recipe_document
from crpack.model.quantity import counted
from crpack.model.recipe_document import Context
from crpack.ops import pythons
from crpack.ops.needs import Needs
from crpack.ops.progress import News
from crpack.solve import restoring

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crpack.model.facts import Facts
    from crpack.model.lock import LockedTarget
    from crpack.ops.freezing import Frozen
    from crpack.ops.progress import Tell
    from crpack.ops.selection import Choice
    from crpack.session import Session
    from crpack.solve.problem import Slot
    from crpack.solve.restoring import Decided

_PYTHON = "{python}"


def of_archive(session: Session, choices: tuple[Choice, ...], facts: Facts, tell: Tell) -> Needs:
    """Return what an archive's closure needs; its wheels are chosen now.

    Raises:
        NoSolution: no interpreter or no wheels satisfy it.
        FetchError: the user's Python index cannot be reached.
    """
    requires = tuple(dict.fromkeys(text for one in _made(choices) for text in _requires(one)))
    ranges, runs = _ranges(choices)
    if not (requires or ranges or runs):
        return Needs()
    interpreter = pythons.choose(session, facts, ranges)
    if not requires:
        return Needs(interpreter)
    tell(News("Locking", f"{len(requires)} Python requirements"))
    located = pythons.lock(session, requires, interpreter)
    return Needs(interpreter, located, requires, requires)


def of_lock(
    session: Session,
    choices: tuple[Choice, ...],
    rows: Mapping[Slot, Decided],
    frozen: Frozen,
    tell: Tell,
) -> Needs:
    """Return what is installed from a lock needs; nothing is chosen.

    Args:
        session: for the cache, the tools and the settings.
        choices: what is installed.
        rows: what the lock decided, by name and context.
        frozen: the lock.
        tell: takes the news.

    Raises:
        NoSolution: no interpreter is the one that the wheels are for.
        FetchError: a wheel is not to be had.
        TrustError: no recipe asks for the wheels; or those of a bundle are not what is asked for,
            or must be signed and are not.
    """
    target = restoring.target_for(frozen.lock, frozen.facts)
    every = _of_target(frozen, target)
    if target.wheels and not every:
        raise TrustError(
            "the lock has Python wheels, and no component of it asks for Python",
            why=[counted(len(target.wheels), "wheel") + f" for `{target.platform}`"],
            hint="lock again: `crpack lock`",
            rule="PYE-10",
        )
    mine = [one for one in _made(choices) if rows[one.slot].context == "target"]
    own = tuple(dict.fromkeys(text for one in mine for text in _requires(one)))
    ranges, runs = _ranges(choices)
    if not (own or ranges or runs):
        return Needs()
    exact = (f"=={pythons.minor(target.python)}.*",) if own and target.python else ()
    interpreter = pythons.choose(session, frozen.facts, (*ranges, *exact))
    if not own:
        return Needs(interpreter)
    known = {one.wheel.sha256: one for one in frozen.located}
    wheels = tuple(one for one in frozen.lock.wheel if one.sha256 in set(target.wheels))
    tell(News("Locking", f"{len(wheels)} Python distributions, as the lock has them"))
    carried, stated = frozen.carried, pythons.stated(target)
    if carried is None:
        located = pythons.locate(session, wheels, known, interpreter)
        return Needs(interpreter, located, own, every, stated)
    found = Needs(interpreter, pythons.unlocated(wheels), own, every, stated, carried)
    if not found.vouched and session.config.text("bundle-wheels") == "signed":
        raise _unsigned(frozen.lock.request)
    pythons.judge(found, carried.open)
    return found


def check_elsewhere(choices: tuple[Choice, ...], there: Facts) -> None:
    """See that nothing that is installed for another machine needs Python (SPEC ELS-03).

    Raises:
        NoSolution: something does.
    """
    for one in _made(choices):
        ranges, runs = _ranges((one,))
        if one.context == "target" and (_requires(one) or ranges or runs):
            raise not_there(one.name, there.platform)


def not_there(name: str, platform: str) -> NoSolution:
    """Return the error of a component that would need an environment of another machine."""
    return NoSolution(
        f"`{name}` needs a Python environment, which only the machine that it is for can make",
        why=[f"an interpreter for `{platform}` does not run here"],
        hint=f"carry it there and install it there: `crpack bundle {name} --platform {platform}`",
        rule="ELS-03",
    )


def _of_target(frozen: Frozen, target: LockedTarget) -> tuple[str, ...]:
    """Return what the recipes of all that a target of a lock decides ask for, by its indexes."""
    platform = platforms.parse(target.platform)
    requires: dict[str, None] = {}
    for choice in target.package:
        row = locks.package_of(frozen.lock, choice)
        if row is None or not row.index or choice.context != "target":
            continue
        release = frozen.indexes.release(row.index, row.name, row.identity)
        context = Context(platform, choice.options or row.options)
        recipe = recipe_document.resolve(release.recipe, context)
        requires |= dict.fromkeys(recipe.python.requires)
    return tuple(requires)


def _made(choices: tuple[Choice, ...]) -> tuple[Choice, ...]:
    return tuple(choice for choice in choices if choice.origin != "detected")


def _requires(choice: Choice) -> tuple[str, ...]:
    return choice.recipe.python.requires


def _ranges(choices: tuple[Choice, ...]) -> tuple[tuple[str, ...], bool]:
    """Return the ranges of Python that components ask for, and whether an action runs it."""
    recipes = [choice.recipe for choice in _made(choices)]
    ranges = tuple(recipe.python.python for recipe in recipes if recipe.python.python)
    runs = any(
        _PYTHON in word
        for recipe in recipes
        for action in recipe.action
        for argv in (action.argv, *action.pre, *action.post)
        for word in argv
    )
    return ranges, runs


def _unsigned(requests: tuple[str, ...]) -> TrustError:
    return TrustError(
        "the bundle has Python wheels, and no pinned key signed its lock",
        why=[f"a key that is pinned for all of {', '.join(requests)} would have to",
             "the setting `bundle-wheels` is `signed`"],
        hint="ask who made it to sign it: `crpack bundle … --key NAME`",
        rule="BUN-14",
    )  # fmt: skip
