"""Founding: the keys of an index, as its host names or makes them.

Rules (SPEC PUB-01, PUB-11, PUB-14):
- A key is named by the user's word for it, by a file, and where the index knows it by its id or
  its label there.
- A threshold is one that the keys can meet.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack.errors import UsageError
from crpack.index.publishers import Rule
from crpack.model import document
from crpack.model.quantity import counted
from crpack.ops import keep
from crpack.ops.edits import owned_at
from crpack.session import INDEX_KEYS
from crpack.trust import keys, pins
from crpack.trust.keys import PublicKey
from crpack.trust.roots.repository import Signers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crpack.ops.publishing import Place
    from crpack.session import Session


@dataclass(frozen=True, slots=True)
class Founders:
    """The public keys of an index's roles; `threshold` is that of its root, None: not said."""

    root: tuple[PublicKey, ...] = ()
    threshold: int | None = None
    targets: tuple[PublicKey, ...] = ()
    online: tuple[PublicKey, ...] = ()


def rule(session: Session, pattern: str, texts: Sequence[str], *, may_build: bool = False) -> Rule:
    """Return the rule that lets keys, each by name or file, publish the names of a pattern.

    Raises:
        UsageError: no pattern, or no key.
    """
    labelled = {public_key(session, text): label_of(text) for text in texts}
    return Rule(pins.check_pattern(pattern), tuple(labelled.items()), may_build=may_build)


def public_key(session: Session, text: str) -> PublicKey:
    """Return the public key that a name of the user's keys, or a key file, stands for.

    Raises:
        UsageError: neither.
    """
    if text in session.key_names():
        return session.public_key(text)
    return keys.public_from_pem(keep.read_key_file(text))


def key_ids(session: Session, place: Place, texts: Sequence[str]) -> tuple[str, ...]:
    """Return the ids of keys that are named by id, by their label in an index, or as `public_key`.

    Raises:
        UsageError: one is none of these, or several keys have the label.
    """
    rules = owned_at(session, place).coming_rules.rules
    labels = {(label, key.keyid) for rule in rules for key, label in rule.keys}
    return tuple(_key_id(session, text, labels) for text in texts)


def _key_id(session: Session, text: str, labels: set[tuple[str, str]]) -> str:
    bare = text.removeprefix("sha256:")
    if document.SHA256.fullmatch(bare):
        return bare
    found = sorted(keyid for label, keyid in labels if label == text)
    if len(found) > 1:
        raise UsageError(
            f"several keys of the index are called `{text}`", why=found, hint="name one by its id"
        )
    return found[0] if found else public_key(session, text).keyid


def label_of(text: str) -> str:
    """Return the word for a key's owner, from the key's name or file."""
    return os.path.basename(text).removesuffix(".pub")


def key_names(path: str) -> tuple[str, ...]:
    """Return names for the keys of an index in a folder: three for the root, then two."""
    stem = "".join(c if c.isascii() and c.isalnum() else "-" for c in os.path.basename(
        os.path.abspath(path))).strip("-")  # fmt: skip
    return tuple((stem or "index") + end for end in INDEX_KEYS)


def make_keys(
    session: Session, made: Sequence[str], secret: bytes | None, threshold: int | None
) -> Founders:
    """Make one set of keys for an index, by the names of `key_names` (SPEC PUB-11).

    Raises:
        UsageError: a key of such a name exists, or that many root keys cannot sign.
    """
    wanted = 2 if threshold is None else threshold
    _check_threshold(wanted, 3)
    taken = sorted(set(made) & set(session.key_names()))
    if taken:
        raise UsageError(
            f"a key named `{taken[0]}` is there already",
            hint="name the keys to use, with `--root-key`, `--targets-key` and `--online-key`",
        )
    for name in made:
        keep.key_new(session, name, secret)
    public = [session.public_key(name) for name in made]
    return Founders(tuple(public[:3]), wanted, (public[3],), (public[4],))


def root(signing: tuple[PublicKey, ...], threshold: int) -> Signers:
    """Return the signers of a root.

    Raises:
        UsageError: no such number of them can sign.
    """
    _check_threshold(threshold, len(signing))
    return Signers(signing, threshold)


def _check_threshold(threshold: int, count: int) -> None:
    """See that so many of some root keys can sign."""
    if not 1 <= threshold <= count:
        raise UsageError(
            f"an index cannot need signatures by {threshold} of {counted(count, 'root key')}",
            hint=f"say `--threshold N` with N from 1 to {count}, or name other root keys",
        )
