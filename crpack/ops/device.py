"""The device owner's verbs: `install`, `update`, `remove`.

Rules:
- The only place that joins opening, choosing, making, admitting and committing.
- What will be done is a plan, printed by `--dry-run` and checked for space, before it is done.
- Every solution is its own transaction: old or new, never between. A failure says that nothing
  was changed.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack.errors import CrpackError, InstallError, Interrupted, UsageError
from crpack.install import collect, generations, state
from crpack.install import transaction as transactions
from crpack.install.transaction import Draft, Transaction
from crpack.model import lock as locks
from crpack.ops import opening, preparing
from crpack.ops.fulfilling import Workshop, now_text
from crpack.ops.preparing import Order, Prepared
from crpack.ops.progress import News, Tell, silent

if TYPE_CHECKING:
    from crpack.install.plan import InstallPlan
    from crpack.model.recipe import Recipe
    from crpack.session import Session

__all__ = ["Order", "install", "plan", "remove", "require", "rollback", "rollback_target"]


@dataclass(frozen=True, slots=True)
class Installed:
    """What an installation did.

    Attributes:
        changed: False when everything was there already.
        parts: components with version and origin, as people read them.
        wheels: number of Python distributions; `python` is the interpreter's identity.
        signers: labels of the keys that vouch for it.
        sandbox, network: how builds ran; empty when nothing was built.
        next: command lines that make sense now, without `crpack`.
    """

    name: str
    version: str
    generation: int
    changed: bool
    parts: tuple[str, ...] = ()
    wheels: int = 0
    python: str = ""
    signers: tuple[str, ...] = ()
    sandbox: str = ""
    network: str = ""
    next: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RolledBack:
    """A solution that went back: `restored` is the number of the state that it has again."""

    name: str
    version: str
    generation: int
    restored: int


@dataclass(frozen=True, slots=True)
class Gone:
    """One removed solution."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Removed:
    """What `remove` took away: solutions, and numbers of trees and environments."""

    solutions: tuple[Gone, ...]
    trees: int
    environments: int


def plan(session: Session, order: Order, *, tell: Tell = silent) -> InstallPlan:
    """Return what `install` would do; nothing is changed.

    Raises:
        As `install`, but for what only doing can find.
    """
    with opening.opened(
        session, order.place, allow_unsigned=order.allow_unsigned, tell=tell
    ) as source:
        return preparing.prepare(session, order, source, tell).plan


def install(
    session: Session, order: Order, *, update: bool = False, tell: Tell = silent
) -> Installed:
    """Install a solution from an archive, or replace the installed one.

    Args:
        session: for settings, pins and the prefix.
        order: what is asked for.
        update: refuse unless it is installed already.
        tell: takes the news.

    Raises:
        TrustError: the archive, or one that it carries, is not vouched for.
        NoSolution: its closure does not fit this machine.
        BuildFailed: a component cannot be made here.
        FetchError: wheels are not reachable.
        InstallError: no space, no rights, or it is not installed (`update`).
    """
    try:
        _check_prefix(session.prefix)
        with opening.opened(
            session, order.place, allow_unsigned=order.allow_unsigned, tell=tell
        ) as source:
            if update:
                generations.require(session.prefix, source.root.name)
            prepared = preparing.prepare(session, order, source, tell)
            if prepared.unchanged:
                return _already(session, prepared, source.warnings)
            preparing.check_space(session, prepared)
            return _execute(session, prepared, source.warnings, tell)
    except KeyboardInterrupt as error:
        raise Interrupted("interrupted; nothing was changed", data={"changed": False}) from error
    except CrpackError as error:
        if not error.data.setdefault("changed", False):
            error.why = (*error.why, "nothing was changed")
        raise


def _check_prefix(prefix: str) -> None:
    """See that the folder of installations is one, or can be made.

    Raises:
        InstallError: something else has its name.
    """
    if os.path.lexists(prefix) and not os.path.isdir(prefix):
        raise InstallError(
            f"the prefix `{prefix}` is not a folder", hint="name another one with `--prefix`"
        )


def _already(session: Session, prepared: Prepared, warnings: tuple[str, ...]) -> Installed:
    number = state.current_number(session.prefix, prepared.plan.name)
    return Installed(
        prepared.plan.name, prepared.plan.version, number, changed=False, warnings=warnings
    )


def _execute(
    session: Session, prepared: Prepared, warnings: tuple[str, ...], tell: Tell
) -> Installed:
    with Transaction(session.prefix) as transaction:
        workshop = Workshop(session, transaction, prepared, tell)
        for choice in prepared.choices:
            workshop.take(choice)
        environment = workshop.environment()
        record = workshop.record(environment)
        lock = locks.encode(prepared.lock)
        recipe = prepared.choices[-1].component.archive.recipe_bytes
        tell(News("Switching", f"to {record.name} {record.version}"))
        made = transaction.commit(Draft(record, lock, recipe)).record
    warnings += _tidy(session, workshop)
    return Installed(
        name=made.name,
        version=made.version,
        generation=made.number,
        changed=True,
        parts=tuple(f"{p.node.name} {p.node.version} ({p.node.origin})" for p in made.parts),
        wheels=len(prepared.wheels),
        python=made.python,
        signers=prepared.plan.signers,
        sandbox=workshop.sandbox,
        network=workshop.network,
        next=_next(prepared.choices[-1].recipe),
        warnings=warnings,
    )


def _tidy(session: Session, workshop: Workshop) -> tuple[str, ...]:
    """Do what comes after the switch; a failure there is a warning, for the install is done."""
    try:
        workshop.remember()
        collect.collect(session.prefix, keep=keep(session))
    except CrpackError as error:
        return (f"it is installed, and cleaning up afterwards failed: {error.what}",)
    return ()


def _next(recipe: Recipe) -> tuple[str, ...]:
    """Return the commands that make sense now, without `crpack`."""
    name = recipe.package.name
    verbs = []
    for action in recipe.action:
        if action.name == "validate":
            continue
        words = ["run", name, *([] if action.name == "run" else [action.name])]
        words += [f"--set {p.name}={p.name.upper()}" for p in action.inputs if p.required]
        verbs.append(" ".join(words))
    return (*verbs, f"validate {name}") if recipe.metrics else tuple(verbs)


def keep(session: Session) -> int:
    """Return how many generations of a solution are kept: the setting, at least one."""
    return max(1, session.config.number("keep"))


def rollback_target(session: Session, name: str, to: int) -> int:
    """Return the number of the generation that `rollback` would restore.

    Raises:
        InstallError: it is not installed.
        UsageError: there is no such generation.
    """
    now = generations.require(session.prefix, name)
    earlier = [g.record.number for g in generations.history(session.prefix, name)][:-1]
    number = to or max(earlier, default=0)
    if number not in earlier:
        kept = ", ".join(str(n) for n in earlier) or "none"
        raise UsageError(
            f"`{name}` has no generation {number} to go back to" if number else
            f"`{name}` has no earlier generation",
            why=[f"it is at generation {now}; kept are {kept}"],
        )  # fmt: skip
    return number


def rollback(session: Session, name: str, to: int) -> RolledBack:
    """Make the state of an earlier generation the current one (SPEC GEN-05)."""
    number = rollback_target(session, name, to)
    made = transactions.rollback(session.prefix, name, date=now_text(), to=number).record
    return RolledBack(name, made.version, made.number, number)


def require(session: Session, names: tuple[str, ...]) -> None:
    """See that solutions are installed.

    Raises:
        InstallError: one is not.
    """
    for name in names:
        generations.require(session.prefix, name)


def remove(session: Session, names: tuple[str, ...]) -> Removed:
    """Remove solutions and what only they needed; checks all names before the first.

    Raises:
        InstallError: one is not installed; nothing was changed.
    """
    names = tuple(dict.fromkeys(names))
    require(session, names)
    gone, trees, environments = [], 0, 0
    for name in names:
        version = generations.current(session.prefix, name).record.version
        collected = collect.remove(session.prefix, name, keep=keep(session))
        trees += len(collected.trees)
        environments += len(collected.environments)
        gone.append(Gone(name, version))
    return Removed(tuple(gone), trees, environments)
