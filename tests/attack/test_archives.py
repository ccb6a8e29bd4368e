"""Whatever is done to an archive, it is refused with one clear sentence."""

from __future__ import annotations

import functools
import io
import random
import re
import tracemalloc
import zlib
from typing import TYPE_CHECKING

import pytest
import zstandard

from crpack.archive import layout, reader, verify, writer
from crpack.errors import ArchiveError, FormatError
from crpack.model import canonical, signatures
from crpack.model.limits import MAX_FRAME_BYTES, MAX_TOC_BYTES
from tests.unit.archive.written import Files, archive, opened
from tests.vectors import make_vectors
from tests.vectors.forge import Item, bare, forge, stored

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crpack.model.tree import Entry


def refusal(data: bytes) -> str:
    """Return the sentence with which an archive is refused; empty when it is taken."""
    try:
        found = reader.Archive.open(io.BytesIO(data), size=len(data))
    except (ArchiveError, FormatError) as error:
        return error.what
    findings = verify.verify(found, strict=True)
    return findings[0].what if findings else ""


@functools.cache
def target() -> bytes:
    """Return a small archive with every class of member, made by the writer, and signed."""
    inner = bare()
    identity = opened(inner).identity
    source = b"source"
    parts = [
        writer.part(f"component/{identity}.crpkg", inner),
        writer.part(make_vectors.source(source)[0], source),
        writer.part("recipe/x", b"-"),
    ]
    data = archive(Files({"a": b"hello", "b/c": b"x" * 600}), extra=parts, components=[identity])
    signed = signatures.encode([signatures.Signature("a" * 64, bytes(range(64)))])
    out = io.BytesIO()
    writer.write(writer.copy(opened(data), thin=False, signatures=signed), out)
    return out.getvalue()


def test_the_target_itself_is_taken() -> None:
    assert refusal(target()) == ""
    assert len({name.partition("/")[0] for name in opened(target()).names}) == 8


def test_a_byte_flipped_anywhere_is_refused() -> None:
    data = bytearray(target())
    taken = []
    for at in range(len(data)):
        for mask in (1 << at % 8, 0x20, 0xFF):
            data[at] ^= mask
            if not refusal(bytes(data)):
                taken.append((at, mask))
            data[at] ^= mask
    assert taken == []


def test_an_archive_cut_anywhere_is_refused() -> None:
    data = target()
    assert [size for size in range(len(data)) if not refusal(data[:size])] == []


def test_an_archive_without_its_beginning_is_refused() -> None:
    data = target()
    assert [start for start in range(1, len(data)) if not refusal(data[start:])] == []


@pytest.mark.parametrize("extra", [b"\0", b"\n", b"PK\5\6" + bytes(18), b"x" * 70_000])
def test_bytes_before_behind_or_inside_are_refused(extra: bytes) -> None:
    data = target()
    start = layout.find(data[-layout.TAIL :], len(data))[0]
    for at in (0, 30, start, len(data) - 22, len(data)):
        assert refusal(data[:at] + extra + data[at:])


def test_an_archive_twice_is_refused() -> None:
    assert refusal(target() + target())


def test_bytes_left_out_anywhere_are_refused() -> None:
    data = target()
    assert [at for at in range(len(data)) if not refusal(data[:at] + data[at + 1 :])] == []


def test_random_damage_is_refused_without_any_other_error() -> None:
    chance = random.Random(7)  # noqa: S311
    for _ in range(800):
        data = bytearray(target())
        for _ in range(chance.randrange(1, 6)):
            at = chance.randrange(len(data))
            data[at : at + chance.randrange(1, 9)] = chance.randbytes(chance.randrange(9))
        if bytes(data) != target():
            assert refusal(bytes(data))


def rebuilt(members: list[tuple[str, bytes]]) -> bytes:
    slots = layout.place((name, zlib.crc32(data), len(data)) for name, data in members)
    parts = [
        layout.local_header(slot) + data for slot, (_, data) in zip(slots, members, strict=True)
    ]
    return b"".join(parts) + layout.directory(slots)


def contents() -> list[tuple[str, bytes]]:
    found = opened(target())
    return [(name, found.stream(name).read()) for name in found.names]


def test_a_member_changed_with_its_checksum_is_refused() -> None:
    """Only signatures.json may differ: what it holds is judged against keys."""
    chance = random.Random(8)  # noqa: S311
    whole = contents()
    for number, (name, data) in enumerate(whole):
        for _ in range(40):
            at = chance.randrange(len(data))
            bent = data[:at] + bytes([data[at] ^ chance.randrange(1, 256)]) + data[at + 1 :]
            members = [*whole[:number], (name, bent), *whole[number + 1 :]]
            refused = refusal(rebuilt(members))
            if name == "signatures.json" and not refused:
                assert signatures.decode(bent) != signatures.decode(data)
            else:
                assert refused, name


def test_members_left_out_doubled_or_swapped_are_refused() -> None:
    whole = contents()
    for number, (name, _) in enumerate(whole):
        rest = [*whole[:number], *whole[number + 1 :]]
        thin = name.startswith(("payload/", "source/", "component/"))
        assert bool(refusal(rebuilt(rest))) != thin
        assert refusal(rebuilt([*whole[:number], whole[number], *whole[number:]]))
        for other in range(number):
            swapped = list(whole)
            swapped[number], swapped[other] = swapped[other], swapped[number]
            assert refusal(rebuilt(swapped))


def test_sentences_are_one_printable_line_without_a_full_stop() -> None:
    for case, data, _, rule in make_vectors.invalid():
        if case.startswith("json-"):
            continue
        sentence = refusal(data)
        if not sentence:
            assert rule in ("DOC-03", "MAN-08") or case == "recipe-not-json"
            continue  # the container is whole, only the recipe in it is none
        assert re.fullmatch(r"[^\n]{10,400}[^.\n]", sentence), case
        assert sentence.isprintable(), case


# Bombs: memory stays within what limits promise, and is refused before it is spent.


def peak(data: bytes) -> int:
    """Return the most bytes held while an archive is refused."""
    tracemalloc.start()
    try:
        assert refusal(data)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_toc_that_says_it_is_huge_is_not_decompressed() -> None:
    bomb = zstandard.ZstdCompressor(level=3).compress(b" " * (MAX_TOC_BYTES + 1))
    assert peak(forge((), cuts=(), toc_member=lambda _: bomb)) < 2 * 2**20


def test_a_toc_nested_deep_is_not_parsed() -> None:
    deep = b"[" * 1_000_000
    assert refusal(forge((), cuts=(), toc_member=lambda _: stored(deep)))


def test_a_frame_bomb_is_not_decompressed() -> None:
    frame = zstandard.ZstdCompressor(level=3).compress(bytes(MAX_FRAME_BYTES))

    def swap(frames: list[bytes]) -> None:
        frames[0] = frame

    data = forge((Item("a", b"x"),), cuts=(), packed=swap)
    assert peak(data) < 2 * 2**20


def test_a_large_payload_is_unpacked_in_little_memory() -> None:
    data = archive(Files(x=random.Random(5).randbytes(24 * 2**20)))  # noqa: S311
    found = opened(data)

    class Nowhere(verify.Nowhere):
        def file(self, entry: Entry, chunks: Iterator[bytes]) -> None:
            assert sum(map(len, chunks)) == entry.size

    tracemalloc.start()
    try:
        found.unpack(found.manifest.payloads[0].id, Nowhere(), threads=2, strict=True)
        assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
    finally:
        tracemalloc.stop()


def test_a_large_file_is_packed_in_little_memory() -> None:
    files = Files(x=bytes(64 * 2**20))
    entries = files.entries()
    tracemalloc.start()
    try:
        writer.pack_payload(entries, files.open, io.BytesIO(), threads=2)
        assert tracemalloc.get_traced_memory()[1] < 16 * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "text",
    [
        b'"' + b'\\"' * 500_000,
        b'"' * 1_000_001,
        b"[" * 1_000_000,
        b"{" * 1_000_000,
        b"1" * 1_000_000,
        b"-" * 1_000_000,
        b'{"a":' * 200_000,
        b"[" * 31 + b'"' + b"\\\\" * 1_000_000,
    ],
)
def test_json_that_wants_much_time_gets_little(text: bytes) -> None:
    """Each takes well below a second, or minutes where a scan is quadratic."""
    with pytest.raises(FormatError):
        canonical.decode(text, what="it")
