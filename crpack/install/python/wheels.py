"""The cache of wheels: files by digest, fetched once.

Rules (SPEC PYE-05):
- `wheels/<sha256>/<file name>` below the cache folder; a wheel gets its name when it is whole and
  its digest is right. Prefixes and solutions share it; any part of it may be deleted.
- Every wheel of the user's cache came from the user's own Python index, since offline choices are
  made among them. What a bundle carries is kept in a cache of that installation alone.
- What is there is hashed before it is used: a wheel that was damaged since is fetched again.
- Offline, a wheel that is missing is an error that names it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, BinaryIO

from crpack import disk
from crpack.errors import FetchError, InstallError, TrustError
from crpack.fetch.download import download
from crpack.install import listing
from crpack.model.limits import MIB

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from crpack.fetch.transport import Transport
    from crpack.model.lock import Wheel

MAX_WHEEL_BYTES = 16 * 1024 * MIB


class WheelCache:
    """The wheels below one cache folder."""

    def __init__(self, cache: str) -> None:
        self._cache = cache
        self.root = os.path.join(cache, "wheels")

    def path(self, wheel: Wheel) -> str:
        """Return the path of a wheel, whether or not it is there."""
        return os.path.join(self.root, wheel.sha256, wheel.filename)

    def has(self, wheel: Wheel) -> bool:
        """Say whether a wheel is there."""
        return os.path.isfile(self.path(wheel))

    def open(self, wheel: Wheel) -> BinaryIO:
        """Open a wheel that is there."""
        return open(self.path(wheel), "rb")

    def files(self) -> tuple[str, ...]:
        """Return the paths of all wheels."""
        return tuple(
            os.path.join(self.root, digest, name)
            for digest in disk.names(self.root)
            for name in disk.names(os.path.join(self.root, digest))
        )

    def fetch(
        self,
        transport: Transport,
        wheels: Iterable[Wheel],
        places: Mapping[str, str],
        report: Callable[[int], None] | None = None,
    ) -> None:
        """Fetch the wheels that are missing or damaged.

        Args:
            transport: opens the addresses.
            wheels: those that must be there afterwards.
            places: digest to address, as `lock_wheels` found them.
            report: called with the length of every chunk.

        Raises:
            FetchError: a wheel cannot be had; the others that came stay.
            TrustError: a wheel is not what the lock says.
        """
        missing = [wheel for wheel in wheels if not self._is_sound(wheel)]
        if not missing:
            return
        disk.sweep(os.path.join(self._cache, "stage"))
        stage = disk.make_stage(os.path.join(self._cache, "stage"))
        try:
            for wheel in missing:
                self._fetch(transport, wheel, places, stage.path, report)
        finally:
            stage.close()

    def put(self, wheel: Wheel, chunks: Iterable[bytes]) -> None:
        """Keep a wheel whose bytes come from elsewhere, such as a bundle (SPEC PYE-05, BUN-12).

        Raises:
            TrustError: the bytes are not those of its digest.
        """
        if self._is_sound(wheel):
            return
        disk.sweep(os.path.join(self._cache, "stage"))
        stage = disk.make_stage(os.path.join(self._cache, "stage"))
        try:
            folder = os.path.join(stage.path, wheel.sha256)
            disk.make_folders(folder)
            path = os.path.join(folder, wheel.filename)
            disk.write_file(path, chunks)
            if listing.sha256(path)[0] != wheel.sha256:
                what = f"the wheel `{wheel.filename}` is not the one of the lock"
                raise TrustError(what, rule="PYE-05")
            self._admit(path, wheel)
        finally:
            stage.close()

    def _admit(self, file: str, wheel: Wheel) -> None:
        """Give a wheel its name, beside other names of the same bytes."""
        disk.sync_tree(os.path.dirname(file))
        place = self.path(wheel)
        disk.make_folders(os.path.dirname(place))
        if not disk.rename(file, place):
            hint = "delete it; any part of the cache may be deleted"
            raise InstallError(f"`{place}` is not a file", hint=hint)

    def _is_sound(self, wheel: Wheel) -> bool:
        """Say whether a wheel is there; one whose bytes are not those of its digest is removed."""
        if not self.has(wheel):
            return False
        sound = listing.sha256(self.path(wheel))[0] == wheel.sha256
        if not sound:
            disk.remove_tree(self.path(wheel))
        return sound

    def _fetch(
        self,
        transport: Transport,
        wheel: Wheel,
        places: Mapping[str, str],
        stage: str,
        report: Callable[[int], None] | None,
    ) -> None:
        url = places.get(wheel.sha256, "")
        local = not url.startswith(("http:", "https:"))
        if not url or (transport.offline and not local):
            raise FetchError(
                f"the wheel `{wheel.filename}` is not in the cache"
                + (", and crpack is offline" if transport.offline else ""),
                hint="run once without `--offline`" if transport.offline else "",
            )
        folder = os.path.join(stage, wheel.sha256)
        disk.make_folders(folder)
        path = os.path.join(folder, wheel.filename)
        download(
            transport,
            [url],
            path,
            limit=MAX_WHEEL_BYTES,
            sha256=wheel.sha256,
            size=wheel.size,
            parts=os.path.join(self._cache, "parts"),
            report=report,
        )
        self._admit(path, wheel)
