"""Trees of files that stand for a machine, and probes written as people write them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from crpack.detect.path import read_image
from crpack.detect.scan import Ground, Scan, scan
from crpack.model import recipe_document
from tests.unit.binary.samples import Elf

if TYPE_CHECKING:
    from crpack.model.facts import Found
    from crpack.model.recipe import Recipe

MACHINES = {"x86_64": 62, "aarch64": 183, "riscv64": 243}
OWN = read_image("/proc/self/exe") if os.path.exists("/proc/self/exe") else None
ARCH = OWN.arch if OWN else ""
OTHER = "aarch64" if ARCH == "x86_64" else "x86_64"
TRIPLE = f"{ARCH}-linux-gnu"


def recipe(probes: str, name: str = "thing", version: str = "7") -> Recipe:
    """Return a component with probes."""
    head = f'[package]\nname = "{name}"\nversion = "{version}"\nkind = "software"\n'
    text = f'{head}summary = "A thing"\nlicense = "MIT"\n{probes}'
    return recipe_document.open_json(recipe_document.read(text, file="crpack.toml"))


def library(arch: str, soname: str = "") -> bytes:
    """Return a library for a processor."""
    return Elf(machine=MACHINES[arch], flags=5 if arch == "riscv64" else 0, soname=soname).build()


class Tree:
    """A tree that stands for a machine's root, with nothing on PATH."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environ = {"PATH": str(root / "nothing")}
        self.data: tuple[str, ...] = ()

    def put(self, path: str, content: str | bytes = "") -> Path:
        """Write a file of the tree."""
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    def link(self, path: str, target: str) -> None:
        """Make a link of the tree, to a target relative to its folder."""
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.symlink_to(target)

    def scan(self, probes: str, name: str = "thing") -> Scan:
        """Return what a component's probes find."""
        ground = Ground(self.environ, str(self.root), self.data)
        return scan([recipe(probes, name)], ground)

    def found(self, probes: str) -> tuple[Found, ...]:
        return self.scan(probes).found

    def one(self, probes: str) -> Found:
        """Return the only finding."""
        (found,) = self.found(probes)
        return found

    def at(self, found: Found) -> str:
        """Return a finding's path in the tree."""
        return str(Path(found.path).relative_to(self.root))


def note(found: Found, name: str) -> str:
    """Return a note of a finding; empty when it has none."""
    return dict(found.notes).get(name, "")


def whys(done: Scan) -> list[str]:
    """Return why candidates were refused."""
    return [one.why for one in done.refused]
