"""Whatever is done to a bundle, it is refused with one clear sentence."""

from __future__ import annotations

import functools
import io
import random
import zlib
from typing import TYPE_CHECKING

import pytest

from crpack.archive import layout, verify
from crpack.archive.bundle import Bundle, is_bundle
from crpack.errors import ArchiveError, FormatError
from crpack.model import bundle as bundles
from crpack.model.manifest import Member
from tests.unit.archive.test_bundle import DATE, digest, parts, written

if TYPE_CHECKING:
    from collections.abc import Callable

Members = list[tuple[str, bytes]]


def refusal(data: bytes) -> str:
    """Return the sentence with which a bundle is refused; empty when all of it is taken."""
    stream = io.BytesIO(data)
    try:
        if not is_bundle(stream):
            return "it is no bundle"
        found = Bundle.open(stream, size=len(data))
        found.read_through()
        findings = [
            f for i in found.identities for f in verify.verify(found.archive(i), strict=True)
        ]
    except (ArchiveError, FormatError) as error:
        return error.what
    return findings[0].what if findings else ""


@functools.cache
def target() -> bytes:
    return written(parts())


def members() -> Members:
    found = Bundle.open(io.BytesIO(target()), size=len(target()))
    return [(name, found.read(name)) for name in found.names]


def rebuilt(some: Members, *, listed: Members | None = None) -> bytes:
    """Return a container of members in the order given, its listing fitting to `listed`."""
    what = [one for one in (some if listed is None else listed) if one[0] != bundles.LISTING]
    rows = tuple(Member(name, len(data), digest(data)) for name, data in sorted(what))
    listing = bundles.encode(bundles.Listing(DATE, (), (), rows))
    every = [(name, listing if name == bundles.LISTING else data) for name, data in some]
    slots = layout.place((name, zlib.crc32(data), len(data)) for name, data in every)
    bodies = [
        layout.local_header(slot) + data for slot, (_, data) in zip(slots, every, strict=True)
    ]
    return b"".join(bodies) + layout.directory(slots)


def test_the_target_itself_is_taken() -> None:
    assert refusal(target()) == ""
    assert refusal(rebuilt(members())) == ""


def test_a_byte_flipped_anywhere_is_refused() -> None:
    """BUN-01, BUN-05."""
    data = bytearray(target())
    taken = []
    for at in range(len(data)):
        mask = (1 << at % 8) if at % 2 else 0x20
        data[at] ^= mask
        if not refusal(bytes(data)):
            taken.append(at)
        data[at] ^= mask
    assert taken == []


def test_a_bundle_cut_or_extended_anywhere_is_refused() -> None:
    """BUN-01."""
    data = target()
    for at in range(0, len(data), 3):
        assert refusal(data[:at])
        assert refusal(data[at + 1 :])
        assert refusal(data[:at] + b"\0" + data[at:])
        assert refusal(data[:at] + data[at + 1 :])
    assert refusal(data + b"\0")
    assert refusal(data + data)


def test_random_damage_is_refused_without_any_other_error() -> None:
    chance = random.Random(7)  # noqa: S311
    for _ in range(400):
        data = bytearray(target())
        for _ in range(chance.randrange(1, 6)):
            at = chance.randrange(len(data))
            data[at : at + chance.randrange(1, 9)] = chance.randbytes(chance.randrange(9))
        if bytes(data) != target():
            assert refusal(bytes(data))


def _swapped(some: Members) -> Members:
    return [some[1], some[0], *some[2:]]


@pytest.mark.parametrize(
    "change",
    [
        _swapped,
        lambda some: [*some[:-2], some[-1], some[-2]],
        lambda some: some[:-1],
        lambda some: [*some[:1], *some],
        lambda some: [*some[:-1], some[-1], some[-1]],
        lambda some: [some[-1], *some[:-1]],
    ],
    ids=["swapped", "listing not last", "no listing", "twice", "two listings", "listing first"],
)
def test_members_in_another_order_are_refused(change: Callable[[Members], Members]) -> None:
    """BUN-02."""
    assert refusal(rebuilt(change(members()), listed=members()))


def test_a_member_more_or_less_than_listed_is_refused() -> None:
    """BUN-04."""
    for at in range(len(members()) - 1):
        fewer = members()[:at] + members()[at + 1 :]
        assert refusal(rebuilt(fewer)) == ""
        assert "other members" in refusal(rebuilt(fewer, listed=members()))
        assert "other members" in refusal(rebuilt(members(), listed=fewer))


def test_a_member_of_other_bytes_than_listed_is_refused_when_it_is_read() -> None:
    """BUN-05."""
    for at, (name, data) in enumerate(members()[:-1]):
        other = (name, bytes(len(data)))
        some = [*members()[:at], other, *members()[at + 1 :]]
        assert "not the one the manifest lists" in refusal(rebuilt(some, listed=members())), name


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "/etc/passwd",
        "archive/../x.crpkg",
        f"wheel/{digest(b'-')}/../../x.whl",
        f"wheel/{digest(b'-')}/a\\b.whl",
        f"index/{'f' * 64}/../../../x",
        f"index/{'f' * 64}/a/./b",
        f"index/{'f' * 64}/\u202ea",
        "Crpack.lock",
        "bundle.json ",
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    """BUN-02."""
    some = [(name, b"-"), ("bundle.json", b"")]
    assert refusal(rebuilt(some, listed=[]))


def test_a_listing_that_is_too_large_is_not_read() -> None:
    """ARC-13."""
    slots = layout.place([("bundle.json", 0, 5 << 20)])
    data = layout.local_header(slots[0]) + bytes(5 << 20) + layout.directory(slots)
    assert "more than" in refusal(data)


def test_an_archive_may_not_be_a_bundle() -> None:
    """BUN-06."""
    name = bundles.archive_member("0" * 64)
    assert refusal(rebuilt([(name, target()), ("bundle.json", b"")]))
