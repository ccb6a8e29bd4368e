"""The memory of a scan (DET-07)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crpack.detect.cache import DAY, MAX_KEPT, RACY_NS, Cache, key
from crpack.model.facts import Found

NOW = 10**18
OLD = NOW - RACY_NS - 1
FOUND = Found("gcc", "12.2.0", path="/usr/bin/gcc", mtime_ns=OLD, notes=(("prefix", "/usr"),))


def test_answers_and_folders_come_back_as_they_were_kept() -> None:
    """DET-07."""
    cache = Cache(b"", NOW)
    cache.keep("a", FOUND, OLD)
    cache.keep("b", "it is broken", OLD)
    cache.keep_names("f", ("gcc", "g++"), OLD)
    again = Cache(cache.to_bytes(), NOW)
    assert (again.answer("a"), again.answer("b"), again.answer("c")) == (
        FOUND,
        "it is broken",
        None,
    )
    assert (again.names("f"), again.names("g")) == (("gcc", "g++"), None)
    assert cache.changed
    assert not again.changed


def test_a_refusal_of_a_day_ends() -> None:
    """DET-07: nor does one last that a clock or somebody put into the far future."""
    later = DAY * 10**9
    cache = Cache(b"", NOW)
    cache.keep_for(DAY, "a", "too late", OLD)
    cache.keep("b", "no", OLD)
    cache.keep_for(DAY, "c", "too late", NOW)
    data = cache.to_bytes()
    assert cache.until("abc") == NOW // 10**9 + DAY
    again = Cache(data, NOW + later - 10**9)
    assert (again.answer("a"), again.answer("b"), again.answer("c")) == ("too late", "no", None)
    assert again.to_bytes() == data
    assert Cache(data, NOW + later).answer("a") is None
    assert Cache(data, NOW - 10**9).answer("a") is None
    assert Cache(data, NOW + later).answer("b") == "no"
    assert Cache(data, NOW + later).until("abc") == 0


def test_what_changed_within_two_seconds_is_not_kept() -> None:
    """DET-07."""
    cache = Cache(b"", NOW)
    cache.keep("a", FOUND, OLD, NOW - RACY_NS)
    cache.keep_names("f", ("gcc",), NOW + 5)
    assert cache.answer("a") is None
    assert cache.names("f") is None
    assert not cache.changed


def test_a_full_cache_keeps_what_was_used() -> None:
    cache = Cache(b"", NOW)
    for number in range(MAX_KEPT + 1):
        cache.keep(str(number), "no", OLD)
    cache.answer("7")
    again = Cache(cache.to_bytes(), NOW)
    assert again.answer("7") == "no"
    assert again.answer("8") is None


def test_keys_differ_when_a_part_does() -> None:
    assert key("a", 1, "b") == key("a", 1, "b")
    assert len({key("a", 1), key("a", 2), key("a1"), key("a", 1, ""), key("", "a", 1)}) == 5


@given(st.binary(max_size=200))
def test_nonsense_is_an_empty_cache(data: bytes) -> None:
    """DET-07."""
    assert Cache(data, NOW).answer("a") is None


def test_a_cache_with_a_wrong_field_is_an_empty_one() -> None:
    """DET-07."""
    cache = Cache(b"", NOW)
    cache.keep("a", FOUND, OLD)
    good = cache.to_bytes()
    assert Cache(good.replace(b'"size":0', b'"size":"0"'), NOW).answer("a") is None
    assert Cache(good.replace(b'"folders":{}', b'"folders":[]'), NOW).answer("a") is None
    assert Cache(good + b" ", NOW).answer("a") is None
