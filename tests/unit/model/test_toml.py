from __future__ import annotations

import contextlib
import tomllib
from unittest import mock

import pytest

from crpack.errors import FormatError
from crpack.model import toml
from crpack.model.limits import MAX_TOML_DEPTH


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


@pytest.mark.parametrize(
    "text",
    [
        "a" + ".a" * 20_000 + " = 1",
        "[a" + " . a" * 40 + "]",
        '[["a"' + ".'b'" * 40 + "]]",
        "x = { a" + ".a" * 40 + " = 1 }",
        "x = [{ a" + ".a" * 40 + " = 1 }]",
        '''x = """a""""\ny = "''' + '\\"#' + '"\na' + "\t.\ta" * 40 + " = 1",
        "x = '''a\\'''\na" + ".a" * 40 + " = 1",
        "\n".join("k" + ".k" * 30 + f".x{n} = 1" for n in range(1200)),
    ],
)
def test_keys_of_many_parts_are_refused_before_they_are_parsed(text: str) -> None:
    """LCK-03: the parser keeps every prefix of a key, so a short text would fill the memory."""
    parsed = mock.patch.object(tomllib, "loads", side_effect=AssertionError("it was parsed"))
    with parsed, pytest.raises(tomllib.TOMLDecodeError) as caught:
        toml.loads(text)
    assert "parts" in str(caught.value) or "dots" in str(caught.value)


def test_dots_in_texts_and_comments_do_not_count() -> None:
    dots = "." * 100
    text = f'# {dots}\na = "{dots}" # {dots}\n"{dots}" = \'{dots}\'\nb = """{dots}\n"x{dots}"""\n'
    found = toml.loads(text)
    assert list(found) == ["a", dots, "b"]


def test_a_key_of_as_many_parts_as_tables_may_be_deep_is_read() -> None:
    assert toml.loads("a" + ".a" * (MAX_TOML_DEPTH - 1) + " = 1.5")


@pytest.mark.parametrize("piece", ['"""', '\\"""', "'''", '"', "'", '"\\', " ", "a", "#", ".\n"])
def test_a_long_text_is_scanned_once(piece: str) -> None:
    with contextlib.suppress(tomllib.TOMLDecodeError):
        toml._check_keys(piece * (2**20 // len(piece)))
