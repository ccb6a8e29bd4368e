"""An author's results: made several at a time, and remembered.

Rules (SPEC RCP-13, KEY-06):
- Results stand in a store in the cache of the user, with records of their builds. They may be lost
  at any time; one is used again only when its tree, hashed again, is what the record says.
- What is linked into a payload is portable and relocatable, or the making is refused (SPEC AUD-04,
  AUD-05); a tool that only runs here need not be.
- What was not used for 30 days is forgotten.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from crpack import disk
from crpack.errors import UsageError
from crpack.install import collect, layout
from crpack.install.store import TreeWriter
from crpack.install.transaction import Transaction
from crpack.make import record as build_record
from crpack.make.dependencies import DepRoot
from crpack.make.record import Record
from crpack.model.tree import Entry
from crpack.ops import builds, graph, linking, making, units
from crpack.ops.making import Job, Material
from crpack.ops.progress import News
from crpack.process.sandbox import LEVELS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crpack.make.audit import Audit
    from crpack.model.facts import Facts
    from crpack.ops.progress import Tell
    from crpack.ops.stock import Stock, Stocked
    from crpack.ops.units import Making, Unit
    from crpack.session import Session

_UNUSED_S = 30 * 24 * 3600  # after which a result is forgotten
_NO_IDENTITY = "0" * 64  # a draft is no archive yet


@dataclass(frozen=True, slots=True)
class Result:
    """What was made of a unit.

    Attributes:
        folder: where its tree stands.
        entries: of the tree.
        record: of its making.
        linked: `NAME VERSION TREE` of what was made with libraries and linked, sorted.
    """

    folder: str
    entries: tuple[Entry, ...]
    record: Record
    linked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Made:
    """What a thread hands over: a tree to admit, or one that is in the store already."""

    record: Record
    writer: TreeWriter | None = None


class Makings:
    """The results of one `build`. Leaving its `with` lets go of their trees."""

    def __init__(self, session: Session, stock: Stock, tell: Tell, *, reuse: bool) -> None:
        """Take what all makings share.

        Args:
            session: for settings, logs and the cache.
            stock: of sources.
            tell: takes the news, from several threads.
            reuse: take what an earlier command made.
        """
        self._session = session
        self._stock = stock
        self._tell = tell
        self._reuse = reuse
        self._prefix = f"{session.homes.cache}/author"
        self._transaction = Transaction(self._prefix)
        self._turn = threading.Lock()
        self._makings: dict[Unit, Making] = {}
        self._results: dict[Unit, Result] = {}
        self.sandbox = ""
        self.network = ""

    def __enter__(self) -> Self:
        _forget(self._prefix)
        self._transaction.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._transaction.__exit__()

    def of(self, unit: Unit) -> Result:
        """Return what was made of a unit."""
        return self._results[unit]

    def make(self, makings: Iterable[Making], linked: frozenset[Unit], facts: Facts) -> None:
        """Make units, several at a time; once.

        Args:
            makings: of the units and all that they need, in order.
            linked: those that go into an archive.
            facts: of this machine.

        Raises:
            BuildFailed: one cannot be made.
            UsageError: the result of one that is linked works only here.
        """
        self._makings = {one.unit: one for one in makings}
        folders = {unit: self._transaction.folder() for unit in self._makings}

        def work(unit: Unit, jobs: int) -> _Made:
            return self._make(unit, facts, folders[unit], jobs, linked=unit in linked)

        def keep(unit: Unit, made: _Made) -> None:
            self._keep(unit, made)
            verb = "Made" if made.writer is not None else "Reusing"
            count = f"{len(self._results)} of {len(folders)}"
            anywhere = units.is_any(self._makings[unit].recipe)
            where = "any platform" if anywhere else str(unit.target.base)
            what = f"{made.record.component} for {where}, {count}"
            self._tell(News(verb, what))

        after = {unit: one.needs for unit, one in self._makings.items()}
        graph.run(after, work, keep, jobs=self._session.jobs)

    def _make(self, unit: Unit, facts: Facts, folder: str, jobs: int, *, linked: bool) -> _Made:
        with making.room(folder, self._session) as room:
            known = self._known(unit, facts, room)
            if known is not None and (not linked or (known.portable and known.relocatable)):
                return _Made(known)
            stocked = self._stock.of(self._makings[unit].draft, fetched=True)
            job = self._job(unit, stocked, stocked.materials)
            plan, built = making.make(
                job, facts, folder=room, session=self._session, tell=self._tell, jobs=jobs
            )
            if linked:
                _refuse_tied(unit.name, built.audit)
            writer = TreeWriter(f"{folder}/tree")
            try:
                writer.copy(built.folder, built.entries)
            except BaseException:
                writer.close()
                raise
            return _Made(build_record.record(plan, built, identity=_NO_IDENTITY), writer)

    def _known(self, unit: Unit, facts: Facts, room: str) -> Record | None:
        """Return the record of an earlier build whose tree is there and whole."""
        if not self._reuse:
            return None
        stocked = self._stock.of(self._makings[unit].draft, fetched=False)
        for materials in making.ways(stocked.materials):
            plan = making.plan(self._job(unit, stocked, materials), facts, room, 1)
            known = builds.record_of(self._prefix, plan.key)
            if known is None or (known.test == "not run" and plan.test.steps):
                continue  # the test can be run by now
            if self._is_whole(known.tree):
                return known
        return None

    def _is_whole(self, tree: str) -> bool:
        with self._turn:
            if not self._transaction.reuse(tree):
                return False
            if not self._transaction.store.verify(tree):
                return True
            self._transaction.discard(tree)
            return False

    def _keep(self, unit: Unit, made: _Made) -> None:
        if made.writer is not None:
            with self._turn:  # a thread may look at the same tree
                self._transaction.admit(made.writer, made.record.tree)
                self._transaction.settle()
        builds.remember(self._prefix, made.record)  # again, so that it counts as used
        store = self._transaction.store
        tree = made.record.tree
        path, entries = store.path(tree), store.entries(tree)
        self._results[unit] = Result(path, entries, made.record, self._linked(unit))
        level = made.record.sandbox
        if level and (not self.sandbox or LEVELS.index(level) < LEVELS.index(self.sandbox)):
            self.sandbox, self.network = level, made.record.network

    def _job(self, unit: Unit, stocked: Stocked, materials: tuple[Material, ...]) -> Job:
        return Job(
            document=stocked.document,
            sha256=hashlib.sha256(stocked.document).hexdigest(),
            options=unit.options,
            target=unit.target,
            materials=materials,
            deps=self._deps(unit),
            trusted=True,  # by who builds it
        )

    def _deps(self, unit: Unit) -> tuple[tuple[str, DepRoot], ...]:
        """Return what a unit is made with; what is linked brings what it links itself."""
        found: dict[tuple[str, str], DepRoot] = {}

        def add(user: Unit, *, direct: bool) -> None:
            for use in self._makings[user].uses:
                place = (use.name, use.context)
                if place in found or not (direct or use.context == "target"):
                    continue
                if use.found is not None:
                    found[place] = replace(linking.detected(use.found).given, context=use.context)
                elif use.unit is not None:
                    found[place] = self._root(use.unit, use.context)
                    if use.context == "target":
                        add(use.unit, direct=False)

        add(unit, direct=True)
        return tuple((name, root) for (name, _), root in sorted(found.items(), key=lambda p: p[0]))

    def _linked(self, unit: Unit) -> tuple[str, ...]:
        versions = {
            one.draft.name: one.draft.recipe.package.version for one in self._makings.values()
        }
        return tuple(
            f"{name} {versions[name]} {root.tree}"
            for name, root in self._deps(unit)
            if root.context == "target" and root.tree and root.exports.lib
        )

    def _root(self, unit: Unit, context: str) -> DepRoot:
        result = self._results[unit]
        exports = self._makings[unit].recipe.exports
        return DepRoot(result.folder, result.record.tree, exports, context)


def _refuse_tied(name: str, audit: Audit) -> None:
    """Refuse a result that no archive may carry (SPEC AUD-04, AUD-05).

    Raises:
        UsageError: it works only on this machine, or only in its folder.
    """
    if audit.portable and audit.relocatable:
        return
    raise UsageError(
        f"the result of `{name}` works only where it was built",
        why=(
            *(f"it needs `{one}`, which is no part of the platform" for one in audit.externals),
            *(f"`{path}` looks into `{folder}`" for path, folder in audit.absolute),
            *(f"`{path}` names a folder of the build" for path in audit.leaks),
        ),
        hint="build the archive without `--platform`; devices then compile it",
        rule="AUD-04" if audit.externals else "AUD-05",
    )


def _forget(prefix: str) -> None:
    """Remove results that were not used for long."""
    folder = layout.built(prefix)
    paths = (os.path.join(folder, name) for name in disk.names(folder))
    old = [path for path in paths if _age_s(path) > _UNUSED_S]
    for path in old:
        disk.remove_file(path)
    if old:
        collect.collect(prefix, 1, builds=True)


def _age_s(path: str) -> float:
    try:
        return time.time() - os.path.getmtime(path)
    except OSError:  # another command has just removed it
        return 0.0
