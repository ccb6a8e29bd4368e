"""The files of an index that were read before: kept by digest, so never out of date.

Rules (SPEC IDX-02, IDX-11):
- A kept file is hashed each time it is read; one that is damaged is fetched again and replaced.
- What is fetched is held against its digest before it is kept or used.
- Several files are fetched at once, at most `THREADS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack import disk
from crpack.errors import InstallError
from crpack.index import blobs
from crpack.model.limits import MAX_INDEX_PACKED

if TYPE_CHECKING:
    from collections.abc import Mapping

THREADS = 8  # files fetched at once

Read = Callable[[str, int], bytes]
"""Reads a file below an index's root: its path, and the most bytes it may have.

It raises FetchError, with `data["status"]` 404 where there is no such file.
"""


@dataclass(frozen=True, slots=True)
class Blobs:
    """Reads the files of one index through a folder of kept ones.

    Attributes:
        read: reads from where the index is.
        folder: of kept files; empty where `read` is as near.
        ahead: reads several files ahead, so that `read` has them; None where each costs the same.
    """

    read: Read
    folder: str = ""
    ahead: Callable[[tuple[str, ...], int], None] | None = None

    def get(self, path: str, sha256: str) -> bytes:
        """Return a file (SPEC IDX-02, IDX-11).

        Args:
            path: below the index's root.
            sha256: what it must be.

        Raises:
            FetchError: it is not kept and cannot be read.
            TrustError: what was read is another file.
        """
        kept = self._kept(sha256)
        if kept is not None:
            return kept
        data = blobs.check(self.read(path, MAX_INDEX_PACKED), sha256, path)
        if self.folder:
            disk.make_folders(self.folder)
            disk.atomic_write(f"{self.folder}/{sha256}", data)
        return data

    def get_all(self, wanted: Mapping[str, str]) -> dict[str, bytes]:
        """Return several files by path, each with its digest given, fetched side by side.

        Raises:
            FetchError, TrustError: as `get`; the first in the order of the paths.
        """
        if self.ahead is not None:
            self.ahead(tuple(wanted), MAX_INDEX_PACKED)
        if self.ahead is not None or len(wanted) < 2:
            return {path: self.get(path, sha256) for path, sha256 in wanted.items()}
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(min(THREADS, len(wanted))) as pool:
            try:
                return dict(zip(wanted, pool.map(self.get, wanted, wanted.values()), strict=True))
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _kept(self, sha256: str) -> bytes | None:
        """Return a kept file that is whole."""
        if not self.folder:
            return None
        try:
            data = disk.read(f"{self.folder}/{sha256}", limit=MAX_INDEX_PACKED)
        except InstallError:  # not there, or not what was put there
            return None
        return data if blobs.digest(data) == sha256 else None
