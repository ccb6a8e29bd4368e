from __future__ import annotations

import functools
from decimal import Decimal
from typing import Any

import jsonschema
import pytest

from crpack.errors import ManifestError
from crpack.model import canonical, limits, tables
from tests.unit.model.written_recipes import HEAD, WHOLE, document


@pytest.mark.parametrize(
    ("one", "two", "merged"),
    [
        ({}, {}, {}),
        ({"a": 1}, {}, {"a": 1}),
        ({"a": 1}, {"a": 2, "b": 3}, {"a": 2, "b": 3}),
        ({"a": [1]}, {"a": [2, 1]}, {"a": [1, 2, 1]}),
        ({"a": {"b": 1, "c": [1]}}, {"a": {"c": [2]}}, {"a": {"b": 1, "c": [1, 2]}}),
        ({"a": [1]}, {"a": 2}, {"a": 2}),
        ({"a": {"b": 1}}, {"a": []}, {"a": []}),
        ({"a": 1}, {"a": {"b": 1}}, {"a": {"b": 1}}),
    ],
)
def test_arrays_append_tables_merge_other_values_replace(
    one: dict[str, Any], two: dict[str, Any], merged: dict[str, Any]
) -> None:
    """DOC-04: and neither side is changed."""
    before = repr((one, two))
    assert tables.merge(one, two) == merged
    assert repr((one, two)) == before


def test_decimals_become_texts_at_any_depth() -> None:
    """SCH-02."""
    value = {"a": [Decimal("0.10"), {"b": Decimal("1E-7")}], "c": 1, "d": True, "e": "1.5"}
    assert tables.plain(value) == {"a": ["0.10", {"b": "0.0000001"}], "c": 1, "d": True, "e": "1.5"}


@pytest.mark.parametrize("make", [lambda inner: {"a": inner}, lambda inner: [0, inner]])
def test_depth_is_counted_without_recursion(make: Any) -> None:
    for depth in (limits.MAX_TOML_DEPTH, limits.MAX_TOML_DEPTH + 1, 100_000):
        value = functools.reduce(lambda inner, _: make(inner), range(depth), 1)
        assert tables.too_deep(value) is (depth > limits.MAX_TOML_DEPTH)
        while not isinstance(value, int):  # taken apart here, or Python recurses to free it
            value = value["a"] if isinstance(value, dict) else value[1]


def schema_takes(table: object) -> bool:
    return bool(jsonschema.Draft202012Validator(tables.json_schema()).is_valid(table))


def test_the_published_schema_is_one_and_takes_whole_recipes() -> None:
    """SCH-03."""
    jsonschema.Draft202012Validator.check_schema(tables.json_schema())
    for text in (HEAD, WHOLE):
        assert schema_takes(canonical.decode(document(text), what="it"))


@pytest.mark.parametrize(
    "text",
    [
        "[bild]",
        "[build]",
        "[build]\ndriver = 'mak'",
        "[[source]]\nkind = 'hg'",
        "[options.o]\ntype = 'boolean'",
        "[options.'a b']\ntype = 'bool'\ndefault = true",
        "[action.a]\nargv = 'x'",
        "[requires]\nzlib = { extern = '' }",
        "[[when]]\nbuild = {}",
        "[[when]]\nmatch = {}\npackage = {}",
        "[test]\nsteps = []\ntimeout = 0",
    ],
)
def test_the_published_schema_refuses_what_the_reader_refuses(text: str) -> None:
    """SCH-03."""
    import tomllib

    assert not schema_takes(tomllib.loads(HEAD + text))
    with pytest.raises(ManifestError):
        document(HEAD + text)
