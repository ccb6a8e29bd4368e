"""The signature of a bundle's maker: over the exact bytes of its lock, in the manner of DSSE.

Rules (SPEC BUN-13):
- The lock has the digests of the wheels, for which no publisher vouches. Who signs it vouches for
  them, as far as the key is pinned for every name that the bundle installs.
- The type differs from that of a manifest, so that no signature of an archive fits a lock.
- Signatures by keys that are not pinned prove nothing. A signature by a pinned key must be good,
  whatever names the key is pinned for.

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

TYPE = "application/vnd.crpack.lock.v1+toml"


def sign(lock: bytes, signers: Iterable[keys.PrivateKey]) -> bytes:
    """Return the bytes of `signatures.json` for the lock of a bundle.

    Raises:
        FormatError: one key twice, or more than `MAX_SIGNATURES` keys.
    """
    return envelope.sign(TYPE, lock, signers)


def check(
    lock: bytes, signatures: Sequence[Signature], names: Sequence[str], pinned: Iterable[Pin]
) -> tuple[str, ...]:
    """Return the ids of the pinned keys that vouch for a lock; none is no error.

    Args:
        lock: the exact bytes of `crpack.lock`.
        signatures: from `signatures.decode`.
        names: of all that the bundle installs.
        pinned: the keys that the user trusts.

    Raises:
        TrustError: a pinned key is said to have signed these bytes, and has not.
    """
    found = envelope.signers_of(TYPE, lock, signatures, pinned, _bad)
    return tuple(pin.keyid for pin in found if names and all(map(pin.covers, names)))


def _bad(keyid: str) -> TrustError:
    return TrustError(
        "the signature of the bundle does not fit its lock",
        why=[f"the pinned key `{keyid}` did not sign these bytes"],
        hint="get the bundle again from who made it",
        data={"reason": "bad-signature", "keyids": [keyid]},
        rule="BUN-13",
    )
