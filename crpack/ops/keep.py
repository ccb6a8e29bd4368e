"""Keeping keys: make, list, export, import; and trust: pin, list, remove.

Rules (SPEC SIG-04, SIG-05, PIN): a private key is never overwritten and never shown; a file is a
key by its content; a key is pinned for names only.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack import disk
from crpack.errors import CrpackError, InstallError, UsageError
from crpack.model.limits import MAX_KEY_BYTES
from crpack.trust import keys, pins

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crpack.session import Session


@dataclass(frozen=True, slots=True)
class KeyCard:
    """A private key of the user, without its secret.

    Attributes:
        name: the user's word for it.
        keyid: sha256 of its raw public key, in hex.
        encrypted: whether its file asks for a passphrase.
        path: of the private key's file.
        public_path: of the public key's file.
    """

    name: str
    keyid: str
    encrypted: bool
    path: str
    public_path: str


@dataclass(frozen=True, slots=True)
class PinCard:
    """A pinned key: whose archives may be installed, and under which names."""

    keyid: str
    names: tuple[str, ...]
    label: str
    may_build: bool = False


def key_new(session: Session, name: str, passphrase: bytes | None) -> KeyCard:
    """Make an Ed25519 key and keep it; None as passphrase leaves its file unencrypted.

    Raises:
        UsageError: a key of that name exists, or the passphrase is empty.
    """
    key_files(session, name)
    private = keys.generate()
    public = keys.public_pem(keys.public(private))
    session.save_key(name, keys.to_pem(private, passphrase), public)
    return key_card(session, name)


def key_files(session: Session, name: str) -> tuple[str, ...]:
    """Return the files that a new key of that name will be kept in.

    Raises:
        UsageError: it is no name for a key, or a key of that name exists.
    """
    path = session.new_key_path(name)
    return (path, path[:-4] + ".pub")


def key_list(session: Session) -> tuple[KeyCard, ...]:
    """Return the user's private keys, sorted by name."""
    return tuple(key_card(session, name) for name in session.key_names())


def key_card(session: Session, name: str) -> KeyCard:
    """Return what may be shown of one private key."""
    path = session.key_path(name)
    encrypted = keys.recognise(session.private_bytes(name)) == "encrypted"
    keyid = session.public_key(name).keyid
    return KeyCard(name, keyid, encrypted, path, path[:-4] + ".pub")


def key_export(session: Session, name: str, *, private: bool) -> bytes:
    """Return a key's file as bytes: the public half, or the private file as it is kept."""
    if private:
        return session.private_bytes(name)
    return keys.public_pem(session.public_key(name))


def key_import(session: Session, path: str, name: str, passphrase: bytes | None) -> KeyCard:
    """Keep a private key made elsewhere; its file is kept as it is, encrypted or not.

    Raises:
        UsageError: not a private key, another type, a wrong passphrase, or the name is taken.
    """
    data = read_key_file(path)
    with _from(path):
        private = keys.from_pem(data, passphrase)
    session.save_key(name, data, keys.public_pem(keys.public(private)))
    return key_card(session, name)


def write_key(path: str, data: bytes, *, private: bool) -> None:
    """Write an exported key to a new file; a private one is for its owner's eyes only.

    Raises:
        UsageError: the file is there already.
        InstallError: it cannot be written.
    """
    if os.path.lexists(path):
        raise UsageError(f"`{path}` is there already", hint="choose another file for `--out`")
    disk.write_file(path, [data], 0o600 if private else 0o644)


def is_encrypted(path: str) -> bool:
    """Say whether a key file asks for a passphrase."""
    return keys.recognise(read_key_file(path)) == "encrypted"


def trust_add(
    session: Session,
    path: str,
    names: tuple[str, ...],
    label: str,
    *,
    may_build: bool = False,
    dry_run: bool = False,
) -> PinCard:
    """Pin the public key in a file for the names that the patterns cover.

    With `may_build`, recipes that it signs may build in a weaker sandbox (SPEC BLD-19).

    Raises:
        UsageError: not a public key file, or a pattern is none.
    """
    public = public_key(path)
    label = label or os.path.basename(path).removesuffix(".pub")
    with session.trust_lock(dry_run=dry_run):
        pinned = pins.add(session.pins(), pins.Pin(public, names, label, may_build))
        if not dry_run:
            session.save_pins(pinned)
    return _card(pins.find(pinned, public.keyid))


def public_key(path: str) -> keys.PublicKey:
    """Return the key in a public key file.

    Raises:
        UsageError: there is no such file, or it is something else.
    """
    if not os.path.lexists(path):
        raise UsageError(
            f"there is no file or folder `{path}`",
            hint="name a public key file, the folder of an index, or its address `https://…`",
        )
    if path.endswith((".crpkg", ".crbundle")):
        raise UsageError(
            f"`{path}` is an archive, and no public key file or index",
            hint="trust the key that signed it, or an index that lists it",
        )
    data = read_key_file(path)
    with _from(path):
        return keys.public_from_pem(data)


def trust_list(session: Session) -> tuple[PinCard, ...]:
    """Return the pinned keys, sorted by key id."""
    return tuple(_card(pin) for pin in session.pins())


def trust_remove(session: Session, keyid: str, *, dry_run: bool = False) -> PinCard:
    """Stop trusting a key, named by its id or the first digits of it.

    Raises:
        UsageError: no pinned key, or more than one, has this id.
    """
    with session.trust_lock(dry_run=dry_run):
        pinned = session.pins()
        gone = pins.find(pinned, keyid)
        if not dry_run:
            session.save_pins(pins.remove(pinned, keyid))
    return _card(gone)


def trust_rotate(session: Session, keyid: str, path: str, *, dry_run: bool = False) -> PinCard:
    """Pin the public key in a file for the names of another key, which is no longer trusted.

    Raises:
        UsageError: no pinned key has this id, or the file is no public key.
    """
    public = public_key(path)
    label = os.path.basename(path).removesuffix(".pub")
    with session.trust_lock(dry_run=dry_run):
        pinned = session.pins()
        old = pins.find(pinned, keyid)
        new = pins.Pin(public, old.names, label, old.may_build)
        changed = pins.add(pins.remove(pinned, keyid), new)
        if not dry_run:
            session.save_pins(changed)
    return _card(new)


def read_key_file(path: str) -> bytes:
    """Return the bytes of a key file.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        return disk.read(os.path.realpath(path), limit=MAX_KEY_BYTES)
    except InstallError as error:
        raise UsageError(f"the key file `{path}` cannot be read", why=[error.what]) from error


@contextmanager
def _from(path: str) -> Iterator[None]:
    """Name the file in what is said of a key."""
    try:
        yield
    except CrpackError as error:
        error.why = (*error.why, f"the file is `{path}`")
        raise


def _card(pin: pins.Pin) -> PinCard:
    return PinCard(pin.keyid, pin.names, pin.label, pin.may_build)
