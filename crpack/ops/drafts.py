"""Drafts: components as their authors have them, in folders, and the closure of one of them.

Rules:
- A draft is a folder with a `crpack.toml`.
- The closure holds every component that some platform may require, in any context; it is found
  in the places that the author names, and nowhere else.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from crpack import __version__
from crpack.errors import NoSolution, UsageError
from crpack.model import recipe_document, versions
from crpack.model.limits import MAX_TOML_BYTES
from crpack.model.recipe import Recipe

FILE = "crpack.toml"
_RELEASE = re.split(r"[a-z]", __version__)[0].rstrip(".")  # a candidate counts as its release
_DEPTH = 3  # folders below a named place in which a component is looked for


@dataclass(frozen=True, slots=True)
class Draft:
    """One component as its author has it.

    Attributes:
        folder: absolute; where its `crpack.toml` and its local sources are.
        document: the recipe's document, without digests of local sources.
        recipe: its base.
    """

    folder: str
    document: bytes
    recipe: Recipe

    @property
    def name(self) -> str:
        """The component's name."""
        return self.recipe.package.name


def read(folder: str, *, version: str = "") -> Draft:
    """Return the draft in a folder.

    Args:
        folder: with a `crpack.toml`.
        version: one of its `[versions]`; empty for its own.

    Raises:
        UsageError: there is no such file, or it needs another crpack.
        ManifestError: with every fault of the file.
    """
    folder = os.path.abspath(folder)
    path = os.path.join(folder, FILE)
    try:
        text = _text(path)
    except OSError as error:
        raise UsageError(
            f"there is no `{FILE}` in `{folder}`",
            why=[error.strerror or str(error)],
            hint="name a component's folder, or start one with `crpack new FOLDER`",
        ) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"`{path}` is not UTF-8", why=[str(error)]) from error
    document = recipe_document.read(text, file=os.path.relpath(path), version=version)
    recipe = recipe_document.open_json(document)
    check_crpack(recipe.package.needs_crpack, recipe.package.name)
    return Draft(folder, document, recipe)


def _text(path: str) -> str:
    with open(path, "rb") as stream:
        data = stream.read(MAX_TOML_BYTES + 1)
    if len(data) > MAX_TOML_BYTES:
        raise UsageError(f"`{path}` is longer than {MAX_TOML_BYTES} bytes")
    return data.decode("utf-8-sig")


def check_crpack(needs: str, name: str) -> None:
    """See that this crpack is one that a component can use.

    Raises:
        UsageError: it is not.
    """
    if not versions.parse_range(needs).admits(_RELEASE):
        raise UsageError(
            f"`{name}` needs crpack {needs}, and this is crpack {__version__}",
            hint="upgrade crpack",
        )


def closure(root: Draft, places: tuple[str, ...]) -> tuple[Draft, ...]:
    """Return the drafts that a component requires, itself last, each after what it requires.

    Args:
        root: the component.
        places: folders of components, looked through three folders deep.

    Raises:
        NoSolution: a required component is in none of the places, or has no fitting version.
        UsageError: a place is not there, two folders have one name, or components require
            one another in a circle.
    """
    known = _known(places)
    ordered: dict[str, Draft] = {}

    def visit(draft: Draft, above: tuple[str, ...]) -> None:
        if draft.name in above:
            circle = " → ".join([*above[above.index(draft.name) :], draft.name])
            raise UsageError("components require one another in a circle", why=[circle])
        for need in recipe_document.every_requirement(draft.document):
            if need.name in ordered:
                found = ordered[need.name]
            elif need.name in known:
                found = read(known[need.name])
                visit(found, (*above, draft.name))
            elif need.optional:
                continue
            else:
                raise _missing(need.name, draft.name, places)
            if not versions.parse_range(need.version).admits(found.recipe.package.version):
                raise NoSolution(
                    f"`{draft.name}` needs `{need.name}` {need.version}",
                    why=[f"`{found.folder}` has version {found.recipe.package.version}"],
                )
        ordered[draft.name] = draft

    visit(root, ())
    return tuple(ordered.values())


def _missing(name: str, by: str, places: tuple[str, ...]) -> NoSolution:
    where = ", ".join(f"`{place}`" for place in places)
    return NoSolution(
        f"`{by}` requires `{name}`, which was not found",
        why=[f"looked in {where}" if places else "no place to look in was named"],
        hint="name the folder that holds the required components: `--with FOLDER`",
    )


def _known(places: tuple[str, ...]) -> dict[str, str]:
    """Return name and folder of every component in the places."""
    from crpack.model import toml

    known: dict[str, str] = {}
    for place in places:
        if not os.path.isdir(place):
            raise UsageError(f"there is no folder `{place}`", why=["it was named by `--with`"])
        for folder in _folders(os.path.abspath(place), _DEPTH):
            try:
                name = toml.loads(_text(os.path.join(folder, FILE)))["package"]["name"]
            except (OSError, ValueError, KeyError, TypeError, RecursionError, UsageError):
                continue  # a broken file matters only if it is the one that is needed
            if known.setdefault(str(name), folder) != folder:
                what = f"two folders hold a component `{name}`"
                raise UsageError(what, why=[known[str(name)], folder])
    return known


def _folders(place: str, depth: int) -> list[str]:
    if os.path.isfile(os.path.join(place, FILE)):
        return [place]
    if depth == 0:
        return []
    try:
        with os.scandir(place) as items:
            below = sorted(item.path for item in items if item.is_dir() and item.name[0] != ".")
    except PermissionError:
        return []  # what cannot be looked into holds nothing for this user
    return [folder for path in below for folder in _folders(path, depth - 1)]
