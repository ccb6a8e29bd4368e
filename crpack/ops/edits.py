"""One edit of an index: read it under the lock, plan the next state, sign, write.

Rules (SPEC PUB-11 to PUB-16, PUB-19 to PUB-21):
- An owner's index is verified like anyone's, its dates excepted: renewing them is what it needs.
- An edit says how drafts and contents shall be, and which drafts it may sign: those that it made
  of what is in force, or showed. Signing follows from that and the keys at hand.
- Private keys stay in the user's key store; an index's folder never holds one.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from crpack import disk
from crpack.errors import FetchError, TrustError, UsageError
from crpack.index import client, contents, difference, head, publishers
from crpack.index.cache import Blobs
from crpack.index.client import Index
from crpack.index.difference import Difference
from crpack.index.head import NO_CONSENT, Consent, Drafts, Signed
from crpack.index.publish import File
from crpack.index.publishers import Publishers
from crpack.model.limits import MAX_HEAD_BYTES, MAX_INDEX_PACKED
from crpack.trust.keys import PrivateKey
from crpack.trust.roots import chain, state

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
        show: shows what keys of root and targets are about to sign.
    """

    unlock: Callable[[str], PrivateKey]
    only: tuple[str, ...] = ()
    show: Callable[[Difference], None] = lambda _: None


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
        ignored: drafts that are passed over, with the reason (SPEC PUB-21).
        differences: what it changes of root and targets.
    """

    place: str
    fingerprint: str
    date: str
    done: tuple[str, ...]
    files: tuple[str, ...]
    missing: tuple[str, ...]
    ignored: tuple[str, ...]
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Owned:
    """An index as its owner finds it.

    Attributes:
        signed: what is in force.
        drafts: what waits for signatures, and may be taken up.
        contents: `index.json` as stored.
        index: to read from; None while it has no head.
        ignored: why other drafts are passed over.
    """

    signed: Signed
    drafts: Drafts
    contents: bytes
    index: Index | None
    ignored: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """Of its root, in hex; empty while it has none in force."""
        return self.index.head.fingerprint if self.index else ""

    @property
    def rules(self) -> Publishers:
        """Who may publish, as it is in force."""
        return self.index.publishers if self.index else Publishers()

    @property
    def coming_rules(self) -> Publishers:
        """Who may publish, by the draft where one says it anew; nobody vouches for a draft."""
        return publishers.decode(self.drafts.publishers) if self.drafts.targets else self.rules

    def difference(self, drafts: Drafts, role: str) -> Difference:
        """Return what a draft would change."""
        return difference.of(self.signed, self.rules, drafts, role, self.fingerprint)

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
    """What an edit asks for.

    Attributes:
        drafts: as they shall be.
        contents: `index.json` as it shall be.
        files: new ones.
        done: the news.
        consent: which drafts may be signed.
    """

    drafts: Drafts
    contents: bytes
    files: tuple[File, ...]
    done: tuple[str, ...]
    consent: Consent = NO_CONSENT


def owned_at(session: Session, place: Place) -> Owned:
    """Read an index that is to be changed; its signatures and digests must be right.

    Raises:
        UsageError: there is none.
        TrustError: it is damaged, or older than it was seen before.
    """
    lying = Drafts(*(_maybe(place, head.draft_path(one)) for one in Drafts.__slots__))
    first = _maybe(place, "metadata/1.root.json")
    if not first:
        drafts, ignored = difference.sound(Signed(), lying, now(), "")
        if not drafts.root:
            hint = "make one with `crpack index new`"
            raise UsageError(f"there is no index in `{place.name}`", why=ignored, hint=hint)
        return Owned(Signed(), drafts, contents.encode(contents.Contents()), None, ignored)
    own = chain.fingerprint(first)
    seen = client.seen_in(session.rooms(own), own)  # before the head is read
    found = chain.walk(place.read, first).head
    state.check(seen, found)
    index = client.of_head(place.name, "", found, Blobs(place.read, ahead=place.read_all))
    signed = head.read_signed(place.read, found.versions, MAX_HEAD_BYTES)
    stored = place.read(found.index.path, MAX_INDEX_PACKED)
    drafts, ignored = difference.sound(signed, lying, now(), found.fingerprint)
    return Owned(signed, drafts, stored, index, ignored)


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
        shown = _differences(owned, wish)
        for one in shown:
            ring.show(one)
        coming = _renewed(owned, wish, _at_hand(session, ring, owned, wish))
        files = (*wish.files, *coming.files)
        if not dry_run:
            place.write(files, coming.gone, owned.signed.timestamp)
            _remember(session, place, owned.signed, coming.signed)
    return Change(
        place=place.name,
        fingerprint=_fingerprint(owned, coming),
        date=head.date_of(coming.signed.timestamp),
        done=wish.done,
        files=tuple(file.path for file in files),
        missing=tuple(_sentence(one) for one in coming.missing),
        ignored=owned.ignored,
        differences=shown,
    )


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


def _differences(owned: Owned, wish: Wish) -> tuple[Difference, ...]:
    """Return what the drafts change that may be signed."""
    roles = [role for role in wish.consent.roles if getattr(wish.drafts, role)]
    return tuple(owned.difference(wish.drafts, role) for role in roles)


def _renewed(owned: Owned, wish: Wish, at_hand: Sequence[PrivateKey]) -> Next:
    """Return the next head; where the online keys are elsewhere, signed drafts go on waiting."""
    changed = wish.contents != owned.contents
    try:
        return head.renew(
            owned.signed,
            wish.drafts,
            at_hand,
            now(),
            contents=wish.contents,
            changed=changed,
            consent=wish.consent,
            fingerprint=owned.fingerprint,
        )
    except UsageError as error:
        if error.rule != "PUB-12" or changed or wish.drafts == Drafts():
            raise
        return head.waiting(owned.signed, wish.drafts, at_hand, wish.consent)


def _known_here(session: Session, place: Place, owned: Owned) -> None:
    """Refuse to sign for an index that may be anybody's (SPEC PUB-19).

    Raises:
        TrustError: it is not pinned, was not made here, and was never written to from here.
    """
    found = owned.fingerprint
    if _is_known(session, found):
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


def _is_known(session: Session, fingerprint: str) -> bool:
    """Say whether an index is pinned, was made here, or was written to from here (SPEC PUB-19)."""
    if not fingerprint:
        return False
    pinned = {pin.fingerprint for pin in session.indexes()}
    return fingerprint in pinned or os.path.isfile(_mark(session, fingerprint))


def _mark(session: Session, fingerprint: str) -> str:
    """Return the file that says that an index was signed here; reading one leaves none."""
    return f"{session.rooms(fingerprint).state}/own"


def _at_hand(session: Session, ring: KeyRing, owned: Owned, wish: Wish) -> tuple[PrivateKey, ...]:
    """Return the user's keys that this edit needs: the online ones, and those for its drafts.

    With named keys, of the others only the online ones of an index that is known sign.
    """
    online = head.online_keys(owned.signed, wish.drafts, wish.consent)
    offline = head.draft_keys(owned.signed, wish.drafts, wish.consent)
    known = _is_known(session, owned.fingerprint)
    found = []
    for name in session.key_names():
        keyid = session.public_key(name).keyid
        if ring.only and name not in ring.only and not (known and keyid in online):
            continue
        if keyid in online | offline:
            found.append(ring.unlock(name))
    return tuple(found)


def _fingerprint(owned: Owned, coming: Next) -> str:
    if owned.fingerprint:
        return f"sha256:{owned.fingerprint}"
    return f"sha256:{chain.fingerprint(coming.signed.root)}" if coming.signed.root else ""


def _remember(session: Session, place: Place, old: Signed, new: Signed) -> None:
    """Read a new head as anyone would; remember it as the newest seen, and as signed here."""
    if new.timestamp == old.timestamp:
        return
    found = chain.walk(place.read, place.read("metadata/1.root.json", MAX_HEAD_BYTES)).head
    rooms = session.rooms(found.fingerprint)
    disk.make_folders(rooms.state)
    with disk.lock(f"{rooms.state}/lock"):
        client.remember(rooms, found)
        disk.atomic_write(_mark(session, found.fingerprint), b"")


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
