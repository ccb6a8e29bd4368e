"""The signatures of an archive as values, and the one byte form of `signatures.json`.

Rules (SPEC SIG-08, SIG-09):
- Canonical JSON with `format`, `critical` and `signatures`, a list of `keyid` and `sig`.
- Sorted by key id, each key once, at most `MAX_SIGNATURES`; an empty list says "unsigned".
- `sig` is the 64 bytes of an Ed25519 signature in base64 with its padding, in its one form.

What a signature is worth is decided in `trust/envelope`; this module knows bytes only.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack.errors import FormatError
from crpack.model import document
from crpack.model.limits import MAX_SIGNATURES, MAX_SIGNATURES_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable

SIGNATURE_BYTES = 64  # RFC 8032, section 5.1.6

_WHAT = "`signatures.json`"
_KNOWN = frozenset({"signatures", "keyid", "sig"})


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature over a manifest.

    Attributes:
        keyid: sha256, in hex, of the raw public key (SPEC SIG-02).
        sig: the 64 bytes of the Ed25519 signature.
    """

    keyid: str
    sig: bytes


def encode(signatures: Iterable[Signature]) -> bytes:
    """Return the bytes of `signatures.json`, sorted by key id (SPEC SIG-08).

    Raises:
        FormatError: two signatures by one key, too many, or one of another size.
    """
    ordered = tuple(sorted(signatures, key=lambda signature: signature.keyid))
    _check(ordered)
    rows = [{"keyid": one.keyid, "sig": to_base64(one.sig)} for one in ordered]
    return document.encode({"signatures": rows})


def decode(data: bytes) -> tuple[Signature, ...]:
    """Return the signatures in the bytes of `signatures.json` (SPEC SIG-08).

    Raises:
        FormatError: the bytes are not exactly what `encode` would write.
    """
    fields = document.decode(
        data, what=_WHAT, rule="SIG-08", known=_KNOWN, limit=MAX_SIGNATURES_BYTES
    )
    signatures = tuple(_signature(row) for row in fields.each("signatures"))
    _check(signatures)
    return signatures


def to_base64(data: bytes) -> str:
    """Return standard base64 with padding (RFC 4648, section 4)."""
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def from_base64(text: str, size: int) -> bytes | None:
    """Return the `size` bytes that a text stands for; None unless it is their one base64 form."""
    try:
        data = binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        return None
    return data if len(data) == size and to_base64(data) == text else None


def _signature(row: document.Fields) -> Signature:
    sig = from_base64(row.text("sig"), SIGNATURE_BYTES)
    if sig is None:
        raise row.refuse("sig", f"is not {SIGNATURE_BYTES} bytes in base64", rule="SIG-09")
    return Signature(row.text("keyid", document.SHA256), sig)


def _check(signatures: tuple[Signature, ...]) -> None:
    """Refuse what is too many, out of order, doubled or of another size."""
    if len(signatures) > MAX_SIGNATURES:
        raise FormatError(f"{_WHAT} has more than {MAX_SIGNATURES} signatures", rule="SIG-08")
    keyids = [signature.keyid for signature in signatures]
    if keyids != sorted(set(keyids)):
        raise FormatError(f"{_WHAT} is not sorted by distinct key ids", rule="SIG-08")
    if any(len(signature.sig) != SIGNATURE_BYTES for signature in signatures):
        raise FormatError(f"a signature is not {SIGNATURE_BYTES} bytes long", rule="SIG-09")
