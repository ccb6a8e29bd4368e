from __future__ import annotations

from dataclasses import replace

import pytest

from crpack.errors import CrpackError
from crpack.model import limits, toc
from crpack.model.toc import Frame, Toc, TocFile, TocLink
from crpack.model.tree import Entry

A, B, C = ("a" * 64, "b" * 64, "c" * 64)
TOC = Toc(
    frames=(Frame(0, 10, 4096, A, raw_sha256=B), Frame(10, 7, 1024, C)),
    files=(TocFile("bin/x", 3, True, A, 0, 512), TocFile("y", 0, False, B, 0, 1536)),
    links=(TocLink("bin/l", "../y"),),
    dirs=("empty",),
)


def refused(table: Toc) -> str:
    with pytest.raises(CrpackError) as caught:
        toc.decode(toc.encode(table))
    return caught.value.rule


def test_a_table_of_contents_comes_back_as_it_went() -> None:
    assert toc.decode(toc.encode(TOC)) == TOC
    assert toc.decode(toc.encode(Toc((), ()))) == Toc((), ())


def test_its_entries_are_the_tree_in_order() -> None:
    assert toc.entries(TOC) == (
        Entry("bin/l", "link", target="../y"),
        Entry("bin/x", "file", executable=True, size=3, sha256=A),
        Entry("empty", "dir"),
        Entry("y", "file", size=0, sha256=B),
    )


@pytest.mark.parametrize(
    ("table", "rule"),
    [
        (replace(TOC, frames=(Frame(0, 10, limits.MAX_FRAME_BYTES + 1, A),)), "TOC-02"),
        (replace(TOC, frames=(Frame(0, limits.MAX_PACKED_BYTES + 1, 1, A),)), "TOC-02"),
        (replace(TOC, frames=(Frame(0, 0, 1, A),)), "TOC-02"),
        (replace(TOC, frames=(Frame(0, 1, 0, A),)), "TOC-02"),
        (replace(TOC, frames=(Frame(0, 1, 1, "A"),)), "TOC-02"),
        (replace(TOC, files=(TocFile("y", -1, False, B, 0, 0),)), "TOC-02"),
        (replace(TOC, files=(TocFile("y", 0, False, B, -1, 0),)), "TOC-02"),
        (replace(TOC, files=TOC.files[::-1]), "TOC-03"),
        (replace(TOC, files=(TOC.files[0], TOC.files[0])), "TOC-03"),
        (replace(TOC, links=(TocLink("m", "y"), TocLink("l", "y"))), "TOC-03"),
        (replace(TOC, dirs=("f", "e")), "TOC-03"),
        (replace(TOC, frames=TOC.frames[::-1]), "TOC-04"),
        (replace(TOC, frames=TOC.frames[1:]), "TOC-04"),
        (replace(TOC, frames=(TOC.frames[0], replace(TOC.frames[1], offset=11))), "TOC-04"),
        (replace(TOC, dirs=("y",)), "PTH-05"),
        (replace(TOC, dirs=("../x",)), "PTH-01"),
        (replace(TOC, links=(TocLink("l", "/y"),)), "PTH-06"),
    ],
)
def test_a_table_that_breaks_a_rule_is_refused(table: Toc, rule: str) -> None:
    assert refused(table) == rule
