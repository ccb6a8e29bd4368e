"""Recipes as choosing reads them: of many releases that are alike, what is alike is read once.

Rules (SPEC IDX-06, DOC-04):
- What comes out is what `recipe_document.resolve` gives; that function reads every part.
- Releases mostly differ in version, revision and ranges. A recipe without `[[when]]` blocks is put
  together from its shape and its requirements, each read once.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from typing import TYPE_CHECKING

from crpack.model import canonical, names, recipe_document, versions
from crpack.model.recipe import Requires
from crpack.model.requirements import Requirement

if TYPE_CHECKING:
    from crpack.model.recipe import Recipe
    from crpack.model.recipe_document import Context
    from crpack.model.tables import Table


_HEAD = {"name": "x", "version": "0", "kind": "software", "summary": "", "license": ""}
_OWN = ("name", "version", "revision")
_TOOLS = ("build", "target")


class Recipes:
    """The recipes that were read, for any number of problems."""

    def __init__(self) -> None:
        self._known: dict[Context, dict[bytes, Recipe]] = {}

    def on(self, context: Context) -> dict[bytes, Recipe]:
        """Return those that were read for a platform and options, by document."""
        return self._known.setdefault(context, {})


def read(document: bytes, context: Context) -> Recipe:
    """Return the recipe of a document; of its package only the name, version and revision lack.

    Raises:
        FormatError, UsageError: it does not hold together.
    """
    table = json.loads(document)
    if not isinstance(table["package"], dict) or not _is_plain(table):
        return recipe_document.resolve(document, context)
    for key in _OWN:
        table["package"].pop(key, None)
    needs = table.pop("requires", {})
    like = _shape(json.dumps(table, sort_keys=True), context)
    if not needs:
        return like
    build, target = (_each(needs.pop(key, {}), context) for key in _TOOLS)
    return dataclasses.replace(like, requires=Requires(_each(needs, context), build, target))


@functools.lru_cache(maxsize=4096)
def _shape(text: str, context: Context) -> Recipe:
    table = json.loads(text)
    table["package"] |= {"name": _HEAD["name"], "version": _HEAD["version"]}
    return recipe_document.resolve(canonical.encode(table), context)


def _each(table: Table, context: Context) -> tuple[Requirement, ...]:
    return tuple(
        _need(name, wanted if isinstance(wanted, str) else json.dumps(wanted), context)
        for name, wanted in sorted(table.items())
    )


@functools.lru_cache(maxsize=65536)
def _need(name: str, wanted: str, context: Context) -> Requirement:
    if wanted[:1] != "{" and names.is_name(name):
        versions.parse_range(wanted)
        return Requirement(name, wanted)
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
