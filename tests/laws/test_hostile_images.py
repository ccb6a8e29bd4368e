"""Whatever the bytes, a reader of images gives a value or a format error, with bounded work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from crpack.binary.reader import read_all
from crpack.errors import FormatError
from tests.unit.binary import samples
from tests.unit.binary.samples import Elf

if TYPE_CHECKING:
    from crpack.binary.view import ReadAt

SAMPLES = (
    Elf(
        needed=("libc.so.6",), versions=(("libc.so.6", ("GLIBC_2.17",)),), interpreter="/l"
    ).build(),
    Elf(bits=32, machine=40, attributes=samples.arm_attributes((6, 10), (28, 1), name="x")).build(),
    Elf(order=">", machine=22, soname="x", runpath="/a:/b").build(),
    samples.macho(7, commands=(samples.load_command(0xC, 0, 0, 0, text="/usr/lib/x"),)),
    samples.fat((7, samples.macho(7)), (12, samples.macho(12))),
    samples.pe(0x8664, imports=("KERNEL32.dll",)),
    samples.wasm((1, b"\0" * 10), (2, b"wasi_x")),
    samples.ar(("x.o/", Elf(kind=1).build())),
)
MAGICS = tuple(sample[:8] for sample in SAMPLES)
MAX_READS = 20_000
MAX_BYTES = 64 * 2**20


class Counted:
    """Bytes that count how often and how much is read of them."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.reads = self.bytes = 0

    def read_at(self, offset: int, size: int) -> bytes:
        assert offset >= 0
        assert size >= 0
        piece = self.data[offset : offset + size]
        self.reads += 1
        self.bytes += len(piece)
        return piece


def read(data: bytes) -> None:
    counted = Counted(data)
    reader: ReadAt = counted.read_at
    try:
        for one in read_all(reader):
            assert one.platform
    except FormatError:
        pass
    assert counted.reads <= MAX_READS
    assert counted.bytes <= MAX_BYTES


@settings(max_examples=500)
@given(st.sampled_from(MAGICS), st.binary(max_size=400))
def test_random_bytes_behind_a_magic(magic: bytes, rest: bytes) -> None:
    read(magic + rest)


@settings(max_examples=1000)
@given(
    st.sampled_from(SAMPLES),
    st.lists(st.tuples(st.integers(0, 600), st.binary(min_size=1, max_size=8)), max_size=6),
    st.integers(0, 10_000),
)
def test_samples_with_bytes_changed_or_cut(
    sample: bytes, changes: list[tuple[int, bytes]], size: int
) -> None:
    data = bytearray(sample)
    for offset, value in changes:
        data[offset : offset + len(value)] = value
    read(bytes(data[: size or None]))


@settings(max_examples=500)
@given(st.sampled_from(SAMPLES), st.integers(0, 200), st.sampled_from((b"\xff" * 8, b"\0" * 8)))
def test_samples_with_extreme_numbers(sample: bytes, offset: int, value: bytes) -> None:
    for width in (1, 2, 4, 8):
        data = bytearray(sample)
        data[offset : offset + width] = value[:width]
        read(bytes(data))
