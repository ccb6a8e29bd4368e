"""Installing by name: what to install is chosen from indexes, or stands in a lock.

Rules (SPEC ASK-06, LCK-08):
- Each requested component is chosen, locked and installed on its own; all are prepared before the
  first is installed.
- What is installed already is kept as far as it serves; `update` chooses anew, from the same index.
- From a lock, nothing is chosen: each request must stand in it.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from crpack.errors import NoSolution, UsageError
from crpack.install import generations
from crpack.model import platforms, versions
from crpack.model.facts import Facts
from crpack.model.lock import Lock
from crpack.ops import (
    freezing,
    gathering,
    indexes,
    locked,
    needing,
    preparing,
    resolving,
    unbundling,
)
from crpack.ops.gathering import IndexShelf
from crpack.ops.progress import News
from crpack.ops.resolving import Target, Wish
from crpack.solve import restoring
from crpack.solve.problem import Policy, Request, Slot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crpack.ops.freezing import Frozen
    from crpack.ops.gathering import Shelf
    from crpack.ops.preparing import Prepared
    from crpack.ops.progress import Tell
    from crpack.session import Session


@dataclass(frozen=True, slots=True)
class NameOrder:
    """What `install` is asked for by name.

    Attributes:
        specs: names with ranges, as people write them.
        options: component (empty for the requested one), option, value as text.
        policy: how to choose where several would do.
        reinstall: make again what is damaged, and a generation even if nothing is.
        update: do not keep what is installed.
        lock: install exactly this; None to choose.
        there: the facts of the machine that it is for; None for this one.
    """

    specs: tuple[str, ...]
    options: tuple[tuple[str, str, str], ...] = ()
    policy: Policy = Policy()  # noqa: RUF009 - a frozen value
    reinstall: bool = False
    update: bool = False
    lock: Lock | None = None
    there: Facts | None = None


@contextmanager
def prepared(session: Session, order: NameOrder, tell: Tell) -> Iterator[tuple[Prepared, ...]]:
    """Decide how names are installed here; their archives stay open within the `with`.

    Raises:
        NoSolution: nothing satisfies what is asked, or the lock does not have it.
        FetchError, TrustError: an index or an archive cannot be had, or is refused.
        InstallError: one is to be updated and is not installed.
    """
    with ExitStack() as stack:
        found = []
        requests = [resolving.request(text) for text in order.specs]
        _check_distinct(requests)
        for request in requests if order.update else ():
            generations.require(session.prefix, request.name)
        for request in requests:
            frozen = _frozen(session, order, request, tell)
            shelf = IndexShelf(session, frozen.indexes)
            found.append(
                _prepare(
                    session,
                    order,
                    name=request.name,
                    frozen=frozen,
                    shelf=shelf,
                    stack=stack,
                    tell=tell,
                )
            )
        yield tuple(found)


@contextmanager
def unbundled(
    session: Session, path: str, *, reinstall: bool, tell: Tell, there: Facts | None = None
) -> Iterator[tuple[Prepared, ...]]:
    """Decide how what a bundle carries is installed; it stays open within the `with`.

    Raises:
        NoSolution: it is not for this machine.
        TrustError: an index that it is of is not trusted here, or something of it is refused.
        ArchiveError, FormatError: it is not exactly a bundle.
    """
    with ExitStack() as stack:
        found = stack.enter_context(unbundling.opened(session, path, tell, there))
        order = NameOrder(found.requests, reinstall=reinstall, there=there)
        yield tuple(
            _prepare(
                session, order, name=resolving.request(text).name, frozen=found.frozen,
                shelf=found.shelf, stack=stack, tell=tell,
            )
            for text in found.requests
        )  # fmt: skip


def _check_distinct(requests: list[Request]) -> None:
    """Refuse one name twice: each is installed on its own, so the last would win.

    Raises:
        UsageError: a name is asked for twice.
    """
    names = [request.name for request in requests]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(
                f"`{name}` is asked for twice", hint=f"say it once, as in `{name}>=1,<2`"
            )


def wish_of(order: NameOrder, request: Request) -> Wish:
    """Return one request with the options that are meant for it, the short ones for itself."""
    options = tuple((name or request.name, key, value) for name, key, value in order.options)
    return Wish((request,), options, order.policy)


def _frozen(session: Session, order: NameOrder, request: Request, tell: Tell) -> Frozen:
    if order.lock is not None:
        return from_lock(session, order.lock, request, tell, order.there)
    had = indexes.installed(session, request.name)
    had = indexes.in_own_words(session, had) if had else None
    there = order.there
    kept = resolving.preferences(had, there.platform if there else "")
    bound = {one.name: one.index for one in kept if one.index}
    wish = wish_of(order, request)
    try:
        resolved = resolving.resolve(
            session,
            wish,
            locked=() if order.update else kept,
            bound=bound,
            target=Target(platforms.parse(there.platform), there) if there else None,
            tell=tell,
        )
    except NoSolution as error:
        if order.update and request.name not in bound:
            error.hint = (
                "it was installed from an archive file: update it from one, or go back with "
                f"`crpack update {request.name} --rollback`"
            )
        raise
    problem = resolved.problem
    if there and freezing.python_of(resolved.answer, problem.target)[0]:
        raise needing.not_there(request.name, there.platform)
    had = None if order.update else had
    frozen = freezing.freeze(session, wish, (resolved,), had=had, tell=tell)
    return frozen.for_machine(there, problem.machine("build"))


def from_lock(
    session: Session, lock: Lock, request: Request, tell: Tell, there: Facts | None = None
) -> Frozen:
    """Return a lock to install one of its requests from.

    Raises:
        NoSolution: the lock does not have the component, or another version; or the root of an
            index of it is not trusted here.
    """
    rows = [package for package in lock.package if package.name == request.name]
    wanted = versions.parse_range(request.range)
    if not any(wanted.admits(row.version) for row in rows):
        known = ", ".join(row.version for row in rows)
        raise NoSolution(
            f"the lock does not have `{request}`",
            why=[f"it has version {known}" if known else "no package of it has this name"],
            hint=f"lock it: `crpack lock '{request}'`",
            rule="LCK-08",
        )
    if any(not package.index and package.identity for package in lock.package):
        raise UsageError(
            "the lock is that of an archive file, whose components no index has",
            hint="install the archive file itself",
        )
    tell(News("Detecting", "this machine"))
    return freezing.as_it_is(session, lock, tell, there)


def _check_binding(session: Session, name: str, lock: Lock) -> None:
    """See that what is installed is replaced from its own index only (SPEC ASK-02).

    Raises:
        NoSolution: the lock or bundle has the name from another index.
    """
    had = indexes.installed(session, name)
    before, after = (_root(one, name) if one else "" for one in (had, lock))
    if before and after and before != after:
        raise NoSolution(
            f"`{name}` is installed from another index than this one",
            why=[f"it is bound to the root `sha256:{before}`",
                 f"this is of the root `sha256:{after}`"],
            hint=f"if you mean to change that, `crpack remove {name}` first",
            rule="ASK-02",
        )  # fmt: skip


def _root(lock: Lock, name: str) -> str:
    """Return the root of the index that a name of a lock is bound to; empty for none."""
    index = next((row.index for row in lock.package if row.name == name), "")
    return next((row.root for row in lock.index if row.name == index), "")


def _prepare(
    session: Session,
    order: NameOrder,
    *,
    name: str,
    frozen: Frozen,
    shelf: Shelf,
    stack: ExitStack,
    tell: Tell,
) -> Prepared:
    _check_binding(session, name, frozen.lock)
    facts, maker = frozen.facts, frozen.maker
    if not order.policy.detect:  # a lock's fallbacks serve, as where nothing is found
        facts = replace(facts, found=())
        maker = replace(maker, found=()) if maker else None
    decided = restoring.picks_of(frozen.lock, facts, maker)
    rows = locked.reachable(name, decided, crossing=frozen.maker is not None)
    parts = (part for one in rows.values() if (part := locked.part(one)) is not None)
    root = rows[Slot(name)].package.identity
    source = stack.enter_context(gathering.opened(shelf, root, parts, tell))
    return preparing.prepare_frozen(
        session, frozen, rows, source, reinstall=order.reinstall, tell=tell
    )
