"""What surrounds a program of a generation: where components are, and its environment.

Rules (SPEC ACT-04, EXE-02):
- A program gets the user's basics and what components export; nothing else of the caller.
- Where it runs elsewhere, all is named as it is there, and the basics are that place's own.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack.install import generations
from crpack.process import environment
from crpack.work.action import Roots
from crpack.work.executors.errand import Errand, Tree

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from crpack.install.generations import Generation
    from crpack.work.executors.errand import Ground


_SPARE = ("DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class _Offered:
    """What components export: folders of programs and of libraries, and plain variables."""

    bin: tuple[str, ...]
    lib: tuple[str, ...]
    plain: dict[str, str]


def roots(generation: Generation, folder: str, at: Callable[[str], str] = str) -> Roots:
    """Return where things are for an action.

    Args:
        generation: whose action it is.
        folder: the run folder.
        at: tells where a folder is for the program.
    """
    own = generation.record.name
    names = [part.node.name for part in generation.record.parts if generations.target(part)]
    deps = tuple((name, at(generation.root(name))) for name in names if name != own)
    return Roots(at(generation.root(own)), deps, python(generation), folder)


def python(generation: Generation) -> str:
    """Return the interpreter of a generation's environment; empty where it has none."""
    return f"{generation.environment}/bin/python" if generation.environment else ""


def variables(
    generation: Generation, ground: Ground, at: Callable[[str], str] = str, *, here: bool = True
) -> dict[str, str]:
    """Return the environment of an action: the basics, and what components export.

    Args:
        generation: whose action it is.
        ground: home, temporary files and system programs there.
        at: tells where a component is for the program.
        here: it runs on this machine, and may use its display and processors as the user says.
    """
    keep = {name: os.environ[name] for name in _SPARE if here and name in os.environ}
    offered = _offered(generation, at)
    keep |= offered.plain
    keep |= {"LD_LIBRARY_PATH": os.pathsep.join(offered.lib)} if offered.lib else {}
    path = (*offered.bin, *ground.path)
    return environment.clean(keep, home=ground.home, tmp=ground.tmp, path=path)


def beside(generation: Generation, environ: Mapping[str, str]) -> dict[str, str]:
    """Return what a shell of a solution has beside the environment of the user (SPEC CLI-08).

    What components export comes first, and the Python environment before the system's Python.

    Args:
        generation: of the solution.
        environ: the environment of the user.
    """
    offered = _offered(generation, str)
    found = {"CRPACK_SHELL": generation.record.name} | offered.plain
    folders = list(offered.bin)
    if generation.environment:
        found["VIRTUAL_ENV"] = generation.environment
        folders.append(f"{generation.environment}/bin")
    usual = environ.get("PATH", os.pathsep.join(environment.SYSTEM_PATH))
    for name, first, rest in (
        ("PATH", folders, usual),
        ("LD_LIBRARY_PATH", offered.lib, environ.get("LD_LIBRARY_PATH", "")),
    ):
        every = [*first, *(one for one in rest.split(os.pathsep) if one and one not in first)]
        found |= {name: os.pathsep.join(every)} if first else {}
    return found


def _offered(generation: Generation, at: Callable[[str], str]) -> _Offered:
    programs: list[str] = []
    libraries: list[str] = []
    plain: dict[str, str] = {}
    for part in generation.record.parts:
        root = at(generation.root(part.node.name))
        programs += [f"{root}/{folder}" for folder in part.bin if part.node.tree]
        libraries += [f"{root}/{folder}" for folder in part.lib]
        plain |= {key: text.replace("{prefix}", root) for key, text in part.env}
    return _Offered(tuple(programs), tuple(libraries), plain)


def errand(generation: Generation, folder: str, given: tuple[str, ...]) -> Errand:
    """Return what a run of an action needs where it runs.

    Args:
        generation: whose action it is.
        folder: the run folder.
        given: files and folders that its inputs name.
    """
    record = generation.record
    trees = tuple(
        Tree(generation.root(part.node.name), part.node.tree)
        for part in record.parts
        if part.node.tree
    )
    bound = [f"`{part.node.name}` of this machine" for part in record.parts
             if part.node.origin == "detected"]  # fmt: skip
    if record.env:
        bound.append("a Python environment")
    return Errand(record.name, record.platform, folder, trees, given, tuple(bound))
