from __future__ import annotations

import pytest

from crpack.model import locate


def place(text: str, *path: str) -> tuple[int, int]:
    return locate.places(text)[path]


@pytest.mark.parametrize(
    ("text", "path", "line", "column"),
    [
        ("a = 1", "a", 1, 1),
        ("\n\n  a = 1", "a", 3, 3),
        ("\ta = 1", "a", 1, 2),
        ("# a = 0\na = 1 # b = 2\nb = 3", "b", 3, 1),
        ("a.b.c = 1", "a.b.c", 1, 1),
        ("a.b = 1\na . c = 2", "a.c", 2, 1),
        ("[t]\na = 1", "t", 1, 2),
        ("[t]\na = 1", "t.a", 2, 1),
        ("[ t . u ]\na = 1", "t.u", 1, 3),
        ("[t]\na = 1\n[t.u]\na = 2", "t.u.a", 4, 1),
        ("[[s]]\na = 1\n[[s]]\na = 2", "s.0.a", 2, 1),
        ("[[s]]\na = 1\n[[s]]\na = 2", "s.1.a", 4, 1),
        ("[[s]]\na = 1\n[[s]]\na = 2", "s.1", 3, 3),
        ("[[s]]\n[[s.t]]\n[[s.t]]\n[[s]]\n[[s.t]]\nx = 1", "s.1.t.0.x", 6, 1),
        ("[[s]]\n[s.t]\nx = 1", "s.0.t.x", 3, 1),
        ("a = { b = 1, c = { d = 2 } }", "a.b", 1, 7),
        ("a = { b = 1, c = { d = 2 } }", "a.c.d", 1, 20),
        ("a = { b.c = 1 }", "a.b.c", 1, 7),
        ("a = {}\nb = 1", "b", 2, 1),
        ("a = [1, 2]", "a.1", 1, 9),
        ("a = [\n  1, # one\n\n  2,\n]\nb = 3", "a.1", 4, 3),
        ("a = [\n  1, # one\n\n  2,\n]\nb = 3", "b", 6, 1),
        ("a = [[1], [2, 3]]", "a.1.1", 1, 15),
        ("a = [[[]]]\nb = 1", "b", 2, 1),
        ("a = [[[]]]\nb = 1", "a.0.0", 1, 7),
        ("a = [{ b = 1 }, { b = 2 }]", "a.1.b", 1, 19),
        ("a = [{ b = [[1]] }]\nc = 1", "c", 2, 1),
        ('a = "x # [y] = {"\nb = 1', "b", 2, 1),
        ("a = 'x \"'\nb = 1", "b", 2, 1),
        ('a = """x\n[t]\nb = 2\n"""\nb = 1', "b", 5, 1),
        ('a = """x""\\""y"""\nb = 1', "b", 2, 1),
        ('a = """""""\nb = 1', "b", 2, 1),
        ("a = '''x\n[t]\n''\n'''\nb = 1", "b", 5, 1),
        ('a = "\\"]"\nb = 1', "b", 2, 1),
        ("a = 1979-05-27 07:32:00\nb = 3.14e+7\nc = 1", "c", 3, 1),
        ("a = 1\r\nb = 2\r\n", "b", 2, 1),
        ("a = '\u2028 \x85'\nb = 2", "b", 2, 1),
        ("3.14 = 'pi'", "3.14", 1, 1),
    ],
)
def test_a_key_is_found_where_it_stands(text: str, path: str, line: int, column: int) -> None:
    """SCH-01."""
    assert place(text, *path.split(".")) == (line, column)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('"a b" = 1', "a b"),
        ("'a.b' = 1", "a.b"),
        ('"a\\"b" = 1', 'a"b'),
        ('"\\u00e9\\U0001F600" = 1', "é😀"),
        ("'a\\u0062' = 1", "a\\u0062"),
        ('"" = 1', ""),
    ],
)
def test_a_key_in_quotes_is_found_by_what_it_means(text: str, key: str) -> None:
    assert place(text, key) == (1, 1)
    assert place(f"[{text[: text.index(' = ')]}]\nx = 1", key, "x") == (2, 1)


def test_an_unknown_path_has_the_place_of_its_nearest_parent() -> None:
    """SCH-01: a key that is missing is told at its table."""
    found = locate.places("\n[t]\na = { b = 1 }")
    assert locate.nearest(found, ("t", "zzz")) == (2, 2)
    assert locate.nearest(found, ("t", "a", "b", "c", "d")) == (3, 7)
    assert locate.nearest(found, ("zzz",)) == (0, 0)
    assert locate.nearest(found, ()) == (0, 0)


@pytest.mark.parametrize(
    "text",
    ["", "\n", "#", "a", "a =", "= 1", "[", "[[", "[[a", "]", "a = [", "a = {", "a = {b", '"', "'",
     '"""', "a = '''", "...", "[a]]", "\0", "{", "}", ",", "a = [[[[", "[[[[", "\x85"],
)  # fmt: skip
def test_a_text_that_is_no_toml_ends_the_scan(text: str) -> None:
    assert isinstance(locate.places(text), dict)


def test_what_is_nested_too_deep_is_left_out() -> None:
    text = "first = 1\na = " + "[" * 100_000 + "]" * 100_000
    assert locate.places(text)["first",] == (1, 1)


@pytest.mark.parametrize("unit", ["[[1]],", "{b={c=1}},", "'''x''',"])
def test_a_long_line_is_scanned_to_its_end(unit: str) -> None:
    text = "a = [" + unit * (100_000 // len(unit)) + "]\nb = 1"
    assert locate.places(text)["b",] == (2, 1)
