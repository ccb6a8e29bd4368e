"""Recipes read by their parts say what the whole document says."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from crpack.errors import CrpackError
from crpack.model import canonical, platforms, recipe_document
from crpack.model.recipe_document import Context
from crpack.solve.recipes import Recipes

HERE = Context(platforms.parse("linux-x86_64-gnu2.36"))
HEAD = {"kind": "software", "summary": "", "license": ""}


def document(version: str, /, *, head: dict[str, Any] | None = None, **tables: Any) -> bytes:
    package = {"name": "a", "version": version, **HEAD, **(head or {})}
    return canonical.encode({"package": package, "build": {"driver": "copy"}, **tables})


@pytest.mark.parametrize(
    "tables",
    [
        {},
        {"requires": {}},
        {"requires": {"b": ">=1", "c": ""}},
        {"requires": {"b": {"version": ">=1", "external": "forbid"}}},
        {"requires": {"b": "", "build": {"c": "<2"}, "target": {"d": ""}}},
        {"requires": {"b": "", "@glibc": ">=2.31"}},
        {"requires": {"b": ""}, "when": [{"match": {"os": "linux"}, "requires": {"c": "==3"}}]},
        {"when": [{"match": {"os": "linux"}, "requires": {"c": "==3"}}]},
        {"conflicts": {"b": "<2"}, "provides": {"version": "3"}, "requires": {"b": ">=2"}},
        {"head": {"summary": ',"requires":{"x":"1"} "version":"7"'}, "requires": {"b": "==1"}},
        {"head": {"kind": "software", "homepage": '"package":{"version":"8"}'}},
    ],
)
def test_a_recipe_of_parts_is_the_recipe_of_the_whole(tables: dict[str, Any]) -> None:
    """DOC-04: each of several versions, the later ones from what is known of the first."""
    reader = Recipes().on(HERE)
    for version in ("1.0", "2.0rc1", "3"):
        data = document(version, **tables)
        whole = recipe_document.resolve(data, HERE)
        mine = reader.read(data)
        assert dataclasses.replace(mine, package=whole.package) == whole
        assert mine.package.summary == whole.package.summary


@pytest.mark.parametrize("needs", [{"b": "nonsense"}, {"b}": ">=1"}, {"B!": ""}, {"build": "1"}])
def test_what_does_not_hold_together_is_refused_by_its_parts_too(needs: dict[str, Any]) -> None:
    reader = Recipes().on(HERE)
    reader.read(document("1", requires={"b": ">=1"}))
    data = document("2", requires=needs)
    with pytest.raises(CrpackError):
        recipe_document.resolve(data, HERE)
    with pytest.raises(CrpackError):
        reader.read(data)
