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
from crpack.model.signatures import Signature, encode
from crpack.trust import keys
from crpack.trust.envelope import pae

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crpack.trust.pins import Pin

TYPE = "application/vnd.crpack.result.v1+json"


def sign(record: bytes, signers: Iterable[keys.PrivateKey]) -> bytes:
    """Return the bytes of the signatures of a result.

    Raises:
        FormatError: one key twice, or more than `MAX_SIGNATURES` keys.
    """
    message = pae(TYPE, record)
    return encode(Signature(keys.public(one).keyid, keys.sign(one, message)) for one in signers)


def check(record: bytes, signatures: Sequence[Signature], pinned: Iterable[Pin]) -> tuple[str, ...]:
    """Return the ids of the pinned keys that signed a result; none is no error.

    Raises:
        TrustError: a pinned key is said to have signed these bytes, and has not.
    """
    known = {pin.keyid: pin for pin in pinned}
    found = [one for one in signatures if one.keyid in known]
    message = pae(TYPE, record)
    for one in found:
        if not keys.verify(known[one.keyid].public, one.sig, message):
            raise TrustError(
                "the signature of the result does not fit its record",
                why=[f"the pinned key `{one.keyid}` did not sign these bytes"],
                hint="get the result again from who made it",
                data={"reason": "bad-signature", "keyids": [one.keyid]},
                rule="RES-07",
            )
    return tuple(sorted({one.keyid for one in found}))
