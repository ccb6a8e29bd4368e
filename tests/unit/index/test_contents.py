"""`index.json`, buckets and the catalogue."""

from __future__ import annotations

import hashlib

import pytest

from crpack.errors import CrpackError, FormatError
from crpack.index import blobs, contents
from crpack.index.contents import Card, Contents
from crpack.model.limits import MAX_CARDS

DIGEST = "a" * 64


def test_contents_are_read_as_they_were_written() -> None:
    """IDX-04."""
    said = Contents((DIGEST, *("",) * 255), DIGEST, 1, 2)
    assert contents.decode(contents.encode(said)) == said


@pytest.mark.parametrize("count", [0, 255, 257])
def test_there_are_256_buckets(count: int) -> None:
    """IDX-04."""
    with pytest.raises(FormatError) as caught:
        contents.decode(contents.encode(Contents(("",) * count)))
    assert caught.value.rule == "IDX-04"


def test_a_name_belongs_to_the_bucket_of_its_digest() -> None:
    """IDX-05."""
    number = hashlib.sha256(b"lab/zlib").digest()[0]
    assert contents.bucket_of("lab/zlib") == number
    data = contents.encode_bucket([("lab/zlib", DIGEST)])
    assert contents.decode_bucket(data, number) == (("lab/zlib", DIGEST),)
    with pytest.raises(FormatError) as caught:
        contents.decode_bucket(data, (number + 1) % 256)
    assert caught.value.rule == "IDX-05"


@pytest.mark.parametrize(("name", "digest"), [("Zlib", DIGEST), ("zlib", "a"), ("build", DIGEST)])
def test_a_bucket_holds_names_and_digests_only(name: str, digest: str) -> None:
    """IDX-05."""
    data = contents.encode_bucket([(name, digest)])
    with pytest.raises(FormatError):
        contents.decode_bucket(data, contents.bucket_of(name))


def test_a_piece_of_the_catalogue_is_of_16_buckets() -> None:
    """IDX-10."""
    card = Card("lab/zlib", "software", "1.0", "Compression")
    number = contents.piece_of("lab/zlib")
    assert number == contents.bucket_of("lab/zlib") // 16
    data = contents.encode_piece([card])
    assert contents.decode_piece(data, number) == (card,)
    with pytest.raises(FormatError) as caught:
        contents.decode_piece(data, (number + 1) % 16)
    assert caught.value.rule == "IDX-10"


@pytest.mark.parametrize(
    "rows",
    [
        "x",
        ["zlib"],
        [["zlib", "software", "1.0"]],
        [["zlib", "software", "1.0", 3]],
        [["zlib", "thing", "1.0", "s"]],
        [["zlib", "software", "1.0", "s"]] * 2,
    ],
)
def test_a_piece_that_is_none_is_refused(rows: object) -> None:
    """IDX-10."""
    with pytest.raises(FormatError):
        contents.decode_piece(blobs.pack({"cards": rows}), contents.piece_of("zlib"))


def test_the_head_of_the_catalogue_has_16_pieces() -> None:
    """IDX-10."""
    pieces = (DIGEST, *("",) * 15)
    assert contents.decode_catalogue(contents.encode_catalogue(pieces)) == pieces
    with pytest.raises(FormatError):
        contents.decode_catalogue(contents.encode_catalogue(pieces[:15]))


@pytest.mark.parametrize("card", [("1" * 129, ""), ("1\n", ""), ("1", "a\nb"), ("1", "\x1b[2J")])
def test_a_card_holds_lines_only(card: tuple[str, str]) -> None:
    """IDX-10."""
    data = contents.encode_piece([Card("lab/zlib", "software", *card)])
    with pytest.raises(FormatError) as caught:
        contents.decode_piece(data, contents.piece_of("lab/zlib"))
    assert caught.value.rule == "IDX-10"


def test_a_piece_is_bounded_before_it_is_parsed() -> None:
    """IDX-10."""
    many = [["a", "b", "c", "d"]] * (MAX_CARDS + 1)
    with pytest.raises(FormatError, match="more than"):
        contents.decode_piece(blobs.pack({"cards": many}), 0)
    with pytest.raises(CrpackError):
        contents.decode_piece(blobs.pack({"cards": [["a", "b", "c", "d" * 2**22]]}), 0)
    with pytest.raises(FormatError, match="full"):
        contents.encode_piece([Card("a", "model", "1", "x" * 2**22)])
