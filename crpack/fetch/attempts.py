"""Attempts: how often one address is asked, and how several failures are told as one.

Rules (SPEC FET-10):
- What may pass (a transfer that broke off, a server that is busy) is tried again after a wait
  that doubles; other refusals are final.
- A server that was there and is gone may come back; one that never was is not waited for.
- Three attempts, counted anew whenever PROGRESS bytes more than ever before are there. So a
  download over a bad line ends some time, and no server can keep it going without end.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from crpack.errors import FetchError, TrustError
from crpack.model.limits import MIB

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crpack.errors import CrpackError
    from crpack.fetch.transport import Patience

ATTEMPTS = 3
PROGRESS = 1 * MIB  # bytes


class Attempts:
    """The attempts at one address."""

    def __init__(self, patience: Patience, have: int = 0) -> None:
        """Begin with the first attempt, when `have` bytes are there."""
        self._patience = patience
        self._start = self._most = have
        self._renew()

    def failed(self, error: FetchError, have: int) -> None:
        """Wait for the next attempt.

        Args:
            error: what ended this one.
            have: bytes that are there now and need not come again.

        Raises:
            FetchError: the error itself; another attempt is in vain.
        """
        lost = self._most > self._start or have > self._start
        if not (error.data.get("transient") or (lost and error.data.get("unreachable"))):
            raise error
        if have >= self._most + PROGRESS:
            self._renew()
        self._most = max(self._most, have)
        self._left -= 1
        if self._left == 0:
            raise error
        time.sleep(self._wait)
        self._wait *= 2

    def _renew(self) -> None:
        self._left = ATTEMPTS
        self._wait = self._patience.wait_s


def together(errors: Sequence[CrpackError]) -> CrpackError:
    """Return the failures of all addresses as one; wrong bytes weigh more than none (FET-06)."""
    if len(errors) == 1:
        return errors[0]
    why = [": ".join((error.what, *error.why[:1])) for error in errors]
    if any(isinstance(error, TrustError) for error in errors):
        return TrustError("no address gave the right file", why=why, rule="FET-06")
    return FetchError("no address gave the file", why=why or ["there is no address"])
