"""Recipes of any kind: judged with a sentence and a place, never with an accident."""

from __future__ import annotations

import contextlib
import copy
import json
import tomllib
from decimal import Decimal
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crpack.errors import FormatError, ManifestError
from crpack.model import canonical, platforms, recipe_document, tables
from crpack.model.recipe import Recipe
from crpack.model.recipe_document import Context
from tests.unit.model.written_recipes import HEAD, LINUX, WHOLE

SCHEMA = jsonschema.Draft202012Validator(tables.json_schema())
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
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.dictionaries(WORDS, inner, max_size=3).map(
            lambda pairs: "{" + ", ".join(f"{key} = {value}" for key, value in pairs.items()) + "}"
        )
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
        faults = error.faults
    lines = text.removeprefix("\ufeff").split("\n")
    for fault in faults:
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
    with contextlib.suppress(FormatError):  # two blocks that do not fit together
        resolved = recipe_document.resolve(document, context)
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
NAMES = st.sampled_from(["match", "os", "option", "images", "type", "argv", "requires", "zlib", ""])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
    | st.sampled_from(["any", "make", "linux", "gnu>=2.28", "50", "true", "1e5", "../x", "("]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(NAMES, inner, max_size=3),
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
    """DOC-03, DOC-04, DOC-05; and what is taken fits the published schema (SCH-03)."""
    document = mutated(spot, what, value)
    try:
        recipe = recipe_document.open_json(document)
    except FormatError:
        return
    assert isinstance(recipe, Recipe)
    assert SCHEMA.is_valid(json.loads(document))
    used(document, platform, options)


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes_are_judged(data: bytes) -> None:
    """DOC-03."""
    for document in (data, canonical.encode({"package": {}, "x": data.hex()}) + data):
        with pytest.raises(FormatError):
            recipe_document.open_json(document)


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
