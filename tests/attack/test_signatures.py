"""Attacks on the signatures of an archive: each must end in a refusal with one sentence."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crpack.errors import FormatError, TrustError
from crpack.model import canonical
from crpack.model.limits import MAX_JSON_DEPTH, MAX_SIGNATURES
from crpack.model.signatures import Signature, encode
from crpack.trust import envelope, keys
from crpack.trust.pins import Pin

if TYPE_CHECKING:
    from collections.abc import Iterator

PUBLISHER, ATTACKER = (keys.PrivateKey(bytes([number]) * 32) for number in (1, 2))
PINS = (Pin(keys.public(PUBLISHER), ("lab/*",)),)
MANIFEST = canonical.encode({"format": 1, "critical": [], "name": "lab/x", "version": "1.0"})
SIGNED = envelope.sign_manifest(MANIFEST, [PUBLISHER])


def keyid(private: keys.PrivateKey) -> str:
    return keys.public(private).keyid


def accept(manifest: bytes, signatures: bytes) -> tuple[str, ...]:
    return envelope.check(manifest, envelope.decode(signatures), "lab/x", PINS)


def flips(data: bytes) -> Iterator[bytes]:
    for position, value in enumerate(data):
        for bit in range(8):
            yield data[:position] + bytes([value ^ 1 << bit]) + data[position + 1 :]


def test_the_untouched_pair_is_accepted() -> None:
    assert accept(MANIFEST, SIGNED) == (keyid(PUBLISHER),)


def test_every_flipped_bit_of_the_signatures_is_refused() -> None:
    for data in flips(SIGNED):
        with pytest.raises(TrustError):
            accept(MANIFEST, data)


def test_every_flipped_bit_of_the_manifest_is_refused() -> None:
    for data in flips(MANIFEST):
        with pytest.raises(TrustError):
            accept(data, SIGNED)


def test_every_cut_and_every_extension_is_refused() -> None:
    for length in range(len(SIGNED)):
        with pytest.raises(TrustError):
            accept(MANIFEST, SIGNED[:length])
    for tail in (b"\0", b" ", b"\n", b"}", SIGNED):
        with pytest.raises(TrustError):
            accept(MANIFEST, SIGNED + tail)


def test_a_signature_of_another_manifest_does_not_fit() -> None:
    other = envelope.sign_manifest(MANIFEST.replace(b"1.0", b"0.9"), [PUBLISHER])
    with pytest.raises(TrustError, match="does not fit its manifest"):
        accept(MANIFEST, other)


@pytest.mark.parametrize(
    "message",
    [
        MANIFEST,
        envelope.pae("application/vnd.crpack.index.v1+json", MANIFEST),
        envelope.pae("", MANIFEST),
        envelope.pae(envelope.TYPE + " ", MANIFEST),
        envelope.pae(envelope.TYPE, b" " + MANIFEST),
    ],
)
def test_a_signature_for_another_kind_of_document_does_not_fit(message: bytes) -> None:
    data = encode([Signature(keyid(PUBLISHER), keys.sign(PUBLISHER, message))])
    with pytest.raises(TrustError, match="does not fit its manifest"):
        accept(MANIFEST, data)


def test_no_two_typed_bodies_share_a_message() -> None:
    # The lengths keep a type from running into the body.
    pairs = [("a", b"b"), ("a b", b""), ("", b"a b"), ("a 1 b", b"c"), ("a", b"1 b 1 c")]
    assert len({envelope.pae(kind, body) for kind, body in pairs}) == len(pairs)


def test_an_attacker_cannot_sign_under_the_publishers_key_id() -> None:
    sig = keys.sign(ATTACKER, envelope.pae(envelope.TYPE, MANIFEST))
    with pytest.raises(TrustError, match="does not fit its manifest"):
        accept(MANIFEST, encode([Signature(keyid(PUBLISHER), sig)]))


def test_an_attackers_own_signature_is_not_enough() -> None:
    with pytest.raises(TrustError, match="not pinned"):
        accept(MANIFEST, envelope.sign_manifest(MANIFEST, [ATTACKER]))


def test_removing_the_signature_is_not_enough() -> None:
    with pytest.raises(TrustError, match="not signed"):
        accept(MANIFEST, encode([]))


def test_an_archive_cannot_choose_the_algorithm() -> None:
    fields: dict[str, Any] = canonical.decode(SIGNED, what="x")
    fields["signatures"][0] |= {"alg": "none", "sig": "A" * 86 + "=="}
    with pytest.raises(TrustError, match="does not fit its manifest"):
        accept(MANIFEST, canonical.encode(fields))


def test_a_key_that_accepts_everything_cannot_be_pinned() -> None:
    # With the neutral point as key, R = S = 0 "signs" every message for plain verifiers.
    neutral = b"\x01" + bytes(31)
    with pytest.raises(TrustError, match="not a safe"):
        Pin(keys.PublicKey(neutral), ("*",))
    pem = keys.public_pem(keys.public(PUBLISHER))
    der = base64.b64encode(keys._DER_PUBLIC + neutral)
    lines = pem.splitlines()
    with pytest.raises(TrustError, match="not a safe"):
        keys.public_from_pem(b"\n".join([lines[0], der, lines[-1]]))


def test_a_key_pinned_for_one_scope_does_not_vouch_for_another() -> None:
    signatures = envelope.decode(SIGNED)
    for name in ("labx", "lab", "other/x", "lab/../other/x", "x", ""):
        with pytest.raises(TrustError, match="other names only"):
            envelope.check(MANIFEST, signatures, name, PINS)


def test_a_crowd_of_signatures_is_refused_before_any_is_verified() -> None:
    rows = [{"keyid": f"{n:064x}", "sig": "A" * 86 + "=="} for n in range(MAX_SIGNATURES + 1)]
    data = canonical.encode({"format": 1, "critical": [], "signatures": rows})
    with pytest.raises(FormatError, match="more than"):
        envelope.decode(data)


def test_depth_is_refused_before_it_is_parsed() -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    for data in (deep, deep[:40_000], b'{"signatures":' + deep[: MAX_JSON_DEPTH + 1]):
        with pytest.raises(FormatError):
            envelope.decode(data)


TEXT = st.text('ab0é"\\', max_size=4)
SCALAR = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT
JSON = SCALAR | st.lists(SCALAR, max_size=2) | st.dictionaries(TEXT, SCALAR, max_size=2)
ROW = st.fixed_dictionaries({}, optional={"keyid": JSON, "sig": JSON, "alg": JSON}) | JSON


@given(
    st.binary(max_size=200)
    | st.fixed_dictionaries(
        {},
        optional={
            "format": st.just(1) | JSON,
            "critical": st.just([]) | JSON,
            "signatures": st.lists(ROW, min_size=1, max_size=3) | JSON,
        },
    )
)
def test_invented_documents_end_in_a_format_error_or_no_trust(value: object) -> None:
    data = value if isinstance(value, bytes) else canonical.encode(value)
    with pytest.raises(TrustError) as error:
        accept(MANIFEST, data)
    assert error.value.what
