from __future__ import annotations

import time

import pytest

from crpack.errors import ArchiveError, FetchError, TrustError
from crpack.fetch.attempts import ATTEMPTS, PROGRESS, Attempts, together
from crpack.fetch.transport import Patience

BROKEN = FetchError("broken", data={"transient": True})
GONE = FetchError("gone", data={"unreachable": True})
MISSING = FetchError("missing", data={"status": 404})


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the list of waits, which take no time."""
    found: list[float] = []
    monkeypatch.setattr(time, "sleep", found.append)
    return found


def run(waits: list[float], *haves: int, error: FetchError = BROKEN, have: int = 0) -> list[float]:
    """Fail with so many bytes there after each attempt; return the waits until it was final."""
    waits.clear()
    tries = Attempts(Patience(wait_s=1.0), have)
    for now in haves:
        try:
            tries.failed(error, now)
        except FetchError as raised:
            return [*waits] if raised is error else [-2.0]
    return [*waits, -1]


def test_waits_double_and_attempts_end(waits: list[float]) -> None:
    """FET-10."""
    assert run(waits, *[0] * 9) == [1.0, 2.0]
    assert len(run(waits, *[0] * 9)) == ATTEMPTS - 1


def test_progress_counts_anew(waits: list[float]) -> None:
    """FET-10."""
    haves = [PROGRESS * n for n in range(1, 6)]
    assert run(waits, *haves) == [1.0] * 5 + [-1]
    assert run(waits, *haves, *[haves[-1]] * 3) == [1.0] * 5 + [2.0]
    assert run(waits, PROGRESS - 1, PROGRESS - 1, PROGRESS - 1) == [1.0, 2.0]


def test_no_server_keeps_it_going_by_starting_over(waits: list[float]) -> None:
    """FET-10: what came before and was dropped is no progress when it comes again."""
    up_and_down = [5 * PROGRESS, 0, 5 * PROGRESS, 0, 5 * PROGRESS, 0]
    assert run(waits, *up_and_down) == [1.0, 2.0]


def test_what_is_final_is_not_tried_again(waits: list[float]) -> None:
    """FET-10."""
    assert run(waits, 0, error=MISSING) == []
    assert run(waits, PROGRESS, error=MISSING) == []
    assert run(waits, 0, error=GONE) == []
    assert run(waits, 7, error=GONE, have=7) == []
    assert run(waits, 8, 8, 8, error=GONE, have=7) == [1.0, 2.0]


def test_failures_are_told_as_one() -> None:
    """FET-06."""
    assert together([MISSING]) is MISSING
    assert isinstance(together([MISSING, GONE]), FetchError)
    assert together([MISSING, GONE]).why == ("missing", "gone")
    assert isinstance(together([MISSING, ArchiveError("wrong")]), TrustError)
    assert together([]).why == ("there is no address",)
