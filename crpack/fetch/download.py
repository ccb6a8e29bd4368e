"""Downloads: one file, from the first of its addresses that gives the right bytes.

Rules (SPEC FET-06, FET-10):
- Bytes are hashed while they are written into a private file; digest and size are compared
  before anybody else sees it. What is not right is removed.
- Addresses are tried in their order. If all fail, the error tells of each; wrong bytes weigh
  more than no bytes.
- A transfer that broke off goes on where it was cut: at once, and in a later command if there is
  a folder for parts. Bytes of several transfers are joined only if a digest or a strong ETag
  vouches for the whole. If the joined file is wrong, it is fetched once more from its start.
"""

from __future__ import annotations

import errno
import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack import disk
from crpack.errors import CrpackError, FetchError, InstallError, TrustError
from crpack.fetch.addresses import shown
from crpack.fetch.attempts import Attempts, together
from crpack.model.limits import MIB

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from crpack.fetch.body import Body
    from crpack.fetch.transport import Transport

PARTS_BYTES = 16 * 1024 * MIB  # of all parts that wait to be gone on with
PARTS_AGE_S = 14 * 24 * 3600.0  # seconds after which nobody is expected to go on with a part


@dataclass(frozen=True, slots=True)
class _Goal:
    """What is fetched: sha256 (empty: not known), bytes (0: not known), most bytes."""

    sha256: str
    size: int
    limit: int


def download(
    transport: Transport,
    urls: Sequence[str],
    path: str,
    *,
    limit: int,
    sha256: str = "",
    size: int = 0,
    parts: str = "",
    report: Callable[[int], None] | None = None,
) -> None:
    """Fetch a file to `path`, which must not exist (SPEC FET-06, FET-10).

    Args:
        transport: opens the addresses.
        urls: addresses of the same file, best first.
        path: of the new file, in a private folder.
        limit: refuse more bytes than this.
        sha256: what the file must be, in hex; empty when the caller checks it.
        size: its bytes; 0 when not known.
        parts: folder where a download with a digest stays if it is cut, for the next command to
            go on with; empty: nothing stays.
        report: called with the number of bytes that came, negative for some that were dropped.

    Raises:
        FetchError: no address could be read.
        TrustError: what was read is not the file that was asked for.
        InstallError: the disk refused, or has no room.
    """
    errors: list[CrpackError] = []
    with part_file(parts, sha256, path) as part:
        done = False
        try:
            fetching = _Fetching(transport, part, _Goal(sha256, size, limit), report)
            for url in urls:
                try:
                    fetching.fetch(url)
                except (FetchError, TrustError) as error:
                    errors.append(error)
                else:
                    part.publish(path)
                    done = True
                    return
            raise together(errors)
        finally:
            if not done and (part.path == path or part.have == 0):
                part.remove()


def part_file(parts: str, key: str, path: str) -> disk.Part:
    """Open the file that a download is written to (SPEC FET-10).

    Args:
        parts: folder of the parts that stay; empty: the part must not.
        key: hex digest that names what is fetched; empty: it has none, so its part must not stay.
        path: where the file itself will be; the part stands there if it must not stay, or if
            another process fills the one that would.

    Raises:
        InstallError: the disk refused.
    """
    if parts and key:
        disk.make_folders(parts)
        disk.sweep_parts(parts, cap=PARTS_BYTES, age_s=PARTS_AGE_S)
        part = disk.open_part(os.path.join(parts, key))
        if part is not None:
            return part
    return disk.create_part(path)


def check_room(path: str, size: int) -> None:
    """See that there is room for `size` more bytes at `path`.

    Raises:
        InstallError: there is not.
    """
    free = disk.free_bytes(os.path.dirname(path))
    if free < size:
        error = disk.failure(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), path)
        why = [f"it needs {size} bytes, {free} are free"]
        raise InstallError(error.what, why=why, hint=error.hint, data=error.data)


class _Fetching:
    """A part on its way to be the file."""

    def __init__(
        self,
        transport: Transport,
        part: disk.Part,
        goal: _Goal,
        report: Callable[[int], None] | None,
    ) -> None:
        self._transport = transport
        self._part = part
        self._goal = goal
        self._report = report or _ignored
        self._validator = ""
        self._digest = hashlib.sha256()
        self._joined = part.have > 0
        for chunk in part.chunks():
            self._digest.update(chunk)
        self._report(part.have)

    def fetch(self, url: str) -> None:
        """Fetch what is missing, and all once more if that did not fit what was there."""
        attempts = Attempts(self._transport.patience, self._part.have)
        self._validator = ""  # that of another address says nothing
        once_more = True
        while True:
            try:
                self._go_on(url)
            except FetchError as error:
                self._failed(error, attempts)
                continue
            if self._is_right():
                return
            wrong, joined = self._wrong(url), self._joined
            self._restart()
            if not (joined and once_more):
                raise wrong
            once_more = False

    def _failed(self, error: FetchError, attempts: Attempts) -> None:
        """Prepare the next attempt, or raise the error."""
        if error.data.get("status") == 416 and self._part.have:
            self._restart()  # the file is shorter than what is here
            return
        if not (self._goal.sha256 or self._validator):
            self._restart()  # nothing would tell whether the rest belongs to it
        attempts.failed(error, self._part.have)

    def _go_on(self, url: str) -> None:
        """Take one transfer, of all or of what is missing."""
        have, size = self._part.have, self._goal.size
        if size and have == size:
            return
        if size and have > size:
            self._restart()
        limit = max(size, self._goal.limit)  # a file of another size is wrong, not too long
        with self._transport.open(
            url, limit=limit, start=self._part.have, validator=self._validator
        ) as body:
            self._begin(body, url)
            for chunk in body:
                if size and self._part.have + len(chunk) > size:
                    raise self._other_size(url, f"more than {size}")
                self._part.append(chunk)
                self._digest.update(chunk)
                self._report(len(chunk))

    def _begin(self, body: Body, url: str) -> None:
        if body.start != self._part.have:  # all of it, not what is missing
            self._restart()
        self._joined = self._part.have > 0
        self._validator = body.validator
        if self._goal.size and body.total not in (-1, self._goal.size):
            raise self._other_size(url, str(body.total))
        check_room(self._part.path, max(body.size, 0))

    def _restart(self) -> None:
        self._report(-self._part.have)
        self._part.cut(0)
        self._digest = hashlib.sha256()
        self._joined = False
        self._validator = ""

    def _is_right(self) -> bool:
        wanted, found = self._goal.sha256, self._digest.hexdigest()
        return self._goal.size in (0, self._part.have) and wanted in ("", found)

    def _wrong(self, url: str) -> TrustError:
        if self._goal.size not in (0, self._part.have):
            return self._other_size(url, str(self._part.have))
        found, got = self._digest.hexdigest(), self._part.have
        why = [f"it has the sha256 `{found}`, {got} bytes", f"wanted is `{self._goal.sha256}`"]
        return TrustError(_SENTENCE.format(shown(url)), why=why, hint=_HINT, rule="FET-06")

    def _other_size(self, url: str, size: str) -> TrustError:
        why = [f"it has {size} bytes, not {self._goal.size}"]
        return TrustError(_SENTENCE.format(shown(url)), why=why, hint=_HINT, rule="FET-06")


_SENTENCE = "`{}` is not the file that was asked for"
_HINT = "the file was changed where it is kept, or on its way"


def _ignored(_: int) -> None:
    """Report to nobody."""
