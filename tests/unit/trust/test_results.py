from __future__ import annotations

import pytest

from crpack.errors import TrustError
from crpack.model.signatures import Signature, decode, encode
from crpack.trust import bundles, envelope, keys, results
from crpack.trust.pins import Pin

RECORD = b'{"critical":[],"format":1}'


def pin(key: keys.PrivateKey) -> Pin:
    return Pin(keys.public(key), ("*",))


def test_who_signed_is_known_by_pinned_keys_alone() -> None:
    """RES-07."""
    mine, other = (keys.PrivateKey(bytes([one]) * 32) for one in (1, 2))
    signed = decode(results.sign(RECORD, [mine, other]))
    assert results.check(RECORD, signed, [pin(mine)]) == (keys.public(mine).keyid,)
    assert results.check(RECORD, signed, []) == ()
    assert results.check(RECORD, (), [pin(mine)]) == ()


def test_a_signature_that_does_not_fit_is_refused() -> None:
    """RES-07: over other bytes, and of another kind of document."""
    mine = keys.PrivateKey(bytes(32))
    public = keys.public(mine)
    others = [
        decode(results.sign(RECORD + b" ", [mine])),
        decode(bundles.sign(RECORD, [mine])),
        decode(envelope.sign_manifest(RECORD, [mine])),
        decode(encode([Signature(public.keyid, bytes(64))])),
    ]
    for signed in others:
        with pytest.raises(TrustError) as caught:
            results.check(RECORD, signed, [pin(mine)])
        assert caught.value.rule == "RES-07"
