from __future__ import annotations

import base64
import contextlib
import hashlib

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, x25519
from hypothesis import given, settings
from hypothesis import strategies as st

from crpack.errors import CrpackError, TrustError, UsageError
from crpack.model.limits import MAX_KEY_BYTES
from crpack.trust import keys

# RFC 8032, section 7.1: seed, public key, message, signature.
RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
            "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
            "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
]

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P


def private_pem(key: object) -> bytes:
    assert isinstance(
        key,
        ed25519.Ed25519PrivateKey
        | ed448.Ed448PrivateKey
        | x25519.X25519PrivateKey
        | ec.EllipticCurvePrivateKey,
    )
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


@pytest.mark.parametrize(("seed", "public", "message", "sig"), RFC_8032)
def test_the_vectors_of_rfc_8032_hold(seed: str, public: str, message: str, sig: str) -> None:
    # SIG-01
    private = keys.PrivateKey(bytes.fromhex(seed))
    assert keys.public(private).raw.hex() == public
    assert keys.sign(private, bytes.fromhex(message)).hex() == sig
    assert keys.verify(keys.public(private), bytes.fromhex(sig), bytes.fromhex(message))


def test_a_signature_fits_one_message_and_one_key() -> None:
    private = keys.generate()
    sig = keys.sign(private, b"message")
    assert keys.verify(keys.public(private), sig, b"message")
    assert not keys.verify(keys.public(private), sig, b"messagE")
    assert not keys.verify(keys.public(keys.generate()), sig, b"message")


@pytest.mark.parametrize("sig", [b"", b"\0" * 63, b"\0" * 64, b"\xff" * 64, b"\0" * 65])
def test_what_is_no_signature_is_not_good(sig: bytes) -> None:
    assert not keys.verify(keys.public(keys.generate()), sig, b"message")


def test_a_signature_has_one_form() -> None:
    # RFC 8032, section 5.1.7: S is below the order of the group, so S + L is refused.
    order = 2**252 + 27742317777372353535851937790883648493
    private = keys.generate()
    sig = keys.sign(private, b"message")
    other = sig[:32] + (int.from_bytes(sig[32:], "little") + order).to_bytes(32, "little")
    assert not keys.verify(keys.public(private), other, b"message")


def test_the_key_id_is_the_sha256_of_the_raw_key() -> None:
    # SIG-02
    key = keys.public(keys.generate())
    assert key.keyid == hashlib.sha256(key.raw).hexdigest()


def small_order_points() -> list[bytes]:
    """The eight points whose eightfold is the neutral one, found by arithmetic of the curve."""
    all_y = sorted({1, P - 1, 0, *order_eight()})
    return [(y | sign << 255).to_bytes(32, "little") for y in all_y for sign in (0, 1)]


def order_eight() -> set[int]:
    """The y of points that double to a point with y = 0: x² = -y² and -x² + y² = 1 + d x² y²."""
    # 2 y² = 1 - d y⁴, a quadratic equation in y².
    root = square_root((1 + D) % P)
    found = set()
    for square in ((-1 + root) * pow(D, -1, P) % P, (-1 - root) * pow(D, -1, P) % P):
        if pow(square, (P - 1) // 2, P) == 1:
            y = square_root(square)
            found |= {y, P - y}
    return found


def square_root(value: int) -> int:
    root = pow(value, (P + 3) // 8, P)
    if root * root % P != value:
        root = root * pow(2, (P - 1) // 4, P) % P
    assert root * root % P == value
    return root


@pytest.mark.parametrize("raw", small_order_points(), ids=bytes.hex)
def test_a_public_key_of_small_order_is_refused(raw: bytes) -> None:
    with pytest.raises(TrustError) as error:
        keys.PublicKey(raw)
    assert error.value.rule == "SIG-03"


@pytest.mark.parametrize("y", range(P, 2**255))
def test_a_public_key_in_another_form_is_refused(y: int) -> None:
    with pytest.raises(TrustError, match="not a safe Ed25519"):
        keys.PublicKey(y.to_bytes(32, "little"))


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_public_key_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(TrustError, match="not a safe Ed25519"):
        keys.PublicKey(b"\x07" * size)


def test_a_private_key_shows_nothing_of_itself() -> None:
    private = keys.generate()
    assert private.seed.hex() not in repr(private)
    assert repr(private.seed) not in repr(private)


def test_an_unencrypted_key_file_is_what_the_library_writes() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    private = keys.PrivateKey(key.private_bytes_raw())
    assert keys.to_pem(private, None) == private_pem(key)
    assert keys.from_pem(private_pem(key), None) == private


def test_a_public_key_file_is_what_the_library_writes() -> None:
    private = keys.generate()
    key = ed25519.Ed25519PrivateKey.from_private_bytes(private.seed).public_key()
    pem = key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert keys.public_pem(keys.public(private)) == pem
    assert keys.public_from_pem(pem) == keys.public(private)


def test_an_encrypted_key_file_opens_with_its_passphrase_only() -> None:
    private = keys.generate()
    pem = keys.to_pem(private, "pässword".encode())
    assert keys.from_pem(pem, "pässword".encode()) == private
    with pytest.raises(UsageError, match="passphrase is wrong") as wrong:
        keys.from_pem(pem, b"password")
    assert wrong.value.exit_code == 2
    with pytest.raises(UsageError, match="no passphrase was given"):
        keys.from_pem(pem, None)


def test_the_library_reads_an_encrypted_key_file() -> None:
    private = keys.generate()
    key = serialization.load_pem_private_key(keys.to_pem(private, b"secret"), b"secret")
    assert isinstance(key, ed25519.Ed25519PrivateKey)
    assert key.private_bytes_raw() == private.seed


def test_the_encryption_is_as_slow_as_stated() -> None:
    # SIG-05: PBKDF2 stands in the file with its number of rounds.
    pem = keys.to_pem(keys.generate(), b"secret").decode().splitlines()
    der = base64.b64decode("".join(pem[1:-1]))
    assert bytes.fromhex("02030927c0") in der
    assert int("0927c0", 16) == keys.KDF_ROUNDS == 600_000


def test_two_encryptions_of_a_key_share_no_salt() -> None:
    private = keys.generate()
    assert keys.to_pem(private, b"secret") != keys.to_pem(private, b"secret")


def test_an_empty_passphrase_encrypts_nothing() -> None:
    with pytest.raises(UsageError, match="passphrase is empty"):
        keys.to_pem(keys.generate(), b"")


def test_content_says_what_a_file_is() -> None:
    # SIG-04
    private = keys.generate()
    assert keys.recognise(keys.to_pem(private, None)) == "private"
    assert keys.recognise(keys.to_pem(private, b"secret")) == "encrypted"
    assert keys.recognise(keys.public_pem(keys.public(private))) == "public"
    assert keys.recognise(keys.public_pem(keys.public(private)).replace(b"\n", b"\r\n")) == "public"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04",
        b"\xff" * 64,
        b"-----BEGIN PUBLIC KEY-----\n",
        b"-----END PUBLIC KEY-----\n-----BEGIN PUBLIC KEY-----\n",
        keys.public_pem(keys.public(keys.PrivateKey(b"\7" * 32))) * 2,
        b"-----BEGIN PUBLIC KEY-----\n" + b"A" * MAX_KEY_BYTES + b"\n-----END PUBLIC KEY-----\n",
    ],
)
def test_other_content_is_no_key_file(data: bytes) -> None:
    assert keys.recognise(data) == "other"
    with pytest.raises(UsageError, match="not a private key file"):
        keys.from_pem(data, None)
    with pytest.raises(UsageError, match="not a public key file"):
        keys.public_from_pem(data)


def test_a_private_file_is_not_taken_for_a_public_one_nor_the_reverse() -> None:
    private = keys.generate()
    with pytest.raises(UsageError) as error:
        keys.public_from_pem(keys.to_pem(private, None))
    assert error.value.why == ("it is a private key",)
    with pytest.raises(UsageError) as error:
        keys.from_pem(keys.public_pem(keys.public(private)), None)
    assert error.value.why == ("it is a public key",)


@pytest.mark.parametrize(
    "key",
    [
        ed448.Ed448PrivateKey.generate(),
        x25519.X25519PrivateKey.generate(),
        ec.generate_private_key(ec.SECP256R1()),
    ],
    ids=["ed448", "x25519", "p256"],
)
def test_keys_of_another_type_are_refused(
    key: ed448.Ed448PrivateKey | x25519.X25519PrivateKey | ec.EllipticCurvePrivateKey,
) -> None:
    with pytest.raises(UsageError, match="not an Ed25519 key"):
        keys.from_pem(private_pem(key), None)
    pem = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    with pytest.raises(UsageError, match="not an Ed25519 key"):
        keys.public_from_pem(pem)


PRIVATE = keys.PrivateKey(bytes(range(32)))
FILES = [
    keys.to_pem(PRIVATE, None),
    keys.public_pem(keys.public(PRIVATE)),
    ed25519.Ed25519PrivateKey.from_private_bytes(PRIVATE.seed).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    ),
]


@settings(max_examples=200)
@given(
    file=st.sampled_from(FILES),
    start=st.integers(0, 300),
    length=st.integers(0, 40),
    patch=st.binary(max_size=8),
)
def test_damaged_key_files_end_in_one_sentence(
    file: bytes, start: int, length: int, patch: bytes
) -> None:
    data = file[:start] + patch + file[start + length :]
    for read in (lambda: keys.from_pem(data, b"secret"), lambda: keys.public_from_pem(data)):
        with contextlib.suppress(CrpackError):
            assert isinstance(read(), keys.PrivateKey | keys.PublicKey)
