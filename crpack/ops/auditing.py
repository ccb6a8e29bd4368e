"""Auditing what was made: every binary is read again and compared with what is stated of it.

Rules (SPEC AUD-07):
- Of an archive every payload that it carries is unpacked and read, its closure's too; of an
  installed solution every tree. What is stated is the platform and the floors of a payload, and
  that it is portable and relocatable; of what was built here, the record of its build.
- A library counts as given when it is in the result, a file of the closure or a part of the
  platform. An archive that does not carry its closure says less: what it leaves open is told.
- A tree that a payload states to be linked with counts as a part of its closure, carried or not.
- A path of a folder that crpack builds in, or of a tree of a store, inside a file ties the result
  to a machine; the run path of a binary may lead to a tree of the closure, relative to itself.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from crpack import disk
from crpack.archive.bundle import Bundle
from crpack.errors import BuildFailed, FormatError, InstallError, UsageError
from crpack.install import generations, layout, listing
from crpack.install.store import Store, TreeWriter
from crpack.make import record as build_record
from crpack.make.audit import Audit, audit
from crpack.model import platforms, recipe_document, toc
from crpack.model.limits import MAX_JSON_BYTES
from crpack.model.manifest import payload_member
from crpack.model.platforms import ANY, Platform
from crpack.model.recipe_document import Context
from crpack.ops import elsewhere, making, opening, payloads

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crpack.archive.reader import Archive
    from crpack.make.record import Record
    from crpack.model.manifest import Payload
    from crpack.model.tree import Entry
    from crpack.session import Session

_PATHS = re.compile(
    rb"/%s/(?:source|build|out|home|tmp)\b|/store/[0-9a-f]{64}/files" % making.ROOM.encode()
)
_LONGEST = 128  # bytes of what the pattern matches
_TREE = re.compile(r"(?:^|/)([0-9a-f]{64})(?:/|$)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Row:
    """One binary: of which component, for what, what it asks for and where it looks."""

    component: str
    path: str
    kind: str
    platform: str
    needed: tuple[str, ...]
    runpath: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Audited:
    """What an audit found.

    Attributes:
        name: of the archive's component, or of the solution.
        results: how many were read.
        floors: component, its platform as stated, and its measured floors, as people read them.
        rows: every binary.
        faults: where it is not as stated.
        open: what cannot be said without what is not there.
    """

    name: str
    results: int
    floors: tuple[str, ...]
    rows: tuple[Row, ...]
    faults: tuple[str, ...]
    open: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Stated:
    """What is stated of one result; a tree that is not portable by its record may ask for more."""

    name: str
    platform: Platform
    floors: tuple[tuple[str, str], ...] | None
    portable: bool = True
    relocatable: bool = True


class _Auditor:
    """Collects what is found."""

    def __init__(self, names: frozenset[str], trees: frozenset[str], given: frozenset[str]) -> None:
        """Take the names, trees and file names of a closure."""
        self.names = names
        self.trees = trees
        self.given = given
        self.results = 0
        self.floors: list[str] = []
        self.rows: list[Row] = []
        self.faults: list[str] = []
        self.open: list[str] = []

    def read(
        self, stated: _Stated, folder: str, entries: tuple[Entry, ...], missing: tuple[str, ...]
    ) -> None:
        """Compare one result with what is stated of it."""
        self.results += 1
        leaks = tuple(_leaks(folder, entries)) if stated.relocatable else ()
        try:
            found = audit(folder, entries, stated.platform.base, provided=self.given, leaks=leaks)
        except BuildFailed as error:
            self.faults += [f"{stated.name}: {why}" for why in error.why or (error.what,)]
            return
        self.rows += [
            Row(stated.name, one.path, one.kind, one.platform, one.needed, one.runpath)
            for one in found.binaries
        ]
        measured = _floors(found.floors)
        self.floors.append(f"{stated.name} for {stated.platform}: {measured or 'no floor'}")
        self._compare(stated, found, missing)

    def _compare(self, stated: _Stated, found: Audit, missing: tuple[str, ...]) -> None:
        name = stated.name
        if stated.floors is not None and stated.floors != found.floors:
            said, measured = _floors(stated.floors) or "none", _floors(found.floors) or "none"
            self._fault(name, f"its floors are stated as {said} and measured as {measured}")
        floor = payloads.measured(stated.platform, found.floors)
        if stated.platform.floor and not stated.platform.accepts(floor):
            self._fault(name, f"it is stated for `{stated.platform}` and asks for `{floor}`")
        if stated.portable:
            for library in found.externals:
                self._absent(name, f"it needs `{library}`", missing)
        if stated.relocatable:
            for path, place in found.absolute:
                self._fault(name, f"`{path}` looks into `{place}`")
            for path in found.leaks:
                self._fault(name, f"`{path}` names a folder of a build or of a store")
        for one in found.binaries:
            for tree in (_TREE.search(place) for place in one.runpath):
                if tree and tree[1] not in self.trees:
                    self._absent(name, f"`{one.path}` looks into the tree `{tree[1]}`", missing)

    def _absent(self, name: str, what: str, missing: tuple[str, ...]) -> None:
        """Tell of something that no part of the closure gives, as far as it is carried."""
        if missing:
            absent = " and ".join(f"`{one}`" for one in missing)
            self.open.append(f"{name}: {what}, which {absent} may give")
        else:
            self._fault(name, f"{what}, which nothing in its closure gives")

    def _fault(self, name: str, what: str) -> None:
        self.faults.append(f"{name}: {what}")


def _answer(name: str, auditors: tuple[_Auditor, ...]) -> Audited:
    return Audited(
        name=name,
        results=sum(one.results for one in auditors),
        floors=tuple(text for one in auditors for text in one.floors),
        rows=tuple(row for one in auditors for row in one.rows),
        faults=tuple(text for one in auditors for text in one.faults),
        open=tuple(dict.fromkeys(text for one in auditors for text in one.open)),
    )


def audit_archive(session: Session, path: str) -> Audited:
    """Audit the payloads of an archive and of the copies that it carries (SPEC AUD-07).

    Raises:
        ArchiveError, FormatError: it is not exactly an archive.
    """
    with opening.reading(path) as archive:
        said = archive.manifest
        every = (archive, *(archive.component(one) for one in archive.components))
        return _audit_archives(session, f"{said.name} {said.version}", every)


def audit_bundle(session: Session, path: str) -> Audited:
    """Audit the payloads of the archives in a bundle (SPEC AUD-07).

    Raises:
        ArchiveError, FormatError: it is not exactly a bundle.
    """
    with opening.opened_file(path) as stream, opening.named(path):
        found = Bundle.open(stream, size=os.fstat(stream.fileno()).st_size)
        every = tuple(found.archive(identity) for identity in found.identities)
        return _audit_archives(session, f"bundle of {', '.join(found.listing.requests)}", every)


def _audit_archives(session: Session, name: str, every: tuple[Archive, ...]) -> Audited:
    stated = [(one, payload) for one in every for payload in one.manifest.payloads]
    carried = [(one, payload) for one, payload in stated if elsewhere.base(payload.platform)]
    unknown = tuple(
        f"{one.manifest.name}: its payload for `{payload.platform}`, a platform unknown here"
        for one, payload in stated
        if not elsewhere.base(payload.platform)
    )
    bases = dict.fromkeys(platforms.parse(payload.platform).base for _, payload in carried)
    auditors = {base: _auditor(carried, base) for base in bases}
    scratch = f"{session.homes.cache}/stage"
    disk.sweep(scratch)
    stage = disk.make_stage(scratch)
    try:
        for number, (one, payload) in enumerate(carried):
            auditor = auditors[platforms.parse(payload.platform).base]
            _audit_payload(session, auditor, one, payload, f"{stage.path}/{number}")
    finally:
        stage.close()
    answer = _answer(name, tuple(auditors.values()))
    return replace(answer, open=(*answer.open, *unknown))


def _auditor(carried: list[tuple[Archive, Payload]], base: Platform) -> _Auditor:
    """Return an auditor that knows what the payloads for one platform give each other."""
    same = [(a, p) for a, p in carried if platforms.parse(p.platform).base in (base, ANY)]
    files = frozenset(
        os.path.basename(entry.path)
        for archive, payload in same
        for entry in toc.entries(archive.toc(payload.id))
        if entry.kind != "dir"
    )
    names = frozenset(archive.manifest.name for archive, _ in same)
    required = {tree for _, payload in same for _, tree in payload.linked}
    return _Auditor(names, frozenset(payload.tree for _, payload in same) | required, files)


def _audit_payload(
    session: Session, auditor: _Auditor, archive: Archive, payload: Payload, folder: str
) -> None:
    name, platform = archive.manifest.name, platforms.parse(payload.platform)
    if not archive.has(payload_member(payload.id)):
        auditor.open.append(f"{name}: its payload for `{platform}` is not carried")
        return
    recipe = recipe_document.resolve(archive.recipe_bytes, Context(platform, payload.options))
    missing = tuple(n.name for n in recipe.requires.target if n.name not in auditor.names)
    writer = TreeWriter(folder)
    try:
        archive.unpack(payload.id, writer, threads=session.jobs)
        writer.finish()
    finally:
        writer.close()
    entries = toc.entries(archive.toc(payload.id))
    if not (payload.portable and payload.relocatable):
        auditor.faults.append(f"{name}: it is stated to work only where it was built")
    auditor.read(_Stated(name, platform, payload.floors), f"{folder}/files", entries, missing)
    disk.remove_tree(folder)


def audit_solution(session: Session, name: str) -> Audited:
    """Audit the trees of an installed solution (SPEC AUD-07).

    Raises:
        InstallError: it is not installed.
    """
    generation, held = generations.hold(session.prefix, name)
    with held:
        record = generation.record
        store = Store(session.prefix)
        platform = platforms.parse(record.platform)
        parts = [part.node for part in record.parts if part.node.tree]
        listed = {node.tree: store.entries(node.tree) for node in parts}
        given = {os.path.basename(e.path) for every in listed.values() for e in every}
        names = frozenset(node.name for node in parts)
        auditor = _Auditor(names, frozenset(listed), frozenset(given))
        built = {one.tree: one for one in _records(session.prefix)}
        for node in parts:
            made = built.get(node.tree) if node.origin == "source" else None
            stated = _Stated(node.name, platform, None)
            if made is not None:
                target = platforms.parse(made.target)
                stated = _Stated(
                    node.name, target.base, made.floors, made.portable, made.relocatable
                )
            auditor.read(stated, store.path(node.tree), listed[node.tree], ())
        return _answer(f"{record.name} {record.version}", (auditor,))


def _records(prefix: str) -> Iterator[Record]:
    folder = layout.built(prefix)
    for file in disk.names(folder):
        try:
            data = disk.read(os.path.join(folder, file), limit=MAX_JSON_BYTES)
            yield build_record.from_json(data, key=file.removesuffix(".json"))
        except (FormatError, InstallError, UsageError):
            continue  # a damaged record states nothing


def _leaks(folder: str, entries: tuple[Entry, ...]) -> Iterator[str]:
    """Yield the files that name a folder of a build or of a store."""
    for entry in entries:
        if entry.kind == "file":
            tail = b""
            for chunk in listing.chunks(f"{folder}/{entry.path}"):
                window = tail + chunk
                if _PATHS.search(window):
                    yield entry.path
                    break
                tail = window[-_LONGEST:]


def _floors(pairs: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(f"{name} {version}" for name, version in pairs)
