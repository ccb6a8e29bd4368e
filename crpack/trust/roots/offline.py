"""A head that is judged without its server: from a cache, a bundle, or crpack's own copy.

Rules (SPEC TUF-08 to TUF-10):
- Nothing but the expiry is relaxed: chain, digests and remembered versions hold.
- Instead of the expiry: at most `max-offline-age` days since the timestamp was signed, by a clock
  that is never below the time floor; every other role was in force on that date.
- The embedded index is part of crpack; its root and snapshot are held against constants.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from crpack.errors import TrustError
from crpack.model.dates import dated
from crpack.model.limits import MAX_HEAD_BYTES
from crpack.trust.roots import state
from crpack.trust.roots.chain import Chain, fingerprint, walk
from crpack.trust.roots.refusal import refuse

if TYPE_CHECKING:
    from datetime import datetime

    from crpack.trust.roots.chain import Read

LIFE = timedelta(days=30)  # of a timestamp, from its date
_HEAD = "the head of the index"


def verify(
    read: Read, bootstrap: bytes, *, seen: state.Seen, now: datetime, max_age_days: int
) -> state.Head:
    """Return the verified head of an index whose server is not asked (SPEC TUF-09).

    Args:
        read: see `chain.walk`.
        bootstrap: the pinned root file.
        seen: what is remembered of this index.
        now: the clock, with its time zone.
        max_age_days: since the timestamp was signed.

    Raises:
        TrustError: refused, or too old.
        FetchError: a file is not there.
    """
    chain = walk(read, bootstrap)
    state.check(seen, chain.head)
    _check_dates(chain, chain.signed, skip="timestamp")
    age = _judged(chain, seen, now) - chain.signed
    if age > timedelta(days=max_age_days):
        raise TrustError(
            f"the index is as of `{chain.head.date}`, {age.days} days old",
            why=[f"offline, an index is trusted for {max_age_days} days"],
            hint="go online once, get a newer bundle, or raise the setting `max-offline-age`",
            data={"attack": "freeze", "date": chain.head.date, "days": age.days},
            rule="TUF-09",
        )
    return chain.head


def fresh(chain: Chain, seen: state.Seen, now: datetime) -> state.Head:
    """Return the head of a chain that came from its server just now (SPEC TUF-07, TUF-08).

    Raises:
        TrustError: a role has expired, or a version goes back.
    """
    state.check(seen, chain.head)
    _check_dates(chain, _judged(chain, seen, now))
    return chain.head


def embedded(read: Read, root_sha256: str, snapshot_sha256: str) -> state.Head:
    """Return the head of the index that crpack carries (SPEC TUF-10).

    Args:
        read: see `chain.walk`; `metadata/1.root.json` is the pinned root.
        root_sha256: of that root, a constant of crpack.
        snapshot_sha256: of the snapshot, a constant of crpack.

    Raises:
        TrustError: the copy was altered.
    """
    root = read("metadata/1.root.json", MAX_HEAD_BYTES)
    what = "the index that crpack carries"
    if fingerprint(root) != root_sha256:
        raise refuse(what, "its root is not crpack's own", attack="mix-and-match", rule="TUF-10")
    head = walk(read, root).head
    if head.snapshot_sha256 != snapshot_sha256:
        why = "its snapshot is not crpack's own"
        raise refuse(what, why, attack="mix-and-match", rule="TUF-10")
    return head


def _judged(chain: Chain, seen: state.Seen, now: datetime) -> datetime:
    """Return the time to judge by; a date that was signed is in the past (SPEC TUF-07)."""
    known = state.Seen() if state.recovered(seen, chain.head.versions) else seen
    return max(state.floor(known, now), chain.signed)


def _check_dates(chain: Chain, at: datetime, *, skip: str = "") -> None:
    expires = dict(chain.expires)
    if expires["timestamp"] > chain.signed + LIFE:
        why = f"its timestamp, signed {chain.head.date}, is in force for more than {LIFE.days} days"
        raise refuse(_HEAD, why, attack="freeze", rule="TUF-06")
    for role, end in chain.expires:
        if at >= end and role != skip:
            why = f"its {role} expired on {dated(end)}; judged by {dated(at)}"
            raise refuse(_HEAD, why, attack="freeze", rule="TUF-08")
