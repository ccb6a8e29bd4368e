"""Candidates and edges: what could satisfy a slot, and what is asked of it.

Rules (SPEC SOL-03, SOL-04):
- An edge is one thing asked of a slot: `need` (it must be there and fit), `wish` (if it is there
  it fits), `avoid` (if it is there it lies outside of the range).
- A candidate is one release with all its build options settled, one thing that was found, what
  another component provides, or nothing.
- The same candidate is the same object, so candidates and edges compare by identity.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from crpack.index.entries import Release
from crpack.model import versions
from crpack.model.facts import Found
from crpack.model.manifest import Payload
from crpack.model.parameters import Parameter
from crpack.solve.conflict import Code
from crpack.solve.problem import Slot
from crpack.solve.recipes import Reader

if TYPE_CHECKING:
    from crpack.model.recipe import Recipe
    from crpack.model.versions import Version

PYTHON = "@python"  # the interpreter of the results, as a slot of its own
Use = Literal["run", "link", "tool"]
Given = tuple[tuple[str, str], ...]


class Unloaded(Exception):  # noqa: N818 - a signal to the driver, never seen by users
    """Names must be looked up before the search can go on."""

    def __init__(self, *names: str) -> None:
        super().__init__(*names)
        self.names = names


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """One way to satisfy a slot.

    `origin` is `absent` for the way without anything, and `open` for a release with values of its
    options that nobody was seen to ask for.
    """

    slot: Slot
    origin: Literal["absent", "detected", "binary", "source", "virtual", "open"]
    version: str | None = None
    release: Release | None = None
    options: Given = ()
    declared: tuple[Parameter, ...] = ()
    payload: Payload | None = None
    found: Found | None = None
    reader: Reader | None = None  # of its recipe, if it has one

    @property
    def order(self) -> Version:
        """Its version, to be compared; the least one where there is none."""
        return _order(self.version or "0.dev0")

    @property
    def recipe(self) -> Recipe | None:
        """Its recipe, if it is a release whose way is settled."""
        release = self.release
        return self.reader.read(release.recipe, release.parts) if self.reader and release else None

    @property
    def made(self) -> bool:
        """It is installed by crpack, from a payload or a source."""
        return self.release is not None


@dataclass(frozen=True, slots=True, eq=False)
class Edge:
    """One thing that is asked of a slot, by a candidate or by a request (its number).

    `use`: it runs beside the asker, is linked into it, or is a tool to make it with.
    """

    slot: Slot
    source: Candidate | int
    range: str = ""
    options: Given = ()
    external: Literal["allow", "prefer", "forbid"] = "allow"
    mode: Literal["need", "wish", "avoid"] = "need"
    use: Use = "run"
    serves: tuple[str, str] | None = None  # the component must provide this name and version


@dataclass(frozen=True, slots=True)
class Excluded:
    """A release that is no candidate, and why: in a stable word, and as people read it."""

    version: str
    code: Code
    why: str


@functools.lru_cache(maxsize=16384)
def _order(version: str) -> Version:
    return versions.parse(version)
