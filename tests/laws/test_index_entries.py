"""What an index says of names: round trips, published schemas, and bytes that were changed."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crpack import zstd
from crpack.errors import TrustError
from crpack.index import blobs, contents, entries, publishers
from crpack.index.contents import Contents
from crpack.index.entries import Copy, IndexSource, Shard
from crpack.index.publishers import Publishers, Rule
from crpack.model import canonical, limits, manifest
from crpack.model.manifest import Payload
from crpack.trust import keys
from tests.laws.test_schemas import DIGESTS, PAIRS, WORDS, validator
from tests.unit.index import room

LINES = st.text(st.sampled_from("aä🙂 ."), max_size=9)
URLS = st.one_of(
    DIGESTS.map(lambda one: f"a/{one}.crpkg"), WORDS.map(lambda one: f"https://host.example/{one}")
)
KEYS = [keys.public(room.key(f"law {n}")) for n in range(3)]


def payloads(tree: str, platform: str, options: Any, floors: Any) -> Payload:
    return Payload(
        manifest.payload_id(platform, options, tree), platform, options, tree, tree, 5, 7, 1, floors
    )


PAYLOADS = st.builds(
    payloads, DIGESTS, st.sampled_from(["any", "linux-x86_64-gnu2.28"]), PAIRS, PAIRS
)
COPIES = st.builds(
    Copy,
    kind=st.sampled_from(["full", "thin"]),
    url=URLS,
    sha256=DIGESTS,
    size=st.integers(9, 2**50),
    tail=st.integers(0, 8),
)
SOURCES = st.builds(
    IndexSource, DIGESTS, st.integers(0, 2**50), st.lists(URLS, max_size=2).map(tuple)
)


@st.composite
def shards(draw: st.DrawFn) -> Shard:
    """Return a shard of up to three releases."""
    versions = sorted(draw(st.sets(st.integers(0, 30), min_size=1, max_size=3)), reverse=True)
    found = []
    for version in versions:
        sources = {one.sha256: one for one in draw(st.lists(SOURCES, max_size=2))}
        packed = {one.id: one for one in draw(st.lists(PAYLOADS, max_size=2))}
        found.append(
            replace(
                room.made_up("lab/x", f"1.{version}"),
                signers=tuple(sorted(draw(st.sets(DIGESTS, max_size=2)))),
                payloads=tuple(packed[one] for one in sorted(packed)),
                sources=tuple(sources[one] for one in sorted(sources)),
                copies=tuple(draw(st.lists(COPIES, min_size=1, max_size=2))),
                yanked=draw(LINES),
            )
        )
    return Shard("lab/x", tuple(found))


@st.composite
def rules(draw: st.DrawFn) -> Publishers:
    """Return rules for some patterns."""
    found = []
    for pattern in sorted(draw(st.sets(st.sampled_from(["*", "lab/*", "lab/x", "zlib"])))):
        named = draw(st.lists(st.sampled_from(KEYS), min_size=1, unique=True))
        ordered = tuple((key, draw(LINES)) for key in sorted(named, key=lambda key: key.keyid))
        threshold = draw(st.integers(1, len(ordered)))
        found.append(Rule(pattern, ordered, threshold, draw(st.booleans())))
    return Publishers(tuple(found), tuple(sorted(draw(st.sets(DIGESTS, max_size=2)))))


def value(stored: bytes) -> Any:
    raw = zstd.decompress(stored, limit=limits.MAX_INDEX_BYTES, window=limits.MAX_ZSTD_WINDOW)
    return canonical.decode(raw, what="it", limit=limits.MAX_INDEX_BYTES)


@given(shards())
def test_a_shard_comes_back_as_it_went_and_fits_its_schema(shard: Shard) -> None:
    """IDX-07."""
    data = entries.encode(shard)
    assert entries.decode(data, shard.name) == shard
    validator("shard").validate(value(data))


@given(rules())
def test_rules_come_back_as_they_went_and_fit_their_schema(said: Publishers) -> None:
    """PUB-01."""
    data = publishers.encode(said)
    assert publishers.decode(data) == said
    validator("publishers").validate(canonical.decode(data, what="it"))


@settings(max_examples=20)  # 256 digests each
@given(st.lists(st.one_of(st.just(""), DIGESTS), min_size=256, max_size=256), DIGESTS)
def test_contents_come_back_as_they_went_and_fit_their_schema(
    buckets: list[str], catalogue: str
) -> None:
    """IDX-04."""
    said = Contents(tuple(buckets), catalogue, 3, 4)
    assert contents.decode(contents.encode(said)) == said
    validator("index").validate(value(contents.encode(said)))


@given(shards(), st.data())
def test_a_flipped_bit_is_refused_by_the_digest(shard: Shard, data: st.DataObject) -> None:
    """IDX-02; and what reads past the digest raises nothing but crpack's own errors."""
    stored = bytearray(entries.encode(shard))
    name = blobs.digest(bytes(stored))
    stored[data.draw(st.integers(0, len(stored) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(TrustError):
        blobs.check(bytes(stored), name, "s/x")
    with contextlib.suppress(TrustError):
        entries.decode(bytes(stored), shard.name)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | WORDS | DIGESTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)


@given(shards(), st.data())
def test_a_field_of_any_other_value_is_refused_or_fits_the_schema(
    shard: Shard, data: st.DataObject
) -> None:
    """IDX-07: hostile bytes with a right digest raise a FormatError or are a shard."""
    table = value(entries.encode(shard))
    target: Any = data.draw(st.sampled_from([table, *table["releases"]]))
    target[data.draw(st.sampled_from(sorted(target)))] = data.draw(JSON)
    stored = zstd.compress(canonical.encode(table))
    try:
        found = entries.decode(stored, shard.name)
    except TrustError:
        return
    assert found.name == shard.name
    validator("shard").validate(table)
