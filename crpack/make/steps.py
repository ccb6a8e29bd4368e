"""The values that drivers make: steps, generated files, copies.

Rules (SPEC BLD-06):
- A driver is a pure function from a `Task` to `Work`; it opens nothing and starts nothing.
- A step is an argv with its folder and its whole environment; there is no shell.
- Everything a build writes is below one of its five folders.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from crpack.make.toolbox import Toolbox
from crpack.model.placeholders import render, render_all
from crpack.model.platforms import Platform
from crpack.model.recipe import Argv, Build

_PLAIN = re.compile(r"[A-Za-z0-9/._+@%,-]+", re.ASCII)
Pairs = tuple[tuple[str, str], ...]
ELF = ("linux", "android")  # systems whose linkers follow what a shared library asks for


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
    executable: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link, made before the first step: a plain path to a folder that has none."""

    path: str
    target: str


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
        linked: roots of the linked ones among them.
        libraries: folders of linked dependencies' libraries, those aside that compilers search.
        run_path: where results look for libraries, relative to themselves (SPEC BLD-21).
        maps: flags that keep folders of this machine out of results (SPEC BLD-08).
        launcher: put before each call of a compiler, such as `ccache`; empty for none.
    """

    build: Build
    folders: Folders
    toolbox: Toolbox
    target: Platform
    values: Pairs
    env: Pairs
    prefixes: tuple[str, ...]
    jobs: int
    linked: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    run_path: tuple[str, ...] = ()
    maps: tuple[str, ...] = ()
    launcher: str = ""

    @property
    def cwd(self) -> str:
        """The folder of the source tree that the steps start in."""
        return "/".join(part for part in (self.folders.source, self.build.subdir) if part)

    @property
    def cross(self) -> bool:
        """The compilers compile for another platform than the one that they run on."""
        return self.target.base != self.toolbox.platform.base

    @property
    def emulator(self) -> tuple[str, ...]:
        """What is put before a program of the target platform to run it here; empty for nothing."""
        return self.toolbox.emulator.argv if self.toolbox.emulator else ()

    @property
    def flags(self) -> tuple[str, ...]:
        """Flags of every call of a compiler, not quoted."""
        return (*self.toolbox.compilers().flags, *self.maps)

    @property
    def link_flags(self) -> tuple[str, ...]:
        """Flags of every call that links, not quoted (SPEC BLD-21).

        `LIBRARY_PATH` is for native compilers only; and a linker that follows what a library
        asks for looks for it in places of its own.
        """
        folders = self.libraries
        own = tuple(f"-L{folder}" for folder in folders) if self.cross else ()
        if self.target.os in ELF:
            own += tuple(f"-Wl,-rpath-link,{folder}" for folder in folders)
        return (*self.toolbox.compilers().link_flags, *own)

    def render(self, text: str, *, where: str) -> str:
        """Return a text of the recipe with its placeholders replaced (SPEC BLD-03).

        Raises:
            ManifestError: an unknown placeholder.
        """
        return render(text, dict(self.values), where=where)

    def render_all(self, texts: Argv, *, where: str) -> tuple[str, ...]:
        """Return texts of the recipe with their placeholders replaced (SPEC BLD-03).

        Raises:
            ManifestError: an unknown placeholder.
        """
        return render_all(texts, dict(self.values), where=where)

    def step(
        self,
        title: str,
        argv: tuple[str, ...],
        *,
        cwd: str = "",
        env: tuple[tuple[str, str], ...] = (),
    ) -> Step:
        """Return a step: in the source folder and with the common environment, if not told else."""
        merged = {**dict(self.env), **dict(env)}
        return Step(title, argv, cwd or self.cwd, tuple(sorted(merged.items())))


def prefix_maps(folders: Folders, roots: tuple[tuple[str, str], ...] = ()) -> tuple[str, ...]:
    """Return the flags that keep folders of this machine out of results (SPEC BLD-08).

    Args:
        folders: of this build.
        roots: name and folder of dependencies.
    """
    pairs = ((folders.source, "."), (folders.build, "."), *((path, name) for name, path in roots))
    return tuple(f"-ffile-prefix-map={old}={new}" for old, new in pairs)


def is_plain(path: str) -> bool:
    """Say whether every makefile takes this path, however carelessly it quotes (SPEC BLD-07)."""
    return _PLAIN.fullmatch(path) is not None
