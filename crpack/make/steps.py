"""The values that drivers make: steps, generated files, copies.

Rules (SPEC BLD-06):
- A driver is a pure function from a `Task` to `Work`; it opens nothing and starts nothing.
- A step is an argv with its folder and its whole environment; there is no shell.
- Everything a build writes is below one of its five folders.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from crpack.make.toolchains import Toolbox
from crpack.model.platforms import Platform
from crpack.model.recipe import Build

_PLAIN = re.compile(r"[A-Za-z0-9/._+@%,-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Folders:
    """The five folders of one build: absolute paths that pass no link.

    `source` holds the unpacked sources, `build` is for scratch files, `out` becomes the result,
    `home` and `tmp` are the HOME and TMPDIR of the steps.
    """

    source: str
    build: str
    out: str
    home: str
    tmp: str

    def all(self) -> tuple[str, ...]:
        """Return the five paths."""
        return (self.source, self.build, self.out, self.home, self.tmp)


@dataclass(frozen=True, slots=True)
class Step:
    """One program to run: `title` names it for people; `env` is its whole environment."""

    title: str
    argv: tuple[str, ...]
    cwd: str
    env: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class TextFile:
    """A generated file, written before the first step and kept for reading."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Copy:
    """Files taken from the source tree into the result by crpack itself (SPEC BLD-09).

    Attributes:
        glob: of the files, relative to the source tree.
        base: leading folder that is left out of their paths in the result.
        to: folder of the result; empty for its root.
    """

    glob: str
    base: str
    to: str


@dataclass(frozen=True, slots=True)
class Work:
    """What a driver asks for, in this order: files, steps, copies."""

    files: tuple[TextFile, ...] = ()
    steps: tuple[Step, ...] = ()
    copies: tuple[Copy, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """What a driver knows.

    Attributes:
        build: the recipe's `[build]` table.
        folders: of this build.
        toolbox: programs it may start.
        target: platform that the compilers compile for.
        values: placeholders.
        env: environment of every step.
        prefixes: roots of the dependencies, for search paths.
        jobs: how many compilers may run at once.
    """

    build: Build
    folders: Folders
    toolbox: Toolbox
    target: Platform
    values: tuple[tuple[str, str], ...]
    env: tuple[tuple[str, str], ...]
    prefixes: tuple[str, ...]
    jobs: int

    @property
    def cwd(self) -> str:
        """The folder of the source tree that the steps start in."""
        return "/".join(part for part in (self.folders.source, self.build.subdir) if part)

    def step(self, title: str, argv: tuple[str, ...]) -> Step:
        """Return a step in the source folder with the common environment."""
        return Step(title, argv, self.cwd, self.env)


def prefix_maps(folders: Folders) -> tuple[str, ...]:
    """Return the flags that keep this build's folders out of its results (SPEC BLD-08).

    Quoted for the shells of make and of CMake's generators, which see them.
    """
    pairs = ((folders.source, "."), (folders.build, "."))
    return tuple(shlex.quote(f"-ffile-prefix-map={old}={new}") for old, new in pairs)


def is_plain(path: str) -> bool:
    """Say whether every makefile takes this path, however carelessly it quotes (SPEC BLD-07)."""
    return _PLAIN.fullmatch(path) is not None
