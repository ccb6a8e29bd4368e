from __future__ import annotations

import hashlib
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crpack.archive import slices, verify
from crpack.archive.slices import GAP, MAX_RANGES, Feed, Plan
from crpack.errors import ArchiveError
from crpack.model import manifest as manifests
from crpack.model.limits import KIB
from tests.unit.archive.many import many, thin
from tests.unit.archive.written import opened

CHANCE = random.Random(8)  # noqa: S311
SOURCES = [CHANCE.randbytes(size * KIB) for size in (1, 90, 90, 90, 90, 90)] + [b""]
DATA = many({"any": {"a": CHANCE.randbytes(70 * KIB), "b": b"b" * 99}}, SOURCES)
TAIL = opened(DATA).tail
BULK = [name for name in opened(DATA).names if name.startswith(("payload/", "source/"))]


def tail(data: bytes = DATA) -> slices.Tail:
    return slices.open_tail(data[TAIL:], size=len(data), tail=TAIL)


def made(plan: Plan, step: int = 10**9) -> bytes:
    """Return the copy that a plan makes, its pieces taken `step` bytes at once."""
    feed = Feed(plan.pieces)
    out = pumped(feed, step)
    assert feed.at == len(out)
    return out + plan.ending


def pumped(feed: Feed, step: int = 10**9) -> bytes:
    """Return what a feed took, `step` bytes at once."""
    out = b""
    while feed.piece:
        known = feed.known()
        data = DATA[feed.source : feed.source + min(step, feed.left)] if known is None else known
        feed.take(data)
        out += data
    return out


def bulk(data: bytes) -> list[str]:
    return [name for name in opened(data).names if name.startswith(("payload/", "source/"))]


@settings(max_examples=60)
@given(st.sets(st.sampled_from(BULK)), st.integers(1000, 200_000))
def test_any_wanted_members_make_a_valid_copy(wanted: set[str], step: int) -> None:
    """FET-11, ARC-08."""
    plan = slices.plan(tail(), wanted)
    copy = made(plan, step)
    assert len(copy) == plan.size
    assert bulk(copy) == sorted(wanted)
    assert verify.verify(opened(copy), strict=True) == ()
    assert opened(copy).manifest_bytes == opened(DATA).manifest_bytes


@settings(max_examples=60)
@given(st.sets(st.sampled_from(BULK)))
def test_ranges_are_few_and_cover_what_is_wanted(wanted: set[str]) -> None:
    """FET-11."""
    plan = slices.plan(tail(), wanted)
    assert len(plan.ranges) <= MAX_RANGES
    for piece in plan.pieces:
        if not piece.header and piece.size:
            end = piece.source + piece.size
            assert any(first <= piece.source and end <= last for first, last in plan.ranges)
    edges = [edge for one in plan.ranges for edge in one]
    assert edges == sorted(edges)
    assert all(b - a > GAP for a, b in zip(edges[1::2], edges[2::2], strict=False))


def test_all_and_nothing_wanted_are_the_full_and_the_thin_copy() -> None:
    """FET-11."""
    assert made(slices.plan(tail(), set(BULK))) == DATA
    assert made(slices.plan(tail(), set())) == thin(DATA)


@pytest.mark.parametrize("name", ["payload/x", "source/" + "0" * 64, "recipe.txt"])
def test_a_member_that_is_not_there_is_refused(name: str) -> None:
    """FET-11."""
    with pytest.raises(ArchiveError, match="does not carry"):
        slices.plan(tail(), {name})


def test_what_a_copy_lacks_cannot_be_wanted() -> None:
    """FET-11."""
    small = thin(DATA)
    end = slices.open_tail(small, size=len(small), tail=0)
    with pytest.raises(ArchiveError, match="does not carry"):
        slices.plan(end, {BULK[0]})


@pytest.mark.parametrize("size", [len(DATA) - 1, len(DATA) + 1])
def test_an_end_of_another_length_is_refused(size: int) -> None:
    with pytest.raises(ArchiveError):
        slices.open_tail(DATA[TAIL:], size=size, tail=TAIL)
    with pytest.raises(ArchiveError):
        slices.open_tail(DATA[TAIL:], size=size, tail=TAIL + size - len(DATA))


def test_a_directory_that_lies_before_the_end_is_refused() -> None:
    """FET-11: the end record points to where nothing was fetched."""
    for start in range(len(DATA) - 200, len(DATA)):
        with pytest.raises(ArchiveError):
            slices.open_tail(DATA[start:], size=len(DATA), tail=start)


def test_a_byte_flipped_in_the_end_is_refused_or_changes_a_crc_only() -> None:
    """FET-11."""
    taken = 0
    for at in range(TAIL, len(DATA)):
        data = DATA[:at] + bytes([DATA[at] ^ 0x10]) + DATA[at + 1 :]
        try:
            found = tail(data)
        except ArchiveError:
            continue
        taken += 1
        names = [(slot.name, slot.size) for slot in found.slots]
        assert names == [(slot.name, slot.size) for slot in tail().slots]
        assert found.archive.manifest_bytes == opened(DATA).manifest_bytes
    assert taken == 4 * len(BULK)


def test_a_wrong_crc_of_a_wanted_member_is_refused() -> None:
    """ARC-11, FET-11."""
    plan = slices.plan(tail(), {BULK[0]})
    last = plan.pieces[-1]
    bad = [*plan.pieces[:-1], slices.Piece(last.name, last.size, last.source, last.sha256, crc=1)]
    feed = Feed(tuple(bad))
    with pytest.raises(ArchiveError):
        pumped(feed)
    assert feed.at == sum(piece.size for piece in plan.pieces[:-1])


def test_a_wrong_piece_is_refused_and_may_come_again() -> None:
    """FET-11."""
    feed = Feed(slices.plan(tail(), {BULK[0]}).pieces)
    feed.take(feed.known() or b"")
    before = feed.at
    feed.take(b"wrong")
    with pytest.raises(ArchiveError, match="is not what the archive lists"):
        feed.take(bytes(feed.left))
    assert feed.at == before
    feed.take(DATA[feed.source : feed.source + 3])
    feed.rewind()
    feed.take(DATA[feed.source : feed.source + feed.left])
    assert feed.at > before


def test_a_payload_has_a_piece_a_frame() -> None:
    """FET-11."""
    name = next(name for name in BULK if name.startswith("payload/"))
    archive = opened(DATA)
    toc = archive.toc(archive.manifest.payloads[0].id)
    assert name == manifests.payload_member(archive.manifest.payloads[0].id)
    pieces = slices.plan(tail(), {name}).pieces
    assert [piece.sha256 for piece in pieces] == ["", *(frame.sha256 for frame in toc.frames)]
    assert len(toc.frames) > 1
    source = f"source/{hashlib.sha256(SOURCES[1]).hexdigest()}"
    assert len(slices.plan(tail(), {source}).pieces) == 2
