"""Gathering: from the rows of a lock to opened archives, out of a cache, an index or a bundle.

Rules (SPEC ASK-04, ASK-05):
- An archive is taken by its identity, and only when those who may publish its name in its index
  have signed it. What the index says of its recipe must be what the archive says.
- Only what is wanted of an archive is fetched: its small members, and the payload or the sources
  that the lock chose.
- Archives are kept by identity in the cache; a kept one that is damaged or lacks what is wanted is
  fetched again.
"""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from crpack import disk
from crpack.archive import reader
from crpack.errors import ArchiveError, FormatError, InstallError, TrustError
from crpack.index import retrieve
from crpack.model import manifest as manifests
from crpack.model import recipe_slice, signatures
from crpack.model.lock import LockedPackage
from crpack.ops import opening
from crpack.ops.indexes import Indexes
from crpack.ops.opening import Opened
from crpack.ops.progress import News
from crpack.ops.selection import Component
from crpack.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from crpack.archive.reader import Archive
    from crpack.index.client import Index
    from crpack.index.entries import Copy, Release
    from crpack.model.manifest import Manifest
    from crpack.ops.progress import Tell

    Wanted = Callable[[Manifest], frozenset[str]]


@dataclass(frozen=True, slots=True)
class Part:
    """One archive that is needed, and what of it.

    Attributes:
        package: the row of the lock.
        payloads: ids of the payloads that are needed.
        sources: its sources are needed.
    """

    package: LockedPackage
    payloads: tuple[str, ...] = ()
    sources: bool = False

    def wanted(self, manifest: Manifest) -> frozenset[str]:
        """Return the names of the bulk members that are needed."""
        found = {manifests.source_member(one) for one in manifest.sources if self.sources}
        return frozenset(found | {manifests.payload_member(one) for one in self.payloads})


def joined(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Return one part an archive, which has all that any of them needs."""
    found: dict[str, Part] = {}
    for part in parts:
        old = found.get(part.package.identity, part)
        payloads = tuple(dict.fromkeys((*old.payloads, *part.payloads)))
        found[part.package.identity] = Part(
            part.package, payloads, sources=old.sources or part.sources
        )
    return tuple(found.values())


class Shelf(Protocol):
    """Where archives are had from."""

    def archive(self, part: Part, stack: ExitStack, tell: Tell) -> Archive:
        """Open the archive of a part, judged; it stays open until the stack is left."""


@contextmanager
def opened(shelf: Shelf, root: str, parts: tuple[Part, ...], tell: Tell) -> Iterator[Opened]:
    """Open the archives of a lock; they stay open within the `with`.

    Args:
        shelf: where they are had from.
        root: name of the requested component.
        parts: one an archive.
        tell: takes the news.

    Raises:
        FetchError: one cannot be had.
        TrustError: one is not what its index and publishers vouch for.
        ArchiveError, FormatError: one is not exactly an archive.
    """
    with ExitStack() as stack:
        components = {
            part.package.name: _component(shelf.archive(part, stack, tell), part) for part in parts
        }
        others = tuple(one for name, one in components.items() if name != root)
        yield Opened(components[root], others, ())


def _component(archive: Archive, part: Part) -> Component:
    recipe = opening.recipe_of(archive)
    return Component(archive, recipe, part.package.signers)


@dataclass(frozen=True, slots=True)
class IndexShelf:
    """Archives of the indexes that a session asks, through a cache."""

    session: Session
    indexes: Indexes

    def archive(self, part: Part, stack: ExitStack, tell: Tell) -> Archive:
        """Open the archive of a part (SPEC ASK-04).

        Raises:
            FetchError, TrustError, ArchiveError, NoSolution: see `opened`.
        """
        package = part.package
        index = self.indexes.named(package.index)
        release = self.indexes.release(package.index, package.name, package.identity)
        path = f"{self._folder()}/{package.identity}.crpkg"
        archive = _kept(path, part, stack)
        if archive is None:
            tell(News("Fetching", f"{package.name} {package.version}"))
            self._fetch(index, release, part, path, tell)
            archive = _open(path, stack)
        judge(archive, part, index, release)
        return archive

    def _folder(self) -> str:
        folder = f"{self.session.homes.cache}/archives"
        disk.make_folders(folder)
        return folder

    def _fetch(self, index: Index, release: Release, part: Part, path: str, tell: Tell) -> None:
        """Fetch what is wanted of an archive to its place in the cache."""
        name = f"{part.package.name} {part.package.version}"
        done, total = 0, _expected(release, part)

        def report(count: int) -> None:
            nonlocal done
            done += count
            tell(News("Fetching", name, done, total))

        scratch = f"{self.session.homes.cache}/stage"
        disk.sweep(scratch)
        stage = disk.make_stage(scratch)
        try:
            got = retrieve.retrieve(
                self.session.transport(),
                _copies(index, release, part),
                identity=part.package.identity,
                wanted=part.wanted,
                folder=stage.path,
                parts=self.session.parts,
                report=report,
            )
            disk.publish_file(got, path)
        finally:
            stage.close()


def _expected(release: Release, part: Part) -> int:
    """Return about how many bytes come: the end of the archive, payloads and sources."""
    end = min(copy.size - copy.tail for copy in release.copies)
    packed = sum(one.packed for one in release.payloads if one.id in part.payloads)
    return end + packed + sum(one.size for one in release.sources if part.sources)


def _copies(index: Index, release: Release, part: Part) -> list[Copy]:
    """Return where an archive is, with addresses; a thin copy comes first where it is enough."""
    found = [replace(copy, url=index.place(copy)) for copy in release.copies]
    if part.payloads or part.sources:
        found = [copy for copy in found if copy.kind == "full"]
    return sorted(found, key=lambda copy: copy.kind != "thin")


def judge(archive: Archive, part: Part, index: Index, release: Release) -> None:
    """See that an archive is the one that an index lists and a publisher signed (SPEC ASK-04).

    Raises:
        TrustError: it is another, or nobody who may publish its name signed it.
    """
    package, said = part.package, archive.manifest
    found = (archive.identity, said.name, said.version, said.revision)
    listed = (release.identity, package.name, release.version, release.revision)
    if found != listed:
        raise TrustError(
            f"the archive of `{package.name}` is not the one that the index lists",
            why=[f"listed is {listed[1]} {listed[2]}, the archive says {said.name} {said.version}"],
            rule="ASK-04",
        )
    signed = signatures.decode(archive.signatures_bytes)
    index.publishers.check(package.name, archive.manifest_bytes, signed)
    recipe_slice.check(archive.recipe_bytes, release.recipe, name=package.name)
    _read_through(archive)


def _read_through(archive: Archive) -> None:
    for name in archive.names:
        with archive.stream(name) as stream:
            while stream.read(1 << 20):
                pass


def _kept(path: str, part: Part, stack: ExitStack) -> Archive | None:
    """Return the kept archive when it is whole enough for what is wanted."""
    if not os.path.isfile(path):
        return None
    with ExitStack() as own:
        try:
            archive = _open(path, own)
            whole = archive.identity == part.package.identity and all(
                archive.has(name) for name in part.wanted(archive.manifest)
            )
            if whole:
                _read_through(archive)
                stack.push(own.pop_all())
                return archive
        except (ArchiveError, FormatError, InstallError):
            pass
    return None


def _open(path: str, stack: ExitStack) -> Archive:
    stream = stack.enter_context(opening.opened_file(path))
    return reader.Archive.open(stream, size=os.fstat(stream.fileno()).st_size)
