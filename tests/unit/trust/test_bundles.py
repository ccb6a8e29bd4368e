from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from crpack.errors import TrustError
from crpack.model import signatures
from crpack.trust import bundles, envelope, keys
from crpack.trust.pins import Pin

if TYPE_CHECKING:
    from crpack.model.signatures import Signature

A, B = (keys.PrivateKey(bytes([number]) * 32) for number in (1, 2))
LOCK = b"format = 1\n"
NAMES = ("lab/x", "lab/y")


def pin(private: keys.PrivateKey, *names: str) -> Pin:
    return Pin(keys.public(private), names)


def keyid(private: keys.PrivateKey) -> str:
    return keys.public(private).keyid


def signed(*signers: keys.PrivateKey) -> tuple[Signature, ...]:
    return signatures.decode(bundles.sign(LOCK, signers))


def test_a_pinned_key_vouches_for_what_it_covers_all_of() -> None:
    """BUN-13."""
    assert bundles.check(LOCK, signed(A, B), NAMES, [pin(A, "lab/*")]) == (keyid(A),)
    both = [pin(A, "*"), pin(B, *NAMES)]
    assert bundles.check(LOCK, signed(A, B), NAMES, both) == tuple(sorted([keyid(A), keyid(B)]))


@pytest.mark.parametrize("pins", [[], [pin(B, "*")], [pin(A, "lab/x")], [pin(A, "other/*")]])
def test_no_pinned_key_that_covers_every_request_vouches_for_nothing(pins: list[Pin]) -> None:
    """BUN-13: which is no error; the caller knows what to make of it."""
    assert bundles.check(LOCK, signed(A), NAMES, pins) == ()
    assert bundles.check(LOCK, (), NAMES, pins) == ()
    assert bundles.check(LOCK, signed(A), (), [pin(A, "*")]) == ()


@pytest.mark.parametrize("names", ["*", "other/*"])
def test_a_wrong_signature_by_a_pinned_key_is_refused(names: str) -> None:
    """BUN-13: whatever it is pinned for, and whoever else signed."""
    with pytest.raises(TrustError) as caught:
        bundles.check(LOCK + b"#", signed(A, B), NAMES, [pin(A, names)])
    assert caught.value.rule == "BUN-13"
    assert caught.value.data["keyids"] == [keyid(A)]


def test_a_signature_of_a_manifest_is_none_of_a_lock() -> None:
    """BUN-13: the type is part of what is signed."""
    other = envelope.decode(envelope.sign_manifest(LOCK, [A]))
    with pytest.raises(TrustError):
        bundles.check(LOCK, other, NAMES, [pin(A, "*")])
    (one,) = signed(A)
    message = b"DSSEv1 35 application/vnd.crpack.lock.v1+toml 11 " + LOCK
    assert keys.verify(keys.public(A), one.sig, message)
