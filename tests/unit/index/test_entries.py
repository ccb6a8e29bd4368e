"""Shards: what an index says of one name."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from crpack.errors import FormatError, TrustError
from crpack.index import blobs, entries
from crpack.index.entries import Copy, Shard
from crpack.model import canonical, limits
from tests.unit.index import room


def changed(data: bytes, **values: object) -> bytes:
    """Return a stored shard whose first release says something else."""
    table: Any = canonical.decode(raw(data), what="it", limit=limits.MAX_INDEX_BYTES)
    table["releases"][0] |= values
    return stored(table)


def raw(data: bytes) -> bytes:
    from crpack import zstd

    return zstd.decompress(data, limit=limits.MAX_INDEX_BYTES, window=limits.MAX_ZSTD_WINDOW)


def stored(table: object) -> bytes:
    from crpack import zstd

    return zstd.compress(canonical.encode(table))


def test_a_shard_is_read_as_it_was_written() -> None:
    """IDX-07."""
    shard = room.shard("zlib", "2.0", "1.0.post1", "1.0", "1.0rc1")
    assert entries.decode(entries.encode(shard), "zlib") == shard


def test_the_same_shard_has_the_same_bytes() -> None:
    """IDX-02."""
    shard = room.shard("zlib", "1.0")
    assert entries.encode(shard) == entries.encode(shard)


@pytest.mark.parametrize("versions", [("1.0", "2.0"), ("1.0", "1.0"), ("1.0", "1.0.0")])
def test_releases_stand_newest_first_and_once(versions: tuple[str, ...]) -> None:
    """IDX-08."""
    with pytest.raises(FormatError) as caught:
        entries.encode(room.shard("zlib", *versions))
    assert caught.value.rule == "IDX-08"


def test_revisions_of_a_version_are_sorted_too() -> None:
    """IDX-08."""
    new, old = room.made_up("zlib", revision=1), room.made_up("zlib")
    shard = Shard("zlib", (new, old))
    assert entries.decode(entries.encode(shard), "zlib") == shard
    with pytest.raises(FormatError):
        entries.encode(Shard("zlib", (old, new)))


def test_a_revision_is_a_number_and_no_truth_value() -> None:
    """IDX-06: false equals 0 to Python."""
    good = entries.encode(Shard("zlib", (room.made_up("zlib"),)))
    entries.decode(good, "zlib")
    table = json.loads(raw(good))
    table["releases"][0]["recipe"]["package"]["revision"] = False
    with pytest.raises(FormatError):
        entries.decode(stored(table), "zlib")


def test_the_shard_of_another_name_is_refused() -> None:
    data = entries.encode(room.shard("zlib", "1.0"))
    with pytest.raises(FormatError) as caught:
        entries.decode(data, "zlob")
    assert caught.value.rule == "IDX-07"


@pytest.mark.parametrize("other", [("zlob", "1.0", 0), ("zlib", "1.1", 0), ("zlib", "1.0", 2)])
def test_a_slice_of_another_release_is_refused(other: tuple[str, str, int]) -> None:
    """IDX-06."""
    name, version, revision = other
    recipe = room.made_up(name, version, revision=revision).recipe
    release = dataclasses.replace(room.made_up("zlib"), recipe=recipe)
    with pytest.raises(FormatError) as caught:
        entries.encode(Shard("zlib", (release,)))
    assert caught.value.rule == "IDX-06"


@pytest.mark.parametrize(
    "values",
    [
        {"version": "one"},
        {"version": "1" * 200},
        {"revision": -1},
        {"identity": "f" * 63},
        {"date": "yesterday"},
        {"date": "2026-19-01T12:00:00Z"},
        {"signers": ["b" * 64, "a" * 64]},
        {"signers": ["a" * 64, "a" * 64]},
        {"signers": [f"{n:064x}" for n in range(17)]},
        {"recipe": []},
        {"recipe": {}},
        {"recipe": {"package": []}},
        {"recipe": {"package": {"name": "zlib"}, "source": []}},
        {"payloads": {}},
        {"sources": [{"sha256": "a" * 64, "size": -1, "urls": []}]},
        {"sources": [{"sha256": "a" * 64, "size": 1, "urls": ["file:///etc/passwd"]}]},
        {"yanked": "two\nlines"},
        {"yanked": None},
    ],
)
def test_a_release_that_breaks_a_rule_is_refused(values: dict[str, object]) -> None:
    """IDX-03, IDX-07."""
    data = entries.encode(room.shard("zlib", "1.0"))
    with pytest.raises(FormatError):
        entries.decode(changed(data, **values), "zlib")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/a/x",
        "../x",
        "a/../x",
        "a/./x",
        "a//x",
        "a/..",
        "a b",
        "a\\b",
        "file:///a",
        "ftp://host/a",
        "http://user@host/a",
        "http://host/a b",
        "https://",
        "http://host/" + "x" * 2048,
    ],
)
def test_an_address_that_leads_elsewhere_is_refused(url: str) -> None:
    """IDX-09."""
    copy = Copy("full", url, "a" * 64, 10, 3)
    release = dataclasses.replace(room.made_up("zlib"), copies=(copy,))
    with pytest.raises(FormatError) as caught:
        entries.encode(Shard("zlib", (release,)))
    assert caught.value.rule == "IDX-09"


@pytest.mark.parametrize(
    "url", ["a/x.crpkg", "..a/b", "https://host:8443/a?b=c", "http://[::1]/a", "https://host"]
)
def test_an_address_may_be_relative_or_of_the_web(url: str) -> None:
    """IDX-09."""
    copy = Copy("thin", url, "a" * 64, 10, 3)
    shard = Shard("zlib", (dataclasses.replace(room.made_up("zlib"), copies=(copy,)),))
    assert entries.decode(entries.encode(shard), "zlib") == shard


def test_a_release_may_have_no_copy() -> None:
    """IDX-09: it can be chosen, not fetched."""
    shard = Shard("zlib", (dataclasses.replace(room.made_up("zlib"), copies=()),))
    assert entries.decode(entries.encode(shard), "zlib") == shard


def test_a_tail_lies_inside_its_copy() -> None:
    """IDX-09."""
    copy = Copy("full", "a/x", "a" * 64, 10, 10)
    with pytest.raises(FormatError):
        entries.encode(Shard("zlib", (dataclasses.replace(room.made_up("zlib"), copies=(copy,)),)))


def test_too_many_copies_are_refused() -> None:
    """IDX-03."""
    copies = tuple(Copy("full", f"a/{n}", f"{n:064x}", 10, 3) for n in range(17))
    with pytest.raises(FormatError) as caught:
        entries.encode(Shard("zlib", (dataclasses.replace(room.made_up("zlib"), copies=copies),)))
    assert caught.value.rule == "IDX-03"


def test_an_unknown_field_is_ignored_and_a_critical_one_refused() -> None:
    """JSN-08."""
    data = entries.encode(room.shard("zlib", "1.0"))
    assert entries.decode(changed(data, later=1), "zlib").name == "zlib"
    table = canonical.decode(raw(data), what="it")
    with pytest.raises(FormatError):
        entries.decode(stored({**table, "critical": ["later"], "later": 1}), "zlib")


def test_what_unpacks_to_too_much_is_refused_before_it_is_unpacked() -> None:
    """IDX-03."""
    from crpack import zstd

    bomb = zstd.compress(b" " * (limits.MAX_INDEX_BYTES + 1))
    assert len(bomb) < 10_000
    with pytest.raises(TrustError):
        entries.decode(bomb, "zlib")


def test_a_file_is_held_against_its_name() -> None:
    """IDX-02."""
    assert blobs.check(b"x", blobs.digest(b"x"), "s/x") == b"x"
    with pytest.raises(TrustError) as caught:
        blobs.check(b"y", blobs.digest(b"x"), "s/x")
    assert caught.value.rule == "IDX-02"
