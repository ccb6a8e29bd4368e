from __future__ import annotations

import hashlib
import io
import os
import random
from typing import TYPE_CHECKING

import pytest

from crpack.archive import verify, writer
from crpack.errors import ArchiveError, BuildFailed
from crpack.model import signatures
from crpack.model.tree import Entry
from tests.unit.archive.written import Files, archive, entry, opened, packed, unpacked

if TYPE_CHECKING:
    from pathlib import Path

NOISE = random.Random(3).randbytes(1_500_000)  # noqa: S311
FILES = Files(
    {
        "bin/run": b"#!/bin/sh\n",
        "data/noise": NOISE,
        "data/text": b"some text, again and again\n" * 100_000,
        "data/one": NOISE[:50_000],
        **{f"small/{n:03}": b"%d" % n * n for n in range(150)},
    }
)
OTHERS = (Entry("empty", "dir"), Entry("lib/link", "link", target="../bin/run"))


@pytest.mark.parametrize("threads", [2, 3, 7])
def test_any_number_of_threads_makes_the_same_bytes(threads: int) -> None:
    entries = FILES.entries(*OTHERS)
    assert packed(FILES, entries, threads=threads) == packed(FILES, entries)
    assert archive(FILES, *OTHERS, threads=threads) == archive(FILES, *OTHERS)


def test_the_order_in_which_files_are_found_does_not_count() -> None:
    entries = FILES.entries(*OTHERS)
    shuffled = list(entries)
    random.Random(1).shuffle(shuffled)  # noqa: S311
    assert packed(FILES, shuffled) == packed(FILES, entries)


def test_what_is_packed_comes_back() -> None:
    kept = unpacked(archive(FILES, *OTHERS, executable=("bin/run",)))
    assert kept.files == FILES
    assert kept.executable == ["bin/run"]
    assert kept.folders == ["empty"]
    assert kept.links == {"lib/link": "../bin/run"}


def test_dense_bytes_hardly_grow() -> None:
    entries = Files(x=NOISE).entries()
    body, _ = packed({"x": NOISE}, entries)
    assert len(body) < len(NOISE) + 2000


def test_a_tree_that_breaks_the_policy_is_not_packed() -> None:
    for bad, rule in (
        ([entry("a", b""), entry("A", b"")], "PTH-04"),
        ([Entry("l", "link", target="../x")], "PTH-06"),
    ):
        with pytest.raises(ArchiveError) as caught:
            packed({"a": b"", "A": b""}, bad)
        assert caught.value.rule == rule


def test_a_member_is_listed_by_its_bytes() -> None:
    one = writer.part("recipe/x", b"abc")
    listed = writer.member(one)
    assert (listed.path, listed.size) == ("recipe/x", 3)
    assert listed.sha256 == hashlib.sha256(b"abc").hexdigest()


def test_an_archive_has_the_members_it_must_and_in_order() -> None:
    data = writer.part("manifest.json", b"")
    with pytest.raises(ArchiveError) as caught:
        writer.write([data], io.BytesIO())
    assert caught.value.rule == "ARC-07"
    parts = [writer.part(name, b"") for name in ("signatures.json", "manifest.json")]
    with pytest.raises(ArchiveError) as caught:
        writer.write([*parts, writer.part("recipe.json", b"")], io.BytesIO())
    assert caught.value.rule == "ARC-06"
    ordered = writer.in_order([*parts, writer.part("recipe.json", b"")])
    assert [one.name for one in ordered] == ["recipe.json", "manifest.json", "signatures.json"]


@pytest.mark.parametrize("size", [2, 4])
def test_a_part_of_another_size_is_noticed(size: int) -> None:
    part = writer.Part("recipe.json", size, lambda: io.BytesIO(b"abc"))
    with pytest.raises(BuildFailed, match=r"does not have the . bytes"):
        writer.member(part)
    others = [writer.part("manifest.json", b""), writer.part("signatures.json", b"")]
    with pytest.raises(BuildFailed):
        writer.write([part, *others], io.BytesIO())


def test_the_size_told_is_the_size_written(tmp_path: Path) -> None:
    parts = [writer.part(name, b"abc") for name in ("recipe.json", "manifest.json")]
    with (tmp_path / "x").open("wb+") as out:
        size = writer.write([*parts, writer.part("signatures.json", b"")], out)
    assert os.path.getsize(tmp_path / "x") == size


def test_a_thin_copy_has_the_same_identity_and_lacks_bulk() -> None:  # ARC-08
    full = opened(archive(FILES))
    out = io.BytesIO()
    writer.write(writer.copy(full, thin=True), out)
    thin = opened(out.getvalue())
    assert thin.identity == full.identity
    assert thin.manifest_bytes == full.manifest_bytes
    assert [name for name in full.names if not thin.has(name)] == [full.names[0]]
    assert verify.verify(thin, strict=True) == ()


def test_a_full_copy_is_byte_for_byte_the_same() -> None:
    data = archive(FILES, *OTHERS)
    out = io.BytesIO()
    writer.write(writer.copy(opened(data), thin=False), out)
    assert out.getvalue() == data


def test_a_copy_may_have_other_signatures_and_keeps_its_identity() -> None:
    full = opened(archive(FILES))
    signed = signatures.encode([signatures.Signature("a" * 64, bytes(64))])
    out = io.BytesIO()
    writer.write(writer.copy(full, thin=False, signatures=signed), out)
    again = opened(out.getvalue())
    assert again.identity == full.identity
    assert again.signatures_bytes == signed
