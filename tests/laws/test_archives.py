"""What goes into an archive comes out of it, whatever it is and however it is cut."""

from __future__ import annotations

import io
import itertools
import tarfile
from typing import TYPE_CHECKING

import pytest
import zstandard
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from crpack import zstd
from crpack.archive import frames, payload, tar, verify
from crpack.errors import ArchiveError
from crpack.model import paths, toc, tree
from crpack.model.tree import Entry
from tests.unit.archive.written import Files, archive, opened, packed, unpacked

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = st.text(st.sampled_from("abcXYZ019._- éΔ漢"), min_size=1, max_size=6) | st.just("n" * 110)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
# Sizes about the borders of the small rule below, compressible and dense.
CONTENTS = st.one_of(
    st.binary(max_size=600),
    st.integers(0, 9000).map(bytes),
    st.tuples(st.integers(0, 9000), st.randoms(use_true_random=False)).map(
        lambda pair: pair[1].randbytes(pair[0])
    ),
    st.tuples(st.integers(0, 300), st.integers(0, 6000)).map(
        lambda pair: pair[0].to_bytes(8, "little") + b"{" + bytes(pair[1])
    ),
)


@pytest.fixture(autouse=True, scope="module")
def small_rule() -> Iterator[None]:
    """Cut much smaller than the product does, so that small files meet every border."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "ALONE": 1024,
            "GROUP": 2048 + 4096,
            "GRID": 2048,
            "GRAIN": 512,
            "MAX_GRAINS": 12,
        }.items():
            patch.setattr(frames, name, value)
        yield


@st.composite
def trees(draw: st.DrawFn) -> tuple[Files, list[Entry], tuple[str, ...]]:
    """Draw files, other entries and which files are executable, within the policy of paths."""
    files = Files(draw(st.dictionaries(PATHS, CONTENTS, max_size=6)))
    others = [Entry(path, "dir") for path in draw(st.lists(PATHS, max_size=2))]
    for path in draw(st.lists(PATHS, max_size=2)):
        target = draw(st.sampled_from(sorted(files)) if files else PATHS)
        others.append(Entry(path, "link", target="../" * path.count("/") + target))
    try:
        paths.check_set(files.entries(*others))
    except ArchiveError:
        assume(condition=False)
    executable = tuple(draw(st.lists(st.sampled_from(sorted(files)), max_size=3)) if files else ())
    return files, others, executable


@settings(max_examples=80)
@given(trees())
def test_a_tree_comes_back_whatever_it_is(
    drawn: tuple[Files, list[Entry], tuple[str, ...]],
) -> None:
    files, others, executable = drawn
    data = archive(files, *others, executable=executable)
    assert verify.verify(opened(data), strict=True) == ()
    kept = unpacked(data)
    assert kept.files == files
    assert set(kept.executable) == set(executable)
    assert sorted(kept.folders) == sorted(one.path for one in others if one.kind == "dir")
    assert kept.links == {one.path: one.target for one in others if one.kind == "link"}


@settings(max_examples=40)
@given(trees(), st.integers(2, 4))
def test_threads_change_no_byte(
    drawn: tuple[Files, list[Entry], tuple[str, ...]], threads: int
) -> None:
    files, others, _ = drawn
    entries = files.entries(*others)
    assert packed(files, entries, threads=threads) == packed(files, entries)


@settings(max_examples=50)
@given(trees())
def test_the_frames_are_one_zstd_stream_of_the_one_tar(
    drawn: tuple[Files, list[Entry], tuple[str, ...]],
) -> None:
    files, others, executable = drawn
    entries = files.entries(*others, executable=executable)
    body, table = packed(files, entries)
    out = io.BytesIO()
    tar.write(entries, files.open, out)
    stream = zstandard.ZstdDecompressor().stream_reader(body, read_across_frames=True)
    assert stream.read() == out.getvalue()
    assert toc.entries(table) == entries
    assert tree.digest(toc.entries(table)) == tree.digest(entries)
    with tarfile.open(fileobj=io.BytesIO(out.getvalue()), mode="r:") as found:
        assert {info.name for info in found} == {entry.path for entry in entries}


@settings(max_examples=50)
@given(trees(), st.lists(st.integers(1, 20_000), max_size=8))
def test_a_file_is_where_the_table_says_however_the_tar_is_cut(
    drawn: tuple[Files, list[Entry], tuple[str, ...]], cuts: list[int]
) -> None:
    files, others, _ = drawn
    entries = files.entries(*others)
    out = io.BytesIO()
    tar.write(entries, files.open, out)
    whole = out.getvalue()
    bounds = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    sizes = [b - a for a, b in itertools.pairwise(bounds)]
    for spot in payload.spots(entries, sizes):
        start = bounds[spot.frame] + spot.offset
        assert spot.offset < sizes[spot.frame]
        if spot.entry.kind == "file":
            data = files[spot.entry.path]
            assert whole[start : start + len(data)] == data
            assert bounds[spot.last] <= start + max(len(data), 1) - 1 < bounds[spot.last + 1]


@given(st.binary(min_size=1, max_size=5000), st.sampled_from([1, 3, 9, 19]))
def test_a_frame_holds_what_was_put_in(data: bytes, level: int) -> None:
    frame = zstd.compress(data, level)
    assert zstd.decompress(frame, limit=len(data), window=1 << 23) == data
    assert zstd.compress(data, level) == frame


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_in_one_way(data: bytes) -> None:
    with pytest.raises(ArchiveError):
        opened(data)
    with pytest.raises(ArchiveError):
        zstd.decompress(b"\x28\xb5\x2f\xfd" + data, limit=0, window=1 << 23)
