"""The device owner's verbs: `install` and `update`.

Rules:
- The only place that joins opening, choosing, making, admitting and committing.
- What will be done is a plan, printed by `--dry-run` and checked for space, before it is done.
- Every solution is its own transaction: old or new, never between. A failure says whether
  anything was changed (`data["changed"]`), and leaves in the store only what was built.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack.errors import CrpackError, InstallError
from crpack.install import collect, generations, state
from crpack.install.transaction import Draft, Transaction
from crpack.model import lock as locks
from crpack.model import names
from crpack.ops import elsewhere, indexes, naming, opening, preparing, unbundling, undoing
from crpack.ops.fulfilling import Workshop
from crpack.ops.naming import NameOrder
from crpack.ops.preparing import Order, Prepared
from crpack.ops.progress import News, Tell, silent
from crpack.work import measures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crpack.install.plan import InstallPlan
    from crpack.model.facts import Facts
    from crpack.model.recipe import Recipe
    from crpack.session import Session

__all__ = ["NameOrder", "Order", "install", "install_named", "plan", "plan_named"]


@dataclass(frozen=True, slots=True)
class Installed:
    """What an installation did.

    Attributes:
        changed: False when everything was there already.
        parts: components with version and origin, as people read them.
        wheels: number of Python distributions; `python` is the interpreter's identity.
        signers: labels of the keys that vouch for it.
        unsigned: names of what nobody vouches for: components, and the wheels of a bundle.
        freshness: the index that it comes from, with its date; else that nobody knows.
        sandbox, network: how builds ran; empty when nothing was built.
        next: command lines that make sense now, without `crpack`.
        platform: of the machine that it is for, where that is another one; else empty.
    """

    name: str
    version: str
    generation: int
    changed: bool
    parts: tuple[str, ...] = ()
    wheels: int = 0
    python: str = ""
    signers: tuple[str, ...] = ()
    unsigned: tuple[str, ...] = ()
    freshness: str = ""
    sandbox: str = ""
    network: str = ""
    next: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    platform: str = ""


def plan(session: Session, order: Order, *, tell: Tell = silent) -> InstallPlan:
    """Return what `install` would do; nothing is changed.

    Raises:
        As `install`, but for what only doing can find.
    """
    elsewhere.check_prefix(session, order.there)
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
    with undoing.telling_what_changed():
        elsewhere.check_prefix(session, order.there)
        with opening.opened(
            session, order.place, allow_unsigned=order.allow_unsigned, tell=tell
        ) as source:
            if update:
                generations.require(session.prefix, source.root.name)
            since = _number(session, source.root.name)
            prepared = preparing.prepare(session, order, source, tell)
            if prepared.unchanged:
                return _already(prepared, since, source.warnings)
            preparing.check_space(session, prepared)
            return _execute(session, prepared, since, source.warnings, tell)


def is_place(text: str) -> bool:
    """Say whether a word means an archive or bundle rather than a name."""
    if names.is_name(text) and not text.endswith((".crpkg", ".crbundle")):
        return False  # a file of that name is named by its folder: `./demo`
    return os.path.lexists(text) or opening.is_url(text) or text.endswith((".crpkg", ".crbundle"))


def updatable(session: Session) -> tuple[str, ...]:
    """Return the names of the installed solutions that came from an index."""
    found = []
    for item in state.installed(session.prefix):
        lock = None if item.damage else indexes.installed(session, item.name)
        if lock and any(row.name == item.name and row.index for row in lock.package):
            found.append(item.name)
    return tuple(found)


def plan_named(
    session: Session, order: NameOrder, *, tell: Tell = silent
) -> tuple[InstallPlan, ...]:
    """Return what installing names would do; nothing below the prefix is changed.

    Raises:
        As `install_named`, but for what only doing can find.
    """
    elsewhere.check_prefix(session, order.there)
    with naming.prepared(session, order, tell) as found:
        return tuple(one.plan for one in found)


def install_named(
    session: Session, order: NameOrder, *, tell: Tell = silent
) -> tuple[Installed, ...]:
    """Install solutions by name, chosen from the indexes or as a lock says.

    Args:
        session: for settings, indexes and the prefix.
        order: what is asked for.
        tell: takes the news.

    Raises:
        NoSolution: nothing satisfies what is asked.
        FetchError: an index, an archive or a wheel cannot be had.
        TrustError: an index or an archive is refused.
        BuildFailed: a component cannot be made here.
        InstallError: no space or no rights; or it is not installed (`update`).
    """
    with undoing.telling_what_changed():
        elsewhere.check_prefix(session, order.there)
        with naming.prepared(session, order, tell) as found:
            return _all(session, found, tell)


def plan_bundle(
    session: Session, path: str, *, there: Facts | None = None, tell: Tell = silent
) -> tuple[InstallPlan, ...]:
    """Return what installing a bundle would do; nothing below the prefix is changed.

    Raises:
        As `install_bundle`, but for what only doing can find.
    """
    elsewhere.check_prefix(session, there)
    with naming.unbundled(session, path, reinstall=False, tell=tell, there=there) as found:
        return tuple(one.plan for one in found)


def install_bundle(
    session: Session,
    path: str,
    *,
    reinstall: bool = False,
    there: Facts | None = None,
    tell: Tell = silent,
) -> tuple[Installed, ...]:
    """Install what a bundle carries; no network is needed.

    Args:
        session: for settings, pins and the prefix.
        path: of the bundle.
        reinstall: make again what is damaged, and a generation even if nothing is.
        there: the facts of the machine that it is for; None for this one.
        tell: takes the news.

    Raises:
        NoSolution: it is not for this machine.
        TrustError: an index that it is of is not trusted here, or something of it is refused.
        ArchiveError, FormatError: it is not exactly a bundle.
        BuildFailed: a component cannot be made here.
        InstallError: no space or no rights.
    """
    with undoing.telling_what_changed():
        elsewhere.check_prefix(session, there)
        with naming.unbundled(session, path, reinstall=reinstall, tell=tell, there=there) as found:
            return _all(session, found, tell)


def is_bundle(path: str) -> bool:
    """Say whether a file is a bundle, by its content."""
    return unbundling.holds_bundle(path)


def _all(session: Session, found: tuple[Prepared, ...], tell: Tell) -> tuple[Installed, ...]:
    """Install what is prepared, each in its own transaction."""
    done: list[Installed] = []
    for prepared in found:
        since = _number(session, prepared.plan.name)
        try:
            done.append(_one(session, prepared, since, tell))
        except CrpackError as error:
            changed = [f"{one.name} {one.version}" for one in done if one.changed]
            if changed:
                error.data["changed"] = True
                error.why = (*error.why, f"before it, {', '.join(changed)} was installed")
            raise
    return tuple(done)


def _one(session: Session, prepared: Prepared, since: int, tell: Tell) -> Installed:
    if prepared.unchanged:
        return _already(prepared, since, prepared.warnings)
    preparing.check_space(session, prepared)
    return _execute(session, prepared, since, prepared.warnings, tell)


def _number(session: Session, name: str) -> int:
    """Return the number of the current generation; 0 where there is none, or it is damaged."""
    try:
        return state.current_number(session.prefix, name)
    except InstallError:
        return 0


def _already(prepared: Prepared, number: int, warnings: tuple[str, ...]) -> Installed:
    return Installed(
        prepared.plan.name,
        prepared.plan.version,
        number,
        changed=False,
        unsigned=prepared.unsigned,
        freshness=prepared.freshness,
        warnings=warnings,
        platform=prepared.plan.platform,
    )


def _execute(
    session: Session, prepared: Prepared, since: int, warnings: tuple[str, ...], tell: Tell
) -> Installed:
    with _tidying_after_failure(session), Transaction(session.prefix) as transaction:
        workshop = Workshop(session, transaction, prepared, tell)
        workshop.take()
        environment = workshop.environment()
        record = workshop.record(environment)
        lock = locks.encode(prepared.lock)
        recipe = prepared.choices[-1].archive.recipe_bytes
        tell(News("Switching", f"to {record.name} {record.version}"))
        made = transaction.commit(Draft(record, lock, recipe), since=since).record
    if transaction.repeated:
        return _already(prepared, made.number, warnings)
    warnings += (*workshop.warnings, *_tidy(session))
    return Installed(
        name=made.name,
        version=made.version,
        generation=made.number,
        changed=True,
        parts=tuple(f"{p.node.name} {p.node.version} ({p.node.origin})" for p in made.parts),
        wheels=len(prepared.python.wheels),
        python=made.python,
        signers=prepared.plan.signers,
        unsigned=made.unsigned,
        freshness=prepared.freshness,
        sandbox=workshop.sandbox,
        network=workshop.network,
        next=() if prepared.maker else _next(prepared.choices[-1].recipe),
        warnings=warnings,
        platform=prepared.plan.platform,
    )


@contextmanager
def _tidying_after_failure(session: Session) -> Iterator[None]:
    """Take away what a failed installation left, but for the results of builds (SPEC STO-17)."""
    try:
        yield
    except BaseException:
        with suppress(CrpackError):  # the news is the first failure
            collect.collect(session.prefix, keep=undoing.keep(session), builds=True)
        raise


def _tidy(session: Session) -> tuple[str, ...]:
    """Do what comes after the switch; a failure there is a warning, for the install is done."""
    try:
        collect.collect(session.prefix, keep=undoing.keep(session))
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
        verb = "benchmark" if measures.is_benchmark(action) else "run"
        words = [verb, name, *([] if action.name == verb else [action.name])]
        words += [f"--set {p.name}={p.name.upper()}" for p in action.inputs if p.required]
        verbs.append(" ".join(words))
    return (*verbs, f"validate {name}") if recipe.metrics else tuple(verbs)
