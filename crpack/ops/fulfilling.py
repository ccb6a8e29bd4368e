"""Fulfilling a plan inside a transaction: unpack, build, make the environment, write the record.

Rules:
- Choices are taken in order, each after what it needs; a tree that is there is used as it is.
- A build whose key is remembered costs nothing; it is remembered as soon as its tree is in the
  store, so that what fails after it costs no second build.
- Everything is made in the transaction's stage; nothing is visible before its commit.
"""

from __future__ import annotations

import os
import shutil
import time
from typing import TYPE_CHECKING

from crpack import disk
from crpack.errors import NoSolution
from crpack.fetch import download
from crpack.fetch.addresses import shown
from crpack.install import listing
from crpack.install.generations import Part, Record
from crpack.make import record as build_record
from crpack.make.key import External
from crpack.make.plan import DepRoot, SourceItem
from crpack.model import platforms
from crpack.model.dates import utc
from crpack.model.limits import MAX_ARCHIVE_BYTES
from crpack.model.manifest import source_member
from crpack.model.realisation import DetectedFile, Node, RealWheel
from crpack.ops import builds, data, making, policy, pythons, sources
from crpack.ops.making import Job, Material
from crpack.ops.opening import sha256_of_recipe
from crpack.ops.progress import News
from crpack.process.sandbox import LEVELS

if TYPE_CHECKING:
    from crpack.install.transaction import Transaction
    from crpack.make.runner import Built
    from crpack.model.facts import Found
    from crpack.model.manifest import Payload
    from crpack.model.recipe import Source
    from crpack.ops.preparing import Prepared
    from crpack.ops.progress import Tell
    from crpack.ops.selection import Choice
    from crpack.session import Session

_SYSTEM = ("/usr/", "/opt/")
_PREFIXES = ("bin", "lib", "include")  # a detected file's folder that its prefix is above


def _recorded(found: Found) -> DetectedFile:
    digest = listing.sha256(found.realpath)[0]
    return DetectedFile(found.path, found.size, found.mtime_ns, digest)


def _root(found: Found) -> str:
    """Return the folder of an installation as a build sees it; no more of a home than its tool."""
    folder = os.path.dirname(found.path)
    notes = dict(found.notes)
    prefix = notes.get("prefix", "")
    if prefix and ("evidence" in notes or f"{prefix}/".startswith(_SYSTEM)):
        return prefix
    system = folder.startswith(_SYSTEM) and os.path.basename(folder) in _PREFIXES
    return os.path.dirname(folder) if system else folder


class Workshop:
    """One installation at work."""

    def __init__(
        self, session: Session, transaction: Transaction, prepared: Prepared, tell: Tell
    ) -> None:
        self._session = session
        self._transaction = transaction
        self._prepared = prepared
        self._tell = tell
        self._parts: list[Part] = []
        self._roots: dict[str, DepRoot] = {}
        self.sandbox: str = ""
        self.network = ""
        self.warnings: list[str] = []

    def take(self, choice: Choice) -> None:
        """Make one component ready in the stage or the store.

        Raises:
            ArchiveError: its payload is not what is signed.
            BuildFailed: it cannot be made.
        """
        if choice.found is not None:
            self._take_detected(choice, choice.found)
            return
        payload = choice.payload
        tree = self._unpack(choice, payload) if payload is not None else self._build(choice)
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
        self._parts.append(Part(node, exports.bin, exports.env))
        path = self._transaction.store.path(tree)
        self._roots[package.name] = DepRoot(path, tree, exports)

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
            parts=tuple(sorted(self._parts, key=lambda part: part.node.name)),
            wheels=tuple(
                RealWheel(one.wheel.name, one.wheel.version, one.wheel.sha256)
                for one in self._prepared.python.wheels
            ),
            unsigned=self._prepared.unsigned,
        )

    def _take_detected(self, choice: Choice, found: Found) -> None:
        package = choice.recipe.package
        files = data.files(found) if found.files else (_recorded(found),)
        node = Node(
            name=package.name,
            version=found.version or "",
            revision=0,
            kind=package.kind,
            origin="detected",
            files=files,
        )
        if found.files:
            self._parts.append(Part(node, place=found.place))
            parts = zip(found.files, files, strict=True)
            own = tuple(External(name, node.version, file.sha256) for name, file in parts)
            self._roots[package.name] = DepRoot(found.place, externals=own)
            return
        self._parts.append(Part(node))
        digest = files[0].sha256
        external = External(os.path.basename(found.path), found.version or "", digest)
        self._roots[package.name] = DepRoot(_root(found), externals=(external,))

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

    def _build(self, choice: Choice) -> str:
        self._transaction.settle()
        facts = self._prepared.facts
        job = Job(
            document=choice.archive.recipe_bytes,
            sha256=sha256_of_recipe(choice.archive),
            options=choice.options,
            target=platforms.parse(facts.platform),
            materials=self._materials(choice),
            deps=self._deps(choice),
            trusted=choice.trusted,
        )
        with making.room(self._transaction.folder(), self._session) as folder:
            return self._make(choice, job, folder)

    def _make(self, choice: Choice, job: Job, folder: str) -> str:
        facts = self._prepared.facts
        key = making.plan(job, facts, folder, self._session.jobs).key
        known = builds.tree_of(self._session.prefix, key)
        if known and self._reuse(known):
            return known
        made, built = making.make(job, facts, folder=folder, session=self._session, tell=self._tell)
        self._note(choice, built)
        writer = self._transaction.writer()
        writer.copy(built.folder, built.entries)
        tree = self._transaction.admit(writer, built.tree)
        self._transaction.settle()
        identity = choice.archive.identity
        record = build_record.record(made, built, identity=identity)
        builds.remember(self._session.prefix, record)
        return tree

    def _note(self, choice: Choice, built: Built) -> None:
        """Remember the weakest walls of all builds, and what had less than its signer needs."""
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
        requires = choice.recipe.requires
        groups = (("build", requires.build), ("target", requires.target))
        deps: dict[str, DepRoot] = {}
        for context, needs in groups:
            for need in needs:
                root = self._roots.get(need.name)
                if root is not None and need.name not in deps:
                    deps[need.name] = DepRoot(
                        root.path, root.tree, root.exports, context, root.externals
                    )
        return tuple(sorted(deps.items()))

    def _materials(self, choice: Choice) -> tuple[Material, ...]:
        folder = self._transaction.folder()
        found = []
        for index, source in enumerate(choice.recipe.source):
            path = f"{folder}/{index}.source"
            self._material(choice, source, path)
            item = SourceItem(source, *listing.sha256(path))
            found.append(Material(item, path))
        return tuple(found)

    def _material(self, choice: Choice, source: Source, path: str) -> None:
        archive = choice.archive
        member = source_member(source.sha256) if source.sha256 else ""
        if member and archive.has(member):
            with archive.stream(member) as stream, disk.create_file(path) as out:
                shutil.copyfileobj(stream, out)
        elif source.kind == "url":
            self._tell(News("Fetching", shown(source.urls[0])))
            download.download(
                self._session.transport(), source.urls, path, limit=MAX_ARCHIVE_BYTES,
                sha256=source.sha256, size=source.size, parts=self._session.parts,
            )  # fmt: skip
        elif source.kind == "inline":
            sources.pack(source, "", path)
        else:
            raise NoSolution(f"the archive does not carry the source `{source.path}`")
