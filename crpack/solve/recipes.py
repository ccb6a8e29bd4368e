"""Recipes as choosing reads them: of many releases that are alike, what is alike is read once.

Rules (SPEC IDX-06, DOC-04):
- What comes out is what `recipe_document.resolve` gives; that function reads every shape.
- Releases mostly differ in version, revision and ranges: a recipe without `[[when]]` blocks is put
  together from its shape and its plain requirements.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import operator
from typing import TYPE_CHECKING

from crpack.model import canonical, recipe_document, recipe_slice
from crpack.model.recipe import Recipe, Requires
from crpack.model.requirements import Requirement

if TYPE_CHECKING:
    from collections.abc import Callable

    from crpack.model.recipe_document import Context
    from crpack.model.recipe_slice import Parts

_REST = operator.attrgetter(*(f.name for f in dataclasses.fields(Recipe) if f.name != "requires"))
_RECIPE: Callable[..., Recipe] = Recipe


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
        self._shapes: dict[bytes, Recipe] = {}

    def read(self, document: bytes, parts: Parts | None = None) -> Recipe:
        """Return a document's recipe; of its package only the name, version and revision lack.

        Args:
            document: a recipe's slice.
            parts: of it, where they are known already.

        Raises:
            FormatError, UsageError: it does not hold together.
        """
        recipe = self._known.get(document)
        if recipe is None:
            recipe = self._known[document] = self._read(document, parts)
        return recipe

    def like(self, document: bytes, parts: Parts | None = None) -> Recipe:
        """Return a document's recipe, its plain requirements aside if that is quicker; see `read`.

        Raises:
            FormatError, UsageError: it does not hold together.
        """
        return self._shaped(parts.shape) if parts else self.read(document)

    def _read(self, document: bytes, parts: Parts | None) -> Recipe:
        if parts is None:
            table = json.loads(document)
            parts = recipe_slice.parts(table) if isinstance(table["package"], dict) else None
        if parts is None:
            return recipe_document.resolve(document, self._context)
        like = self._shaped(parts.shape)
        if not parts.needs:
            return like
        run = tuple(Requirement(name, wanted) for name, wanted in parts.needs)
        rest = like.requires
        if rest.run:
            run = tuple(sorted((*run, *rest.run), key=lambda need: need.name))
        return _RECIPE(*_REST(like), requires=Requires(run, rest.build, rest.target, rest.machine))

    def _shaped(self, shape: bytes) -> Recipe:
        recipe = self._shapes.get(shape)
        if recipe is None:
            recipe = self._shapes[shape] = _shaped(shape, self._context)
        return recipe


@functools.lru_cache(maxsize=4096)
def _shaped(shape: bytes, context: Context) -> Recipe:
    table = json.loads(shape)
    table["package"] |= {"name": "x", "version": "0"}
    return recipe_document.resolve(canonical.encode(table), context)
