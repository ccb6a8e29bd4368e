"""The realisation: what a generation really consists of, detected files included.

Rules (SPEC GEN-06):
- A node is a component by name, version and revision, and either the tree that it is in the
  store or the files of the machine that serve it.
- Wheels stand by name, version and digest; the interpreter by what it says of itself.
- Times in nanoseconds travel as texts: they are beyond 2^53.
- The digest leaves out where files are and when they were written, so that equal digests on two
  machines say "the same software".
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Any, Literal

from crpack.model import canonical, document


@dataclass(frozen=True, slots=True)
class DetectedFile:
    """A file of the machine: size in bytes, time of change in ns, digest (empty: not taken)."""

    path: str
    size: int
    mtime_ns: int
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """One component of a generation.

    Attributes:
        kind: of the component.
        origin: `binary` (unpacked), `source` (made here) or `detected`.
        identity: of the archive it comes from; empty for what needs none.
        tree: its name in the store; empty for what is not in the store.
        options: values of its build options.
        files: of the machine, for `detected`.
    """

    name: str
    version: str
    revision: int
    kind: str
    origin: Literal["binary", "source", "detected"]
    identity: str = ""
    tree: str = ""
    options: tuple[tuple[str, str], ...] = ()
    files: tuple[DetectedFile, ...] = ()


@dataclass(frozen=True, slots=True)
class RealWheel:
    """One installed distribution, by the digest of its wheel."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Realisation:
    """A generation's content: the machine's platform, what the interpreter says of itself
    (`cpython-3.11.7`; empty without one), components and wheels.
    """  # noqa: D205 - one sentence

    platform: str
    python: str = ""
    nodes: tuple[Node, ...] = ()
    wheels: tuple[RealWheel, ...] = ()


def encode(realisation: Realisation) -> bytes:
    """Return the bytes of `realisation.json`, canonical JSON (SPEC GEN-06)."""
    return document.encode(_table(realisation))


def digest(realisation: Realisation) -> str:
    """Return the sha256, in hex, that says "the same software" (SPEC GEN-06)."""
    table = _table(realisation)
    for node in table["nodes"]:
        node["files"] = sorted([file["size"], file["sha256"]] for file in node["files"])
    return hashlib.sha256(canonical.encode(table)).hexdigest()


def _table(realisation: Realisation) -> dict[str, Any]:
    return {
        "platform": realisation.platform,
        "python": realisation.python,
        "nodes": [node_table(node) for node in sorted(realisation.nodes, key=_name)],
        "wheels": [asdict(wheel) for wheel in sorted(realisation.wheels, key=_name)],
    }


def node_table(node: Node) -> dict[str, Any]:
    """Return a node as plain JSON values, options and files in order."""
    files = sorted(node.files, key=lambda file: file.path)
    return {
        **asdict(node),
        "options": dict(sorted(node.options)),
        "files": [{**asdict(file), "mtime_ns": str(file.mtime_ns)} for file in files],
    }


def _name(item: Node | RealWheel) -> str:
    return item.name
