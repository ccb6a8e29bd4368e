"""The dependencies of one build: where they stand, and how builds and results find them.

Rules (SPEC BLD-07, BLD-21):
- One name may stand twice: a tool that runs here, and what is linked for the target platform.
- Makefiles in the wild split paths at spaces: a dependency whose path has some is reached by a
  link in the build folder.
- Results find libraries relative to themselves, so that a prefix may stand anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from crpack.make.key import External
from crpack.make.steps import Folders, Link, is_plain
from crpack.model.recipe import Exports

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crpack.model.platforms import Platform

_LINKS = "crpack-dependencies"  # folder of the build folder
SYSTEM = ("/", "/usr", "/usr/local")  # what compilers search anyway


@dataclass(frozen=True, slots=True)
class DepRoot:
    """A dependency as a build sees it.

    Attributes:
        path: its root folder, absolute.
        tree: digest of its tree; empty for detected software.
        exports: what it offers.
        context: `build` for a tool that runs here, `target` for what is linked in.
        externals: the files it consists of, for detected software.
    """

    path: str
    tree: str = ""
    exports: Exports = field(default_factory=Exports)
    context: str = "target"
    externals: tuple[External, ...] = ()

    @property
    def linked(self) -> bool:
        """It is for the target platform: results may be linked with it."""
        return self.context != "build"


Deps = tuple[tuple[str, DepRoot], ...]


def below(deps: Iterable[DepRoot], export: str) -> tuple[str, ...]:
    """Return the folders of one export; what compilers search anyway is left out."""
    return tuple(
        f"{dep.path}/{folder}"
        for dep in deps
        if dep.path not in SYSTEM or export == "pkgconfig"
        for folder in getattr(dep.exports, export)
    )


def run_path(target: Platform, deps: Deps) -> tuple[str, ...]:
    """Return where results look for libraries, relative to themselves (SPEC BLD-21).

    Their own stand in `lib`; those of a dependency in its tree, which stands beside theirs in
    every store. Those of detected software stand where they are.
    """
    origin = "@loader_path" if target.os == "macos" else "$ORIGIN"
    linked = [dep for _, dep in deps if dep.linked]
    trees = (
        f"{origin}/../../../{dep.tree}/files/{folder}"
        for dep in linked
        if dep.tree
        for folder in dep.exports.lib
    )
    found = below((dep for dep in linked if not dep.tree), "lib")
    return tuple(dict.fromkeys((f"{origin}/../lib", *trees, *found)))


def placed(deps: Deps, folders: Folders) -> tuple[Deps, tuple[Link, ...]]:
    """Return the dependencies at paths that no makefile stumbles over, and the links for it."""
    near, links = [], []
    for name, dep in deps:
        if not is_plain(dep.path):
            path = f"{folders.build}/{_LINKS}/{dep.context}/{name}"
            links.append(Link(path, dep.path))
            near.append((name, replace(dep, path=path)))
        else:
            near.append((name, dep))
    return tuple(near), tuple(links)
