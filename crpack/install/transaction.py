"""Transactions: the only way in which what is installed changes.

Rules (SPEC STO-03, STO-04, GEN-04):
- Everything is made in a stage. Trees get their names in the store, a generation gets its name,
  and one switch of `current` makes it so. Before the switch nothing has changed.
- Recovery only deletes: stages whose process is gone, generations above `current`.
- What is written is durable before it gets a name: one `sync_tree` for all trees.
- Of two commands that make the same at once, the second to come finds it made and changes nothing.
- A solution's lock is held for the switch only. The collector's lock is held shared while trees
  are counted on, and each of them is pinned in the stage first, so that none is collected.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from crpack import disk
from crpack.errors import ArchiveError, CrpackError, InstallError
from crpack.install import documents, generations, layout, state
from crpack.install.generations import Generation, Record
from crpack.install.store import Store, TreeWriter
from crpack.model import names, realisation

if TYPE_CHECKING:
    from typing import Self

DOCUMENT_MODE = 0o444


@dataclass(frozen=True, slots=True)
class Draft:
    """What a new generation is to hold: its record, and the bytes of two documents."""

    record: Record
    lock: bytes
    recipe: bytes


class Locks:
    """The lock files of a prefix (SPEC STO-13)."""

    def __init__(self, prefix: str) -> None:
        self._folder = layout.locks(prefix)

    def collector(self, *, shared: bool) -> disk.Lock:
        """Wait for the collector's lock: shared by who counts on trees, else exclusive."""
        return disk.lock(self._path("collect"), shared=shared)

    def solution(self, name: str) -> disk.Lock:
        """Wait for the right to switch a solution."""
        return disk.lock(self._path(f"solution-{names.folder(name)}"))

    def environment(self, digest: str) -> disk.Lock:
        """Wait for the right to make a Python environment."""
        return disk.lock(self._path(f"env-{digest}"))

    def trash(self) -> disk.Lock | None:
        """Take the right to empty the trash, or return None when someone does."""
        return disk.try_lock(self._path("trash"))

    def _path(self, name: str) -> str:
        disk.make_folders(self._folder)
        return os.path.join(self._folder, name)


class Transaction:
    """One change of one prefix. Leaving its `with` removes the stage, whatever happened.

    `repeated` says after `commit` that another command had made the same meanwhile.
    """

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.store = Store(prefix)
        self.locks = Locks(prefix)
        self._writers: list[TreeWriter] = []
        self._ready: dict[str, str] = {}
        self._count = 0
        self.repeated = False

    def __enter__(self) -> Self:
        root = layout.stages(self.prefix)
        disk.sweep(root)
        self._stage = disk.make_stage(root)
        try:
            self.folder("pins")
        except BaseException:
            self._stage.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for writer in self._writers:
            writer.close()
        self._stage.close()

    def folder(self, name: str = "") -> str:
        """Make a private folder of this transaction, on the store's file system."""
        self._count += 1
        path = os.path.join(self._stage.path, name or str(self._count))
        disk.make_folders(path)
        return path

    def reuse(self, tree: str) -> bool:
        """Say whether a tree is there; if so, it stays at least as long as the transaction."""
        with self.locks.collector(shared=True):
            self._pin(tree)
            return self.store.has(tree)

    def discard(self, tree: str) -> None:
        """Take a damaged tree out of the store, so that a whole one can get its name.

        Generations that link to it are broken already and are whole again after the commit.
        """
        place = self.store.place(tree)
        with self.locks.collector(shared=True):
            if os.path.lexists(place):
                disk.discard(place, self._stage.path)

    def pin_environment(self, digest: str) -> None:
        """Keep a Python environment, made or not, at least as long as the transaction."""
        with self.locks.collector(shared=True):
            self._pin(digest)

    def writer(self) -> TreeWriter:
        """Return a writer for a new tree."""
        self._count += 1
        writer = TreeWriter(os.path.join(self._stage.path, f"tree-{self._count}"))
        self._writers.append(writer)
        return writer

    def admit(self, writer: TreeWriter, expected: str = "") -> str:
        """Finish a tree and return its name; it enters the store with `settle` or `commit`.

        Raises:
            ArchiveError: it is not the expected one.
        """
        tree = writer.finish()
        if expected and tree != expected:
            why = [f"it is `{tree}`, not `{expected}`"]
            raise ArchiveError("the files are not those of the signed tree", why=why, rule="STO-03")
        self._ready[tree] = writer.path
        return tree

    def settle(self) -> None:
        """Bring all admitted trees into the store (SPEC STO-12)."""
        with self.locks.collector(shared=True):
            self._settle()

    def _settle(self) -> None:
        if not self._ready:
            return
        disk.sync_tree(self._stage.path)
        for tree, path in self._ready.items():
            self._pin(tree)
            self.store.admit(path, tree)
        self._ready = {}

    def _pin(self, digest: str) -> None:
        path = os.path.join(self._stage.path, "pins", digest)
        if not os.path.lexists(path):
            disk.write_file(path, ())

    def commit(self, draft: Draft, *, since: int = -1) -> Generation:
        """Make a generation of the draft and switch to it (SPEC GEN-04).

        Args:
            draft: what it holds.
            since: the current number when the draft was decided on. If there is another one by
                now, and it is what the draft would make, that one is returned; -1 never asks.

        Raises:
            InstallError: nothing has changed, unless `data["changed"]` is true.
        """
        name = draft.record.name
        with self.locks.collector(shared=True), self.locks.solution(name):
            self._settle()
            self._require(draft.record)
            there = self._made_since(draft, since)
            if there is not None:
                self.repeated = True
                return there
            self._forget_orphans(name)
            number = max(generations.numbers(self.prefix, name), default=0) + 1
            made = self._write(draft, number)
            disk.make_folders(layout.generations(self.prefix, name))
            path = layout.generation(self.prefix, name, number)
            if not disk.rename(made.path, path):
                raise InstallError(f"`{path}` is there already")
            self._switch(name, number)
        return replace(made, path=path)

    def _made_since(self, draft: Draft, since: int) -> Generation | None:
        """Return the current generation if it came after `since` and equals the draft."""
        if since < 0:
            return None
        try:
            now = generations.current(self.prefix, draft.record.name)
        except InstallError:  # not installed, or damaged
            return None
        own = now.record
        wanted = replace(_completed(draft, own.number), date=own.date)
        same = generations.encode(wanted) == generations.encode(own)
        return now if own.number != since and same and not documents.damaged(now) else None

    def _switch(self, name: str, number: int) -> None:
        link = layout.current(self.prefix, name)
        try:
            disk.switch_link(link, layout.to_generation(number), scratch=self._stage.path)
        except CrpackError as error:
            error.data["changed"] = state.current_number(self.prefix, name) == number
            if error.data["changed"]:
                error.why += (f"`{name}` was switched, but may fall back after a power cut",)
            raise

    def _require(self, record: Record) -> None:
        """Check that all that the generation would link to is there."""
        for part in record.parts:
            tree = part.node.tree
            if tree and not self.store.has(tree):
                raise InstallError(f"the tree of `{part.node.name}` is not in the store")
            if part.place and not os.path.isdir(part.place):
                raise InstallError(f"`{part.place}`, which is `{part.node.name}`, is not there")
        if record.env and not os.path.isfile(layout.complete(self.prefix, record.env)):
            raise InstallError("the Python environment is not complete")

    def _forget_orphans(self, name: str) -> None:
        """Take away the generations above `current`: their commits never came to an end."""
        try:
            now = state.current_number(self.prefix, name)
        except InstallError:  # `current` is damaged: nobody knows which they are
            return
        for number in generations.numbers(self.prefix, name):
            path = layout.generation(self.prefix, name, number)
            held = disk.hold(f"{path}/{layout.RECORD}", shared=False) if number > now else None
            if held is not None:
                with held:
                    disk.discard(path, self._stage.path)

    def _write(self, draft: Draft, number: int) -> Generation:
        """Write a generation into the stage, durable."""
        record = _completed(draft, number)
        self._count += 1
        path = self.folder(f"generation-{self._count}")
        documents = (
            (layout.RECORD, generations.encode(record)),
            (layout.LOCK, draft.lock),
            (layout.RECIPE, draft.recipe),
            (layout.REALISATION, realisation.encode(generations.real(record))),
        )
        for document, data in documents:
            disk.write_file(f"{path}/{document}", [data], DOCUMENT_MODE, durable=True)
        self._link(path, record)
        return Generation(path, record)

    def _link(self, path: str, record: Record) -> None:
        disk.make_folders(f"{path}/root")
        for part in record.parts:
            target = generations.target(part)
            if target:
                disk.make_link(f"{path}/root/{names.folder(part.node.name)}", target)
        if record.env:
            disk.make_link(f"{path}/env", layout.to_environment(record.env))
        disk.sync_folder(f"{path}/root")
        disk.sync_folder(path)


def _completed(draft: Draft, number: int) -> Record:
    """Return the record of a draft as the generation with a number has it."""
    return replace(
        draft.record,
        parts=tuple(sorted(draft.record.parts, key=lambda part: part.node.name)),
        wheels=tuple(sorted(draft.record.wheels, key=lambda wheel: wheel.name)),
        unsigned=tuple(sorted(draft.record.unsigned)),
        number=number,
        lock=hashlib.sha256(draft.lock).hexdigest(),
        recipe=hashlib.sha256(draft.recipe).hexdigest(),
        realisation=realisation.digest(generations.real(draft.record)),
    )
