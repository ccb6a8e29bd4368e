"""An index as it is read: its signed head, and what it says of names.

Rules (SPEC IDX-11 to IDX-15):
- The head is refreshed under a lock, once for a command; below it everything is named by digest
  and comes from the cache where it is there.
- A head older than one seen before is refused, whoever signed it; the copy of crpack's own index
  that came with crpack counts as seen.
- Offline the head that was fetched last serves, by its own date; no network connection is opened.
- An index lies behind a web address, in a folder, in a bundle, or inside crpack itself; the four
  differ in how bytes are read and how fresh their head must be, in nothing else.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack import disk
from crpack.errors import FetchError, FormatError, InstallError, TrustError
from crpack.index import blobs, bootstrap, contents, entries, places, publishers
from crpack.index.cache import Blobs, Read
from crpack.index.contents import Contents
from crpack.index.publishers import Publishers
from crpack.index.unchanged import conditional
from crpack.model.limits import MAX_HEAD_BYTES
from crpack.model.names import is_name
from crpack.trust.roots import state
from crpack.trust.roots.state import Head, Seen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from crpack.index.contents import Bucket, Card
    from crpack.index.entries import Copy, Shard
    from crpack.index.places import OpenUrl
    from crpack.trust.indexes import IndexPin

_DAMAGE = frozenset({"malformed", "mix-and-match", "signature", "keys"})  # as bad disks make it


@dataclass(frozen=True, slots=True)
class Rooms:
    """Where an index is remembered: its pinned root and head, and its files.

    Attributes:
        state: `homes.state/index/<fingerprint>`.
        cache: `homes.cache/index/<fingerprint>`; empty to keep no files.
    """

    state: str
    cache: str


@dataclass(frozen=True, slots=True)
class Index:
    """An opened index.

    Attributes:
        name: the user's word for it.
        url: its root, ending with `/`: a web address, a folder, or empty for a bundle's slice and
            for the one inside crpack.
        head: what its owner signed.
        publishers: who may publish which names.
        contents: `index.json`.
        files: reads its files.
    """

    name: str
    url: str
    head: Head
    publishers: Publishers
    contents: Contents
    files: Blobs

    @property
    def date(self) -> str:
        """When its owner last signed that this is the newest state, UTC."""
        return self.head.date

    def shards(self, names: Iterable[str]) -> dict[str, Shard | None]:
        """Return what the index says of each name; None for a name that it does not have.

        Buckets are fetched side by side, then shards.

        Raises:
            FetchError: a file is not reachable, or not there while offline.
            TrustError: a file is not what the signed head says, or breaks the format.
        """
        wanted = tuple(dict.fromkeys(names))
        found = self._shard_digests(wanted)
        paths = {blobs.shard_path(sha256): sha256 for sha256 in found.values()}
        data = self.files.get_all(paths)
        return {
            name: entries.decode(data[blobs.shard_path(found[name])], name)
            if name in found
            else None
            for name in wanted
        }

    def search(self, words: Iterable[str]) -> tuple[Card, ...]:
        """Return the cards whose name or summary holds every word, names first (SPEC IDX-10).

        Raises:
            FetchError, TrustError: as `shards`.
        """
        asked = tuple(word.casefold() for word in words)
        cards = [card for card in self.cards() if _holds(card, asked)]
        return tuple(sorted(cards, key=lambda card: (not _in_name(card, asked), card.name)))

    def place(self, copy: Copy) -> str:
        """Return the address or path of a copy of an archive."""
        return copy.url if "://" in copy.url else self.url + copy.url

    def cards(self) -> Iterator[Card]:
        """Yield the card of every name."""
        pieces = self.pieces()
        data = self.files.get_all({blobs.catalogue_path(one): one for one in pieces if one})
        for number, one in enumerate(pieces):
            if one:
                yield from contents.decode_piece(data[blobs.catalogue_path(one)], number)

    def bucket(self, number: int) -> Bucket:
        """Return the names of a bucket with the digests of their shards."""
        sha256 = self.contents.buckets[number]
        if not sha256:
            return ()
        return contents.decode_bucket(self.files.get(blobs.bucket_path(sha256), sha256), number)

    def pieces(self) -> tuple[str, ...]:
        """Return the digests of the catalogue's pieces; none when it is empty."""
        head = self.contents.catalogue
        if not head:
            return ()
        return contents.decode_catalogue(self.files.get(blobs.catalogue_path(head), head))

    def piece(self, sha256: str, number: int) -> tuple[Card, ...]:
        """Return the cards of a piece of the catalogue; an empty digest is an empty piece."""
        if not sha256:
            return ()
        return contents.decode_piece(self.files.get(blobs.catalogue_path(sha256), sha256), number)

    def _shard_digests(self, names: tuple[str, ...]) -> dict[str, str]:
        """Return the digest of the shard of every name that the index has."""
        buckets = self.contents.buckets
        asked = {contents.bucket_of(name) for name in names if is_name(name)}
        numbers = sorted(asked & _filled(buckets))
        data = self.files.get_all({blobs.bucket_path(buckets[n]): buckets[n] for n in numbers})
        found: dict[str, str] = {}
        for number in numbers:
            found |= contents.decode_bucket(data[blobs.bucket_path(buckets[number])], number)
        return {name: found[name] for name in names if name in found}


def open_index(
    pin: IndexPin,
    rooms: Rooms,
    open_url: OpenUrl,
    *,
    offline: bool,
    now: datetime,
    max_age_days: int,
) -> Index:
    """Open a pinned index behind a web address or in a folder (SPEC IDX-11 to IDX-13).

    Args:
        pin: its name, address and the fingerprint of its root.
        rooms: where it is remembered.
        open_url: opens a web address, such as `Transport.open`; never called offline.
        offline: take the head that was fetched last.
        now: the clock, with its time zone.
        max_age_days: how old such a head may be.

    Raises:
        FetchError: not reachable, or never fetched while offline.
        TrustError: the head is not one that the pinned root vouches for, or older than one seen.
    """
    from crpack.trust.roots import chain, client
    from crpack.trust.roots import offline as judged

    local = places.folder_of(pin.url)
    read = places.read_folder(local) if local else places.read_url(pin.url, open_url)
    if offline and not local:
        read = places.read_nothing(pin.name)
    with disk.lock(_made(rooms.state) + "/lock"):
        first, seen = _bootstrap(pin, rooms, read), seen_in(rooms, pin.fingerprint)
        kept = f"{rooms.state}/metadata"
        if offline:
            near = read if local else client.cached(kept)
            head = _last_head(
                pin.name, near, first, seen=seen, now=now, max_age_days=max_age_days,
                kept="" if local else kept,
            )  # fmt: skip
        elif local:
            head = judged.fresh(chain.walk(read, first), seen, now)
        else:
            opener, root = conditional(open_url, rooms.state), places.slashed(pin.url)
            head = client.refresh(kept, root, first, opener, seen=seen, now=now)
        remember(rooms, head)
    cache = "" if local else rooms.cache
    return of_head(
        pin.name, f"{local}/" if local else places.slashed(pin.url), head, Blobs(read, cache)
    )


def open_slice(
    name: str,
    read: Read,
    bootstrap: bytes,
    *,
    seen: Seen,
    now: datetime,
    max_age_days: int,
) -> Index:
    """Open the slice of an index that a bundle carries (SPEC IDX-14).

    Args:
        name: the user's word for it.
        read: reads a file below `index/<fingerprint>/` of the bundle.
        bootstrap: the pinned root file.
        seen: what was seen of this index before.
        now: the time, UTC.
        max_age_days: how old its head may be.

    Raises:
        FetchError: the bundle lacks a file.
        TrustError: the head is not one that the pinned root vouches for, too old, or older than
            one seen.
    """
    from crpack.trust.roots import offline

    head = offline.verify(read, bootstrap, seen=seen, now=now, max_age_days=max_age_days)
    return of_head(name, "", head, Blobs(read))


def open_embedded(
    name: str, read: Read, *, root_sha256: str, snapshot_sha256: str, url: str = ""
) -> Index:
    """Open the index that came with crpack, trusted by the digests that crpack states (IDX-15).

    Args:
        name: the user's word for it.
        read: reads a file below the folder of the index.
        root_sha256: of its root file.
        snapshot_sha256: of its snapshot file.
        url: the folder of the index, ending with `/`, for its archives.

    Raises:
        FetchError: a file is not there.
        TrustError: a file is not the one that came with crpack.
    """
    from crpack.trust.roots import offline

    return of_head(name, url, offline.embedded(read, root_sha256, snapshot_sha256), Blobs(read))


def of_head(name: str, url: str, head: Head, files: Blobs) -> Index:
    """Return the index of a verified head; its other files are held against their digests.

    Raises:
        FetchError, TrustError: as `open_index`.
    """
    signed, listed = head.publishers, head.index
    data = files.get_all({signed.path: signed.sha256, listed.path: listed.sha256})
    rules, found = data.values()
    return Index(name, url, head, publishers.decode(rules), contents.decode(found), files)


def _bootstrap(pin: IndexPin, rooms: Rooms, read: Read) -> bytes:
    """Return the pinned root file: remembered, else fetched once; its digest is the pin."""
    path = f"{rooms.state}/root.json"
    try:
        data = disk.read(path, limit=MAX_HEAD_BYTES)
    except InstallError:
        data = b""
    if blobs.digest(data) == pin.fingerprint:
        return data
    data = read("metadata/1.root.json", MAX_HEAD_BYTES)
    if blobs.digest(data) != pin.fingerprint:
        raise TrustError(
            f"the index `{pin.name}` is not the one that was pinned",
            why=[f"its root has the fingerprint `sha256:{blobs.digest(data)}`",
                 f"pinned is `sha256:{pin.fingerprint}`"],
            hint="ask its owner for the fingerprint on another way",
            rule="IDX-12",
        )  # fmt: skip
    disk.atomic_write(path, data)
    return data


def _last_head(
    name: str,
    read: Read,
    bootstrap: bytes,
    *,
    seen: Seen,
    now: datetime,
    max_age_days: int,
    kept: str,
) -> Head:
    """Return the head that was fetched last, judged by its own date."""
    from crpack.trust.roots import offline

    try:
        return offline.verify(read, bootstrap, seen=seen, now=now, max_age_days=max_age_days)
    except FetchError as error:
        what = f"the index `{name}` was never fetched, and crpack is offline"
        raise FetchError(what, hint="run once without `--offline`") from error
    except TrustError as error:
        if kept and error.data.get("attack") in _DAMAGE:
            error.why = (*error.why, f"its head is kept in `{kept}`")
            error.hint = "run once without `--offline`; that folder may be deleted, nothing is lost"
        raise


def borrowed(rooms: Rooms, folder: str) -> Rooms:
    """Return rooms in a temporary folder that remember what others do, to try an index in."""
    with contextlib.suppress(InstallError):
        seen = disk.read(f"{rooms.state}/seen.json", limit=MAX_HEAD_BYTES)
        disk.write_file(f"{folder}/seen.json", [seen])
    return Rooms(folder, "")


def seen_in(rooms: Rooms, fingerprint: str) -> Seen:
    """Return what was seen of an index before, the copy that came with crpack included.

    Raises:
        FormatError: the file is damaged.
    """
    seen = _remembered(rooms)
    if fingerprint != bootstrap.ROOT_SHA256 or not (folder := bootstrap.folder()):
        return seen
    from crpack.trust.roots import offline

    read = places.read_folder(folder)
    own = offline.embedded(read, bootstrap.ROOT_SHA256, bootstrap.SNAPSHOT_SHA256)
    return seen if state.recovered(own.versions, seen) else state.merge(seen, own)


def _remembered(rooms: Rooms) -> Seen:
    path = f"{rooms.state}/seen.json"
    try:
        return state.decode(disk.read(path, limit=MAX_HEAD_BYTES))
    except InstallError as error:
        if error.data.get("errno") != "ENOENT":
            raise
        return Seen()
    except FormatError as error:
        lost = "without it an old copy of the index would be taken for a new one"
        error.why = (*error.why, f"the file is `{path}`", lost)
        error.hint = (
            "restore the file from a backup; or compare the date of the index with what its owner"
            " says, delete the file, and go online once"
        )
        raise


def remember(rooms: Rooms, head: Head) -> None:
    """Note the versions of a head that was accepted, so that none goes back (SPEC IDX-13)."""
    seen = _remembered(rooms)
    merged = state.merge(seen, head)
    if merged != seen:
        disk.make_folders(rooms.state)
        disk.atomic_write(f"{rooms.state}/seen.json", state.encode(merged))


def _made(folder: str) -> str:
    disk.make_folders(folder)
    return folder


def _holds(card: Card, words: tuple[str, ...]) -> bool:
    text = f"{card.name} {card.summary}".casefold()
    return all(word in text for word in words)


def _in_name(card: Card, words: tuple[str, ...]) -> bool:
    return all(word in card.name for word in words)


def _filled(buckets: tuple[str, ...]) -> set[int]:
    return {number for number, sha256 in enumerate(buckets) if sha256}
