"""Models and data sets that the machine has already, by the probes of what is offered.

Rules (SPEC DAT-01 to DAT-03):
- Only what somebody asks for is looked for, and only below the folders for data: the user's own
  and the usual ones. Of a probe that an archive brings, nothing else of the machine is looked at.
- A probe counts once the archive that it is from is vouched for. What it recognises is that
  release, with those build options.
- What is found is used where it is; its files are recorded with size and digest.
"""

from __future__ import annotations

import itertools
import os
import time
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from crpack import disk
from crpack.detect import digests, places
from crpack.detect.cache import Cache
from crpack.detect.evidence import Subject
from crpack.detect.eyes import Eyes
from crpack.errors import CrpackError, FetchError, InstallError
from crpack.install import listing
from crpack.model import lock as locks
from crpack.model import parameters, platforms, recipe_document, toc
from crpack.model.facts import Found
from crpack.model.limits import MAX_JSON_BYTES
from crpack.model.lock import LockedPackage
from crpack.model.realisation import DetectedFile
from crpack.model.recipe_document import Context
from crpack.ops.gathering import Part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Self

    from crpack.archive.reader import Archive
    from crpack.index.entries import Release, Shard
    from crpack.model.facts import Facts
    from crpack.model.lock import Lock
    from crpack.model.probe import Probe
    from crpack.ops.gathering import Shelf
    from crpack.ops.indexes import Indexes
    from crpack.ops.progress import Tell
    from crpack.ops.selection import Component
    from crpack.session import Session

    Look = Callable[[str, Shard], tuple[Found, ...]]
    Options = tuple[tuple[str, str, str], ...]

KINDS = frozenset({"model", "dataset"})
ROOT = "{data}"  # what the roots of a probe from an archive must begin with
MAX_RELEASES = 32  # of one name that are looked for, the newest


def look(session: Session, shelf: Shelf, platform: str, options: Options, tell: Tell) -> Look:
    """Return what looks for the releases that an index offers of a name (SPEC DAT-02).

    Args:
        session: for the folders and the cache.
        shelf: where archives are had from, to be vouched for.
        platform: of this machine.
        options: what the user asks for: component, option, value as text.
        tell: takes the news.
    """

    def of_shard(index: str, shard: Shard) -> tuple[Found, ...]:
        found: list[Found] = []
        own = {option: value for name, option, value in options if name == shard.name}
        offering = tuple(_offering(shard))
        if not offering:
            return ()
        with _Search(session) as search:
            for release in offering:
                hits = search.of(release.recipe, own, platform)
                if hits:
                    row = _row(index, shard.name, release)
                    found += map(partial(_of, row), _vouched(shelf, row, hits, tell))
        return tuple(found)

    return of_shard


def of_components(
    session: Session, components: Iterable[Component], platform: str, options: Options
) -> tuple[Found, ...]:
    """Return what the machine has of signed components of an archive (SPEC DAT-02)."""
    found: list[Found] = []
    signed = [one for one in components if one.signers and _brings(one.archive.recipe_bytes)]
    if not signed:
        return ()
    with _Search(session) as search:
        for one in signed:
            own = {option: value for name, option, value in options if name == one.name}
            hits = search.of(one.archive.recipe_bytes, own, platform)
            found += (hit for hit in hits if _is_laid_out(one.archive, hit))
    return tuple(found)


def as_locked(facts: Facts, lock: Lock, asked: Indexes) -> Facts:
    """Return facts with the models and data sets that a lock counts on (SPEC DAT-02).

    Args:
        facts: of this machine.
        lock: what stands in it is looked for, and nothing else.
        asked: indexes that look for what they offer.
    """
    names = []
    for target in lock.target:
        for choice in target.package:
            row = locks.package_of(lock, choice)
            wanted = row.kind in KINDS if row else not facts.all(choice.name)
            if choice.origin == "detected" and wanted:
                names.append(choice.name)
    asked.offers(dict.fromkeys(names))
    return asked.beside(facts)


def options_of(lock: Lock) -> Options:
    """Return the options of everything in a lock: component, option, value."""
    rows = [(one.name, *pair) for one in lock.package for pair in one.options]
    chosen = [
        (choice.name, *pair)
        for target in lock.target
        for choice in target.package
        for pair in choice.options
    ]
    return (*rows, *chosen)


def files(found: Found) -> tuple[DetectedFile, ...]:
    """Return the files that prove a model or data set, as a realisation records them (DAT-03).

    Raises:
        InstallError: one cannot be read.
    """
    paths = [f"{found.place}/{name}" for name in found.files]
    if found.sha256:  # the one file, whose digest is known
        return (DetectedFile(paths[0], found.size, found.mtime_ns, found.sha256),)
    return tuple(map(recorded, paths))


def recorded(path: str) -> DetectedFile:
    """Return a file of the machine as it is now, whatever links lead to it.

    Raises:
        InstallError: it cannot be read.
    """
    real = os.path.realpath(path)
    try:
        status = os.stat(real)
    except OSError as error:
        raise InstallError(f"`{path}` cannot be read", why=[str(error.strerror)]) from error
    return DetectedFile(path, status.st_size, status.st_mtime_ns, listing.sha256(real)[0])


class _Search:
    """One look below the folders for data; digests are remembered by the state of files."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __enter__(self) -> Self:
        path = self._session.data_cache
        try:
            known = disk.read(path, limit=4 * MAX_JSON_BYTES)
        except InstallError:
            known = b""
        self._cache = Cache(known, time.time_ns())
        self._eyes = Eyes({}, self._cache)
        folders = self._session.data_folders()
        self._places = replace(places.of(self._eyes, None), prefixes=(), data=folders)
        return self

    def __exit__(self, *_: object) -> None:
        """Keep the digests; a cache that cannot be written costs time, nothing else."""
        if not self._cache.changed:
            return
        try:
            disk.make_folders(os.path.dirname(self._session.data_cache))
            disk.atomic_write(self._session.data_cache, self._cache.to_bytes(), 0o600)
        except InstallError:
            return

    def of(self, document: bytes, given: dict[str, str], platform: str) -> tuple[Found, ...]:
        """Return where a model or data set lies, by the probes of its recipe."""
        try:
            here = platforms.parse(platform)
            declared = recipe_document.resolve(document, Context(here, ())).build_options
            options = parameters.settle(declared, given, owner="")
            recipe = recipe_document.resolve(document, Context(here, options))
        except CrpackError:  # an option that it does not have: it cannot serve
            return ()
        package = recipe.package
        if package.kind not in KINDS:
            return ()
        notes = {f"option.{name}": value for name, value in options} | {"kind": package.kind}
        return tuple(
            replace(found, notes=tuple(sorted({**dict(found.notes), **notes}.items())))
            for probe in map(_below_data, recipe.probe)
            if probe is not None
            for found in digests.look(
                Subject(package.name, package.version, probe), self._eyes, self._places
            )
            if isinstance(found, Found)
        )


def _below_data(probe: Probe) -> Probe | None:
    """Return a probe with those of its roots that lie below folders for data; None for none."""
    roots = tuple(root for root in probe.roots if root.startswith(ROOT))
    return replace(probe, roots=roots) if probe.kind == "digest" and roots else None


def _brings(document: bytes) -> bool:
    """Say whether a recipe may bring a probe by digest, before it is read."""
    return b'"digest"' in document


def _offering(shard: Shard) -> Iterator[Release]:
    """Yield the newest releases that bring a probe, are not yanked, and have a small copy."""
    every = (one for one in shard.releases if _brings(one.recipe) and not one.yanked)
    thin = (one for one in every if any(copy.kind == "thin" for copy in one.copies))
    yield from itertools.islice(thin, MAX_RELEASES)


def _row(index: str, name: str, release: Release) -> LockedPackage:
    return LockedPackage(
        name, release.version, release.revision, "dataset", identity=release.identity, index=index
    )


def _of(row: LockedPackage, hit: Found) -> Found:
    """Return what was found with the release that it is of noted, for `release`."""
    notes = {"identity": row.identity, "index": row.index, "revision": str(row.revision)}
    return replace(hit, notes=tuple(sorted({**dict(hit.notes), **notes}.items())))


def release(found: Found) -> LockedPackage | None:
    """Return the release that data in place is of; None for all else."""
    notes = dict(found.notes)
    if not found.files or not notes.get("identity"):
        return None
    return LockedPackage(
        found.name, found.version or "", int(notes["revision"]), found.kind,
        identity=notes["identity"], index=notes["index"],
    )  # fmt: skip


def _vouched(
    shelf: Shelf, package: LockedPackage, hits: tuple[Found, ...], tell: Tell
) -> tuple[Found, ...]:
    """Return what may serve of what was found; nothing if the release's archive is not to be had.

    Raises:
        TrustError: it is not what the index lists and its publisher signed.
    """
    try:
        with ExitStack() as stack:
            archive = shelf.archive(Part(package), stack, tell).archive
            return tuple(hit for hit in hits if _is_laid_out(archive, hit))
    except FetchError:
        return ()


def _is_laid_out(archive: Archive, hit: Found) -> bool:
    """Say whether the files that prove a finding have the names that they have in a payload."""
    payloads = archive.manifest.payloads
    lists = (toc.entries(archive.toc(payload.id)) for payload in payloads)
    return not payloads or any(
        set(hit.files) <= {entry.path for entry in entries} for entries in lists
    )
