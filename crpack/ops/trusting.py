"""Trusting indexes: look at one, pin it by the fingerprint of its root, forget it, re-pin it.

Rules (SPEC TRU-01 to TRU-03, TUF-16):
- An index is pinned by the sha256 of its first root file, which its owner tells on another way.
- Without a fingerprint the caller must have asked a person who saw the one that was found; a
  program is never asked.
- What is pinned was opened first: its whole head is verified. Offline a web address is pinned
  unseen; its root is held against the fingerprint before anything of it is believed.
- `rotate` pins another root in place of the one that was: for an owner who lost the keys of the
  old. What was seen of the old index is kept below its own fingerprint.
"""

from __future__ import annotations

import os
import re
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from crpack import disk
from crpack.errors import FetchError, FormatError, TrustError, UsageError
from crpack.index import blobs, client, places
from crpack.model.limits import MAX_HEAD_BYTES
from crpack.ops import indexes
from crpack.trust import indexes as indexing
from crpack.trust.indexes import IndexPin
from crpack.trust.roots import chain

if TYPE_CHECKING:
    from crpack.index.cache import Read
    from crpack.index.client import Index, Rooms
    from crpack.session import Session


@dataclass(frozen=True, slots=True)
class IndexCard:
    """A pinned index, or the one that came with crpack.

    Attributes:
        name: the user's word for it.
        url: where it is; empty for the one inside crpack.
        fingerprint: of its root.
        date: as of when it was read; empty where it was not.
    """

    name: str
    url: str
    fingerprint: str
    date: str = ""


@dataclass(frozen=True, slots=True)
class Sight:
    """An index as it offers itself, nothing of it believed yet; without fingerprint: not seen."""

    url: str
    fingerprint: str


def is_index(place: str) -> bool:
    """Say whether an argument means an index: a web address, or a folder with a root file."""
    return place.startswith(("http://", "https://", "file://")) or os.path.isdir(place)


def look(session: Session, place: str) -> Sight:
    """Return what an index says it is; offline a web address is not looked at.

    Args:
        session: for the transport.
        place: a web address, a `file:` address, or a folder.

    Raises:
        UsageError: no index is there, or the address is none.
        FetchError: it cannot be reached.
    """
    folder = places.folder_of(place)
    url = indexing.address(os.path.abspath(folder) if folder else place)
    if not folder and session.transport().offline:
        return Sight(url, "")
    root = _root(_reader(session, url), url)
    return Sight(url, blobs.digest(root))


def add(
    session: Session, sight: Sight, *, name: str, fingerprint: str, dry_run: bool = False
) -> IndexCard:
    """Pin an index.

    Args:
        session: for the pins.
        sight: from `look`.
        name: the user's word for it; empty for one made from its address.
        fingerprint: what its owner says.
        dry_run: change nothing.

    Raises:
        TrustError: its root has another fingerprint, or its head is refused.
        UsageError: the name is taken.
    """
    wanted = indexing.fingerprint(fingerprint)

    def pin_of(known: tuple[IndexPin, ...]) -> IndexPin:
        same = next((pin.name for pin in known if pin.fingerprint == wanted), "")
        return IndexPin(name or same or indexing.default_name(sight.url, known), sight.url, wanted)

    known = session.indexes()
    pin = pin_of(known)
    indexing.add(known, pin)  # before the index is opened
    date = _accepted(session, pin, sight, dry_run=dry_run)
    with session.trust_lock(dry_run=dry_run):
        known = session.indexes()  # another process may have changed them
        pin = pin_of(known)
        pinned = indexing.add(known, pin)
        if not dry_run:
            session.save_indexes(pinned)
    return IndexCard(pin.name, pin.url, pin.fingerprint, date)


def cards(session: Session) -> tuple[IndexCard, ...]:
    """Return the indexes in the order in which they are asked, crpack's own last."""
    pinned = session.indexes()
    found = [IndexCard(pin.name, pin.url, pin.fingerprint) for pin in pinned]
    for index in indexes.embedded():
        own = index.head.fingerprint
        if own not in {pin.fingerprint for pin in pinned}:
            found.append(IndexCard(index.name, "", own, index.date))
    return tuple(found)


def find(session: Session, text: str) -> IndexPin | None:
    """Return the pinned index of a name, an address or a fingerprint; None where there is none.

    Raises:
        UsageError: it is the name of crpack's own, which no pin trusts.
        FormatError: the pinned indexes cannot be read, and no key can be meant.
    """
    if text == indexing.EMBEDDED:
        raise UsageError(
            f"the index `{text}` is part of crpack, and is not trusted by a pin",
            hint="pinned indexes come before it; `--index NAME` asks another one alone",
        )
    try:
        return indexing.find(
            session.indexes(), os.path.abspath(text) if os.path.isdir(text) else text
        )
    except UsageError:
        return None
    except FormatError:
        if re.fullmatch("[0-9a-fA-F]{8,64}", text):
            return None
        raise


def remove(session: Session, pin: IndexPin, *, dry_run: bool = False) -> IndexCard:
    """Stop trusting an index. What was seen of it is kept, so that it cannot go back later."""
    with session.trust_lock(dry_run=dry_run):
        kept = tuple(one for one in session.indexes() if one.fingerprint != pin.fingerprint)
        if not dry_run:
            session.save_indexes(kept)
    return IndexCard(pin.name, pin.url, pin.fingerprint)


def rotate(
    session: Session, pin: IndexPin, fingerprint: str, *, dry_run: bool = False
) -> IndexCard:
    """Pin another root in place of an index's old one (SPEC TRU-03).

    Raises:
        TrustError: the index does not begin with that root, or its head is refused.
    """
    wanted = indexing.fingerprint(fingerprint)
    new = replace(pin, fingerprint=wanted)
    date = _accepted(session, new, look(session, pin.url), dry_run=dry_run)
    with session.trust_lock(dry_run=dry_run):
        pinned = session.indexes()
        if any(one.fingerprint == wanted and one != pin for one in pinned):
            raise UsageError("another pinned index has that root already", hint="see `trust list`")
        if not dry_run:
            session.save_indexes(tuple(new if one == pin else one for one in pinned))
    return IndexCard(new.name, new.url, new.fingerprint, date)


def _accepted(session: Session, pin: IndexPin, sight: Sight, *, dry_run: bool) -> str:
    """Return the date of an index whose root is the pinned one; empty when it was not looked at.

    Raises:
        TrustError: its root has another fingerprint, or its head is refused.
    """
    if not sight.fingerprint:
        return ""
    if sight.fingerprint != pin.fingerprint:
        raise TrustError(
            f"the index in `{sight.url}` is not the one that you mean",
            why=[f"its root has the fingerprint `sha256:{sight.fingerprint}`",
                 f"you gave `sha256:{pin.fingerprint}`"],
            hint="ask its owner for the address and the fingerprint again",
            rule="TRU-01",
        )  # fmt: skip
    rooms = session.rooms(pin.fingerprint)
    if not dry_run:
        return _opened(session, pin, rooms).date
    with closing(disk.temporary_stage()) as stage:
        return _opened(session, pin, client.borrowed(rooms, stage.path)).date


def _opened(session: Session, pin: IndexPin, rooms: Rooms) -> Index:
    transport = session.transport()
    return client.open_index(
        pin,
        rooms,
        places.opener(transport),
        offline=transport.offline,
        now=indexes.now(),
        max_age_days=session.config.number("max-offline-age"),
    )


def _root(read: Read, url: str) -> bytes:
    """Return the first root of an index, which is one by its form.

    Raises:
        UsageError: what is there is no index.
        FetchError: nothing is there, or it cannot be reached.
    """
    path = "metadata/1.root.json"
    try:
        data = read(path, MAX_HEAD_BYTES)
        chain.check_root(data)
    except FetchError as error:
        if error.data.get("status") == 404:
            error.hint = f"give the address below which `{path}` of the index lies"
        raise
    except TrustError as error:
        if error.data.get("attack") != "malformed":
            raise
        raise UsageError(
            f"there is no index in `{url}`",
            why=[f"its `{path}` is not the signed root of one"],
            hint="give the address of the index itself, not of a page about it",
        ) from error
    return data


def _reader(session: Session, url: str) -> Read:
    folder = places.folder_of(url)
    if folder:
        if not os.path.isfile(f"{folder}/metadata/1.root.json"):
            raise UsageError(
                f"`{folder}` is not the folder of an index",
                why=["it has no `metadata/1.root.json`"],
                hint="name the folder that `crpack index new` made",
            )
        return places.read_folder(folder)
    transport = session.transport()
    return places.read_url(url, places.opener(transport))
