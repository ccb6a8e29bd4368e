"""The build key: the name of everything that a result depends on.

Rules (SPEC KEY-01…):
- The key is the sha256 of the canonical JSON of the ingredients; equal ingredients, equal key.
- In it: recipe, build options, sources, target with floor and CPU level, toolchain, tools,
  environment, dependencies by tree and context, files of detected libraries.
- Not in it: paths, number of jobs, time, user, host, log level. The environment enters with the
  placeholders of its folders, not with the folders.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from crpack.make.toolchains.chain import Toolchain
from crpack.model import canonical
from crpack.model.platforms import Platform

KEY_FORMAT = 1


@dataclass(frozen=True, slots=True)
class External:
    """One file of detected software that a build uses.

    `soname` is the name it is linked by, or the tool's name; `sha256` is of the file.
    """

    soname: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Dependency:
    """One component that a build uses: `context` is `build` or `target`; `tree` its content."""

    context: str
    name: str
    tree: str


@dataclass(frozen=True, slots=True)
class Ingredients:
    """Everything that enters a build key.

    Attributes:
        recipe: sha256 of `recipe.json`.
        options: build options, name and value as text.
        sources: sha256 of each source in the recipe's order.
        target: with its floor.
        toolchain: None where nothing is compiled.
        environment: names and values with placeholders for folders.
        tools: name and version of the other programs that shape the result.
        dependencies: components, both contexts.
        externals: files of detected software.
    """

    recipe: str
    options: tuple[tuple[str, str], ...]
    sources: tuple[str, ...]
    target: Platform
    toolchain: Toolchain | None
    environment: tuple[tuple[str, str], ...]
    tools: tuple[tuple[str, str], ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    externals: tuple[External, ...] = ()


def build_key(ingredients: Ingredients) -> str:
    """Return the key as 64 hex digits (SPEC KEY-01)."""
    return hashlib.sha256(canonical.encode(_document(ingredients))).hexdigest()


def _document(of: Ingredients) -> dict[str, object]:
    return {
        "format": KEY_FORMAT,
        "recipe": of.recipe,
        "options": sorted(of.options),
        "sources": of.sources,
        "target": str(of.target),
        "toolchain": _toolchain(of.toolchain),
        "tools": sorted(of.tools),
        "environment": sorted(of.environment),
        "dependencies": sorted((d.context, d.name, d.tree) for d in of.dependencies),
        "externals": sorted((e.soname, e.version, e.sha256) for e in of.externals),
    }


def _toolchain(of: Toolchain | None) -> dict[str, object] | None:
    if of is None:
        return None
    further = {"link_flags": of.link_flags, "wrappers": of.wrappers_sha256}
    return {
        "family": of.family,
        "version": of.version,
        "target": of.triple,
        "libc": of.libc,
        "flags": of.flags,
        "cpu": of.cpu_flags,
        **{name: value for name, value in further.items() if value},
    }
