from __future__ import annotations

import io
import struct
import zipfile
import zlib

import pytest

from crpack.archive import layout
from crpack.errors import ArchiveError
from crpack.model import limits

FULL = 0xFFFFFFFF
GIB = 1 << 30


def rule(data: bytes, count: int) -> str:
    with pytest.raises(ArchiveError) as caught:
        layout.parse(data, count)
    return caught.value.rule


def found(end: bytes, size: int) -> tuple[int, int]:
    return layout.find(end[-layout.TAIL :], size)


def test_headers_are_these_bytes() -> None:  # ARC-02, ARC-04
    (slot,) = layout.place([("a", 0x11223344, 5)])
    assert layout.local_header(slot) == bytes.fromhex(
        "504b0304 0a00 0008 0000 0000 2100 44332211 05000000 05000000 0100 0000 61"
    )
    assert layout.directory([slot]) == bytes.fromhex(
        "504b0102 2d03 0a00 0008 0000 0000 2100 44332211 05000000 05000000 0100 0000 0000 0000 0000"
        "0000a481 00000000 61"
        "504b0506 0000 0000 0100 0100 2f000000 24000000 0000"
    )
    assert layout.parse(layout.directory([slot]), 1) == (slot,)


def test_members_follow_one_another_from_the_first_byte() -> None:  # ARC-01
    slots = layout.place([("a", 0, 10), ("bb", 0, 0), ("c", 0, 7)])
    assert [slot.offset for slot in slots] == [0, 41, 73]
    assert [slot.start for slot in slots] == [31, 73, 104]
    assert slots[-1].end == 111


def test_python_reads_what_is_laid_out() -> None:
    members = [("payload/ü", b"x" * 999), ("b", b"")]
    slots = layout.place((name, zlib.crc32(data), len(data)) for name, data in members)
    whole = b"".join(
        layout.local_header(slot) + data for slot, (_, data) in zip(slots, members, strict=True)
    )
    with zipfile.ZipFile(io.BytesIO(whole + layout.directory(slots))) as archive:
        assert archive.testzip() is None
        assert [(info.filename, archive.read(info)) for info in archive.infolist()] == members
        info = archive.infolist()[0]
        assert info.date_time == (1980, 1, 1, 0, 0, 0)
        assert (info.create_system, info.external_attr >> 16) == (3, 0o100644)
        assert (info.extract_version, info.flag_bits, info.extra) == (10, 1 << 11, b"")


@pytest.mark.parametrize(
    ("size", "zip64"), [(FULL - 1, False), (FULL, True), (FULL + 1, True), (1 << 45, True)]
)
def test_a_large_member_has_zip64_sizes_in_both_headers(
    size: int, *, zip64: bool
) -> None:  # ARC-16
    slots = layout.place([("a", 1, size), ("b", 2, 3)])
    local, other = (layout.local_header(slot) for slot in slots)
    assert (len(local), len(other)) == (31 + 20 * zip64, 31)
    assert struct.unpack_from("<H", local, 4) == ((45,) if zip64 else (10,))
    assert struct.unpack_from("<2L", local, 18) == (min(size, FULL),) * 2
    if zip64:
        assert local[31:] == struct.pack("<2H2Q", 1, 16, size, size)
    assert slots[1].offset == size + len(local)
    end = layout.directory(slots)
    assert layout.parse(end, 2) == slots
    total = slots[-1].end + len(end)
    assert found(end, total) == (slots[-1].end, 2)


def test_a_far_member_has_a_zip64_offset_and_nothing_more() -> None:
    slots = layout.place([("a", 1, FULL - 1), ("b", 2, 3)])
    assert layout.local_header(slots[1]) == layout.local_header(layout.place([("b", 2, 3)])[0])
    end = layout.directory(slots)
    entry = end[47:]
    assert struct.unpack_from("<H", entry, 6) == (45,)
    assert struct.unpack_from("<2L", entry, 20) == (3, 3)
    assert struct.unpack_from("<L", entry, 42) == (FULL,)
    assert entry[47:59] == struct.pack("<2HQ", 1, 8, slots[1].offset)


@pytest.mark.parametrize("spare", [1, 0, -1])
def test_the_end_has_zip64_records_exactly_when_the_directory_is_far(spare: int) -> None:
    slots = layout.place([("a", 1, FULL - 31 - spare)])
    end = layout.directory(slots)
    assert (b"PK\6\6" in end) == (spare <= 0)
    assert found(end, slots[-1].end + len(end)) == (slots[-1].end, 1)
    assert layout.parse(end, 1) == slots


def test_a_zip64_field_that_is_not_needed_is_refused() -> None:
    (slot,) = layout.place([("a", 1, 5)])
    end = layout.directory([slot])
    extra = struct.pack("<2H2Q", 1, 16, 5, 5)
    fields = list(struct.unpack_from("<4s6H3L5H2L", end))
    fields[8:10], fields[11] = [FULL, FULL], len(extra)
    entry = struct.pack("<4s6H3L5H2L", *fields) + b"a" + extra
    assert rule(entry + end[47:], 1) == "ARC-02"


def test_every_byte_of_the_directory_counts() -> None:
    slots = layout.place([("a", 1, 5), ("b", 2, 3)])
    end = layout.directory(slots)
    for at in range(len(end) - 22):
        for mask in (1, 0x80, 0xFF):
            bent = end[:at] + bytes([end[at] ^ mask]) + end[at + 1 :]
            try:
                parsed = layout.parse(bent, 2)
            except ArchiveError:
                continue
            # A name or CRC may differ: the local header, then the member itself, tells.
            assert [slot.size for slot in parsed] == [5, 3]
            assert parsed != slots


def test_a_directory_that_ends_early_is_refused() -> None:
    end = layout.directory(layout.place([("a", 1, 5)]))
    for size in range(len(end)):
        assert rule(end[:size], 1) == "ARC-02"
    assert rule(end, 2) == "ARC-02"
    assert rule(end + b"x", 1) == "ARC-02"


def test_an_end_record_out_of_bounds_is_refused() -> None:  # ARC-03
    def end(count: int, length: int, start: int) -> bytes:
        return struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, length, start, 0)

    for data, size, broken in (
        (b"", 0, "ARC-01"),
        (b"PK", 2, "ARC-01"),
        (bytes(22), 22, "ARC-01"),
        (end(0, 0, 0), 22, "ARC-03"),
        (end(limits.MAX_MEMBERS + 1, 0, 0), 22, "ARC-03"),
        (end(1, limits.MAX_DIRECTORY_BYTES + 1, 0), 22, "ARC-03"),
        (end(1, 100, 100), 221, "ARC-01"),
        (end(1, 100, 100), 223, "ARC-01"),
        (end(1, 0, FULL), 22, "ARC-01"),
    ):
        with pytest.raises(ArchiveError) as caught:
            layout.find(data, size)
        assert caught.value.rule == broken


def test_a_member_beyond_every_limit_is_refused_before_it_is_added_up() -> None:
    (slot,) = layout.place([("a", 1, limits.MAX_ARCHIVE_BYTES + 1)])
    assert rule(layout.directory([slot]), 1) == "ARC-03"
