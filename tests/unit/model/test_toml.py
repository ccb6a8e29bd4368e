from __future__ import annotations

import pytest

from crpack.errors import FormatError
from crpack.model import toml


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ({}, ""),
        ({"a": 1, "b": True, "c": "x"}, 'a = 1\nb = true\nc = "x"\n'),
        ({"a b": 'q"\\\x01\x7f\n'}, '"a b" = "q\\"\\\\\\u0001\\u007F\\n"\n'),
        ({"a": []}, "a = []\n"),
        ({"a": ["x"]}, 'a = ["x"]\n'),
        ({"a": [1, 2]}, "a = [\n    1,\n    2,\n]\n"),
        ({"a": {}, "b": {"k": [1, 2], "": "v"}}, 'a = {}\nb = { k = [1, 2], "" = "v" }\n'),
        ({"t": [{"x": 1, "u": [{"y": 2}]}], "a": 1}, "a = 1\n\n[[t]]\nx = 1\n\n[[t.u]]\ny = 2\n"),
    ],
)
def test_a_table_has_one_form(table: dict[str, object], text: str) -> None:
    """LCK-02."""
    assert toml.encode(table).decode() == text


@pytest.mark.parametrize("value", [1.5, None, b"x", "\ud800", [{"a": None}]])
def test_other_values_have_none(value: object) -> None:
    """LCK-02."""
    with pytest.raises(FormatError):
        toml.encode({"a": value})
