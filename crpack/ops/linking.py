"""What a build is given: the tools that run, and what is linked with all that that links.

Rules (SPEC ELS-06, DET-19, DET-27):
- A library's own libraries come with it: its `.pc` file names them, and so does a static archive.
- A component may be there in both contexts: as a tool that runs where results are made, and as a
  library among the results.
- Of detected software a build sees the folder that it is installed below, and no more of a home
  than the tool; what it consists of is recorded by its digests. What is enough for linking offers
  the usual folders of headers, libraries and packages below it, as far as they are there.
- Authors and devices give builds the same.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from crpack.install import listing
from crpack.make.dependencies import DepRoot
from crpack.make.key import External
from crpack.model import platforms
from crpack.model.realisation import DetectedFile
from crpack.model.recipe import Exports
from crpack.ops import data, detection
from crpack.solve.problem import Slot

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from crpack.model.facts import Found
    from crpack.model.recipe import Recipe
    from crpack.solve.problem import Context

_SYSTEM = ("/usr/", "/opt/")
_PREFIXES = ("bin", "lib", "include")  # a detected file's folder that its prefix is above
_LIBRARIES = ("lib/{triple}", "lib64", "lib")


@dataclass(frozen=True, slots=True)
class Detected:
    """Detected software: what builds are given of it, and the files that it was known by."""

    given: DepRoot
    files: tuple[DetectedFile, ...] = ()


def tools(recipe: Recipe, slot: Slot, *, crossing: bool) -> tuple[Slot, ...]:
    """Return the tools that make a component.

    Args:
        recipe: of it, merged for its machine and options.
        slot: that it is made for.
        crossing: results are for another machine than the one that makes them, so tools have a
            context of their own.
    """
    context = "build" if crossing else slot.context
    return tuple(Slot(need.name, context) for need in recipe.requires.build)


def linked(recipe: Recipe, slot: Slot, made: Mapping[Slot, Recipe]) -> tuple[Slot, ...]:
    """Return what a component links, nearest first, with all that that links.

    Args:
        recipe: of it, merged for its machine and options.
        slot: that it is made for.
        made: recipes of what comes from archives; what was detected knows its own libraries.
    """
    found = {Slot(need.name, slot.context): None for need in recipe.requires.target}
    waiting = list(found)
    for one in waiting:
        inner = made[one].requires.target if one in made else ()
        fresh = [s for need in inner if (s := Slot(need.name, slot.context)) not in found]
        found |= dict.fromkeys(fresh)
        waiting += fresh
    return tuple(found)


def given(
    tools: Iterable[Slot], linked: Iterable[Slot], roots: Mapping[Slot, DepRoot]
) -> tuple[tuple[str, DepRoot], ...]:
    """Return what a build is given, by name and context; a name may stand there in both.

    Args:
        tools: what runs; see the function of that name.
        linked: what is linked; likewise.
        roots: of all that is there; what is not was optional.
    """
    groups: tuple[tuple[Context, Iterable[Slot]], ...] = (("build", tools), ("target", linked))
    found = {
        (slot.name, context): replace(roots[slot], context=context)
        for context, slots in groups
        for slot in slots
        if slot in roots
    }
    return tuple((name, found[name, context]) for name, context in sorted(found))


def detected(found: Found) -> Detected:
    """Return what a build is given of detected software; nothing of that of another machine.

    Raises:
        InstallError: a file of it cannot be read.
    """
    if not found.path:
        return Detected(DepRoot(""))
    version = found.version or ""
    if found.files:
        files = data.files(found)
        parts = zip(found.files, files, strict=True)
        own = tuple(External(name, version, file.sha256) for name, file in parts)
        return Detected(DepRoot(found.place, externals=own), files)
    seen = DetectedFile(found.path, found.size, found.mtime_ns, listing.sha256(found.realpath)[0])
    loaded = data.recorded(found.library) if found.library else seen
    notes = dict(found.notes)
    soname = notes.get("soname", "")
    named = {found.library: soname} if found.library and soname else {}
    every = {file.path: file for file in (seen, loaded)}
    externals = tuple(
        External(named.get(path, os.path.basename(path)), version, file.sha256)
        for path, file in every.items()
    )
    root = _root(found)
    exports = _exports(root) if notes.get("provides") == "dev" else Exports()
    return Detected(DepRoot(root, exports=exports, externals=externals), (loaded,))


def _exports(root: str) -> Exports:
    """Return what of the usual folders of an installation is there (SPEC DET-27)."""
    triple = platforms.spelling(detection.platform(), "gnu")

    def there(*usual: str) -> tuple[str, ...]:
        folders = (at.format(triple=triple) for at in usual)
        return tuple(at for at in folders if os.path.isdir(f"{root}/{at}"))

    packaged = (*_LIBRARIES, "share")
    return Exports(
        include=there("include/{triple}", "include"),
        lib=there(*_LIBRARIES),
        cmake=there(*(f"{at}/cmake" for at in packaged)),
        pkgconfig=there(*(f"{at}/pkgconfig" for at in packaged)),
    )


def _root(found: Found) -> str:
    """Return the folder of an installation as a build sees it; no more of a home than its tool."""
    folder = os.path.dirname(found.path)
    notes = dict(found.notes)
    prefix = notes.get("prefix", "")
    if prefix and ("evidence" in notes or f"{prefix}/".startswith(_SYSTEM)):
        return prefix
    system = folder.startswith(_SYSTEM) and os.path.basename(folder) in _PREFIXES
    return os.path.dirname(folder) if system else folder
