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
from crpack.archive.reader import Archive
from crpack.errors import (
    ArchiveError,
    FetchError,
    FormatError,
    InstallError,
    NoSolution,
    TrustError,
)
from crpack.index import retrieve
from crpack.model import manifest as manifests
from crpack.model import recipe_slice, signatures
from crpack.model.lock import LockedPackage
from crpack.ops import opening
from crpack.ops.drafts import check_crpack
from crpack.ops.indexes import Indexes
from crpack.ops.opening import Opened
from crpack.ops.progress import News
from crpack.ops.selection import Component
from crpack.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from crpack.fetch.transport import Transport
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


@dataclass(frozen=True, slots=True)
class Vouched:
    """An opened archive and the ids of the keys that vouch for it, whatever an index says.

    `trusted`: one of them may build here in any sandbox (SPEC BLD-19); `yanked`: why it was
    withdrawn, empty where it was not.
    """

    archive: Archive
    signers: tuple[str, ...]
    trusted: bool
    yanked: str = ""


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

    def archive(self, part: Part, stack: ExitStack, tell: Tell) -> Vouched:
        """Open the archive of a part, judged; it stays open until the stack is left."""


@contextmanager
def opened(shelf: Shelf, root: str, parts: Iterable[Part], tell: Tell) -> Iterator[Opened]:
    """Open the archives of a lock; they stay open within the `with`.

    Args:
        shelf: where they are had from.
        root: identity of the requested component's archive.
        parts: what is needed; of one archive it may be told in several.
        tell: takes the news.

    Raises:
        FetchError: one cannot be had.
        TrustError: one is not what its index and publishers vouch for.
        ArchiveError, FormatError: one is not exactly an archive.
    """
    with ExitStack() as stack:
        components, warnings = {}, []
        for part in joined(parts):
            vouched = shelf.archive(part, stack, tell)
            components[part.package.identity] = _component(vouched)
            if vouched.yanked:
                what = f"{part.package.name} {part.package.version}"
                warnings.append(f"`{what}` was withdrawn by its publisher: {vouched.yanked}")
        others = tuple(one for identity, one in components.items() if identity != root)
        yield Opened(components[root], others, tuple(warnings))


def _component(vouched: Vouched) -> Component:
    recipe = opening.recipe_of(vouched.archive)
    return Component(vouched.archive, recipe, vouched.signers, vouched.trusted)


@dataclass(frozen=True, slots=True)
class IndexShelf:
    """Archives of the indexes that a session asks, through a cache."""

    session: Session
    indexes: Indexes

    def archive(self, part: Part, stack: ExitStack, tell: Tell) -> Vouched:
        """Open the archive of a part (SPEC ASK-04).

        Raises:
            FetchError, TrustError, ArchiveError, NoSolution: see `opened`.
        """
        package = part.package
        index = self.indexes.named(package.index)
        release = self.indexes.release(package.index, package.name, package.identity)
        if not release.copies:
            raise _without_copy(package.name, package.version, index.name)
        if part.sources and all(one.kind == "thin" for one in release.copies):
            elsewhere = all(source.urls for source in release.sources)
            part = replace(part, sources=not elsewhere)
        path = f"{self._folder()}/{package.identity}.crpkg"
        archive = _kept(path, part, stack)
        if archive is None:
            tell(News("Fetching", f"{package.name} {package.version}"))
            self._fetch(index, release, part, path, tell)
            archive = _open(path, stack)
        return judge(archive, part, index, release)

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
        transport = self.session.transport()
        copies = _near(index, _copies(index, release, part), transport)
        stage = disk.make_stage(scratch)
        try:
            got = retrieve.retrieve(
                transport,
                copies,
                identity=part.package.identity,
                wanted=part.wanted,
                folder=stage.path,
                parts=self.session.parts,
                report=report,
            )
            disk.publish_file(got, path)
        finally:
            stage.close()


def _without_copy(name: str, version: str, index: str) -> NoSolution:
    return NoSolution(
        f"there is no archive of `{name}` {version}",
        why=[f"the index `{index}` lists the release and no copy of it"],
        hint="ask the owner of the index to add the archive",
        rule="IDX-09",
    )


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


def _near(index: Index, copies: list[Copy], transport: Transport) -> list[Copy]:
    """Leave out copies that lie at a host which neither the index nor the user names (IDX-09)."""
    near = [copy for copy in copies if transport.admits(copy.url, index.url)]
    if copies and not near:
        host = copies[0].url.split("/")[2]
        raise FetchError(
            f"the index `{index.name}` lists an archive at another host",
            why=[f"it would come from `{host}`"],
            hint=f"if you trust that host, add `{host}` to the setting `redirect-hosts`",
            rule="IDX-09",
        )
    return near


def judge(archive: Archive, part: Part, index: Index, release: Release) -> Vouched:
    """See that an archive is the one that an index lists and a publisher signed (SPEC ASK-04).

    Raises:
        TrustError: it is another, or nobody who may publish its name signed it.
    """
    package, said = part.package, archive.manifest
    found = (archive.identity, said.name, said.version, said.revision)
    listed = (release.identity, package.name, release.version, release.revision)
    locked = (package.identity, package.name, package.version, package.revision)
    if found != listed:
        raise TrustError(
            f"the archive of `{package.name}` is not the one that the index lists",
            why=[f"listed is {_told(listed)}, the archive says {_told(found)}"],
            rule="ASK-04",
        )
    if found != locked:
        raise TrustError(
            f"the lock says of `{package.name}` what its archive does not",
            why=[f"the lock says {_told(locked)}, the archive {_told(found)}"],
            hint="lock again: `crpack lock`",
            rule="ASK-04",
        )
    signed = signatures.decode(archive.signatures_bytes)
    signers = index.publishers.check(package.name, archive.manifest_bytes, signed)
    if package.signers and not set(package.signers) & set(signers):
        raise TrustError(
            f"`{package.name}` is signed by other keys than when it was locked",
            why=[f"the lock has the key `{one}`" for one in package.signers],
            hint="if its publisher changed the keys, lock again: `crpack lock`",
            rule="ASK-04",
        )
    check_crpack(said.needs_crpack, package.name)
    recipe_slice.check(archive.recipe_bytes, release.recipe, name=package.name)
    archive.read_through()
    trusted = index.publishers.may_build(package.name, signers)
    return Vouched(archive, signers, trusted, release.yanked)


def _told(what: tuple[str, str, str, int]) -> str:
    _, name, version, revision = what
    return f"{name} {version}" + (f", revision {revision}" if revision else "")


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
                archive.read_through()
                stack.push(own.pop_all())
                return archive
        except (ArchiveError, FormatError, InstallError):
            pass
    return None


def _open(path: str, stack: ExitStack) -> Archive:
    stream = stack.enter_context(opening.opened_file(path))
    return Archive.open(stream, size=os.fstat(stream.fileno()).st_size)
