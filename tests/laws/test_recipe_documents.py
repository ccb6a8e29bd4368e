"""Recipes of any kind: judged with a sentence and a place, never with an accident."""

from __future__ import annotations

import copy
import json
import tomllib
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from crpack.errors import FormatError, ManifestError, UsageError
from crpack.model import canonical, locate, platforms, recipe_document, tables
from crpack.model.recipe import Recipe
from crpack.model.recipe_document import Context
from tests.unit.model.written_recipes import HEAD, LINUX, WHOLE

PLATFORMS = st.sampled_from([*map(str, platforms.known()), LINUX, "macos-arm64-11.0"])
TREE: dict[str, Any] = tables.plain(tomllib.loads(WHOLE, parse_float=Decimal))  # type: ignore[assignment]

# What TOML can say in one value, the odd and the huge included.
ODD = st.sampled_from(
    ["inf", "-nan", "1e400", "1e-400", "-0.0", "0.10", "1979-05-27", "07:32:00",
     "1979-05-27T07:32:00Z", "0x" + "f" * 5000, "1" + "0" * 30, "1" + "0" * 5000, "1e" + "9" * 30,
     '"\\u0000"', '"\\u001b[2J"', '"\\U0010ffff"', '""', "''", "[]", "{}", "[[]]", "[{}]", "true",
     '"' + "x" * 5000 + '"', '"("', '"(a+)+$"', '"{option.images}"', '"~=1"', '"../x"']
)  # fmt: skip
WORDS = st.sampled_from(
    ["package", "name", "options", "match", "os", "option", "build", "make", "vars", "when", "type",
     "default", "range", "requires", "argv", "x", '""', '"a b"', '"\\u0000"', "versions", "action"]
)  # fmt: skip
SCALARS = ODD | st.integers().map(str) | st.text(max_size=5).map(json.dumps)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
    | st.dictionaries(WORDS, inner, max_size=3).map(
        lambda pairs: "{" + ", ".join(f"{key} = {value}" for key, value in pairs.items()) + "}"
    ),
    max_leaves=6,
)
HEADERS = st.lists(WORDS, min_size=1, max_size=3).map(".".join)
LINES = (
    st.tuples(WORDS, VALUES).map(" = ".join)
    | HEADERS.map(lambda path: f"[{path}]")
    | HEADERS.map(lambda path: f"[[{path}]]")
)


def judged(text: str) -> bytes:
    """Return the document of a text; empty where it is refused, as it may be, with places."""
    try:
        return recipe_document.read(text, file="crpack.toml")
    except ManifestError as error:
        lines = text.removeprefix("\ufeff").split("\n")
        for fault in error.faults:
            assert fault.message
            assert 0 <= fault.line <= len(lines)
            if fault.line:
                assert fault.text == lines[fault.line - 1].removesuffix("\r")
                assert 1 <= fault.column <= len(fault.text) + 1
        return b""


def used(document: bytes, platform: str, options: tuple[tuple[str, str], ...]) -> None:
    """Open and resolve a good document."""
    recipe = recipe_document.open_json(document)
    assert recipe_document.every_requirement(document) is not None
    context = Context(platforms.parse(platform), options)
    try:
        resolved = recipe_document.resolve(document, context)
    except FormatError as error:
        assert error.what == "recipe.json does not hold together"
    else:
        assert resolved.package == recipe.package
        assert resolved.options == recipe.options


@given(st.text() | st.text("[]{}=,.\"'#\n\r\t \\ab1-:\0\u2028é", max_size=60))
def test_any_text_is_judged(text: str) -> None:
    """DOC-01, SCH-01."""
    judged(text)


@given(st.lists(LINES, max_size=6).map("\n".join), st.sampled_from(["", HEAD, WHOLE]), PLATFORMS)
@settings(max_examples=300)
def test_any_toml_is_judged(text: str, head: str, platform: str) -> None:
    """DOC-01, SCH-01."""
    document = judged(head + text)
    if document:
        used(document, platform, ())


def spots(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return every path of a tree."""
    found = [path]
    if isinstance(value, dict):
        found += [p for key, item in value.items() for p in spots(item, (*path, key))]
    elif isinstance(value, list):
        found += [p for index, item in enumerate(value) for p in spots(item, (*path, index))]
    return found


SPOTS = spots(TREE)[1:]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
    | st.sampled_from(["any", "make", "linux", "gnu>=2.28", "50", "true", "1e5", "../x", "\0", "("]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(WORDS.map(json.loads) if False else st.sampled_from(["match", "os", "option",
        "images", "type", "argv", "", "\0", "requires", "zlib"]), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


def mutated(spot: tuple[Any, ...], what: str, value: object) -> bytes:
    """Return the document of `TREE` with one spot changed, added to, or taken away."""
    tree = copy.deepcopy(TREE)
    *above, last = spot
    parent: Any = tree
    for key in above:
        parent = parent[key]
    if what == "drop":
        del parent[last]
    elif what == "add" and isinstance(parent[last], dict):
        parent[last]["extra"] = value
    elif what == "add" and isinstance(parent[last], list):
        parent[last].append(value)
    else:
        parent[last] = value
    return canonical.encode(tree)


@given(
    st.sampled_from(SPOTS),
    st.sampled_from(["drop", "add", "set"]),
    JSON,
    PLATFORMS,
    st.sampled_from([(), (("images", "5000"), ("scale", "1.0"))]),
)
@settings(max_examples=500)
def test_a_changed_document_is_refused_or_as_good_as_any(
    spot: tuple[Any, ...],
    what: str,
    value: object,
    platform: str,
    options: tuple[tuple[str, str], ...],
) -> None:
    """DOC-03, DOC-04, DOC-05."""
    document = mutated(spot, what, value)
    try:
        recipe = recipe_document.open_json(document)
    except FormatError as error:
        assert error.rule == "DOC-03"
        assert error.why
    else:
        assert isinstance(recipe, Recipe)
        used(document, platform, options)


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes_are_judged(data: bytes) -> None:
    """DOC-03."""
    for document in (data, canonical.encode({"package": {}, "x": data.hex()}) + data):
        try:
            recipe_document.open_json(document)
        except (FormatError, UsageError):
            pass
        else:
            raise AssertionError(document)


@given(PLATFORMS, st.sampled_from(["50", "5000"]))
def test_resolving_takes_from_the_document_alone(platform: str, images: str) -> None:
    """DOC-04, DOC-05."""
    document = canonical.encode(TREE)
    options = (("images", images), ("scale", "1.0"))
    context = Context(platforms.parse(platform), options)
    one, two = (recipe_document.resolve(document, context) for _ in range(2))
    assert one == two
    assert one.build is not None
    here = context.platform
    linux = here.os == "linux" and here.arch in ("x86_64", "aarch64")
    assert one.build.make.targets == (("all", "linux") if linux else ("all",))
    many = images == "5000" and here.abi == "gnu" and here.floor == "2.36"
    assert one.metrics[0].reference == ("0.5" if many else "0.41")


# --- where keys stand -------------------------------------------------------------------------

KEYS = st.sampled_from(["a", "b", "c-d", "x_1", "7", "é", "a b", "a.b", 'q"', "\\", "[t]", "#", ""])


@dataclass
class Page:
    """A TOML text as it is written, and where each key was put."""

    lines: list[str] = field(default_factory=lambda: [""])
    places: dict[tuple[str, ...], tuple[int, int]] = field(default_factory=dict)

    def put(self, text: str) -> None:
        """Write on; a line's end begins a new line."""
        first, *rest = text.split("\n")
        self.lines[-1] += first
        self.lines += rest

    def here(self, path: tuple[str, ...]) -> None:
        """Note that a key stands where the next letter will."""
        self.places.setdefault(path, (len(self.lines), len(self.lines[-1]) + 1))


def quoted(key: str, style: int) -> str:
    if key and all(letter.isascii() and (letter.isalnum() or letter in "-_") for letter in key):
        return [key, f'"{key}"', f"'{key}'"][style % 3]
    if style % 2 and "'" not in key:
        return f"'{key}'"
    return json.dumps(key, ensure_ascii=style % 5 == 0)


TREES = st.recursive(
    st.sampled_from(["1", "1.5", "true", '"x # ["', "'{'", '"""\n[a]\n"""', "1979-05-27", "'''é'''"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def write_value(page: Page, value: Any, path: tuple[str, ...], draw: Any) -> None:
    """Write a value on one line, or an array on several."""
    gap = draw(st.sampled_from(["", " ", "\t"]))
    if isinstance(value, dict):
        page.put("{" + gap)
        for index, (key, item) in enumerate(value.items()):
            page.put(", " if index else "")
            write_pair(page, key, item, path, draw)
        page.put(gap + "}")
    elif isinstance(value, list):
        space = draw(st.sampled_from(["", " ", "\n\t", "\n# ]\n  "]))
        page.put("[")
        for index, item in enumerate(value):
            page.put(space)
            page.here((*path, str(index)))
            write_value(page, item, (*path, str(index)), draw)
            page.put(",")
        page.put(space + "]")
    else:
        page.put(value)


def write_pair(page: Page, key: str, value: Any, path: tuple[str, ...], draw: Any) -> None:
    page.here((*path, key))
    page.put(quoted(key, draw(st.integers(0, 9))) + draw(st.sampled_from(["=", " = "])))
    write_value(page, value, (*path, key), draw)


def write_table(page: Page, table: dict[str, Any], path: tuple[str, ...], draw: Any) -> None:
    """Write a table's values as pairs, then its tables, each inline or under a header."""
    later = {}
    for key, value in table.items():
        rows = isinstance(value, list) and value and all(isinstance(v, dict) for v in value)
        if (isinstance(value, dict) or rows) and draw(st.booleans()):
            later[key] = value
            continue
        page.put(draw(st.sampled_from(["", "  ", "\t", "# a = 1\n", "\n"])))
        write_pair(page, key, value, path, draw)
        page.put(draw(st.sampled_from(["\n", " # b = 2\n"])))
    for key, value in later.items():
        for index, row in enumerate(value if isinstance(value, list) else [value]):
            many = isinstance(value, list)
            header = ".".join(
                quoted(part, draw(st.integers(0, 9)))
                for part in header_parts(page, (*path, key))
            )
            page.put("[[" if many else "[")
            place = (*path, key, str(index)) if many else (*path, key)
            page.here((*path, key))
            page.here(place)
            page.put(header + ("]]\n" if many else "]\n"))
            write_table(page, row, place, draw)


def header_parts(_: Page, path: tuple[str, ...]) -> list[str]:
    """Return the keys of a header: a path without the numbers of rows."""
    return [part for part in path if not part.startswith("\ue000")]


@given(st.dictionaries(KEYS, TREES, max_size=4), st.sampled_from(["\n", "\r\n"]), st.data())
@settings(max_examples=200)
def test_every_key_is_found_where_it_was_written(
    table: dict[str, Any], end: str, data: st.DataObject
) -> None:
    """SCH-01."""
    page = Page()
    write_table(page, table, (), data.draw)
    text = end.join(page.lines)
    tomllib.loads(text)
    found = locate.places(text)
    assert {path: found.get(path) for path in page.places} == page.places
