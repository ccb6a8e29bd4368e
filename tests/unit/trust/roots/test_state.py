from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

import crpack
from crpack.errors import FormatError, TrustError
from crpack.model import canonical, dates
from crpack.trust.roots import state
from crpack.trust.roots.state import Head, Seen, TargetFile

KEYS = "a" * 64
SEEN = Seen(2, 9, 8, 3, 7, "2026-11-20T10:00:00Z", KEYS)
FIELDS = {
    "root": 2,
    "timestamp": 9,
    "snapshot": 8,
    "targets": 3,
    "index": 7,
    "date": "2026-11-20T10:00:00Z",
    "keys": KEYS,
}


def head(versions: Seen) -> Head:
    file = TargetFile("targets/x", 1, "0" * 64)
    return Head("f" * 64, versions, versions.date, "", "0" * 64, file, file)


def document(**fields: object) -> bytes:
    return canonical.encode({"format": 1, "critical": [], **FIELDS, **fields})


def test_the_memory_survives_its_file() -> None:
    # TUF-13
    for seen in (Seen(), SEEN):
        assert state.decode(state.encode(seen)) == seen
    assert state.encode(SEEN) == document()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        document(root=-1),
        document(root="2"),
        document(date="2026-13-01T00:00:00Z"),
        document(date="2026-11-20"),
        document(keys="a"),
        document(critical=["other"]),
        document(format=2),
    ],
)
def test_a_damaged_memory_is_refused(data: bytes) -> None:
    # TUF-13: a memory that cannot be read must not be taken for none
    with pytest.raises(FormatError):
        state.decode(data)


@pytest.mark.parametrize("role", state.ROLES)
def test_no_role_goes_back(role: str) -> None:
    # TUF-11
    state.check(SEEN, head(SEEN))
    lower = replace(SEEN, **{role: getattr(SEEN, role) - 1})
    with pytest.raises(TrustError) as error:
        state.check(SEEN, head(lower))
    assert error.value.data["attack"] == "rollback"
    assert error.value.data["role"] == role


def test_new_online_keys_in_a_newer_root_begin_anew() -> None:
    # TUF-12
    fresh = Seen(3, 1, 1, 1, 1, "2026-11-10T10:00:00Z", "b" * 64)
    state.check(SEEN, head(fresh))
    assert state.merge(SEEN, head(fresh)) == fresh
    for other in (replace(fresh, root=2), replace(fresh, keys=KEYS), replace(fresh, root=1)):
        with pytest.raises(TrustError):
            state.check(SEEN, head(other))


def test_the_newest_of_each_is_remembered() -> None:
    # TUF-11
    newer = replace(SEEN, timestamp=10, date="2026-11-19T00:00:00Z")
    assert state.merge(SEEN, head(newer)) == replace(SEEN, timestamp=10)
    assert state.merge(Seen(), head(SEEN)) == SEEN


def test_the_clock_is_never_before_the_floor() -> None:
    # TUF-07
    released = dates.moment(crpack.RELEASED)
    early, late = datetime(1970, 1, 1, tzinfo=UTC), datetime(2038, 1, 1, tzinfo=UTC)
    assert state.floor(Seen(), early) == released
    assert state.floor(SEEN, early) == dates.moment(SEEN.date)
    assert state.floor(SEEN, late) == late


def test_dates_are_utc_to_the_second() -> None:
    # TUF-06
    east = datetime(2026, 1, 31, 14, 0, 0, 999, tzinfo=timezone(timedelta(hours=2)))
    assert dates.dated(east) == "2026-01-31T12:00:00Z"
    assert dates.moment("2026-01-31T12:00:00Z") == datetime(2026, 1, 31, 12, tzinfo=UTC)
    for text in ("2026-01-31", "2026-01-31T12:00:00", "2026-02-30T12:00:00Z", "x" * 9999, "٢"):
        with pytest.raises(ValueError):
            dates.moment(text)
