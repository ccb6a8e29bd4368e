"""What an index holds, by name: `index.json`, its buckets, and the catalogue.

Rules (SPEC IDX-04, IDX-05, IDX-10):
- `index.json` states 256 digests of buckets; a name belongs to the bucket whose number is the
  first byte of the name's sha256. A bucket states the digest of each name's shard.
- The catalogue is for searching only: a head with 16 pieces, each with the cards of 16 buckets.
- Publishing one version therefore rewrites one shard, one bucket, one piece, and the two heads.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack.errors import FormatError
from crpack.index import blobs
from crpack.model import document, names
from crpack.model.limits import MAX_CARDS, MAX_JSON_BYTES, MAX_VERSION_LENGTH
from crpack.model.manifest import KINDS
from crpack.model.recipe import LINE

if TYPE_CHECKING:
    from collections.abc import Iterable

BUCKETS = 256
PIECES = 16

Bucket = tuple[tuple[str, str], ...]  # name and digest of its shard, sorted by name

_DIGEST = re.compile(r"(?:[0-9a-f]{64})?")
_LINE = re.compile(LINE)
_NAME = re.compile(names.NAME, re.ASCII)
_CONTENTS_KNOWN = frozenset({"buckets", "catalogue", "names", "releases"})


@dataclass(frozen=True, slots=True)
class Contents:
    """The document `index.json`.

    Attributes:
        buckets: 256 digests, empty for an empty bucket.
        catalogue: digest of the catalogue's head; empty without names.
        names: how many names there are.
        releases: how many releases they have together.
    """

    buckets: tuple[str, ...] = ("",) * BUCKETS
    catalogue: str = ""
    names: int = 0
    releases: int = 0


@dataclass(frozen=True, slots=True)
class Card:
    """One line of the catalogue; `version` is the newest that is not yanked."""

    name: str
    kind: str
    version: str
    summary: str


def bucket_of(name: str) -> int:
    """Return the number of a name's bucket, 0 to 255 (SPEC IDX-05)."""
    return hashlib.sha256(name.encode()).digest()[0]


def piece_of(name: str) -> int:
    """Return the number of a name's piece of the catalogue, 0 to 15 (SPEC IDX-10)."""
    return bucket_of(name) * PIECES // BUCKETS


def encode(contents: Contents) -> bytes:
    """Return the stored bytes of `index.json` (SPEC IDX-04)."""
    return blobs.pack(
        {
            "buckets": list(contents.buckets),
            "catalogue": contents.catalogue,
            "names": contents.names,
            "releases": contents.releases,
        }
    )


def decode(data: bytes) -> Contents:
    """Return what `index.json` states (SPEC IDX-04).

    Raises:
        ArchiveError, FormatError: the bytes break a rule.
    """
    fields = blobs.unpack(data, what="`index.json`", rule="IDX-04", known=_CONTENTS_KNOWN)
    contents = Contents(
        fields.texts("buckets", _DIGEST),
        fields.text("catalogue", _DIGEST),
        fields.integer("names"),
        fields.integer("releases"),
    )
    if len(contents.buckets) != BUCKETS:
        raise fields.refuse("buckets", f"has {len(contents.buckets)} items, not {BUCKETS}")
    return contents


def encode_bucket(bucket: Iterable[tuple[str, str]]) -> bytes:
    """Return the stored bytes of a bucket: names and digests of their shards (SPEC IDX-05)."""
    return blobs.pack({"names": dict(bucket)})


def decode_bucket(data: bytes, number: int) -> Bucket:
    """Return the names of a bucket with the digests of their shards, sorted (SPEC IDX-05).

    Raises:
        ArchiveError, FormatError: the bytes break a rule, or a name belongs elsewhere.
    """
    fields = blobs.unpack(data, what="a bucket", rule="IDX-05", known=frozenset({"names"}))
    bucket = fields.pairs("names", _NAME)
    for name, sha256 in bucket:
        if not names.is_name(name) or bucket_of(name) != number:
            raise fields.refuse(f"names.{name}", f"does not belong into bucket {number}")
        if not document.SHA256.fullmatch(sha256):
            raise fields.refuse(f"names.{name}", "is not a sha256")
    return bucket


def encode_catalogue(pieces: Iterable[str]) -> bytes:
    """Return the stored bytes of the catalogue's head: digests of its pieces (SPEC IDX-10)."""
    return blobs.pack({"pieces": list(pieces)})


def decode_catalogue(data: bytes) -> tuple[str, ...]:
    """Return the digests of the catalogue's pieces, empty for an empty piece (SPEC IDX-10).

    Raises:
        ArchiveError, FormatError: the bytes break a rule.
    """
    known = frozenset({"pieces"})
    fields = blobs.unpack(data, what="the catalogue", rule="IDX-10", known=known)
    pieces = fields.texts("pieces", _DIGEST)
    if len(pieces) != PIECES:
        raise fields.refuse("pieces", f"has {len(pieces)} items, not {PIECES}")
    return pieces


def encode_piece(cards: Iterable[Card]) -> bytes:
    """Return the stored bytes of a piece of the catalogue, its cards sorted by name.

    Raises:
        FormatError: there are more of them, or of their texts, than a reader takes.
    """
    ordered = sorted(cards, key=lambda card: card.name)
    fields: dict[str, object] = {"cards": [[c.name, c.kind, c.version, c.summary] for c in ordered]}
    if len(ordered) > MAX_CARDS or len(document.encode(fields)) > MAX_JSON_BYTES:
        why = [f"at most {MAX_CARDS} cards and {MAX_JSON_BYTES} bytes fit into a piece of 16"]
        raise FormatError("the catalogue of the index is full", why=why, rule="IDX-10")
    return blobs.pack(fields)


def decode_piece(data: bytes, number: int) -> tuple[Card, ...]:
    """Return the cards of a piece of the catalogue (SPEC IDX-10).

    Raises:
        ArchiveError, FormatError: the bytes break a rule, or a name belongs elsewhere.
    """
    known = frozenset({"cards"})
    fields = blobs.unpack(
        data, what="a piece of the catalogue", rule="IDX-10", known=known, limit=MAX_JSON_BYTES
    )
    rows = fields.value.get("cards")
    if not isinstance(rows, list):
        raise fields.refuse("cards", "is not a list")
    if len(rows) > MAX_CARDS:
        raise fields.refuse("cards", f"has more than {MAX_CARDS} items")
    cards = tuple(_card(fields, row, number) for row in rows)
    found = [card.name for card in cards]
    if found != sorted(set(found)):
        raise fields.refuse("cards", "is not sorted by distinct names")
    return cards


def _card(fields: document.Fields, row: object, number: int) -> Card:
    if not isinstance(row, list) or len(row) != 4 or not all(isinstance(v, str) for v in row):
        raise fields.refuse("cards", "holds an item that is not four texts")
    card = Card(*row)
    if not names.is_name(card.name) or piece_of(card.name) != number or card.kind not in KINDS:
        what = f"a piece of the catalogue: `{card.name[:128]}` does not belong into piece {number}"
        raise FormatError(what, rule="IDX-10")
    if len(card.version) > MAX_VERSION_LENGTH or not _LINE.fullmatch(card.version + card.summary):
        raise fields.refuse("cards", f"holds a text that is no line, of `{card.name}`")
    return card
