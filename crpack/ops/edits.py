"""One edit of an index: read it under the lock, plan the next state, sign, write.

Rules (SPEC PUB-11 to PUB-16):
- An owner's index is verified like anyone's, its dates excepted: renewing them is what it needs.
- An edit says how drafts and contents shall be; signing follows from the keys at hand.
- Private keys stay in the user's key store; an index's folder never holds one.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from crpack import disk
from crpack.errors import FetchError, TrustError, UsageError
from crpack.index import client, contents, head, publishers
from crpack.index.cache import Blobs
from crpack.index.client import Index
from crpack.index.head import Drafts, Signed
from crpack.index.publish import File
from crpack.index.publishers import Publishers
from crpack.model.limits import MAX_HEAD_BYTES, MAX_INDEX_PACKED
from crpack.trust.keys import PrivateKey
from crpack.trust.roots import chain, repository, state

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crpack.index.head import Next
    from crpack.ops.publishing import Place
    from crpack.session import Session
    from crpack.trust.roots.repository import Missing


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys that may sign an edit.

    Attributes:
        unlock: returns a private key of the user by its name, asking for its passphrase.
        only: names of the keys that the user wants to sign; empty for those of an index that is
            known here (SPEC PUB-19).
    """

    unlock: Callable[[str], PrivateKey]
    only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """What a command changed in an index, or would change.

    Attributes:
        place: where the index is.
        fingerprint: of its root, `sha256:` and 64 hex digits; empty while it has none in force.
        date: of its head, UTC; empty without one.
        done: what was done, one sentence each.
        files: written, in their order.
        missing: which signatures are waited for, one sentence each.
    """

    place: str
    fingerprint: str
    date: str
    done: tuple[str, ...]
    files: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Owned:
    """An index as its owner finds it.

    Attributes:
        signed: what is in force.
        drafts: what waits for signatures.
        contents: `index.json` as stored.
        rules: who may publish, by the drafts where they say it anew.
        index: to read from; None while it has no head.
    """

    signed: Signed
    drafts: Drafts
    contents: bytes
    rules: Publishers
    index: Index | None

    def opened(self) -> Index:
        """Return the index to read from.

        Raises:
            UsageError: it still waits for the signatures of its first root.
        """
        if self.index is None:
            raise UsageError(
                "the index is not in force yet: signatures are missing",
                hint="`crpack index sign` adds them",
            )
        return self.index


@dataclass(frozen=True, slots=True)
class Wish:
    """What an edit asks for: drafts and contents as they shall be, new files, and the news."""

    drafts: Drafts
    contents: bytes
    files: tuple[File, ...]
    done: tuple[str, ...]


def owned_at(session: Session, place: Place) -> Owned:
    """Read an index that is to be changed; its signatures and digests must be right.

    Raises:
        UsageError: there is none.
        TrustError: it is damaged, or older than it was seen before.
    """
    drafts = Drafts(*(_maybe(place, head.draft_path(one)) for one in Drafts.__slots__))
    first = _maybe(place, "metadata/1.root.json")
    if not first and not drafts.root:
        hint = "make one with `crpack index new`"
        raise UsageError(f"there is no index in `{place.name}`", hint=hint)
    waiting = publishers.decode(drafts.publishers) if drafts.targets else None
    if not first:
        empty = contents.encode(contents.Contents())
        return Owned(Signed(), drafts, empty, waiting or Publishers(), None)
    seen = client.seen_in(session.rooms(chain.fingerprint(first)))  # before the head is read
    found = chain.walk(place.read, first).head
    state.check(seen, found)
    index = client.of_head(place.name, "", found, Blobs(place.read, ahead=place.read_all))
    signed = head.read_signed(place.read, found.versions, MAX_HEAD_BYTES)
    stored = place.read(found.index.path, MAX_INDEX_PACKED)
    return Owned(signed, drafts, stored, waiting or index.publishers, index)


def edit(
    session: Session,
    place: Place,
    wish_of: Callable[[Owned], Wish],
    ring: KeyRing,
    *,
    dry_run: bool = False,
    fresh: Owned | None = None,
) -> Change:
    """Plan on the state under the lock, then write (SPEC PUB-15, PUB-16); a dry run locks nothing.

    Args:
        session: for the keys, and what was seen of the index before.
        place: where the index is.
        wish_of: returns what is wished, from the state as it is.
        ring: the keys that may sign.
        dry_run: write nothing.
        fresh: the state of an index that is about to be made.

    Raises:
        CrpackError: what reading, planning, signing and writing raise.
    """
    with nullcontext() if dry_run else place.locked():
        owned = fresh or owned_at(session, place)
        if fresh is None and not ring.only:
            _known_here(session, place, owned)
        wish = wish_of(owned)
        coming = _renewed(owned, wish, _at_hand(session, ring, owned, wish.drafts))
        files = (*wish.files, *coming.files)
        if not dry_run:
            place.write(files, coming.gone, owned.signed.timestamp)
            _remember(session, place, coming)
    return Change(
        place=place.name,
        fingerprint=_fingerprint(owned, coming),
        date=head.date_of(coming.signed.timestamp),
        done=wish.done,
        files=tuple(file.path for file in files),
        missing=tuple(_sentence(one) for one in coming.missing),
    )


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


def _renewed(owned: Owned, wish: Wish, at_hand: Sequence[PrivateKey]) -> Next:
    """Return the next head; where the online keys are elsewhere, signed drafts go on waiting."""
    changed = wish.contents != owned.contents
    try:
        return head.renew(
            owned.signed, wish.drafts, at_hand, now(), contents=wish.contents, changed=changed
        )
    except UsageError as error:
        if error.rule != "PUB-12" or changed or wish.drafts == Drafts():
            raise
        return head.waiting(owned.signed, wish.drafts, at_hand)


def _known_here(session: Session, place: Place, owned: Owned) -> None:
    """Refuse to sign for an index that may be anybody's (SPEC PUB-19).

    Raises:
        TrustError: it is not pinned, was not made here, and was never written to from here.
    """
    found = owned.index.head.fingerprint if owned.index else ""
    pinned = {pin.fingerprint for pin in session.indexes()}
    if found and (found in pinned or client.seen_in(session.rooms(found)) != state.Seen()):
        return
    raise TrustError(
        f"the index in `{place.name}` is not known here, so no key signs it",
        why=[
            f"its root has the fingerprint `sha256:{found}`" if found else "it has no root yet",
            "an index may name any key; what that signs might be used for another index",
        ],
        hint="pin the index, or name the keys that may sign it with `--key`",
        rule="PUB-19",
    )


def _at_hand(
    session: Session, ring: KeyRing, owned: Owned, drafts: Drafts
) -> tuple[PrivateKey, ...]:
    """Return the user's keys that this edit needs: the online ones, and those for drafts.

    With named keys, of the others only the online ones of an index that is known sign.
    """
    signed = owned.signed
    roots = (signed.root, drafts.root)
    online = _keyids(signed.targets, "index") | _keyids(drafts.targets, "index")
    offline: set[str] = set()
    for root in roots:
        online |= _keyids(root, "snapshot") | _keyids(root, "timestamp")
        offline |= _keyids(root, "root") if drafts.root else set()
        offline |= _keyids(root, "targets") if drafts.targets else set()
    known = owned.index is not None and (
        client.seen_in(session.rooms(owned.index.head.fingerprint)) != state.Seen()
    )
    found = []
    for name in session.key_names():
        keyid = session.public_key(name).keyid
        if ring.only and name not in ring.only and not (known and keyid in online):
            continue
        if keyid in online | offline:
            found.append(ring.unlock(name))
    return tuple(found)


def _keyids(delegator: bytes, role: str) -> set[str]:
    return set(repository.role_signers(delegator, role).keyids) if delegator else set()


def _fingerprint(owned: Owned, coming: Next) -> str:
    if owned.index is not None:
        return f"sha256:{owned.index.head.fingerprint}"
    return f"sha256:{chain.fingerprint(coming.signed.root)}" if coming.signed.root else ""


def _remember(session: Session, place: Place, coming: Next) -> None:
    """Read the new head as anyone would, and remember it as the newest seen."""
    if not coming.signed.timestamp:
        return
    found = chain.walk(place.read, place.read("metadata/1.root.json", MAX_HEAD_BYTES)).head
    rooms = session.rooms(found.fingerprint)
    disk.make_folders(rooms.state)
    with disk.lock(f"{rooms.state}/lock"):
        client.remember(rooms, found)


def _maybe(place: Place, path: str) -> bytes:
    try:
        return place.read(path, MAX_HEAD_BYTES)
    except FetchError as error:
        if error.data.get("status") != 404:  # as web servers say it
            raise
        return b""


def _sentence(one: Missing) -> str:
    keys = ", ".join(f"`{keyid[:16]}`" for keyid in one.waiting)
    return f"`{one.role}` needs {one.count} more of the keys {keys}"
