from __future__ import annotations

import random
import threading

import pytest
import zstandard

from crpack import zstd
from crpack.errors import ArchiveError

MIB = 1 << 20


def unpack(data: bytes, limit: int = 64 * MIB, window: int = 8 * MIB) -> bytes:
    return zstd.decompress(data, limit=limit, window=window)


def rule(data: bytes, limit: int = 64 * MIB, window: int = 8 * MIB) -> str:
    with pytest.raises(ArchiveError) as caught:
        unpack(data, limit, window)
    return caught.value.rule


def sample(seed: int, size: int) -> bytes:
    words = [b"alpha ", b"beta ", b"gamma\n", bytes(range(256))]
    chosen = random.Random(seed).choices(words, k=size // 5 + 1)  # noqa: S311
    return b"".join(chosen)[:size]


@pytest.mark.parametrize("level", [1, zstd.LEVEL, zstd.RELEASE_LEVEL])
@pytest.mark.parametrize("size", [1, 255, 256, 65_536, 3_000_000])
def test_what_is_compressed_comes_back(level: int, size: int) -> None:
    data = sample(size, size)
    frame = zstd.compress(data, level)
    assert unpack(frame, limit=size) == data
    header = zstandard.get_frame_parameters(frame)
    assert (header.content_size, header.dict_id, header.has_checksum) == (size, 0, False)


def test_a_frame_does_not_depend_on_what_was_compressed_before_or_where() -> None:
    data = sample(1, 100_000)
    first = zstd.compress(data)
    for seed in range(20):
        zstd.compress(sample(seed, 1 + seed * 7919))
    assert zstd.compress(data) == first
    elsewhere: list[bytes] = []
    thread = threading.Thread(target=lambda: elsewhere.append(zstd.compress(data)))
    thread.start()
    thread.join()
    assert elsewhere == [first]


def test_one_frame_and_nothing_else_is_taken() -> None:  # ZST-01
    frame = zstd.compress(b"content" * 9)
    skippable = b"\x50\x2a\x4d\x18\x02\0\0\0hi"
    legacy = b"\x27\xb5\x2f\xfd" + frame[4:]
    for bad in (
        *(b"", frame[:3], frame[:6], frame[:-1], frame + b"\0", frame + frame),
        *(skippable, skippable + frame, frame + skippable, legacy, frame[:4] + b"\xff" * 9),
    ):
        assert rule(bad) == "ZST-01"


def test_a_frame_without_size_or_with_more_is_refused() -> None:  # ZST-02
    unsized = zstandard.ZstdCompressor(write_content_size=False).compress(b"x" * 999)
    summed = zstandard.ZstdCompressor(write_checksum=True).compress(b"x" * 999)
    taught = zstandard.train_dictionary(1024, [sample(n, 2000) for n in range(40)])
    versed = zstandard.ZstdCompressor(dict_data=taught).compress(b"x" * 999)
    assert [rule(bad) for bad in (unsized, summed, versed)] == ["ZST-02"] * 3


def test_a_window_beyond_the_limit_is_refused_before_it_is_made() -> None:  # ZST-03
    wide = zstandard.ZstdCompressionParameters(window_log=24)
    frame = zstandard.ZstdCompressor(compression_params=wide).compress(bytes(32 * MIB))
    assert zstandard.get_frame_parameters(frame).window_size == 16 * MIB
    assert rule(frame) == "ZST-03"
    assert unpack(frame, window=16 * MIB) == bytes(32 * MIB)


def test_content_beyond_the_limit_or_none_is_refused_before_it_is_made() -> None:  # ZST-04
    frame = zstd.compress(bytes(5 * MIB))
    assert len(frame) < 1000
    assert unpack(frame, limit=5 * MIB) == bytes(5 * MIB)
    assert rule(frame, limit=5 * MIB - 1) == "ZST-04"
    assert rule(zstd.compress(b"")) == "ZST-04"
    assert rule(zstd.compress(b"") + b"rest") == "ZST-04"


def test_content_shorter_or_longer_than_it_says_is_refused() -> None:
    frame = bytearray(zstd.compress(b"abc" * 70))
    for size in (209, 211):
        frame[5] = size
        assert rule(bytes(frame)) == "ZST-01"


def test_the_version_is_that_of_the_library() -> None:
    assert zstd.version() == ".".join(map(str, zstandard.ZSTD_VERSION))
