"""Installing a bundle: everything is in the file, and nothing else is asked.

Rules (SPEC BUN-10 to BUN-14, TUF-09):
- Every member is read and checked before anything of it is used.
- The lock names the root of each index. Such a root must be trusted here: pinned, or that of the
  index that came with crpack. The slice of the index is then judged as an index that is offline.
- What is accepted is remembered, so that an older bundle, or a mirror, cannot go back behind it.
- Archives are held against their index and publishers as if they came from it.
- Its lock may be signed by its maker. Only then does a pinned key vouch for its Python wheels,
  which are held against what signed recipes ask for in either case (`ops/needs`).
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack import disk
from crpack.archive.bundle import Bundle, is_bundle
from crpack.errors import FetchError, NoSolution, TrustError
from crpack.index import blobs, client
from crpack.index import bootstrap as own
from crpack.model import bundle as bundles
from crpack.model import lock as locks
from crpack.model import requirements, signatures
from crpack.model.limits import MAX_HEAD_BYTES, MAX_SIGNATURES_BYTES
from crpack.ops import data, detection, gathering, indexes, opening
from crpack.ops.freezing import Frozen
from crpack.ops.indexes import Indexes
from crpack.ops.needs import Carried
from crpack.ops.progress import News
from crpack.trust import bundles as makers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import ExitStack
    from typing import BinaryIO

    from crpack.index.cache import Read
    from crpack.index.client import Index
    from crpack.model.facts import Facts
    from crpack.model.lock import Lock, LockedIndex
    from crpack.ops.gathering import Part, Vouched
    from crpack.ops.progress import Tell
    from crpack.session import Session


@dataclass(frozen=True, slots=True)
class BundleShelf:
    """Archives of a bundle."""

    bundle: Bundle
    indexes: Indexes

    def archive(self, part: Part, stack: ExitStack, tell: Tell) -> Vouched:  # noqa: ARG002
        """Open the archive of a part where it lies (SPEC BUN-06, ASK-04).

        Raises:
            ArchiveError, TrustError, NoSolution: it is not there, or refused.
        """
        package = part.package
        index = self.indexes.named(package.index)
        release = self.indexes.release(package.index, package.name, package.identity)
        archive = self.bundle.archive(package.identity)
        return gathering.judge(archive, part, index, release)


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
def opened(
    session: Session, path: str, tell: Tell, there: Facts | None = None
) -> Iterator[Unbundled]:
    """Open a bundle; it stays open within the `with`.

    Args:
        session: for the pins and the settings.
        path: of the file.
        tell: takes the news.
        there: facts of the machine that it is installed for; None for this one.

    Raises:
        ArchiveError, FormatError: it is not exactly a bundle.
        TrustError: an index that it is of is not trusted here, or its slice is refused; or a
            pinned key is said to have signed its lock and has not.
        FetchError: its slice of an index lacks a file.
    """
    with opening.opened_file(path) as stream, opening.named(path):
        tell(News("Reading", path))
        bundle = _whole(stream)
        said = bundle.read(bundles.LOCK)
        lock = locks.decode(said, what=f"`{bundles.LOCK}` of the bundle")
        carried = Carried(bundle, _signers(session, bundle, said, lock))
        lock = _own_words(session, lock)
        asked = Indexes(tuple(_slice(session, bundle, row) for row in lock.index))
        shelf = BundleShelf(bundle, asked)
        here = detection.facts(session)[0]
        if there is not None:
            yield Unbundled(shelf, Frozen(lock, (), there, asked, carried, here), lock.request)
            return
        facts = detection.stated(session, here)
        asked.look = data.look(session, shelf, facts.platform, data.options_of(lock), tell)
        frozen = Frozen(lock, (), data.as_locked(facts, lock, asked), asked, carried)
        yield Unbundled(shelf, frozen, lock.request)


def _signers(session: Session, bundle: Bundle, said: bytes, lock: Lock) -> tuple[str, ...]:
    """Return the ids of the pinned keys that signed the lock of a bundle (SPEC BUN-13)."""
    if not bundle.has(bundles.SIGNATURES):
        return ()
    found = signatures.decode(bundle.read(bundles.SIGNATURES, MAX_SIGNATURES_BYTES))
    names = [requirements.parse(text).name for text in lock.request]
    return makers.check(said, found, names, session.pins())


def _own_words(session: Session, lock: Lock) -> Lock:
    """Return a bundle's lock with its indexes called as they are here (SPEC ASK-02, ASK-03).

    Raises:
        TrustError: the root of one is not trusted here.
        NoSolution: the setting `index` names another one; or the lock asks for nothing.
    """
    trusted = {pin.fingerprint for pin in session.indexes()} | {own.ROOT_SHA256}
    for row in lock.index:
        if row.root not in trusted:
            raise _untrusted(row)
    lock = indexes.in_own_words(session, lock)
    only = session.config.text("index")
    others = [row.name for row in lock.index if only not in ("", row.name)]
    if others or not lock.request:
        what = f"the bundle is of the index `{others[0]}`, not of `{only}`" if others else ""
        raise NoSolution(what or "the bundle asks for nothing", hint="ask who made it")
    return lock


def _untrusted(row: LockedIndex) -> TrustError:
    return TrustError(
        f"the bundle is of the index `{row.name}`, which is not trusted here",
        why=[f"its root has the fingerprint `sha256:{row.root}`"],
        hint="compare it with what the owner of the index says, then "
        f"`crpack --offline trust add URL --root-fingerprint sha256:{row.root}`",
        rule="BUN-10",
    )


def _whole(stream: BinaryIO) -> Bundle:
    """Open a bundle and read all of it, used or not (SPEC BUN-11)."""
    bundle = Bundle.open(stream, size=os.fstat(stream.fileno()).st_size)
    bundle.read_through()
    return bundle


def _slice(session: Session, bundle: Bundle, row: LockedIndex) -> Index:
    """Open the slice of an index that a bundle carries, by its root."""
    read = _reader(bundle, row.root)
    root = read("metadata/1.root.json", MAX_HEAD_BYTES)
    if blobs.digest(root) != row.root:
        raise TrustError(f"the bundle's root of `{row.name}` is another", rule="BUN-10")
    rooms = session.rooms(row.root)
    disk.make_folders(rooms.state)
    with disk.lock(f"{rooms.state}/lock"), _in_words_of_bundles():
        index = client.open_slice(
            row.name,
            read,
            root,
            seen=client.seen_in(rooms, row.root),
            now=indexes.now(),
            max_age_days=session.config.number("max-offline-age"),
        )
        client.remember(rooms, index.head)
    return index


@contextmanager
def _in_words_of_bundles() -> Iterator[None]:
    """Say of a slice that goes back that the bundle is old, not that a mirror is."""
    try:
        yield
    except TrustError as error:
        if error.data.get("attack") == "rollback":
            error.what = f"the bundle is older than what is known here: {error.what}"
            error.hint = "install by name, or ask who made the bundle for a new one"
        raise


def _reader(bundle: Bundle, fingerprint: str) -> Read:
    turn = threading.Lock()  # several threads read an index, and the bundle is one open file

    def read(path: str, limit: int) -> bytes:
        name = bundles.index_member(fingerprint, path)
        if not bundle.has(name):
            what = f"the bundle has no `{path}` of the index"
            raise FetchError(what, data={"status": 404}, hint="ask who made it for a new one")
        with turn:
            return bundle.read(name, limit)

    return read
