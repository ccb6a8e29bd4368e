from __future__ import annotations

import io
import json
import random

import pytest

from crpack.archive import frames, tar
from crpack.errors import BuildFailed
from crpack.model.limits import MAX_FRAME_BYTES
from crpack.model.tree import Entry
from tests.unit.archive.written import Files, packed

KIB = 1024
TEXT = b"the quick brown fox jumps over the lazy dog\n" * 60_000


def dense(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)  # noqa: S311


def tensors(header: dict[str, object], data: bytes) -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def pieces(files: Files, *others: Entry) -> list[frames.Piece]:
    return list(frames.cut(files.entries(*others), files.open))


def raw_sizes(files: Files) -> list[int]:
    _, toc = packed(files, files.entries())
    return [frame.raw for frame in toc.frames]


def test_pieces_make_the_tar() -> None:
    files = Files({"a": b"x", "big": TEXT[: 2**21 + 77], "c": dense(40_000), "d": b"y"})
    out = io.BytesIO()
    tar.write(files.entries(Entry("e", "dir")), files.open, out)
    whole = b"".join(piece.raw for piece in pieces(files, Entry("e", "dir")))
    assert whole == out.getvalue()


def test_small_files_share_a_frame_and_larger_ones_have_their_own() -> None:
    files = Files(
        {
            "a": bytes(30 * KIB),
            "b": bytes(30 * KIB),
            "c": bytes(30 * KIB),
            "d": bytes(frames.ALONE),
            "e": b"",
            "f": bytes(frames.GRID),
        }
    )
    assert [len(piece.raw) for piece in pieces(files)] == [
        *(2 * 30 * KIB + 1024, 30 * KIB + 512),
        *(frames.ALONE + 512, 512, frames.GRID + 512, 1024),
    ]


def test_links_and_folders_share_frames_too() -> None:
    links = [Entry(f"l{n:03}", "link", target="x") for n in range(200)]
    found = pieces(Files(), *links)
    assert [len(piece.raw) for piece in found] == [frames.GROUP, (200 - 128) * 512 + 1024]


def test_a_large_file_is_cut_on_a_grid_behind_its_header() -> None:
    size = 2 * frames.GRID + 100
    assert [len(piece.raw) for piece in pieces(Files(x=TEXT[:size]))] == [
        *(512, frames.GRID, frames.GRID, 100 + tar.padding(size), 1024)
    ]


def test_a_tensor_header_moves_no_piece() -> None:
    weights = dense(frames.GRID + 5 * KIB)
    old = pieces(Files(x=tensors({"a": 1}, weights)))
    new = pieces(Files(x=tensors({"a": 1, "metadata": "longer" * 99}, weights)))
    assert len(old[0].raw) != len(new[0].raw)
    assert [piece.raw for piece in old[1:-2]] == [piece.raw for piece in new[1:-2]]
    assert b"".join(piece.raw for piece in old[1:]).startswith(weights)


@pytest.mark.parametrize(
    ("start", "size", "header"),
    [
        (b"\x02\0\0\0\0\0\0\0{}", 10, 10),
        (b"\x02\0\0\0\0\0\0\0{}", 9, 0),
        (b"\x02\0\0\0\0\0\0\0[]", 10, 0),
        (b"\xff" * 8 + b"{", 2**40, 0),
        (b"", 0, 0),
        (b"{", 1, 0),
        ((frames.MAX_TENSOR_HEADER - 8).to_bytes(8, "little") + b"{", 2**40, 100 * 2**20),
        ((frames.MAX_TENSOR_HEADER - 7).to_bytes(8, "little") + b"{", 2**40, 0),
    ],
)
def test_a_tensor_header_is_told_from_other_bytes(start: bytes, size: int, header: int) -> None:
    assert frames.tensor_header(size, start) == header


def test_dense_pieces_are_cut_fine_and_others_are_not() -> None:
    size = frames.GRID + frames.GRAIN + 3
    padding = tar.padding(size)
    assert raw_sizes(Files(x=dense(size))) == [
        *(512, *[frames.GRAIN] * 17, 3 + padding, 1024),
    ]
    assert raw_sizes(Files(x=TEXT[:size])) == [
        *(512, frames.GRID, frames.GRAIN + 3 + padding, 1024)
    ]


def test_padding_alone_makes_no_frame_of_a_file() -> None:
    header = tensors({"a": "x" * 11}, b"")
    data = header + dense(frames.GRID)
    assert tar.padding(len(data)) > 0
    assert raw_sizes(Files(x=data)) == [
        *(512 + len(header), *[frames.GRAIN] * 15, frames.GRAIN + tar.padding(len(data)), 1024)
    ]


def test_a_few_changed_weights_change_a_few_frames() -> None:
    weights = bytearray(dense(2 * frames.GRID))
    _, old = packed({"x": bytes(weights)}, Files(x=bytes(weights)).entries())
    weights[frames.GRID + 5] ^= 1
    _, new = packed({"x": bytes(weights)}, Files(x=bytes(weights)).entries())
    lacking = {frame.sha256 for frame in new.frames} - {frame.sha256 for frame in old.frames}
    assert len(lacking) == 1


def test_the_grain_grows_with_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MAX_GRAINS", 16)
    grains = {piece.grain for piece in pieces(Files(x=bytes(2 * frames.GRID + 1)))}
    assert grains == {0, 4 * frames.GRAIN}
    monkeypatch.setattr(frames, "MAX_GRAINS", 1)
    assert {piece.grain for piece in pieces(Files(x=bytes(3 * frames.GRID)))} == {0, frames.GRID}


def test_no_piece_is_larger_than_a_frame_may_be() -> None:
    largest_header = tar.header_size(Entry("p" * 1024, "file", size=1, sha256="0" * 64))
    assert frames.GRID + largest_header + 511 <= MAX_FRAME_BYTES
    assert frames.ALONE + largest_header + 511 <= frames.GROUP


@pytest.mark.parametrize("size", [0, 1, frames.GRID, 3 * frames.GRID + 8, 3 * frames.GRID + 10])
def test_a_large_file_that_changed_is_noticed(size: int) -> None:
    entries = Files(x=bytes(3 * frames.GRID + 9)).entries()
    with pytest.raises(BuildFailed, match="`x` changed"):
        list(frames.cut(entries, Files(x=bytes(size)).open))
    with pytest.raises(BuildFailed, match="`x` changed"):
        list(frames.cut(entries, Files(x=b"x" * (3 * frames.GRID + 9)).open))
