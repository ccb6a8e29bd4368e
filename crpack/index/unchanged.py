"""The timestamp of an index, sent only when it is another than the one that is kept.

Rules (SPEC IDX-11; RFC 9110, 8.8.3 and 13.1.2):
- With the ETag of the last answer stands the digest of the bytes it came with. It is sent only
  while these are the kept ones, so "not modified" can mean nothing else.
- What a server says is judged like any timestamp: one that is not modified expires all the same.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from crpack import disk
from crpack.errors import CrpackError, InstallError
from crpack.index import blobs
from crpack.model import document
from crpack.model.limits import MAX_HEAD_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import AbstractContextManager

    from crpack.index.places import OpenUrl

TIMESTAMP = "metadata/timestamp.json"
_KNOWN = frozenset({"etag", "sha256"})


def conditional(open_url: OpenUrl, state: str) -> OpenUrl:
    """Return what opens addresses, the timestamp's only when it has changed.

    Args:
        open_url: opens an address.
        state: folder of what is remembered of the index; its metadata lies in `metadata/` there.
    """

    def opened(url: str, limit: int, etag: str = "") -> AbstractContextManager[Iterable[bytes]]:
        if not url.endswith(TIMESTAMP):
            return open_url(url, limit, etag)
        kept = _read(f"{state}/{TIMESTAMP}")
        known = _known(state, kept)
        return _answer(open_url(url, limit, known), kept, state)

    return opened


@contextmanager
def _answer(
    body: AbstractContextManager[Iterable[bytes]], kept: bytes, state: str
) -> Iterator[Iterable[bytes]]:
    with body as chunks:
        if getattr(body, "unchanged", False):
            yield [kept]
            return
        data = b"".join(chunks)
        etag = getattr(body, "etag", "")
        if etag:
            said = document.encode({"etag": etag, "sha256": blobs.digest(data)})
            disk.atomic_write(_place(state), said)
        yield [data]


def _known(state: str, kept: bytes) -> str:
    """Return the ETag of the kept timestamp; empty where it is not known."""
    try:
        fields = document.decode(
            _read(_place(state)), what="`etag.json`", rule="IDX-11", known=_KNOWN
        )
        same = fields.text("sha256") == blobs.digest(kept)
        return fields.text("etag") if same else ""
    except CrpackError:
        return ""


def _place(state: str) -> str:
    return f"{state}/etag.json"


def _read(path: str) -> bytes:
    try:
        return disk.read(path, limit=MAX_HEAD_BYTES)
    except InstallError:
        return b""
