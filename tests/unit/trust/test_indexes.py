from __future__ import annotations

from dataclasses import astuple

import pytest

from crpack.errors import FormatError, UsageError
from crpack.model import canonical
from crpack.trust import indexes
from crpack.trust.indexes import IndexPin

ONE = IndexPin("one", "https://packages.example.org", "1" * 64)
TWO = IndexPin("two", "/srv/index", "2" * 64)


def document(*rows: dict[str, object], **fields: object) -> bytes:
    return canonical.encode({"format": 1, "critical": [], "indexes": list(rows)} | fields)


def row(pin: IndexPin, **fields: object) -> dict[str, object]:
    return {"fingerprint": pin.fingerprint, "name": pin.name, "url": pin.url} | fields


def test_the_file_keeps_the_order_of_the_pins() -> None:
    # TUF-17
    for pins in [(), (ONE,), (ONE, TWO), (TWO, ONE)]:
        assert indexes.decode(indexes.encode(pins)) == pins
    assert indexes.encode((TWO, ONE)) == document(row(TWO), row(ONE))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        document(row(ONE), row(ONE)),
        document(row(ONE), row(TWO, name="one")),
        document(row(ONE), row(TWO, fingerprint="1" * 64)),
        document(row(ONE, name="crpack")),
        document(row(ONE, name="One")),
        document(row(ONE, name="")),
        document(row(ONE, url="https://packages.example.org/")),
        document(row(ONE, url="ftp://packages.example.org")),
        document(row(ONE, url="relative")),
        document(row(ONE, fingerprint="1" * 63)),
        document(row(ONE, fingerprint="sha256:" + "1" * 64)),
        document(row(ONE), critical=["mirror"]),
        document({"name": "one"}),
    ],
)
def test_a_file_that_breaks_the_format_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        indexes.decode(data)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "packages.example.org",
        "http://",
        "https://user:secret@packages.example.org",
        "https://packages.example.org/?x=1",
        "https://packages.example.org/#x",
        "https://packages.example.org/a b",
        "file:///srv/index",
        "//host/index",
        "/srv/in\ndex",
        "http://[",
    ],
)
def test_an_address_of_another_kind_is_refused(url: str) -> None:
    # TUF-16
    with pytest.raises(UsageError):
        IndexPin("one", url, "1" * 64)


def test_a_slash_at_the_end_of_an_address_means_nothing() -> None:
    assert IndexPin("one", "https://packages.example.org/", "1" * 64) == ONE
    assert IndexPin("two", "/srv/index//", "2" * 64) == TWO
    assert IndexPin("root", "/", "3" * 64).url == "/"


def test_a_new_index_is_asked_last_and_a_known_one_keeps_its_place() -> None:
    # TUF-16
    moved = IndexPin("one", "http://mirror.example.org", ONE.fingerprint)
    assert indexes.add((ONE,), TWO) == (ONE, TWO)
    assert indexes.add((ONE, TWO), moved) == (moved, TWO)


@pytest.mark.parametrize(
    "new",
    [
        IndexPin("one", ONE.url, "3" * 64),
        IndexPin("other", ONE.url, ONE.fingerprint),
        IndexPin("two", ONE.url, ONE.fingerprint),
    ],
)
def test_a_name_is_bound_to_one_index_and_an_index_to_one_name(new: IndexPin) -> None:
    with pytest.raises(UsageError):
        indexes.add((ONE, TWO), new)


@pytest.mark.parametrize(
    "text",
    [
        "one",
        "https://packages.example.org",
        "https://packages.example.org/",
        "sha256:" + "1" * 64,
        "1" * 64,
        "1" * 8,
        "SHA256:" + "1" * 9,
    ],
)
def test_an_index_is_found_by_name_address_and_fingerprint(text: str) -> None:
    assert indexes.find((TWO, ONE), text) == ONE
    assert indexes.remove((TWO, ONE), text) == (TWO,)


@pytest.mark.parametrize("text", ["", "on", "1" * 7, "three", "sha256:" + "3" * 64])
def test_an_index_is_not_found_by_another_text(text: str) -> None:
    with pytest.raises(UsageError):
        indexes.find((ONE, TWO), text)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://Packages.Example.org:8080/ml", "packages-example-org-8080"),
        ("/srv/My Index", "my-index"),
        ("/srv/crpack", "crpack-2"),
        ("/srv/two", "two-2"),
        ("/", "index"),
        ("/srv/" + "x" * 200, "x" * 60),
    ],
)
def test_a_name_is_made_from_the_address(url: str, name: str) -> None:
    # TUF-16
    assert indexes.default_name(url, (ONE, TWO)) == name
    assert name in astuple(IndexPin(name, url, "3" * 64))


def test_a_fingerprint_is_read_as_people_write_it() -> None:
    # TUF-04
    for text in ["sha256:" + "a" * 64, "a" * 64, "SHA256:" + "A" * 64, "A" * 64]:
        assert indexes.fingerprint(text) == "a" * 64
    for text in ["sha256:" + "a" * 63, "sha512:" + "a" * 64, "", "g" * 64]:
        with pytest.raises(UsageError):
            indexes.fingerprint(text)


@pytest.mark.parametrize("url", ["http://me:SECRET@h/", "http://me:SECRET@h\\x", "//me:SECRET@h",
                                 "http://h/?SECRET", "http://h\\@SECRET"])  # fmt: skip
def test_what_is_secret_in_an_address_is_not_told(url: str) -> None:
    """TUF-16."""
    with pytest.raises(UsageError) as caught:
        indexes.address(url)
    assert "SECRET" not in caught.value.what or url.endswith("@SECRET")
