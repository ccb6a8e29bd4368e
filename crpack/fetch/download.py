"""Downloads: one file, from the first of its addresses that gives the right bytes.

Rules (SPEC FET-06):
- Bytes are hashed while they are written into a private file; digest and size are compared
  before anybody else sees it. What is not right is removed.
- Addresses are tried in their order. If all fail, the error tells of each; wrong bytes weigh
  more than no bytes.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from crpack import disk
from crpack.errors import CrpackError, FetchError, TrustError
from crpack.fetch.transport import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from crpack.fetch.transport import Transport


def download(
    transport: Transport,
    urls: Sequence[str],
    path: str,
    *,
    limit: int,
    sha256: str = "",
    size: int = 0,
    report: Callable[[int], None] | None = None,
) -> None:
    """Fetch a file to `path`, which must not exist (SPEC FET-06).

    Args:
        transport: opens the addresses.
        urls: addresses of the same file, best first.
        path: of the new file, in a private folder.
        limit: refuse more bytes than this.
        sha256: what the file must be, in hex; empty when the caller checks it.
        size: its bytes; 0 when not known.
        report: called with the length of every chunk.

    Raises:
        FetchError: no address could be read.
        TrustError: what was read is not the file that was asked for.
        InstallError: the disk refused.
    """
    errors: list[CrpackError] = []
    for url in urls:
        try:
            _fetch(transport, url, path, limit=limit, sha256=sha256, size=size, report=report)
            return
        except (FetchError, TrustError) as error:
            disk.remove_file(path)
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    why = [": ".join((error.what, *error.why[:1])) for error in errors]
    if any(isinstance(error, TrustError) for error in errors):
        raise TrustError("no address gave the right file", why=why, rule="FET-06")
    raise FetchError("no address gave the file", why=why or ["there is no address"])


def _fetch(
    transport: Transport,
    url: str,
    path: str,
    *,
    limit: int,
    sha256: str,
    size: int,
    report: Callable[[int], None] | None,
) -> None:
    digest = hashlib.sha256()
    with transport.open(url, limit=size or limit) as body:
        got = disk.write_file(path, _seen(body, digest, report))
    found = digest.hexdigest()
    if (size and got != size) or (sha256 and found != sha256):
        raise TrustError(
            f"`{shown(url)}` is not the file that was asked for",
            why=[f"it has the sha256 `{found}`, {got} bytes", f"wanted is `{sha256}`"],
            hint="the file was changed where it is kept, or on its way",
            rule="FET-06",
        )


def _seen(
    body: Iterable[bytes], digest: Any, report: Callable[[int], None] | None
) -> Iterator[bytes]:
    for chunk in body:
        digest.update(chunk)
        if report:
            report(len(chunk))
        yield chunk
