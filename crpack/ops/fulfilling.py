"""Fulfilling a plan inside a transaction: unpack, build, make the environment, write the record.

Rules:
- A component is made after what it needs, several at a time; a tree that is there is used as it is.
- Builds run in threads. What they made is taken over by the calling thread, one at a time; the
  transaction and the archives, which are open files, have one user at a time.
- A build whose key is remembered costs nothing, its sources included; it is remembered as soon as
  its tree is in the store, so that what fails after it costs no second build.
- Of what is made for another machine, only what runs there is part of the generation.
- Everything is made in the transaction's stage; nothing is visible before its commit.
"""

from __future__ import annotations

import shutil
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from crpack import disk
from crpack.errors import NoSolution
from crpack.install import listing
from crpack.install.generations import Part, Record
from crpack.make import record as build_record
from crpack.make.dependencies import DepRoot
from crpack.make.plan import MakePlan, SourceItem
from crpack.make.runner import Built
from crpack.model import platforms
from crpack.model.dates import utc
from crpack.model.manifest import source_member
from crpack.model.realisation import Node, RealWheel
from crpack.ops import (
    builds,
    graph,
    linking,
    making,
    policy,
    pythons,
    sources,
)
from crpack.ops.making import Job, Material
from crpack.ops.opening import sha256_of_recipe
from crpack.ops.progress import News, in_turn
from crpack.process.sandbox import LEVELS
from crpack.solve.problem import Slot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crpack.install.transaction import Transaction
    from crpack.model.facts import Found
    from crpack.model.manifest import Payload
    from crpack.model.recipe import Source
    from crpack.ops.preparing import Prepared
    from crpack.ops.progress import Tell
    from crpack.ops.selection import Choice
    from crpack.session import Session


@dataclass(frozen=True, slots=True)
class _Made:
    """What the work on one choice gave: a tree that is there, or a build to take over."""

    tree: str = ""
    plan: MakePlan | None = None
    built: Built | None = None


class Workshop:
    """One installation at work."""

    def __init__(
        self, session: Session, transaction: Transaction, prepared: Prepared, tell: Tell
    ) -> None:
        self._session = session
        self._transaction = transaction
        self._prepared = prepared
        self._tell = in_turn(tell)
        self._choices = {choice.slot: choice for choice in prepared.choices}
        made = (one for one in prepared.choices if one.found is None)
        self._recipes = {one.slot: one.recipe for one in made}
        self._folders: dict[Slot, str] = {}
        self._rooms: dict[Slot, ExitStack] = {}
        self._turn = threading.Lock()  # for the transaction and the archives
        self._parts: list[Part] = []
        self._tools: set[str] = set()
        self._roots: dict[Slot, DepRoot] = {}
        self.sandbox: str = ""
        self.network = ""
        self.warnings: list[str] = []

    def take(self) -> None:
        """Make all components ready in the stage or the store, several builds at a time.

        Raises:
            ArchiveError: a payload is not what is signed.
            BuildFailed: one cannot be made.
        """
        after = {slot: self._needs(choice) for slot, choice in self._choices.items()}
        self._awaited = {need for needs in after.values() for need in needs}
        for slot in after:
            if self._choices[slot].origin == "source":
                self._folders[slot] = self._transaction.folder()
        try:
            graph.run(after, self._work, self._keep, jobs=self._session.jobs)
        finally:
            for room in self._rooms.values():
                room.close()

    def _needs(self, choice: Choice) -> tuple[Slot, ...]:
        """Return what must be there before a choice is made."""
        if choice.origin != "source":
            return ()
        every = (*self._tools_of(choice), *self._linked(choice))
        return tuple(slot for slot in dict.fromkeys(every) if slot in self._choices)

    def _tools_of(self, choice: Choice) -> tuple[Slot, ...]:
        crossing = self._prepared.maker is not None
        return linking.tools(choice.recipe, choice.slot, crossing=crossing)

    def _linked(self, choice: Choice) -> tuple[Slot, ...]:
        return linking.linked(choice.recipe, choice.slot, self._recipes)

    def _work(self, slot: Slot, jobs: int) -> _Made:
        """Build what must be built; in any thread."""
        choice = self._choices[slot]
        return self._build(choice, jobs) if choice.origin == "source" else _Made()

    def _keep(self, slot: Slot, made: _Made) -> None:
        """Take over what the work on a choice gave; in the calling thread."""
        choice = self._choices[slot]
        if choice.found is not None:
            self._take_detected(choice, choice.found)
            return
        with self._turn:
            tree = self._admit(choice, made)
            if slot in self._awaited:
                self._transaction.settle()
        package = choice.recipe.package
        exports = choice.recipe.exports
        node = Node(
            name=package.name,
            version=package.version,
            revision=package.revision,
            kind=package.kind,
            origin="binary" if choice.payload is not None else "source",
            identity=choice.archive.identity,
            tree=tree,
            options=choice.options,
        )
        self._add(slot, Part(node, exports.bin, exports.env))
        path = self._transaction.store.path(tree)
        self._roots[slot] = DepRoot(path, tree, exports)

    def _add(self, slot: Slot, part: Part) -> None:
        """Note a part of the generation; a tool that runs on this machine only is none."""
        if slot.context == "target":
            self._parts.append(part)
        elif part.node.tree:
            self._tools.add(part.node.tree)

    def environment(self) -> str:
        """Make the Python environment, and return its digest; empty where none is needed."""
        python = self._prepared.python
        return pythons.make(self._session, self._transaction, python, self._tell)

    def record(self, environment: str) -> Record:
        """Return what the new generation says of itself."""
        root = self._prepared.choices[-1]
        package = root.recipe.package
        interpreter = self._prepared.python.interpreter
        return Record(
            name=package.name,
            version=package.version,
            revision=package.revision,
            identity=root.archive.identity,
            request=self._prepared.request,
            date=utc(time.time()),
            platform=self._prepared.facts.platform,
            python=interpreter.identity if interpreter else "",
            env=environment,
            parts=self._searched(),
            wheels=tuple(
                RealWheel(one.wheel.name, one.wheel.version, one.wheel.sha256)
                for one in self._prepared.python.wheels
            ),
            unsigned=self._prepared.unsigned,
            tools=tuple(sorted(self._tools)),
        )

    def _searched(self) -> tuple[Part, ...]:
        """Return the parts; of those that stand in for another tree, where libraries are."""
        trees = {part.node.name: part.node.tree for part in self._parts}
        needed = [
            pair
            for choice in self._choices.values()
            if choice.payload is not None and choice.context == "target"
            for pair in choice.payload.linked
        ]
        other = {name for name, tree in needed if trees.get(name) not in (None, "", tree)}
        return tuple(
            replace(part, lib=self._recipes[Slot(part.node.name)].exports.lib)
            if part.node.name in other
            else part
            for part in sorted(self._parts, key=lambda part: part.node.name)
        )

    def _take_detected(self, choice: Choice, found: Found) -> None:
        package = choice.recipe.package
        root = linking.detected(found)
        node = Node(
            name=package.name,
            version=found.version or "",
            revision=0,
            kind=package.kind,
            origin="detected",
            files=root.files,
        )
        env = choice.recipe.exports.env if found.files else ()
        self._add(choice.slot, Part(node, env=env, place=found.place if found.files else ""))
        if root.given.path:
            self._roots[choice.slot] = root.given

    def _reuse(self, tree: str) -> bool:
        """Say whether a tree is in the store, and whole where a reinstall was asked for."""
        if self._prepared.reinstall and self._transaction.store.verify(tree):
            self._transaction.discard(tree)
        return self._transaction.reuse(tree)

    def _unpack(self, choice: Choice, payload: Payload) -> str:
        if not self._reuse(payload.tree):
            package = choice.recipe.package
            self._tell(News("Unpacking", f"{package.name} {package.version}"))
            writer = self._transaction.writer()
            archive = choice.archive
            archive.unpack(payload.id, writer, threads=self._session.jobs)
            self._transaction.admit(writer, payload.tree)
        return payload.tree

    def _build(self, choice: Choice, jobs: int) -> _Made:
        folder = self._folders[choice.slot]
        with self._turn:
            room = self._rooms[choice.slot] = ExitStack()
            place = room.enter_context(making.room(folder, self._session))
            known = self._remembered(choice, place)
        if known:
            return _Made(known)
        job = self._job(choice, self._materials(choice, folder))
        with self._turn:
            known = self._known(job, place)
        if known:
            return _Made(known)
        facts = self._prepared.maker or self._prepared.facts
        made, built = making.make(
            job, facts, folder=place, session=self._session, tell=self._tell, jobs=jobs
        )
        return _Made(plan=made, built=built)

    def _job(self, choice: Choice, found: tuple[Material, ...]) -> Job:
        return Job(
            document=choice.archive.recipe_bytes,
            sha256=sha256_of_recipe(choice.archive),
            options=choice.options,
            target=platforms.parse(self._prepared.machine(choice).platform),
            materials=found,
            deps=self._deps(choice),
            trusted=choice.trusted,
        )

    def _remembered(self, choice: Choice, place: str) -> str:
        """Return the tree that an equal build made, told by digests of sources not yet fetched."""
        unfetched = (Material(SourceItem(source, "", 0), "") for source in choice.recipe.source)
        for found in making.ways(unfetched):
            known = self._known(self._job(choice, found), place)
            if known:
                return known
        return ""

    def _known(self, job: Job, place: str) -> str:
        """Return the tree of a remembered build; empty where there is none."""
        facts = self._prepared.maker or self._prepared.facts
        key = making.plan(job, facts, place, self._session.jobs).key
        tree = builds.tree_of(self._session.prefix, key)
        return tree if tree and self._reuse(tree) else ""

    def _admit(self, choice: Choice, made: _Made) -> str:
        """Bring a result into the transaction and return its tree; a build is remembered."""
        if choice.payload is not None:
            return self._unpack(choice, choice.payload)
        if made.plan is None or made.built is None:
            return made.tree
        self._note(choice, made.built)
        writer = self._transaction.writer()
        writer.copy(made.built.folder, made.built.entries)
        tree = self._transaction.admit(writer, made.built.tree)
        self._transaction.settle()
        record = build_record.record(made.plan, made.built, identity=choice.archive.identity)
        builds.remember(self._session.prefix, record)
        self._rooms.pop(choice.slot).close()
        disk.remove_tree(self._folders[choice.slot])
        return tree

    def _note(self, choice: Choice, built: Built) -> None:
        """Remember the weakest walls of all builds, and what to tell of the result."""
        self.warnings += _ties(choice, built, elsewhere=self._prepared.maker is not None)
        if not built.sandbox:
            return
        if not self.sandbox or LEVELS.index(built.sandbox) < LEVELS.index(self.sandbox):
            self.sandbox, self.network = built.sandbox, built.network
        wanted = policy.lowest(policy.BEST, trusted=choice.trusted)
        if LEVELS.index(built.sandbox) < LEVELS.index(wanted):
            self.warnings.append(
                f"`{choice.name}` was built in sandbox level {built.sandbox}, and its signer "
                f"needs {wanted}: the setting `sandbox` allowed it"
            )

    def _deps(self, choice: Choice) -> tuple[tuple[str, DepRoot], ...]:
        return linking.given(self._tools_of(choice), self._linked(choice), self._roots)

    def _materials(self, choice: Choice, folder: str) -> tuple[Material, ...]:
        found = []
        for index, source in enumerate(choice.recipe.source):
            path = f"{folder}/{index}.source"
            self._material(choice, source, path)
            item = SourceItem(source, *listing.sha256(path))
            found.append(Material(item, path))
        return tuple(found)

    def _material(self, choice: Choice, source: Source, path: str) -> None:
        """Bring a source to a new file: out of the archive or the bundle, else from elsewhere."""
        archive, carried = choice.archive, self._prepared.carried
        digests = [one.sha256 for one in source.archives()]
        with self._turn:
            member = next((n for n in map(source_member, digests) if archive.has(n)), "")
            stream = archive.stream(member) if member else None
            if stream is None and carried is not None:
                stream = carried.source(digests)
            if stream is not None:
                with stream, disk.create_file(path) as out:
                    shutil.copyfileobj(stream, out)
                return
        if source.kind == "local":
            raise NoSolution(f"the archive does not carry the source `{source.path}`")
        sources.get(self._session, source, path, owner=choice.name, tell=self._tell)


def _ties(choice: Choice, built: Built, *, elsewhere: bool) -> Iterator[str]:
    """Yield what ties a result to a machine or a folder (SPEC AUD-04, AUD-05)."""
    audit = built.audit
    if not audit.relocatable:
        path = next((path for path, _ in audit.absolute), next(iter(audit.leaks), ""))
        yield f"`{choice.name}` may not work in another folder: `{path}` names one of this machine"
    if elsewhere and choice.context == "target" and audit.externals:
        names = ", ".join(f"`{name}`" for name in audit.externals)
        yield f"`{choice.name}` needs {names} of the machine that it is for"
