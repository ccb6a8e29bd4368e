"""The envelope: signatures over the exact bytes of a manifest, in the manner of DSSE.

Rules (SPEC SIG-06…15):
- What is signed is the pre-authentication encoding of a type and the manifest's bytes, so that a
  signature made for one kind of document never fits another.
- Signatures by keys that are not pinned prove nothing and are passed over. A signature by a
  pinned key must be good, whatever names the key is pinned for.
- A threshold counts distinct keys that are pinned for the name.
- No signature is never "fine": the answer is an error, and only the caller's explicit wish
  (`--allow-unsigned`) may go past it.

Pure: bytes and pins in, key ids out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack.errors import TrustError
from crpack.model.signatures import Signature, decode, encode
from crpack.trust import keys, pins

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["TYPE", "Signature", "check", "decode", "pae", "sign", "sign_manifest", "signers_of"]

TYPE = "application/vnd.crpack.manifest.v1+json"


def pae(kind: str, body: bytes) -> bytes:
    """Return DSSE's pre-authentication encoding of a typed body (DSSE 1.0; SPEC SIG-06)."""
    name = kind.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(name), name, len(body), body)


def sign_manifest(manifest: bytes, signers: Iterable[keys.PrivateKey]) -> bytes:
    """Return the bytes of `signatures.json` for a manifest; no signer gives an unsigned archive.

    Raises:
        FormatError: one key twice, or more than `MAX_SIGNATURES` keys.
    """
    return sign(TYPE, manifest, signers)


def sign(kind: str, body: bytes, signers: Iterable[keys.PrivateKey]) -> bytes:
    """Return the bytes of the signatures of a typed body (SPEC SIG-06, SIG-08).

    Raises:
        FormatError: one key twice, or more than `MAX_SIGNATURES` keys.
    """
    message = pae(kind, body)
    return encode(Signature(keys.public(one).keyid, keys.sign(one, message)) for one in signers)


def signers_of(
    kind: str,
    body: bytes,
    signatures: Iterable[Signature],
    pinned: Iterable[pins.Pin],
    bad: Callable[[str], TrustError],
) -> tuple[pins.Pin, ...]:
    """Return the pins of the keys that signed a typed body (SPEC SIG-11, SIG-12).

    Args:
        kind: its type.
        body: the exact bytes.
        signatures: those by keys that are not pinned are passed over.
        pinned: the keys that the user trusts.
        bad: makes the error of a pinned key, by its id, that did not sign these bytes.

    Raises:
        TrustError: that of `bad`.
    """
    known = {pin.keyid: pin for pin in pinned}
    found = [one for one in signatures if one.keyid in known]
    message = pae(kind, body)
    for one in found:
        if not keys.verify(known[one.keyid].public, one.sig, message):
            raise bad(one.keyid)
    return tuple(known[keyid] for keyid in sorted({one.keyid for one in found}))


def check(
    manifest: bytes,
    signatures: Sequence[Signature],
    name: str,
    pinned: Iterable[pins.Pin],
    *,
    threshold: int = 1,
) -> tuple[str, ...]:
    """Return the ids of the pinned keys that vouch for a manifest under a name (SPEC SIG-10…14).

    Args:
        manifest: the exact bytes of `manifest.json`.
        signatures: from `decode`, or of an opened archive.
        name: the component's name that the archive is to be trusted for.
        pinned: the keys that the user trusts.
        threshold: how many distinct keys must vouch.

    Raises:
        TrustError: unsigned; signed by keys that are not pinned; a bad signature; pinned keys,
            but not for this name; or fewer keys than the threshold.
    """
    if not signatures:
        raise _unsigned(name)
    found = signers_of(TYPE, manifest, signatures, pinned, lambda keyid: _bad(name, keyid))
    if not found:
        raise _foreign(name, [one.keyid for one in signatures])
    allowed = [pin.keyid for pin in found if pin.covers(name)]
    if not allowed:
        raise _elsewhere(name, found)
    if len(allowed) < threshold:
        raise _too_few(name, allowed, threshold)
    return tuple(allowed)


def _refusal(
    what: str, *, rule: str, reason: str, keyids: list[str], why: list[str], hint: str
) -> TrustError:
    return TrustError(
        what, why=why, hint=hint, data={"reason": reason, "keyids": keyids}, rule=rule
    )


def _unsigned(name: str) -> TrustError:
    return _refusal(
        f"`{name}` is not signed",
        rule="SIG-10",
        reason="unsigned",
        keyids=[],
        why=["the archive carries no signature, so nobody vouches for it"],
        hint="ask its publisher for a signed archive; `--allow-unsigned` takes it as it is",
    )


def _foreign(name: str, keyids: list[str]) -> TrustError:
    return _refusal(
        f"`{name}` is signed by a key that is not pinned",
        rule="SIG-11",
        reason="not-pinned",
        keyids=keyids,
        why=[f"the key id is `{keyid}`" for keyid in keyids],
        hint="get the key file from its owner, compare the key id, then run "
        f"`crpack trust add KEYFILE --names PATTERN` with a pattern that covers `{name}`",
    )


def _bad(name: str, keyid: str) -> TrustError:
    return _refusal(
        f"the signature of `{name}` does not fit its manifest",
        rule="SIG-12",
        reason="bad-signature",
        keyids=[keyid],
        why=[
            f"the pinned key `{keyid}` did not sign these bytes",
            "the archive was altered or damaged after it was signed",
        ],
        hint="get the archive again from its publisher",
    )


def _elsewhere(name: str, found: Sequence[pins.Pin]) -> TrustError:
    patterns = [(pin.keyid, ", ".join(f"`{pattern}`" for pattern in pin.names)) for pin in found]
    return _refusal(
        f"`{name}` is signed by a key that is pinned for other names only",
        rule="SIG-13",
        reason="other-names",
        keyids=[pin.keyid for pin in found],
        why=[f"the key `{keyid}` is pinned for {text}" for keyid, text in patterns],
        hint=f"if it may sign this name too, run `crpack trust add KEYFILE --names {name}`",
    )


def _too_few(name: str, keyids: list[str], threshold: int) -> TrustError:
    return _refusal(
        f"`{name}` has {len(keyids)} of the {threshold} signatures that it needs",
        rule="SIG-14",
        reason="threshold",
        keyids=keyids,
        why=[f"the key `{keyid}` signed it" for keyid in keyids],
        hint="ask its publisher for an archive that all of them signed",
    )
