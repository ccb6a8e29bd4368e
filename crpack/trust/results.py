"""The signature of a result: over the exact bytes of its record, in the manner of DSSE.

Rules (SPEC RES-07):
- It stands beside the record, so that the record's name does not depend on who signs.
- The type differs from that of a manifest and of a lock: no signature of those fits a result.
- It says who vouches for a result, not that the result is true. Signatures by keys that are not
  pinned prove nothing. A signature by a pinned key must be good.

Pure: bytes and pins in, key ids out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack.errors import TrustError
from crpack.trust import envelope

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crpack.model.signatures import Signature
    from crpack.trust import keys
    from crpack.trust.pins import Pin

TYPE = "application/vnd.crpack.result.v1+json"


def sign(record: bytes, signers: Iterable[keys.PrivateKey]) -> bytes:
    """Return the bytes of the signatures of a result.

    Raises:
        FormatError: one key twice, or more than `MAX_SIGNATURES` keys.
    """
    return envelope.sign(TYPE, record, signers)


def check(record: bytes, signatures: Sequence[Signature], pinned: Iterable[Pin]) -> tuple[str, ...]:
    """Return the ids of the pinned keys that signed a result; none is no error.

    Raises:
        TrustError: a pinned key is said to have signed these bytes, and has not.
    """
    found = envelope.signers_of(TYPE, record, signatures, pinned, _bad)
    return tuple(pin.keyid for pin in found)


def _bad(keyid: str) -> TrustError:
    return TrustError(
        "the signature of the result does not fit its record",
        why=[f"the pinned key `{keyid}` did not sign these bytes"],
        hint="get the result again from who made it",
        data={"reason": "bad-signature", "keyids": [keyid]},
        rule="RES-07",
    )
