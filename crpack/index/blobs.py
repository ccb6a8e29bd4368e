"""The files of an index below its TUF head: documents named by their digest.

Rules (SPEC IDX-01 to IDX-03):
- Every document but `publishers.json` is canonical JSON in one zstd frame.
- Its name is the sha256 of its bytes as stored, so it never changes and is served for ever.
- Sizes are bounded before anything is decompressed or parsed: what a server sends is hostile.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from crpack import zstd
from crpack.errors import TrustError
from crpack.model import document
from crpack.model.limits import MAX_INDEX_BYTES, MAX_ZSTD_WINDOW

if TYPE_CHECKING:
    from crpack.model.document import Fields


def digest(data: bytes) -> str:
    """Return the name of a file of an index: sha256, in hex, of its bytes (SPEC IDX-02)."""
    return hashlib.sha256(data).hexdigest()


def bucket_path(sha256: str) -> str:
    """Return the place of a bucket below the index's root."""
    return f"b/{sha256}.json.zst"


def shard_path(sha256: str) -> str:
    """Return the place of a shard below the index's root."""
    return f"s/{sha256}.json.zst"


def catalogue_path(sha256: str) -> str:
    """Return the place of the catalogue's head, or of a piece of it."""
    return f"c/{sha256}.json.zst"


def archive_path(sha256: str) -> str:
    """Return the place of an archive file below the index's root."""
    return f"a/{sha256}.crpkg"


def pack(fields: dict[str, object]) -> bytes:
    """Return a document with these fields as it is stored (SPEC IDX-02)."""
    return zstd.compress(document.encode(fields), zstd.RELEASE_LEVEL)


def unpack(
    data: bytes, *, what: str, rule: str, known: frozenset[str], limit: int = MAX_INDEX_BYTES
) -> Fields:
    """Open a stored document (SPEC IDX-02, IDX-03).

    Args:
        data: all its bytes.
        what: its name for messages.
        rule: the SPEC rule that its fields obey.
        known: every field name this reader knows.
        limit: bytes of the document.

    Raises:
        ArchiveError: not one plain zstd frame, or too large.
        FormatError: not a document of this format.
    """
    raw = zstd.decompress(data, limit=limit, window=MAX_ZSTD_WINDOW)
    return document.decode(raw, what=what, rule=rule, known=known, limit=limit)


def check(data: bytes, sha256: str, path: str) -> bytes:
    """Return the bytes of a file when they are those that its name says (SPEC IDX-02).

    Raises:
        TrustError: they are others.
    """
    if digest(data) != sha256:
        raise TrustError(
            f"the index's file `{path}` is not what its name says",
            why=["it was changed or damaged where it is kept, or on its way"],
            hint="try again, or tell the owner of the index",
            rule="IDX-02",
        )
    return data
