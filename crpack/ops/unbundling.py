"""Installing a bundle: everything is in the file, and nothing else is asked.

Rules (SPEC BUN-10, BUN-11, TUF-09):
- Every member is read and checked before anything of it is used.
- The lock names the root of each index. Such a root must be trusted here: pinned, or that of the
  index that came with crpack. The slice of the index is then judged as an index that is offline.
- What is accepted is remembered, so that an older bundle, or a mirror, cannot go back behind it.
- Archives are held against their index and publishers as if they came from it.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack import disk
from crpack.archive.bundle import Bundle, is_bundle
from crpack.errors import FetchError, TrustError
from crpack.index import blobs, client
from crpack.index import bootstrap as own
from crpack.model import bundle as bundles
from crpack.model import lock as locks
from crpack.model.limits import MAX_HEAD_BYTES
from crpack.ops import detection, gathering, indexes, opening, pythons
from crpack.ops.freezing import Frozen
from crpack.ops.indexes import Indexes
from crpack.ops.progress import News

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import ExitStack
    from typing import BinaryIO

    from crpack.archive.reader import Archive
    from crpack.index.cache import Read
    from crpack.index.client import Index
    from crpack.model.lock import Lock, LockedIndex
    from crpack.ops.gathering import Part
    from crpack.ops.progress import Tell
    from crpack.session import Session

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class BundleShelf:
    """Archives of a bundle."""

    bundle: Bundle
    indexes: Indexes

    def archive(self, part: Part, stack: ExitStack, tell: Tell) -> Archive:  # noqa: ARG002
        """Open the archive of a part where it lies (SPEC BUN-06, ASK-04).

        Raises:
            ArchiveError, TrustError, NoSolution: it is not there, or refused.
        """
        package = part.package
        index = self.indexes.named(package.index)
        release = self.indexes.release(package.index, package.name, package.identity)
        archive = self.bundle.archive(package.identity)
        gathering.judge(archive, part, index, release)
        return archive


@dataclass(frozen=True, slots=True)
class Unbundled:
    """A bundle that was opened, and judged."""

    shelf: BundleShelf
    frozen: Frozen
    requests: tuple[str, ...]


def holds_bundle(path: str) -> bool:
    """Say whether a file is a bundle, by its content; a file that is not there is none."""
    if not os.path.isfile(path):
        return False
    with opening.opened_file(path) as stream:
        return is_bundle(stream)


@contextmanager
def opened(session: Session, path: str, tell: Tell) -> Iterator[Unbundled]:
    """Open a bundle; it stays open within the `with`.

    Raises:
        ArchiveError, FormatError: it is not exactly a bundle.
        TrustError: an index that it is of is not trusted here, or its slice is refused.
        FetchError: its slice of an index lacks a file.
    """
    with opening.opened_file(path) as stream, opening.named(path):
        tell(News("Reading", path))
        bundle = _whole(stream)
        lock = locks.decode(bundle.read(bundles.LOCK), what=f"`{bundles.LOCK}` of the bundle")
        asked = Indexes(tuple(_slice(session, bundle, row) for row in lock.index))
        facts = detection.facts(session, detection.shipped())[0]
        _keep_wheels(session, bundle, lock)
        frozen = Frozen(lock, (), facts, asked)
        yield Unbundled(BundleShelf(bundle, asked), frozen, lock.request)


def roots_in(path: str) -> tuple[str, ...]:
    """Return the fingerprints of the indexes that a bundle has slices of, nothing believed."""
    with opening.opened_file(path) as stream, opening.named(path):
        bundle = Bundle.open(stream, size=os.fstat(stream.fileno()).st_size)
        lock = locks.decode(bundle.read(bundles.LOCK), what=f"`{bundles.LOCK}` of the bundle")
        return tuple(row.root for row in lock.index)


def _whole(stream: BinaryIO) -> Bundle:
    """Open a bundle and read all of it, used or not (SPEC BUN-11)."""
    bundle = Bundle.open(stream, size=os.fstat(stream.fileno()).st_size)
    for name in bundle.names:
        with bundle.stream(name) as member:
            while member.read(_CHUNK):
                pass
    return bundle


def _slice(session: Session, bundle: Bundle, row: LockedIndex) -> Index:
    """Open the slice of an index that a bundle carries, by a root that is trusted here."""
    trusted = {pin.fingerprint for pin in session.indexes()} | {own.ROOT_SHA256}
    if row.root not in trusted:
        raise TrustError(
            f"the bundle is of the index `{row.name}`, which is not trusted here",
            why=[f"its root has the fingerprint `sha256:{row.root}`"],
            hint="compare it with what the owner of the index says, then "
            f"`crpack --offline trust add URL --root-fingerprint sha256:{row.root}`",
            rule="BUN-10",
        )
    read = _reader(bundle, row.root)
    root = read("metadata/1.root.json", MAX_HEAD_BYTES)
    if blobs.digest(root) != row.root:
        raise TrustError(f"the bundle's root of `{row.name}` is another", rule="BUN-10")
    rooms = session.rooms(row.root)
    disk.make_folders(rooms.state)
    with disk.lock(f"{rooms.state}/lock"):
        index = client.open_slice(
            row.name,
            read,
            root,
            seen=client.seen_in(rooms),
            now=indexes.now(),
            max_age_days=session.config.number("max-offline-age"),
        )
        client.remember(rooms, index.head)
    return index


def _reader(bundle: Bundle, fingerprint: str) -> Read:
    def read(path: str, limit: int) -> bytes:
        name = bundles.index_member(fingerprint, path)
        if not bundle.has(name):
            what = f"the bundle has no `{path}` of the index"
            raise FetchError(what, data={"status": 404}, hint="ask who made it for a new one")
        return bundle.read(name, limit)

    return read


def _keep_wheels(session: Session, bundle: Bundle, lock: Lock) -> None:
    """Put the wheels of a bundle into the cache, each held against the lock's digest."""
    for wheel in lock.wheel:
        name = bundles.wheel_member(wheel.sha256, wheel.filename)
        if bundle.has(name):
            with bundle.stream(name) as stream:
                pythons.keep(session, wheel, iter(lambda: stream.read(_CHUNK), b""))
