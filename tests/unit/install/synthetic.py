"""A synthetic solution: small trees, installed as `ops` does, and looked at byte by byte."""

from __future__ import annotations

import hashlib
import os

from crpack import disk
from crpack.install import generations, state
from crpack.install.generations import Generation, Part, Record
from crpack.install.store import Store
from crpack.install.transaction import Draft, Transaction
from crpack.model.realisation import Node
from crpack.model.tree import Entry

NAME = "lab/demo"
DATE = "2024-01-01T00:00:00Z"

Trees = dict[str, dict[str, bytes]]
Seen = tuple[str, tuple[tuple[str, str, str], ...]] | None

V1: Trees = {
    "prog": {"bin/prog": b"one", "share/a/b.txt": b"text"},
    "data": {"weights": b"w" * 5000},
}
V2: Trees = {
    "prog": {"bin/prog": b"two", "share/a/b.txt": b"text"},
    "data": {"weights": b"w" * 5000},
}
V3: Trees = {"prog": {"bin/prog": b"three"}, "data": {"more": b"", "weights": b"v"}}


def entry(path: str, data: bytes) -> Entry:
    """Return the entry of a file; those in `bin` are executable."""
    digest = hashlib.sha256(data).hexdigest()
    return Entry(path, "file", path.startswith("bin/"), len(data), digest)


def write_tree(transaction: Transaction, files: dict[str, bytes]) -> str:
    """Write files and a link to the first of them as a tree; return its name."""
    writer = transaction.writer()
    for path, data in files.items():
        writer.file(entry(path, data), iter([data[:2], data[2:]]))
    writer.link("link", next(iter(files)))
    return transaction.admit(writer)


def record(version: str, parts: tuple[Part, ...], *, name: str = NAME) -> Record:
    """Return the record of a version."""
    return Record(name, version, 0, "0" * 64, name, DATE, "any", parts=parts)


def install(prefix: str, version: str, trees: Trees, *, name: str = NAME) -> Generation:
    """Install a solution of the given trees, one a component."""
    with Transaction(prefix) as transaction:
        parts = []
        for component, files in trees.items():
            tree = write_tree(transaction, files)
            parts.append(Part(Node(component, version, 0, "program", "binary", tree=tree)))
        draft = Draft(record(version, tuple(parts), name=name), b"lock", b"{}")
        return transaction.commit(draft)


def damage(generation: Generation) -> None:
    """Overwrite a generation's record with something that is none."""
    path = f"{generation.path}/generation.json"
    os.chmod(path, 0o644)
    with open(path, "w", encoding="utf-8") as file:
        file.write("{")


def observe(prefix: str, name: str = NAME) -> Seen:
    """Return what is installed, after checking every byte of it; None for nothing."""
    if state.current_number(prefix, name) == 0:
        return None
    generation = generations.current(prefix, name)
    store = Store(prefix)
    found = []
    for part in generation.record.parts:
        assert store.verify(part.node.tree) == ()
        assert os.path.samefile(generation.root(part.node.name), store.path(part.node.tree))
        found.append((part.node.name, part.node.version, part.node.tree))
    assert {item.damage for item in state.installed(prefix)} == {""}
    return generation.record.version, tuple(found)


def leftovers(prefix: str) -> tuple[str, ...]:
    """Return what a sweep leaves in the stages."""
    disk.sweep(f"{prefix}/stage")
    return disk.names(f"{prefix}/stage")
