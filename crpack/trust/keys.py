"""Keys: exactly Ed25519 (RFC 8032), as values.

Rules (SPEC SIG-01…05):
- The algorithm belongs to the key, never to an archive; there is only one.
- `keyid` is the sha256, in hex, of the raw public key and is always recomputed.
- A public key of small order would accept signatures that nobody made; it is refused, and so is
  an encoding that is not the canonical one.
- Files are PEM: PKCS#8 for private keys, SubjectPublicKeyInfo for public ones (RFC 8410). What a
  file is, its content says, never its name.
- A private key is encrypted by PBES2: AES-256-CBC under PBKDF2 with `KDF_ROUNDS` rounds of
  HMAC-SHA-256. The structure has a fixed size and is written here, because the library's
  own writer takes 2048 rounds and cannot be told otherwise; reading is the library's.

This module is the only door to `cryptography`. It opens no file and asks for no passphrase.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from crpack.errors import TrustError, UsageError
from crpack.model.limits import MAX_KEY_BYTES
from crpack.model.signatures import to_base64

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KEY_BYTES = 32  # of a raw public key and of a private seed, RFC 8032 section 5.1.5
KDF_ROUNDS = 600_000  # of PBKDF2-HMAC-SHA-256

Kind = Literal["private", "encrypted", "public", "other"]
_LABELS: dict[str, Kind] = {
    "PRIVATE KEY": "private",
    "ENCRYPTED PRIVATE KEY": "encrypted",
    "PUBLIC KEY": "public",
}

_P = 2**255 - 19
_Y8 = 2707385501144840649318225287225658788936804267575313519463743609750303402022
_SMALL_ORDER_Y = frozenset({1, _P - 1, 0, _Y8, _P - _Y8})  # of order 1, 2, 4, 8 and 8

_DER_PUBLIC = bytes.fromhex("302a300506032b6570032100")  # RFC 8410, section 4
_DER_PRIVATE = bytes.fromhex("302e020100300506032b657004220420")  # RFC 8410, section 7


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key: the 32 bytes of RFC 8032, section 5.1.5.

    Raises:
        TrustError: not 32 bytes, not the canonical encoding, or of small order (SPEC SIG-03).
    """

    raw: bytes

    def __post_init__(self) -> None:
        y = int.from_bytes(self.raw, "little") & (2**255 - 1)
        if len(self.raw) != KEY_BYTES or y >= _P or y in _SMALL_ORDER_Y:
            raise TrustError("this is not a safe Ed25519 public key", rule="SIG-03")

    @property
    def keyid(self) -> str:
        """The key's name: sha256, in hex, of the raw bytes (SPEC SIG-02)."""
        return hashlib.sha256(self.raw).hexdigest()


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A private key: the 32 byte seed of RFC 8032, section 5.1.5; never shown by `repr`."""

    seed: bytes = field(repr=False)


def generate() -> PrivateKey:
    """Return a new private key from the system's random numbers."""
    from cryptography.hazmat.primitives.asymmetric import ed25519

    return PrivateKey(ed25519.Ed25519PrivateKey.generate().private_bytes_raw())


def public(private: PrivateKey) -> PublicKey:
    """Return the public half of a private key."""
    return PublicKey(_load(private).public_key().public_bytes_raw())


def sign(private: PrivateKey, message: bytes) -> bytes:
    """Return the 64 byte signature of a message; the same bytes every time (RFC 8032)."""
    return _load(private).sign(message)


def verify(key: PublicKey, sig: bytes, message: bytes) -> bool:
    """Say whether a signature of a message was made by the key's owner."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(key.raw).verify(sig, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def recognise(data: bytes) -> Kind:
    """Say what a file's bytes are: a private, encrypted private or public key in PEM, or other.

    Only the marks are looked at (one block, RFC 7468); the readers decide whether the rest fits.
    """
    if len(data) > MAX_KEY_BYTES:
        return "other"
    lines = [line.strip() for line in data.decode("ascii", "replace").splitlines()]
    marks = [line for line in lines if line.startswith("-----")]
    for label, kind in _LABELS.items():
        if marks == [f"-----BEGIN {label}-----", f"-----END {label}-----"]:
            return kind
    return "other"


def to_pem(private: PrivateKey, passphrase: bytes | None) -> bytes:
    """Return a private key file: PKCS#8 in PEM, encrypted unless the passphrase is None.

    Raises:
        UsageError: the passphrase is empty.
    """
    der = _DER_PRIVATE + private.seed
    if passphrase is None:
        return _pem("PRIVATE KEY", der)
    if not passphrase:
        raise UsageError("the passphrase is empty", hint="type one, or use `--no-passphrase`")
    return _pem("ENCRYPTED PRIVATE KEY", _encrypted(der, passphrase))


def from_pem(data: bytes, passphrase: bytes | None) -> PrivateKey:
    """Return the private key in a file's bytes.

    Args:
        data: the whole file.
        passphrase: opens an encrypted key; ignored by one that is not encrypted.

    Raises:
        UsageError: not a private key, damaged, of another type, or the passphrase is wrong or
            missing.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    kind = recognise(data)
    if kind not in {"private", "encrypted"}:
        raise UsageError(
            "this is not a private key file",
            why=["it is a public key" if kind == "public" else "it holds no PKCS#8 key in PEM"],
            rule="SIG-04",
        )
    if kind == "encrypted" and not passphrase:
        raise UsageError(
            "the private key is encrypted and no passphrase was given",
            hint="give it on a terminal, by `--passphrase-fd N` or by CRPACK_PASSPHRASE",
        )
    key = _parse_private(data, passphrase if kind == "encrypted" else None)
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError("the private key is not an Ed25519 key", rule="SIG-01")
    return PrivateKey(key.private_bytes_raw())


def public_pem(key: PublicKey) -> bytes:
    """Return a public key file: SubjectPublicKeyInfo in PEM (RFC 8410)."""
    return _pem("PUBLIC KEY", _DER_PUBLIC + key.raw)


def public_from_pem(data: bytes) -> PublicKey:
    """Return the public key in a file's bytes.

    Raises:
        UsageError: not a public key file, damaged, or of another type.
        TrustError: the key is of small order (SPEC SIG-03).
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    kind = recognise(data)
    if kind != "public":
        private = kind in {"private", "encrypted"}
        raise UsageError(
            "this is not a public key file",
            why=["it is a private key" if private else "it holds no public key in PEM"],
            hint="`crpack key export` writes the public half of a key" if private else "",
            rule="SIG-04",
        )
    try:
        key = load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UsageError("the public key file is damaged or of another type") from error
    if not isinstance(key, Ed25519PublicKey):
        raise UsageError("the public key is not an Ed25519 key", rule="SIG-01")
    return PublicKey(key.public_bytes_raw())


def _load(private: PrivateKey) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(private.seed)


def _parse_private(data: bytes, passphrase: bytes | None) -> object:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return load_pem_private_key(data, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        what = "the private key file is damaged or of another type"
        if passphrase is not None:
            what = "the passphrase is wrong, or the private key file is damaged"
        raise UsageError(what) from error


def _encrypted(der: bytes, passphrase: bytes) -> bytes:
    """Return EncryptedPrivateKeyInfo of a 48 byte key (RFC 5958 section 3, RFC 8018 A.2 and A.4).

    Every length but that of the whole is below 128, so the lengths are the constants below.
    """
    import secrets

    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    salt, iv = secrets.token_bytes(16), secrets.token_bytes(16)
    key = hashlib.pbkdf2_hmac("sha256", passphrase, salt, KDF_ROUNDS, 32)
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    sealed = encryptor.update(der + b"\x10" * 16) + encryptor.finalize()
    rounds = KDF_ROUNDS.to_bytes(3, "big")
    prf = bytes.fromhex("300c06082a864886f70d02090500")  # hmacWithSHA256
    cipher = _tlv(0x30, bytes.fromhex("060960864801650304012a") + _tlv(4, iv))  # aes256-CBC-PAD
    kdf = _tlv(0x30, _tlv(4, salt) + _tlv(2, rounds) + prf)
    kdf = _tlv(0x30, bytes.fromhex("06092a864886f70d01050c") + kdf)  # PBKDF2
    scheme = bytes.fromhex("06092a864886f70d01050d") + _tlv(0x30, kdf + cipher)  # PBES2
    body = _tlv(0x30, scheme) + _tlv(4, sealed)
    return b"\x30\x81" + bytes([len(body)]) + body


def _tlv(tag: int, body: bytes) -> bytes:
    return bytes([tag, len(body)]) + body


def _pem(label: str, der: bytes) -> bytes:
    text = to_base64(der)
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""]).encode()
