from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

import jsonschema
import pytest

from crpack.errors import Fault, UsageError
from crpack.model import schema
from crpack.model.schema import hidden, spec


def even(text: str) -> str:
    if len(text) % 2:
        raise UsageError(f"`{text}` is odd", why=["it has a letter too many"], hint="drop one")
    return text


@dataclass(frozen=True, slots=True)
class Part:
    size: int = spec(0, minimum=0, maximum=100)
    name: str = hidden()


@dataclass(frozen=True, slots=True)
class Thing:
    kind: Literal["one", "two"]
    label: str = spec("", pattern="[a-z]*", doc="what it is called")
    word: str = spec("", check=even)
    text: str = spec("", scalar=True)
    flag: bool = False
    from_: str = ""
    list_of: tuple[str, ...] = ()
    steps: tuple[tuple[str, ...], ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    part: Part | None = None
    parts: tuple[Part, ...] = spec((), named=True, pattern="[a-z]+")
    short: Part = spec(Part(), short=lambda text: {"size": len(text)})  # noqa: RUF009 - frozen
    secret: str = hidden("kept")


def decoded(**keys: Any) -> Thing:
    faults: list[Fault] = []
    thing = schema.decode(Thing, {"kind": "one", **keys}, faults)
    assert not [(fault.path, fault.message) for fault in faults]
    assert isinstance(thing, Thing)
    return thing


def faults_of(table: object) -> list[tuple[str, str]]:
    faults: list[Fault] = []
    assert schema.decode(Thing, table, faults) is None
    return [(fault.path, fault.message) for fault in faults]


def fault_of(**keys: Any) -> Fault:
    faults: list[Fault] = []
    assert schema.decode(Thing, {"kind": "one", **keys}, faults) is None
    (fault,) = faults
    return fault


def test_a_table_becomes_a_value() -> None:
    """SCH-01."""
    thing = decoded(
        label="a", flag=True, part={"size": 3}, steps=[["a", "b"], []], pairs={"b": "2", "a": 1}
    )
    assert thing == Thing(
        kind="one", label="a", flag=True, part=Part(3), steps=(("a", "b"), ()),
        pairs=(("a", "1"), ("b", "2")),
    )  # fmt: skip


def test_a_key_is_a_field_with_hyphens() -> None:
    assert decoded(**{"list-of": ["x"], "from": "y"}) == Thing("one", list_of=("x",), from_="y")


def test_a_table_of_tables_becomes_sorted_items_named_by_their_keys() -> None:
    assert decoded(parts={"b": {"size": 2}, "a": {}}).parts == (Part(0, "a"), Part(2, "b"))


def test_a_text_may_be_short_for_a_table() -> None:
    assert decoded(short="abc").short == Part(3)
    assert decoded(short={"size": 5}).short == Part(5)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"), (False, "false"), (50, "50"), ("50", "50"), (Decimal("0.30"), "0.30"),
        (Decimal("1E-7"), "0.0000001"), (Decimal("1E+3"), "1000"), (Decimal("-0.0"), "-0.0"),
        (Decimal("1E+99"), "1E+99"), (Decimal("Infinity"), "Infinity"),
    ],
)  # fmt: skip
def test_scalars_are_kept_as_texts(value: object, text: str) -> None:
    """SCH-02: decimals as people write them, and never a long row of zeros."""
    assert decoded(text=value).text == text


def test_all_faults_are_found() -> None:
    """SCH-01: unknown keys, missing keys and wrong values, each with its path."""
    assert faults_of({"lable": "x", "flag": 1, "parts": {"a": {"size": -1, "sizes": 1}}}) == [
        ("lable", "is not a known key"),
        ("kind", "is missing"),
        ("flag", "must be true or false, not a whole number"),
        ("parts.a.sizes", "is not a known key"),
        ("parts.a.size", "must be at least 0"),
    ]


def test_an_unknown_key_has_the_nearest_one_as_hint() -> None:
    """SCH-01."""
    assert fault_of(lable="x").hint == "did you mean `label`?"
    assert fault_of(zzz="x").hint.startswith("known are flag, from, kind, ")


def test_an_unknown_word_has_the_nearest_one_as_hint() -> None:
    assert fault_of(kind="twoo").hint == "did you mean `two`?"


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"kind": 2}, "must be one of `one`, `two`"),
        ({"kind": 10**5000}, "must be one of `one`, `two`"),
        ({"kind": ["one"]}, "must be one of `one`, `two`"),
        ({"label": "A"}, "`A` does not have the form `[a-z]*`"),
        ({"label": "a\n"}, "`a\n` does not have the form `[a-z]*`"),
        ({"label": 1}, "must be a text, not a whole number"),
        ({"label": Decimal("1.5")}, "must be a text, not a number"),
        ({"label": dt.date(2024, 1, 5)}, "must be a text, not a date"),
        ({"label": dt.datetime(2024, 1, 5)}, "must be a text, not a datetime"),  # noqa: DTZ001
        ({"label": dt.time(7, 32)}, "must be a text, not a time"),
        ({"label": None}, "must be a text, not a NoneType"),
        ({"word": "abc"}, "`abc` is odd; it has a letter too many"),
        ({"word": "a\0"}, "must not hold a NUL character"),
        ({"text": ["a"]}, "must be a text, not an array"),
        ({"text": dt.date(2024, 1, 5)}, "must be a text, not a date"),
        ({"text": 2**53}, "is a number beyond ±(2^53 - 1)"),
        ({"text": 16**5000}, "is a number beyond ±(2^53 - 1)"),
        ({"flag": "true"}, "must be true or false, not a text"),
        ({"list-of": "a"}, "must be an array, not a text"),
        ({"list-of": {"a": 1}}, "must be an array, not a table"),
        ({"pairs": ["a"]}, "must be a table, not an array"),
        ({"part": "a"}, "must be a table, not a text"),
        ({"parts": []}, "must be a table of tables, not an array"),
    ],
)
def test_a_wrong_value_is_told_with_what_it_must_be(keys: dict[str, Any], message: str) -> None:
    """SCH-01."""
    fault = fault_of(**keys)
    assert (fault.path, fault.message) == (next(iter(keys)), message)


@pytest.mark.parametrize(
    ("keys", "path"),
    [
        ({"list-of": ["a", 1]}, "list-of[1]"),
        ({"steps": [["a"], ["b", 1]]}, "steps[1][1]"),
        ({"pairs": {"a b": []}}, 'pairs."a b"'),
        ({"pairs": {"a\0": "b"}}, 'pairs."a\0"'),
        ({"part": {"size": True}}, "part.size"),
        ({"part": {"size": -1}}, "part.size"),
        ({"part": {"size": 101}}, "part.size"),
        ({"part": {"size": 10**5000}}, "part.size"),
        ({"parts": {"A": {}}}, "parts.A"),
        ({"parts": {"": {}}}, 'parts.""'),
        ({"parts": {"a": 3}}, "parts.a"),
        ({"short": 3}, "short"),
    ],
)
def test_a_fault_deep_inside_has_its_path(keys: dict[str, Any], path: str) -> None:
    """SCH-01."""
    assert fault_of(**keys).path == path


@pytest.mark.parametrize("table", [None, [], "x", 3, Decimal(1)])
def test_what_is_no_table_is_a_fault(table: object) -> None:
    ((path, message),) = faults_of(table)
    assert path == ""
    assert message.startswith("must be a table, not a")


def test_a_hidden_field_is_no_key() -> None:
    assert decoded().secret == "kept"
    assert fault_of(secret="told").message == "is not a known key"


TABLES: list[tuple[dict[str, Any], bool]] = [
    ({"kind": "one"}, True),
    ({}, False),
    ({"kind": "three"}, False),
    ({"kind": "one", "label": "abc"}, True),
    ({"kind": "one", "label": "ABC"}, False),
    ({"kind": "one", "flag": True, "text": 3}, True),
    ({"kind": "one", "text": []}, False),
    ({"kind": "one", "lable": "x"}, False),
    ({"kind": "one", "parts": {"a": {"size": 1}}}, True),
    ({"kind": "one", "parts": {"A": {"size": 1}}}, False),
    ({"kind": "one", "parts": {"a": {"size": -1}}}, False),
    ({"kind": "one", "part": {"size": "1"}}, False),
    ({"kind": "one", "part": {"size": 100}}, True),
    ({"kind": "one", "part": {"size": 101}}, False),
    ({"kind": "one", "steps": [["a"]], "pairs": {"a": 1}, "short": "x"}, True),
    ({"kind": "one", "steps": ["a"]}, False),
    ({"kind": "one", "pairs": {"a": []}}, False),
    ({"kind": "one", "secret": "x"}, False),
]


@pytest.mark.parametrize(("table", "good"), TABLES)
def test_the_json_schema_judges_as_the_reader_does(table: dict[str, Any], *, good: bool) -> None:
    """SCH-03."""
    validator = jsonschema.Draft202012Validator(schema.json_schema(Thing))
    faults: list[Fault] = []
    schema.decode(Thing, table, faults)
    assert validator.is_valid(table) is good
    assert (not faults) is good


def test_the_json_schema_is_one() -> None:
    """SCH-03."""
    made = schema.json_schema(Thing)
    jsonschema.Draft202012Validator.check_schema(made)
    assert made["required"] == ["kind"]
    assert made["properties"]["label"]["description"] == "what it is called"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("a",), "a"),
        (("source", "0", "urls", "12"), "source[0].urls[12]"),
        (("when", "1", "build.x"), 'when[1]."build.x"'),
        (("options", ""), 'options.""'),
    ],
)
def test_a_path_reads_as_people_write_it(path: tuple[str, ...], text: str) -> None:
    assert schema.dotted(path) == text
