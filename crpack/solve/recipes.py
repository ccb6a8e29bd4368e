"""Recipes as choosing reads them: of many releases that are alike, what is alike is read once.

Rules (SPEC IDX-06, DOC-04):
- What comes out is what `recipe_document.resolve` gives; that function reads every part.
- Releases mostly differ in version, revision and ranges. A recipe without `[[when]]` blocks is put
  together from its shape and its requirements, each read once.
- A plain document is cut into its version, its requirements, and the frame around them: in
  canonical JSON both are found by their keys. A frame is trusted when what fills it is seen to be
  read as just these two; a document that cannot be cut so is read whole.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import operator
from typing import TYPE_CHECKING, TypeAlias

from crpack.model import canonical, names, recipe_document, versions
from crpack.model.recipe import Recipe, Requires
from crpack.model.requirements import Requirement

if TYPE_CHECKING:
    from collections.abc import Callable

    from crpack.model.recipe_document import Context
    from crpack.model.tables import Table


_HEAD = {"name": "x", "version": "0", "kind": "software", "summary": "", "license": ""}
_OWN = ("name", "version", "revision")
_TOOLS = ("build", "target")


_PACKAGE, _VERSION, _NEEDS = b'"package":{', b'"version":"', b',"requires":{'
_HOLE = "?"  # neither a version nor a name
_REST = operator.attrgetter(*(f.name for f in dataclasses.fields(Recipe) if f.name != "requires"))
_RECIPE: Callable[..., Recipe] = Recipe
Frame: TypeAlias = tuple[bytes, bytes, bytes]  # before the version, up to the requirements, after


class Recipes:
    """The recipes that were read, for any number of problems."""

    def __init__(self) -> None:
        self._readers: dict[Context, Reader] = {}

    def on(self, context: Context) -> Reader:
        """Return the reader for a platform and options."""
        return self._readers.setdefault(context, Reader(context))


class Reader:
    """The recipes that were read for one platform and one choice of options."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._known: dict[bytes, Recipe] = {}
        self._frames: dict[Frame, Recipe | None] = {}
        self._needs: dict[bytes, Requires | None] = {}

    def read(self, document: bytes) -> Recipe:
        """Return a document's recipe; of its package only the name, version and revision lack.

        Raises:
            FormatError, UsageError: it does not hold together.
        """
        recipe = self._known.get(document)
        if recipe is None:
            recipe = self._cut(document) or _whole(document, self._context)
            self._known[document] = recipe
        return recipe

    def _cut(self, document: bytes) -> Recipe | None:
        """Return a recipe from its parts; None where it is not plain."""
        head, mark, rest = document.partition(_NEEDS)
        text, close, tail = rest.partition(b"}")
        place = head.find(_VERSION, head.find(_PACKAGE)) + len(_VERSION)
        end = head.find(b'"', place)
        frame = (head[:place], head[end:] + mark, close + tail)
        if frame not in self._frames:
            self._frames[frame] = self._framed(frame)
        like = self._frames[frame]
        if like is None or not text:
            return like
        if text not in self._needs:
            self._needs[text] = self._needed(text)
        requires = self._needs[text]
        return _RECIPE(*_REST(like), requires=requires) if requires else None

    def _framed(self, frame: Frame) -> Recipe | None:
        """Return the recipe of a frame, without requirements; None where it is not plain."""
        before, middle, after = frame
        there = middle.endswith(_NEEDS)
        filled = f'"{_HOLE}":""' if there else ""
        try:
            table = json.loads(before + _HOLE.encode() + middle + filled.encode() + after)
        except ValueError:
            return None
        package, needs = table.get("package"), table.pop("requires", None)
        plain = isinstance(package, dict) and package.get("version") == _HOLE
        if not plain or needs != ({_HOLE: ""} if there else None) or "when" in table:
            return None
        return _shaped(table, self._context)

    def _needed(self, text: bytes) -> Requires | None:
        """Return the requirements of a text; None where they are more than names with ranges."""
        try:
            table = json.loads(f"{{{text.decode()}}}")
        except ValueError:
            return None
        plain = not any(name[:1] == "@" or name in _TOOLS for name in table)
        if not plain or not all(isinstance(wanted, str) for wanted in table.values()):
            return None
        return Requires(_each(table, self._context))


def _whole(document: bytes, context: Context) -> Recipe:
    table = json.loads(document)
    if not isinstance(table["package"], dict) or not _is_plain(table):
        return recipe_document.resolve(document, context)
    needs = table.pop("requires", {})
    like = _shaped(table, context)
    if not needs:
        return like
    build, target = (_each(needs.pop(key, {}), context) for key in _TOOLS)
    return dataclasses.replace(like, requires=Requires(_each(needs, context), build, target))


def _shaped(table: Table, context: Context) -> Recipe:
    """Return the recipe of a document without requirements, its own name and version aside."""
    for key in _OWN:
        table["package"].pop(key, None)
    return _shape(json.dumps(table, sort_keys=True), context)


@functools.lru_cache(maxsize=4096)
def _shape(text: str, context: Context) -> Recipe:
    table = json.loads(text)
    table["package"] |= {"name": _HEAD["name"], "version": _HEAD["version"]}
    return recipe_document.resolve(canonical.encode(table), context)


def _each(table: Table, context: Context) -> tuple[Requirement, ...]:
    return tuple(
        (_ranged(name, wanted) if isinstance(wanted, str) else None)
        or _need(name, json.dumps(wanted), context)
        for name, wanted in sorted(table.items())
    )


@functools.lru_cache(maxsize=65536)
def _ranged(name: str, wanted: str) -> Requirement | None:
    """Return the requirement of a range; None where it is not one of a plain name."""
    if not names.is_name(name):
        return None
    versions.parse_range(wanted)
    return Requirement(name, wanted)


@functools.lru_cache(maxsize=4096)
def _need(name: str, wanted: str, context: Context) -> Requirement:
    alone = {"package": _HEAD, "requires": {name: json.loads(wanted)}}
    return recipe_document.resolve(canonical.encode(alone), context).requires.run[0]


def _is_plain(table: Table) -> bool:
    """Say whether a recipe's requirements are those of its base, of components alone."""
    needs = table.get("requires", {})
    return (
        "when" not in table
        and isinstance(needs, dict)
        and not any(name[:1] == "@" for name in needs)
        and all(isinstance(needs.get(key, {}), dict) for key in _TOOLS)
    )
