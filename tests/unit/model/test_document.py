from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from crpack.errors import FormatError
from crpack.model import canonical, document

if TYPE_CHECKING:
    from collections.abc import Callable

WORD = re.compile("[a-z]+")
KNOWN = frozenset({"known"})


def fields(**values: object) -> document.Fields:
    return document.decode(document.encode(values), what="it", rule="MAN-01", known=KNOWN)


def refused(data: bytes) -> str:
    with pytest.raises(FormatError) as caught:
        document.decode(data, what="it", rule="MAN-01", known=KNOWN)
    return caught.value.rule


def test_what_is_encoded_is_decoded() -> None:
    top = fields(a="x", b=3, c=True, d=["p", "q"], e={"k": "v", "h": "w"}, f=[{"g": 1}])
    assert (top.text("a"), top.integer("b"), top.flag("c")) == ("x", 3, True)
    assert top.texts("d", WORD) == ("p", "q")
    assert top.pairs("e", WORD) == (("h", "w"), ("k", "v"))
    assert [inner.integer("g") for inner in top.each("f")] == [1]
    assert top.has("a")
    assert not top.has("z")


def test_an_unknown_field_is_ignored_unless_it_is_critical() -> None:  # JSN-08
    def encoded(critical: list[object]) -> bytes:
        return canonical.encode({"format": 1, "critical": critical, "mood": 1, "known": 2})

    document.decode(encoded([]), what="it", rule="MAN-01", known=KNOWN)
    document.decode(encoded(["known"]), what="it", rule="MAN-01", known=KNOWN)
    assert refused(encoded(["mood"])) == "JSN-08"


def test_a_newer_format_is_refused_with_the_way_out() -> None:
    data = canonical.encode({"format": 2, "critical": []})
    with pytest.raises(FormatError, match="it has format 2, not 1") as caught:
        document.decode(data, what="it", rule="MAN-01", known=KNOWN)
    assert caught.value.hint == "install a newer crpack"


@pytest.mark.parametrize(
    "value",
    [
        [],
        {},
        {"format": True, "critical": []},
        {"format": 1},
        {"format": 1, "critical": {}},
        {"format": 1, "critical": [1]},
        {"format": 1, "critical": ["known", "format"]},
        {"format": 1, "critical": ["known", "known"]},
    ],
)
def test_an_envelope_that_is_none_is_refused(value: object) -> None:
    assert refused(canonical.encode(value)) == "JSN-07"


@pytest.mark.parametrize(
    ("read", "place"),
    [
        (lambda top: top.text("number"), "number"),
        (lambda top: top.text("absent"), "absent"),
        (lambda top: top.text("upper", WORD), "upper"),
        (lambda top: top.text("long"), "long"),
        (lambda top: top.integer("flag"), "flag"),
        (lambda top: top.integer("number", 4, 9), "number"),
        (lambda top: top.integer("number", 0, 2), "number"),
        (lambda top: top.flag("number"), "number"),
        (lambda top: top.texts("mixed"), "mixed[1]"),
        (lambda top: top.texts("upper"), "upper"),
        (lambda top: top.pairs("mixed", WORD), "mixed"),
        (lambda top: top.pairs("object", WORD), "object.K"),
        (lambda top: list(top.each("mixed")), "mixed[0]"),
        (lambda top: [inner.text("x") for inner in top.each("rows")], "rows[1].x"),
    ],
)
def test_a_field_that_is_not_as_it_must_be_is_named_by_its_place(
    read: Callable[[document.Fields], object], place: str
) -> None:
    top = fields(
        number=3,
        flag=True,
        upper="X",
        long="é" * 2049,
        mixed=["a", 1],
        object={"K": "v"},
        rows=[{"x": "a"}, {"x": 1}],
    )
    with pytest.raises(FormatError, match=f"`{re.escape(place)}`") as caught:
        read(top)
    assert caught.value.rule == "MAN-01"
