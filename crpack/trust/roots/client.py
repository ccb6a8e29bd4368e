"""The head of an index from its server, through `tuf`'s client.

Rules (SPEC TUF-04, TUF-05, TUF-14):
- `tuf` finds and fetches the files, over the caller's `open_url`, into a folder that is only a
  cache; the pinned root is given every time. What it fetched is then verified again by `chain`,
  which makes every head, and judged by `offline.fresh`.
- A damaged folder is removed and filled again from the pinned root. What must not go back is
  remembered apart (`state.Seen`).
- The caller holds a lock for the folder.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from crpack import disk
from crpack.errors import FetchError, InstallError, TrustError
from crpack.model.limits import MAX_HEAD_BYTES, MAX_ROOTS
from crpack.trust.roots import chain, offline
from crpack.trust.roots.refusal import translated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager
    from datetime import datetime

    from tuf.ngclient import Updater
    from tuf.ngclient.fetcher import FetcherInterface

    from crpack.trust.roots.chain import Chain, Read
    from crpack.trust.roots.state import Head, Seen

    Opener = Callable[[str, int], AbstractContextManager[Iterable[bytes]]]


def refresh(
    folder: str, url: str, bootstrap: bytes, open_url: Opener, *, seen: Seen, now: datetime
) -> Head:
    """Fetch and verify the newest head of an index; two requests when nothing is new.

    Args:
        folder: where the metadata is kept; made when missing.
        url: of the index; its head lies in `metadata/` below.
        bootstrap: the pinned root file.
        open_url: opens an address that has at most so many bytes, such as `Transport.open`.
        seen: what is remembered of this index.
        now: the clock, with its time zone.

    Raises:
        TrustError: the head is refused: rollback, freeze, mix-and-match, signatures, keys.
        FetchError: the server cannot be reached, or lacks a file.
        InstallError: the folder cannot be written.
    """
    metadata = f"{url.rstrip('/')}/metadata/"
    try:
        found = _updated(folder, metadata, bootstrap, open_url)
    except _Damaged:
        disk.remove_tree(folder)
        try:
            found = _updated(folder, metadata, bootstrap, open_url)
        except _Damaged as error:
            raise error.cause from error
    return offline.fresh(found, seen, now)


def cached(folder: str) -> Read:
    """Return a reader of the folder that `refresh` keeps, for `offline.verify`."""

    def read(path: str, limit: int) -> bytes:
        name = path.removeprefix("metadata/")
        number, _, rest = name.partition(".")
        if number.isdecimal():
            name = f"root_history/{name}" if rest == "root.json" else rest
        try:
            return disk.read(os.path.join(folder, name), limit=limit)
        except InstallError as error:
            if error.data.get("errno") == "ENOENT":
                raise FileNotFoundError(path) from error
            raise

    return read


def updater(
    folder: str,
    metadata_url: str,
    bootstrap: bytes,
    open_url: Opener,
    *,
    limit: int = MAX_HEAD_BYTES,
) -> Updater:
    """Return `tuf`'s client over a transport; use it inside of `refusal.translated`.

    Args:
        folder: as for `refresh`.
        metadata_url: the folder of the metadata.
        bootstrap: as for `refresh`.
        open_url: as for `refresh`.
        limit: bytes of the longest file that is fetched.
    """
    from tuf.ngclient import Updater, UpdaterConfig

    config = UpdaterConfig(
        max_root_rotations=MAX_ROOTS + 1,  # the one too many is for `chain` to refuse
        root_max_length=MAX_HEAD_BYTES,
        timestamp_max_length=MAX_HEAD_BYTES,
        snapshot_max_length=MAX_HEAD_BYTES,
        targets_max_length=MAX_HEAD_BYTES,
    )
    return Updater(
        folder,
        metadata_url,
        fetcher=_fetcher(open_url, limit),
        config=config,
        bootstrap=bootstrap,
    )


class _Damaged(Exception):  # noqa: N818
    """The local folder may be damaged; `cause` is what to say if a new one does not help."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


def _updated(folder: str, metadata: str, bootstrap: bytes, open_url: Opener) -> Chain:
    try:
        disk.make_folders(folder)
        _sweep(folder)
        with translated("the head of the index"):
            one = updater(folder, metadata, bootstrap, open_url)
            one.refresh()
            one.get_targetinfo(chain.INDEX)
    except InstallError as error:
        raise _Damaged(error) from error
    except OSError as error:
        raise _Damaged(disk.failure(error, folder)) from error
    try:
        return chain.walk(cached(folder), bootstrap)
    except (TrustError, FetchError, InstallError) as error:
        raise _Damaged(error) from error


def _sweep(folder: str) -> None:
    """Remove the unfinished files of a refresh that was killed; the caller holds the lock."""
    for name in disk.names(folder):
        if name.startswith("tmp"):
            disk.remove_file(os.path.join(folder, name))


def _fetcher(open_url: Opener, limit: int) -> FetcherInterface:
    from tuf.api.exceptions import DownloadHTTPError
    from tuf.ngclient.fetcher import FetcherInterface

    class Fetcher(FetcherInterface):
        """Passes `tuf`'s wishes to the transport; 403 and 404 mean that a file is not there."""

        def _fetch(self, url: str) -> Iterator[bytes]:
            try:
                body = open_url(url, limit)
            except FetchError as error:
                status = error.data.get("status")
                if isinstance(status, int):
                    raise DownloadHTTPError(error.what, status) from error
                raise
            return _chunks(body)

    return Fetcher()


def _chunks(body: AbstractContextManager[Iterable[bytes]]) -> Iterator[bytes]:
    with body as chunks:
        yield from chunks
