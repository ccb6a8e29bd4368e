"""The verb `bundle`: all that a solution needs, in one file that is installed without a network.

Rules (SPEC BUN-08, BUN-09, BUN-11, BUN-13):
- A bundle is made from a lock: the archives with the payloads and sources that its targets need,
  the wheels, and the files of each index that prove what the archives are.
- Whoever installs it believes its indexes by their pinned roots. No index vouches for wheels: the
  maker may, by signing the lock.
- The slices are judged as they will be where it is installed, before they are written.
"""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from crpack import disk
from crpack.archive import bundle, writer
from crpack.errors import FetchError, TrustError
from crpack.index import blobs, client, contents, places
from crpack.index.cache import Blobs
from crpack.install import listing
from crpack.model import bundle as bundles
from crpack.model import lock as locks
from crpack.model import manifest as manifests
from crpack.model import platforms, recipe_document
from crpack.model.dates import utc
from crpack.model.limits import MAX_HEAD_BYTES, MAX_INDEX_PACKED
from crpack.model.recipe_document import Context
from crpack.ops import gathering, locking, pythons, resolving, sources
from crpack.ops.gathering import IndexShelf, Part
from crpack.ops.progress import News, Tell, silent
from crpack.trust import bundles as makers
from crpack.trust import keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import BinaryIO

    from crpack.archive.reader import Archive
    from crpack.archive.writer import Part as Member
    from crpack.index.cache import Read
    from crpack.index.client import Index
    from crpack.model.lock import Choice, Lock
    from crpack.model.recipe import Recipe
    from crpack.ops.freezing import Frozen
    from crpack.session import Session
    from crpack.trust.keys import PrivateKey


@dataclass(frozen=True, slots=True)
class Bundled:
    """A bundle that was made.

    Attributes:
        path: of the file; `size` are its bytes.
        requests: what it installs.
        platforms: where.
        archives, wheels: how many it carries.
        signers: ids of the keys that signed its lock.
        date: as of when its indexes are.
        made_there: what is built where it is installed, as `PLATFORM: NAME, NAME`.
        spare: platforms with a floor; payloads would serve in place of builds there.
    """

    path: str
    size: int
    requests: tuple[str, ...]
    platforms: tuple[str, ...]
    archives: int
    wheels: int
    signers: tuple[str, ...]
    date: str
    made_there: tuple[str, ...] = ()
    spare: tuple[str, ...] = ()


def make(
    session: Session,
    order: locking.Order,
    out: str,
    *,
    frozen: bool,
    signers: tuple[PrivateKey, ...] = (),
    tell: Tell = silent,
) -> Bundled:
    """Make a bundle.

    Args:
        session: for indexes, caches and Python.
        order: what is locked; its lock's file is read only when `frozen`.
        out: the file to write; empty for one named after the first request.
        frozen: take the lock as it is.
        signers: keys that sign the lock.
        tell: takes the news.

    Raises:
        NoSolution: nothing satisfies what is asked.
        FetchError, TrustError: an index, an archive or a wheel cannot be had, or is refused.
        UsageError: nothing is asked for.
    """
    made = locking.frozen(session, replace(order, carried=True), as_it_is=frozen, tell=tell)
    path = os.path.abspath(out or f"{_name(made.lock)}.crbundle")
    scratch = f"{session.homes.cache}/stage"
    disk.sweep(scratch)
    stage = disk.make_stage(scratch)
    try:
        with ExitStack() as stack:
            shelf = IndexShelf(session, made.indexes)
            parts = parts_of(made.lock)
            archives = {
                part.package.identity: shelf.archive(part, stack, tell).archive for part in parts
            }
            spare = _spare(made.lock, archives)
            members = [
                *_archives(parts, archives, stage.path),
                *_sources(session, made.lock, archives, stage.path, tell),
                *_wheels(session, made, tell),
                *_slices(session, made),
                *_signed(locks.encode(made.lock), signers),
            ]
            tell(News("Writing", path))
            file = f"{stage.path}/bundle"
            with disk.create_file(file) as stream:
                size = bundle.write(
                    members, stream, date=utc(time.time()), requests=made.lock.request,
                    platforms=tuple(target.platform for target in made.lock.target),
                )  # fmt: skip
            disk.make_folders(os.path.dirname(path))
            disk.publish_file(file, path)
    finally:
        stage.close()
    return Bundled(
        path=path,
        size=size,
        requests=made.lock.request,
        platforms=tuple(target.platform for target in made.lock.target),
        archives=len([one for one in members if bundles.archive_identity(one.name)]),
        wheels=len(made.lock.wheel),
        signers=tuple(sorted(keys.public(one).keyid for one in signers)),
        made_there=_made_there(made.lock),
        spare=spare,
        date=min((made.indexes.named(row.name).date for row in made.lock.index), default=""),
    )


def parts_of(lock: Lock) -> tuple[Part, ...]:
    """Return the archives that the targets of a lock need, fallbacks included."""
    return gathering.joined(
        part
        for target in lock.target
        for choice in target.package
        if (part := _part(lock, choice)) is not None
    )


def _part(lock: Lock, choice: Choice) -> Part | None:
    package = locks.package_of(lock, choice)
    origin = choice.fallback if choice.origin == "detected" else choice.origin
    if package is None or not package.identity or origin not in ("binary", "source"):
        return None
    payloads = (choice.payload,) if origin == "binary" and choice.payload else ()
    return Part(package, payloads, sources=origin == "source")


def _name(lock: Lock) -> str:
    return resolving.request(lock.request[0]).name.rpartition("/")[2]


def _archives(
    parts: tuple[Part, ...], archives: Mapping[str, Archive], folder: str
) -> Iterator[Member]:
    """Yield the archives, each with what is needed of it and no more."""
    for part in parts:
        archive = archives[part.package.identity]
        name = bundles.archive_member(archive.identity)
        path = f"{folder}/{archive.identity}.crpkg"
        with disk.create_file(path) as out:
            size = writer.write(_slim(archive, part), out)
        yield writer.Part(name, size, _opener(path))


def _sources(
    session: Session, lock: Lock, archives: Mapping[str, Archive], folder: str, tell: Tell
) -> Iterator[Member]:
    """Yield the sources that are built from and that no archive has (SPEC BUN-16).

    Raises:
        FetchError: one cannot be had, or could not be told from others by its digest.
    """
    known: set[str] = set()
    for owner, archive, recipe in _built(lock, archives):
        for source in recipe.source:
            digests = {one.sha256 for one in source.archives()}
            has = any(archive.has(manifests.source_member(one)) for one in digests)
            if not source.elsewhere or has or digests & known:
                continue
            path = f"{folder}/{len(known)}.source"
            sources.fetch(session, source, path, owner=owner, tell=tell)
            sha256, size = listing.sha256(path)
            if sha256 not in digests:
                raise FetchError(
                    f"a source of `{owner}` cannot be carried, for its recipe states no sha256",
                    hint="ask the author to state one, or build it here: `crpack build --platform`",
                    rule="BUN-16",
                )
            known.add(sha256)
            yield writer.Part(bundles.source_member(sha256), size, _opener(path))


def _built(lock: Lock, archives: Mapping[str, Archive]) -> Iterator[tuple[str, Archive, Recipe]]:
    """Yield what a lock has built from its source: name, archive, and recipe as it is used."""
    for target in lock.target:
        for choice in target.package:
            part = _part(lock, choice)
            if part is not None and part.sources:
                archive = archives[part.package.identity]
                context = Context(
                    platforms.parse(target.platform), choice.options or part.package.options
                )
                yield choice.name, archive, recipe_document.resolve(archive.recipe_bytes, context)


def _made_there(lock: Lock) -> tuple[str, ...]:
    """Return what the targets of a lock build for themselves, by platform, as people read it."""
    found = []
    for target in lock.target:
        names = sorted({one.name for one in target.package if one.origin == "source"})
        if names:
            found.append(f"{target.platform}: {', '.join(names)}")
    return tuple(found)


def _spare(lock: Lock, archives: Mapping[str, Archive]) -> tuple[str, ...]:
    """Return the platforms that payloads need which are not used, for no floor is known there.

    It is the greatest floor of each target's, and only of targets whose own nobody told (PLT-04).
    """
    found = []
    for target in lock.target:
        platform = platforms.parse(target.platform)
        needed = [
            one
            for choice in target.package
            if choice.origin == "source" and (part := _part(lock, choice)) is not None
            for payload in archives[part.package.identity].manifest.payloads
            if payload.options == (choice.options or part.package.options)
            and (one := platforms.parse(payload.platform)).base == platform
        ]
        found += [str(one) for one in needed if all(map(one.accepts, needed))][:1]
    return tuple(found)


def _slim(archive: Archive, part: Part) -> tuple[Member, ...]:
    wanted = part.wanted(archive.manifest)
    kept = {one.name for one in writer.copy(archive, thin=True)} | wanted
    return tuple(one for one in writer.copy(archive, thin=False) if one.name in kept)


def _opener(path: str) -> Callable[[], BinaryIO]:
    return lambda: open(path, "rb")


def _wheels(session: Session, made: Frozen, tell: Tell) -> Iterator[Member]:
    """Yield the wheels of all targets, fetched where they are not in the cache."""
    known = {one.wheel.sha256: one for one in made.located}
    paths: dict[str, str] = {}  # a wheel may be of several targets
    for target in made.lock.target:
        for wheel, path in pythons.gather(
            session, made.lock, target, known=known, facts=made.facts, tell=tell
        ):
            paths[bundles.wheel_member(wheel.sha256, wheel.filename)] = path
    for name, path in paths.items():
        yield writer.Part(name, os.path.getsize(path), _opener(path))


def _signed(lock: bytes, signers: tuple[PrivateKey, ...]) -> Iterator[Member]:
    yield writer.part(bundles.LOCK, lock)
    if signers:
        yield writer.part(bundles.SIGNATURES, makers.sign(lock, signers))


def _slices(session: Session, made: Frozen) -> Iterator[Member]:
    """Yield the files of every index that prove what the archives are (SPEC BUN-09)."""
    used: dict[str, set[str]] = {}
    for package in made.lock.package:
        if package.index:
            used.setdefault(package.index, set()).add(package.name)
    limit = max(MAX_HEAD_BYTES, MAX_INDEX_PACKED)
    for name, components in sorted(used.items()):
        index = made.indexes.named(name)
        read = _reader(session, index)
        files = {path: read(path, limit) for path in sorted(files_of(index, components))}
        _judge(index, files, components)
        for path, data in files.items():
            yield writer.part(bundles.index_member(index.head.fingerprint, path), data)


def _judge(index: Index, files: dict[str, bytes], components: set[str]) -> None:
    """Open a slice as who installs it will, and see that it says what was locked.

    Another command may refresh the kept head, and the owner may publish, while files are read.
    """
    from crpack.trust.roots import chain

    def read(path: str, limit: int) -> bytes:
        if path not in files or len(files[path]) > limit:
            raise FileNotFoundError(path)
        return files[path]

    try:
        head = chain.walk(read, files["metadata/1.root.json"]).head
        same = head == index.head
        found = client.of_head(index.name, "", head, Blobs(read)) if same else index
        same = same and found.shards(components) == index.shards(components)
    except (TrustError, FetchError, FileNotFoundError) as error:
        raise _changed(index) from error
    if not same:
        raise _changed(index)


def _changed(index: Index) -> FetchError:
    return FetchError(f"the index `{index.name}` was changed meanwhile", hint="run it again")


def files_of(index: Index, components: set[str]) -> set[str]:
    """Return the paths of an index's files that tell all about some names."""
    seen, head = index.head.versions, index.head
    paths = {f"metadata/{number}.root.json" for number in range(1, seen.root + 1)}
    paths |= {
        "metadata/timestamp.json",
        f"metadata/{seen.snapshot}.snapshot.json",
        f"metadata/{seen.targets}.targets.json",
        f"metadata/{seen.index}.index.json",
        head.publishers.path,
        head.index.path,
    }
    for number in {contents.bucket_of(name) for name in components}:
        paths.add(blobs.bucket_path(index.contents.buckets[number]))
        names = dict(index.bucket(number))
        paths |= {blobs.shard_path(names[name]) for name in components if name in names}
    return paths


def _reader(session: Session, index: Index) -> Read:
    """Return what reads the files of an index: kept ones first, then those where it lies."""
    from crpack.trust.roots import client as roots

    if folder := places.folder_of(index.url):  # nothing of it is kept elsewhere
        return places.read_folder(folder)
    rooms = session.rooms(index.head.fingerprint)
    kept = roots.cached(f"{rooms.state}/metadata")

    def read(path: str, limit: int) -> bytes:
        if path.startswith("metadata/"):
            try:
                return kept(path, limit)
            except FileNotFoundError:
                if path != "metadata/1.root.json":
                    return index.files.read(path, limit)
                return disk.read(f"{rooms.state}/root.json", limit=limit)
        sha256 = path.rpartition("/")[2].partition(".")[0]
        return index.files.get(path, sha256)

    return read
