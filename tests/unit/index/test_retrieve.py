"""Retrieving over a real server: what comes, in how many requests, and what is refused."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import random
from typing import TYPE_CHECKING

import pytest

from crpack import disk
from crpack.archive import layout, reader, verify
from crpack.errors import CrpackError, FetchError, TrustError
from crpack.fetch.transport import Patience, Transport
from crpack.index.retrieve import retrieve
from crpack.model.limits import KIB
from tests.tools.lying_server import LyingServer, lying
from tests.unit.archive.many import copy_of, many, member_for, thin
from tests.unit.archive.written import opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from crpack.model.manifest import Manifest

PATIENCE = Patience(connect_s=2, read_s=0.3, headers_s=0.6, wait_s=0.001)
PLATFORMS = ("linux-x86_64-gnu2.28", "linux-aarch64-gnu2.28", "linux-armv7-gnu2.28")
ONE = PLATFORMS[0]


@functools.cache
def data() -> bytes:
    """Return an archive of three platforms, 400 KB each, and a source."""
    chance = random.Random(3)  # noqa: S311
    payloads = {
        platform: {f"lib/{n}.so": chance.randbytes(40 * KIB) for n in range(10)}
        for platform in PLATFORMS
    }
    return many(payloads, [chance.randbytes(100 * KIB)])


@pytest.fixture(scope="module")
def server() -> Iterator[LyingServer]:
    with lying({"x": data()}) as one:
        yield one


@pytest.fixture
def place(server: LyingServer, tmp_path: Path) -> Path:
    server.forget()
    (tmp_path / "into").mkdir()
    return tmp_path


def names(*platforms: str, sources: bool = False) -> frozenset[str]:
    found = {member_for(data(), platform) for platform in platforms}
    found |= {f"source/{one}" for one in opened(data()).manifest.sources} if sources else set()
    return frozenset(found)


def get(
    place: Path, *urls: str, wanted: frozenset[str] = frozenset(), parts: str = "", **change: object
) -> reader.Archive:
    """Retrieve, verify all of it, and return it."""
    copies = [dataclasses.replace(copy_of(data(), url), **change) for url in urls]  # type: ignore[arg-type]
    path = retrieve(
        Transport({}, patience=PATIENCE),
        copies,
        identity=opened(data()).identity,
        wanted=lambda _: wanted,
        folder=f"{place}/into",
        parts=parts,
    )
    with open(path, "rb") as file:
        found = opened(file.read())
    assert verify.verify(found, strict=True) == ()
    assert found.identity == opened(data()).identity
    assert found.signatures_bytes == opened(data()).signatures_bytes
    assert wanted <= set(found.names)
    return found


def bulk(found: reader.Archive) -> set[str]:
    return {name for name in found.names if name.startswith(("payload/", "source/"))}


@pytest.mark.parametrize("number", [0, 1, 2])
def test_one_platform_of_three_costs_a_third(server: LyingServer, place: Path, number: int) -> None:
    """FET-11."""
    wanted = names(PLATFORMS[number])
    assert bulk(get(place, f"{server.url}/good/x", wanted=wanted)) == wanted
    assert len(server.asked) == 2
    assert server.sent < 0.35 * len(data())


def test_nothing_wanted_gives_a_thin_copy_in_one_request(server: LyingServer, place: Path) -> None:
    """FET-11."""
    assert bulk(get(place, f"{server.url}/good/x")) == set()
    assert len(server.asked) == 1
    with open(f"{place}/into/{opened(data()).identity}.crpkg", "rb") as file:
        assert file.read() == thin(data())


def test_several_members_come_in_few_requests(server: LyingServer, place: Path) -> None:
    """FET-11."""
    order = sorted(member_for(data(), platform) for platform in PLATFORMS)
    wanted = frozenset({order[0], *names(sources=True)})
    assert bulk(get(place, f"{server.url}/good/x", wanted=wanted)) == wanted
    assert len(server.asked) == 3


@pytest.mark.parametrize("lie", ["good", "whole"])
def test_most_of_it_and_a_server_without_ranges_mean_the_whole(
    server: LyingServer, place: Path, lie: str
) -> None:
    """FET-11."""
    wanted = names(*PLATFORMS) if lie == "good" else names(ONE)
    assert bulk(get(place, f"{server.url}/{lie}/x", wanted=wanted)) == names(
        *PLATFORMS, sources=True
    )
    assert len(server.asked) == 2


def test_a_folder_serves_ranges_too(place: Path) -> None:
    """FET-11."""
    (place / "x").write_bytes(data())
    assert bulk(get(place, f"{place}/x", wanted=names(ONE))) == names(ONE)


@pytest.mark.parametrize("lie", ["unsteady", "cut-once", "busy", "never", "weak"])
def test_what_breaks_off_goes_on(server: LyingServer, place: Path, lie: str) -> None:
    """FET-10, FET-11."""
    get(place, f"{server.url}/{lie}/x", wanted=names(ONE))
    assert disk.names(f"{place}/into") == (f"{opened(data()).identity}.crpkg",)
    if lie == "cut-once":
        assert server.sent < 0.6 * len(data())


@pytest.mark.parametrize(
    ("lie", "kind"),
    [
        ("missing", FetchError),
        ("broken", FetchError),
        ("silent", FetchError),
        ("cut", FetchError),
        ("reset", FetchError),
        ("stalling", FetchError),
        ("unsatisfiable", FetchError),
        ("other-place", FetchError),
        ("other-end", FetchError),
        ("no-size", FetchError),
        ("several", FetchError),
        ("packed", FetchError),
        ("partial", FetchError),
        ("long-part", FetchError),
        ("endless", CrpackError),
        ("away", FetchError),
        ("to-file", FetchError),
        ("alternating", TrustError),
        ("other-size", TrustError),
        ("flipped", TrustError),
    ],
)
def test_a_lie_is_refused_and_leaves_nothing(
    server: LyingServer, place: Path, lie: str, kind: type[CrpackError]
) -> None:
    """FET-09, FET-11."""
    with pytest.raises(kind):
        get(place, f"{server.url}/{lie}/x", wanted=names(ONE))
    assert disk.names(f"{place}/into") == ()


def test_the_next_copy_is_tried(server: LyingServer, place: Path) -> None:
    """FET-11."""
    urls = [f"{server.url}/{lie}/x" for lie in ("missing", "flipped", "good")]
    get(place, *urls, wanted=names(ONE))
    with pytest.raises(TrustError, match="no address gave the right file"):
        get(place, *urls[:2], wanted=names(ONE))


def altered(at: int) -> bytes:
    return data()[:at] + bytes([data()[at] ^ 1]) + data()[at + 1 :]


def test_a_wrong_frame_stops_at_once(place: Path) -> None:
    """FET-11: not one byte of it is kept, and little after it is fetched."""
    name = member_for(data(), ONE)
    slot = next(s for s in _slots() if s.name == name)
    with lying({"x": altered(slot.start + 5)}) as bad:
        with pytest.raises(TrustError, match="is not what the archive lists"):
            get(place, f"{bad.url}/good/x", wanted=names(ONE), parts=f"{place}/parts")
        assert [(place / "parts" / one).stat().st_size for one in os.listdir(place / "parts")] == [
            len(layout.local_header(slot))
        ]
    with lying({"x": altered(next(s for s in _slots() if s.name != name).start)}) as bad:
        get(place, f"{bad.url}/good/x", wanted=names(ONE))  # what is not wanted does not matter


def _slots() -> tuple[layout.Slot, ...]:
    start, count = layout.find(data()[-layout.TAIL :], len(data()))
    return layout.parse(data()[start:], count)


def test_a_byte_flipped_in_a_small_member_is_refused_before_more_is_asked(place: Path) -> None:
    """FET-11."""
    end = _slots()[-1].end
    for at in random.Random(1).sample(range(opened(data()).tail, end), 40):  # noqa: S311
        with lying({"x": altered(at)}) as bad:
            with pytest.raises(TrustError):
                get(place, f"{bad.url}/good/x", wanted=names(ONE))
            assert len(bad.asked) == 1, at


def test_a_byte_flipped_in_the_directory_is_refused_or_does_not_matter(place: Path) -> None:
    """FET-11: the CRC-32 of a member that is not wanted goes nowhere."""
    taken = 0
    for at in range(_slots()[-1].end, len(data()), 7):
        with lying({"x": altered(at)}) as bad, contextlib.suppress(TrustError):
            get(place, f"{bad.url}/good/x", wanted=names(ONE))
            os.remove(f"{place}/into/{opened(data()).identity}.crpkg")
            taken += 1
    assert taken < 5


def test_another_archive_is_refused_before_more_is_asked(place: Path) -> None:
    """FET-11."""
    chance = random.Random(4)  # noqa: S311
    other = many({ONE: {"a": chance.randbytes(400 * KIB)}, PLATFORMS[1]: {"b": b"b" * 99}})
    with lying({"x": other}) as bad:
        copies = [copy_of(other, f"{bad.url}/good/x")]
        with pytest.raises(TrustError, match="another archive"):
            retrieve(
                Transport({}, patience=PATIENCE),
                copies,
                identity="0" * 64,
                wanted=lambda _: pytest.fail("asked what is wanted of another archive"),
                folder=f"{place}/into",
            )
        assert len(bad.asked) == 1


@pytest.mark.parametrize("change", [-30, -1, 1, 30])
def test_a_wrong_place_of_the_end_is_refused(server: LyingServer, place: Path, change: int) -> None:
    """FET-11."""
    with pytest.raises(TrustError):
        get(place, f"{server.url}/good/x", tail=opened(data()).tail + change)
    assert len(server.asked) == 1


def test_what_a_copy_does_not_carry_is_told(server: LyingServer, place: Path) -> None:
    """FET-11."""
    small = thin(data())
    server.files["thin"] = small
    copy = dataclasses.replace(copy_of(small, f"{server.url}/good/thin"), kind="thin")
    full = copy_of(data(), f"{server.url}/good/x")

    def wanted(manifest: Manifest) -> frozenset[str]:
        assert manifest.name == "lab/many"
        return names(ONE)

    with pytest.raises(FetchError, match="has no `payload/"):
        _retrieve(place, [copy], wanted)
    path = _retrieve(place, [copy, full], wanted)
    with open(path, "rb") as file:
        assert bulk(opened(file.read())) == names(ONE)
    with pytest.raises(TrustError, match="does not carry `payload/0"):
        get(place, f"{server.url}/good/x", wanted=frozenset({"payload/0"}))


def _retrieve(place: Path, copies: list, wanted: object) -> str:  # type: ignore[type-arg]
    return retrieve(
        Transport({}, patience=PATIENCE),
        copies,
        identity=opened(data()).identity,
        wanted=wanted,  # type: ignore[arg-type]
        folder=f"{place}/into",
    )


def _cut_in(place: Path, at: int) -> tuple[str, int]:
    """Retrieve from a server that has a wrong byte at `at`; return the part and its bytes."""
    bad = lying({"x": altered(at)})
    with bad as server, pytest.raises(TrustError):
        get(place, f"{server.url}/good/x", wanted=names(ONE), parts=f"{place}/parts")
    (one,) = os.listdir(place / "parts")
    return f"{place}/parts/{one}", os.path.getsize(place / "parts" / one)


def test_a_later_command_goes_on_behind_the_last_right_frame(
    server: LyingServer, place: Path
) -> None:
    """FET-10, FET-11."""
    slot = next(s for s in _slots() if s.name == member_for(data(), ONE))
    part, had = _cut_in(place, slot.start + 150 * KIB)
    assert 100 * KIB < had < 150 * KIB
    with open(part, "ab") as file:
        file.write(b"left by a fault")
    get(place, f"{server.url}/good/x", wanted=names(ONE), parts=f"{place}/parts")
    assert os.listdir(place / "parts") == []
    begun = int(server.asked[1][1]["Range"].removeprefix("bytes=").partition("-")[0])
    assert begun == slot.offset + had


@pytest.mark.parametrize("at", [3, 9000])
def test_a_damaged_part_is_mended(server: LyingServer, place: Path, at: int) -> None:
    """FET-10, FET-11."""
    slot = next(s for s in _slots() if s.name == member_for(data(), ONE))
    part, _ = _cut_in(place, slot.end - 1)
    with open(part, "r+b") as file:
        file.seek(at)
        file.write(b"damage")
    get(place, f"{server.url}/good/x", wanted=names(ONE), parts=f"{place}/parts")
