from __future__ import annotations

import itertools

import pytest

from crpack.errors import TrustError
from crpack.model.signatures import Signature
from crpack.trust import envelope, keys
from crpack.trust.pins import Pin

A, B, C = (keys.PrivateKey(bytes([number]) * 32) for number in (1, 2, 3))
MANIFEST = b'{"format":1,"name":"lab/x"}'


def pin(private: keys.PrivateKey, *names: str) -> Pin:
    return Pin(keys.public(private), names)


def keyid(private: keys.PrivateKey) -> str:
    return keys.public(private).keyid


def signed(*signers: keys.PrivateKey) -> tuple[Signature, ...]:
    return envelope.decode(envelope.sign_manifest(MANIFEST, signers))


def refusal(*args: object, **kwargs: object) -> TrustError:
    with pytest.raises(TrustError) as error:
        envelope.check(*args, **kwargs)  # type: ignore[arg-type]
    assert error.value.exit_code == 4
    return error.value


def test_the_signed_message_is_that_of_dsse() -> None:
    # SIG-06; the example of DSSE's protocol text.
    assert envelope.pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    assert envelope.pae("é", b"") == b"DSSEv1 2 \xc3\xa9 0 "


def test_a_signature_covers_the_type_and_the_bytes_of_the_manifest() -> None:
    # SIG-07
    (signature,) = signed(A)
    message = b"DSSEv1 39 application/vnd.crpack.manifest.v1+json 27 " + MANIFEST
    assert keys.verify(keys.public(A), signature.sig, message)
    assert not keys.verify(keys.public(A), signature.sig, MANIFEST)


def test_the_order_of_signers_does_not_change_the_bytes() -> None:
    # SIG-15
    files = {envelope.sign_manifest(MANIFEST, order) for order in itertools.permutations((A, B, C))}
    assert len(files) == 1


@pytest.mark.parametrize("pattern", ["lab/x", "lab/*", "*"])
def test_a_pinned_key_vouches_for_the_names_it_is_pinned_for(pattern: str) -> None:
    assert envelope.check(MANIFEST, signed(A), "lab/x", [pin(A, pattern)]) == (keyid(A),)


def test_signatures_by_strangers_are_passed_over() -> None:
    # SIG-11
    stranger = Signature(keyid(B), bytes(64))
    both = (*signed(A), stranger)
    assert envelope.check(MANIFEST, both, "lab/x", [pin(A, "*")]) == (keyid(A),)


def test_an_unsigned_archive_is_refused() -> None:
    error = refusal(MANIFEST, (), "lab/x", [pin(A, "*")])
    assert error.what == "`lab/x` is not signed"
    assert error.rule == "SIG-10"
    assert error.data["reason"] == "unsigned"


def test_an_archive_signed_by_a_stranger_says_who_and_how_to_pin() -> None:
    error = refusal(MANIFEST, signed(A), "lab/x", [pin(B, "*")])
    assert error.what == "`lab/x` is signed by a key that is not pinned"
    assert keyid(A) in error.why[0]
    assert "`crpack trust add KEYFILE --names PATTERN`" in error.hint
    assert error.rule == "SIG-11"
    assert error.data["keyids"] == [keyid(A)]


def test_a_key_pinned_for_other_names_does_not_vouch() -> None:
    error = refusal(MANIFEST, signed(A), "lab/x", [pin(A, "lab/y", "other/*")])
    assert error.what == "`lab/x` is signed by a key that is pinned for other names only"
    assert error.why == (f"the key `{keyid(A)}` is pinned for `lab/y`, `other/*`",)
    assert error.rule == "SIG-13"


def test_a_signature_of_other_bytes_is_refused() -> None:
    error = refusal(MANIFEST + b" ", signed(A), "lab/x", [pin(A, "*")])
    assert error.what == "the signature of `lab/x` does not fit its manifest"
    assert keyid(A) in error.why[0]
    assert error.rule == "SIG-12"


def test_one_bad_signature_by_a_pinned_key_refuses_the_archive() -> None:
    bad = Signature(keyid(B), bytes(64))
    for names in ("*", "elsewhere"):
        error = refusal(MANIFEST, (*signed(A), bad), "lab/x", [pin(A, "*"), pin(B, names)])
        assert error.rule == "SIG-12"


def test_a_signature_under_another_key_id_is_refused() -> None:
    (one,) = signed(A)
    error = refusal(MANIFEST, [Signature(keyid(B), one.sig)], "lab/x", [pin(B, "*")])
    assert error.rule == "SIG-12"


def test_a_threshold_counts_distinct_keys_that_are_pinned_for_the_name() -> None:
    # SIG-14
    pins = [pin(A, "*"), pin(B, "*"), pin(C, "elsewhere")]
    assert len(envelope.check(MANIFEST, signed(A, B), "lab/x", pins, threshold=2)) == 2
    twice = signed(A) * 2
    for values in (signed(A), signed(A, C), twice):
        error = refusal(MANIFEST, values, "lab/x", pins, threshold=2)
        assert error.what == "`lab/x` has 1 of the 2 signatures that it needs"
        assert error.rule == "SIG-14"


def test_the_refusals_are_distinct_sentences() -> None:
    refusals = [
        refusal(MANIFEST, (), "lab/x", []),
        refusal(MANIFEST, signed(A), "lab/x", []),
        refusal(MANIFEST, signed(A), "lab/x", [pin(A, "y")]),
        refusal(b"", signed(A), "lab/x", [pin(A, "*")]),
        refusal(MANIFEST, signed(A), "lab/x", [pin(A, "*")], threshold=2),
    ]
    assert len({error.what for error in refusals}) == len(refusals)
    assert len({error.data["reason"] for error in refusals}) == len(refusals)
    assert all(error.hint and error.why for error in refusals)
