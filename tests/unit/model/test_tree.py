from __future__ import annotations

import hashlib

from crpack.model import tree
from crpack.model.tree import Entry

DIGEST = hashlib.sha256(b"x").hexdigest()
ENTRIES = (
    Entry("b", "file", executable=True, size=1, sha256=DIGEST),
    Entry("B", "dir"),
    Entry("a", "link", target="b"),
    Entry("a-c", "file", size=1, sha256=DIGEST),
)


def test_the_listing_is_sorted_by_code_point_and_holds_content_only() -> None:  # TRE-01, TRE-02
    assert tree.listing(ENTRIES) == [
        ["B", "dir", 0, ""],
        ["a", "link", 0, "b"],
        ["a-c", "file", 0, DIGEST],
        ["b", "file", 1, DIGEST],
    ]


def test_the_digest_is_that_of_the_canonical_listing() -> None:  # TRE-03
    text = (
        f'[["B","dir",0,""],["a","link",0,"b"],["a-c","file",0,"{DIGEST}"],'
        f'["b","file",1,"{DIGEST}"]]'
    )
    assert tree.digest(ENTRIES) == hashlib.sha256(text.encode()).hexdigest()
    assert tree.digest(reversed(ENTRIES)) == tree.digest(ENTRIES)
    assert tree.digest(()) == hashlib.sha256(b"[]").hexdigest()


def test_what_a_file_is_changes_the_digest() -> None:
    plain = Entry("p", "file", size=1, sha256=DIGEST)
    others = (
        Entry("q", "file", size=1, sha256=DIGEST),
        Entry("p", "file", executable=True, size=1, sha256=DIGEST),
        Entry("p", "file", size=1, sha256="0" * 64),
        Entry("p", "link", target=DIGEST),
        Entry("p", "dir"),
    )
    digests = {tree.digest([one]) for one in (plain, *others)}
    assert len(digests) == 1 + len(others)
