"""Where an index lies: behind a web address, in a folder, or nowhere near.

Rules (SPEC IDX-11):
- All of them are read by path below the index's root, at most so many bytes.
- What is not there is a FetchError with `data["status"]` 404, as a web server says it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from crpack import disk
from crpack.errors import FetchError, InstallError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager

    from crpack.fetch.transport import Transport
    from crpack.index.cache import Read


class OpenUrl(Protocol):
    """Opens an address: at most so many bytes, in chunks, within its `with`.

    With an ETag, the answer may have the attribute `unchanged`, and then no bytes.
    """

    def __call__(
        self, url: str, limit: int, etag: str = "", /
    ) -> AbstractContextManager[Iterable[bytes]]:
        """Open an address."""


def opener(transport: Transport) -> OpenUrl:
    """Return what opens addresses over a transport."""
    return lambda url, limit, etag="": transport.open(url, limit=limit, etag=etag)


def read_folder(folder: str) -> Read:
    """Return what reads the files of an index below a folder."""

    def read(path: str, limit: int) -> bytes:
        try:
            return disk.read(f"{folder}/{path}", limit=limit)
        except InstallError as error:
            missing = error.data.get("errno") in ("ENOENT", "ENOTDIR")
            data = {"status": 404} if missing else {}
            what = f"the index in `{folder}` has no `{path}`" if missing else error.what
            raise FetchError(what, data=data) from error

    return read


def read_url(url: str, open_url: OpenUrl) -> Read:
    """Return what reads the files of an index below a web address."""
    root = slashed(url)

    def read(path: str, limit: int) -> bytes:
        with open_url(root + path, limit) as body:
            return b"".join(body)

    return read


def folder_of(url: str) -> str:
    """Return the folder that a path or `file:` address names; empty for a web address."""
    if "://" not in url:
        return url.rstrip("/") or "/"
    if not url.startswith("file://"):
        return ""
    from urllib.parse import unquote

    return unquote(url.removeprefix("file://").removeprefix("localhost")).rstrip("/") or "/"


def read_nothing(name: str) -> Read:
    """Return what reads nothing, for an index that is elsewhere while crpack is offline."""

    def read(path: str, limit: int) -> bytes:  # noqa: ARG001 - as `Read` is called
        raise FetchError(
            f"`{path}` of the index `{name}` is not here, and crpack is offline",
            hint="run once without `--offline`",
        )

    return read


def slashed(url: str) -> str:
    """Return an address that ends with `/`."""
    return url.rstrip("/") + "/"
