"""The signed head of an index as a value, and what a client remembers of it.

Rules (SPEC TUF-07, TUF-11 to TUF-13):
- No version of a role that was seen goes back, whatever a mirror or a bundle offers.
- The versions begin anew when a new root changes the keys of timestamp or snapshot: that is how
  an owner recovers from a thief who signed the highest version.
- The time floor is the later of crpack's own release date and the newest date seen; a clock below
  it is wrong.

Pure: the caller reads and writes `seen.json`, after the head was accepted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import crpack
from crpack.errors import TrustError
from crpack.model import document
from crpack.model.dates import moment

if TYPE_CHECKING:
    from datetime import datetime

ROLES = ("root", "timestamp", "snapshot", "targets", "index")

_KEYS = re.compile(r"([0-9a-f]{64})?", re.ASCII)
_WHAT = "`seen.json`"
_KNOWN = frozenset({*ROLES, "date", "keys"})


@dataclass(frozen=True, slots=True)
class Seen:
    """The versions of the roles, 0 for none seen.

    Attributes:
        root: and the others are version numbers.
        date: when the newest timestamp was signed, UTC; empty for none.
        keys: sha256 of the keys and thresholds of timestamp and snapshot; empty for none.
    """

    root: int = 0
    timestamp: int = 0
    snapshot: int = 0
    targets: int = 0
    index: int = 0
    date: str = ""
    keys: str = ""


@dataclass(frozen=True, slots=True)
class TargetFile:
    """A file that the head vouches for: its path below the index's address, bytes and digest."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Head:
    """A verified head.

    Attributes:
        fingerprint: sha256, in hex, of the pinned root file (SPEC TUF-04).
        versions: of its roles.
        date: when its timestamp was signed.
        expires: when the first of its roles expires.
        snapshot_sha256: of the snapshot file; names the state of the whole index.
        publishers: `publishers.json`, signed by targets.
        index: `index.json.zst`, signed by the role `index`.
    """

    fingerprint: str
    versions: Seen
    date: str
    expires: str
    snapshot_sha256: str
    publishers: TargetFile
    index: TargetFile


def encode(seen: Seen) -> bytes:
    """Return the bytes of `seen.json` (SPEC TUF-13)."""
    numbers: dict[str, object] = {role: getattr(seen, role) for role in ROLES}
    return document.encode({**numbers, "date": seen.date, "keys": seen.keys})


def decode(data: bytes) -> Seen:
    """Return what the bytes of `seen.json` remember (SPEC TUF-13).

    Raises:
        FormatError: the bytes break the format.
    """
    fields = document.decode(data, what=_WHAT, rule="TUF-13", known=_KNOWN)
    numbers = {role: fields.integer(role) for role in ROLES}
    date = fields.text("date") and fields.date("date")
    return Seen(**numbers, date=date, keys=fields.text("keys", _KEYS))


def check(seen: Seen, head: Head) -> None:
    """Refuse a head that goes back behind what was seen (SPEC TUF-11, TUF-12).

    Raises:
        TrustError: a version is lower than the one seen.
    """
    new = head.versions
    for role in ("root",) if recovered(seen, new) else ROLES:
        had, got = getattr(seen, role), getattr(new, role)
        if got < had:
            raise TrustError(
                f"the index goes back: its {role} has version {got}, and {had} was seen before",
                why=["an old copy of the index is offered, by a stale mirror or an attacker"],
                hint="use another mirror, or ask the owner of the index",
                data={"attack": "rollback", "role": role, "seen": had, "offered": got},
                rule="TUF-11",
            )


def merge(seen: Seen, head: Head) -> Seen:
    """Return what to remember after a head was accepted by `check` (SPEC TUF-11, TUF-12)."""
    new = head.versions
    if recovered(seen, new):
        return new
    best = {role: max(getattr(seen, role), getattr(new, role)) for role in ROLES}
    return Seen(**best, date=max(seen.date, new.date), keys=new.keys)


def floor(seen: Seen, now: datetime) -> datetime:
    """Return the time that expiry is judged by: never before the time floor (SPEC TUF-07)."""
    known = [moment(text) for text in (crpack.RELEASED, seen.date) if text]
    return max(now, *known)


def recovered(seen: Seen, new: Seen) -> bool:
    """Say whether a new root changed the keys of timestamp or snapshot (SPEC TUF-12)."""
    return new.root > seen.root and new.keys != seen.keys
