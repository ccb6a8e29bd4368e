"""Every fault at every point: an installation is whole-old or whole-new (SPEC STO-10, GEN-04)."""

from __future__ import annotations

import errno
import hashlib
import os
import random
import shutil
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from crpack import disk
from crpack.errors import InstallError
from crpack.install import collect, generations, state
from crpack.install.generations import Part, Record
from crpack.install.store import Store
from crpack.install.transaction import Draft, Transaction, rollback
from crpack.model.realisation import Node
from crpack.model.tree import Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAME = "lab/demo"
DATE = "2024-01-01T00:00:00Z"

V1 = {"prog": {"bin/prog": b"one", "share/a/b.txt": b"text"}, "data": {"weights": b"w" * 5000}}
V2 = {"prog": {"bin/prog": b"two", "share/a/b.txt": b"text"}, "data": {"weights": b"w" * 5000}}
V3 = {"prog": {"bin/prog": b"three"}, "data": {"more": b"", "weights": b"v"}}

State = tuple[str, tuple[tuple[str, str, str], ...]] | None


def _entry(path: str, data: bytes) -> Entry:
    digest = hashlib.sha256(data).hexdigest()
    return Entry(path, "file", path.startswith("bin/"), len(data), digest)


def install(prefix: str, version: str, trees: dict[str, dict[str, bytes]]) -> None:
    """Install a synthetic solution as `ops` does, one tree a component."""
    with Transaction(prefix) as transaction:
        parts = []
        for component, files in trees.items():
            writer = transaction.writer()
            for path, data in files.items():
                writer.file(_entry(path, data), iter([data[:2], data[2:]]))
            writer.link("link", next(iter(files)))
            tree = transaction.admit(writer)
            parts.append(Part(Node(component, version, 0, "program", "binary", tree=tree)))
        record = Record(NAME, version, 0, "0" * 64, NAME, DATE, "any", parts=tuple(parts))
        transaction.commit(Draft(record, b"lock", b"{}"))


def observe(prefix: str) -> State:
    """Return what is installed, after checking every byte of it; None for nothing."""
    if state.current_number(prefix, NAME) == 0:
        return None
    generation = generations.current(prefix, NAME)
    store = Store(prefix)
    found = []
    for part in generation.record.parts:
        assert store.verify(part.node.tree) == ()
        assert os.path.samefile(generation.root(part.node.name), store.path(part.node.tree))
        found.append((part.node.name, part.node.version, part.node.tree))
    assert {item.damage for item in state.installed(prefix)} == {""}
    return generation.record.version, tuple(found)


@dataclass(frozen=True)
class Case:
    """A change to make, from a state that is prepared."""

    prepare: Callable[[str], None]
    change: Callable[[str], object]


def _one(prefix: str) -> None:
    install(prefix, "1", V1)


def _two(prefix: str) -> None:
    install(prefix, "1", V1)
    install(prefix, "2", V2)


CASES = {
    "install": Case(os.makedirs, lambda prefix: install(prefix, "1", V1)),
    "update": Case(_one, lambda prefix: install(prefix, "2", V2)),
    "rollback": Case(_two, lambda prefix: rollback(prefix, NAME, date=DATE)),
    "remove": Case(_two, lambda prefix: collect.remove(prefix, NAME)),
}

FAULTS = ("exit", "ENOSPC", "EIO")


class Counter:
    """A hook that counts fault points and acts at one of them."""

    def __init__(self, at: int = -1, act: Callable[[str], None] = lambda _: None) -> None:
        self.names: list[str] = []
        self.at = at
        self.act = act

    def __call__(self, name: str) -> None:
        self.names.append(name)
        if len(self.names) - 1 == self.at:
            self.act(name)


@pytest.fixture
def room() -> Iterator[str]:
    """Return a folder in memory where there is one: thousands of flushes follow."""
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else "/tmp"  # noqa: S108
    path = os.path.join(base, f"crpack-faults-{os.getpid()}-{os.urandom(4).hex()}")
    os.mkdir(path)
    yield path
    disk.arm(None)
    disk.remove_tree(path)


def _exit(_: str) -> None:
    os._exit(9)


def _fail(number: int) -> Callable[[str], None]:
    def act(_: str) -> None:
        raise OSError(number, os.strerror(number))

    return act


def _suffer(change: Callable[[str], object], prefix: str, at: int, fault: str) -> bool:
    """Make a change with a fault at one point; return whether it said that it succeeded."""
    if fault == "exit":
        child = os.fork()
        if child == 0:
            try:
                disk.arm(Counter(at, _exit))
                change(prefix)
            finally:
                os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
        return False
    disk.arm(Counter(at, _fail(getattr(errno, fault))))
    try:
        change(prefix)
    except InstallError as error:
        assert error.what
        return False
    finally:
        disk.arm(None)
    return True


def _leftovers(prefix: str) -> list[str]:
    disk.sweep(f"{prefix}/stage")
    return os.listdir(f"{prefix}/stage") if os.path.isdir(f"{prefix}/stage") else []


@pytest.mark.parametrize("name", CASES)
def test_a_fault_at_any_point_leaves_the_old_or_the_new_state(name: str, room: str) -> None:
    case = CASES[name]
    base = f"{room}/base"
    case.prepare(base)
    old = observe(base)
    shutil.copytree(base, f"{room}/new", symlinks=True)
    counter = Counter()
    disk.arm(counter)
    case.change(f"{room}/new")
    disk.arm(None)
    new = observe(f"{room}/new")
    assert old != new
    for at in range(len(counter.names)):
        for fault in FAULTS:
            prefix = f"{room}/{at}{fault}"
            shutil.copytree(base, prefix, symlinks=True)
            said_done = _suffer(case.change, prefix, at, fault)
            seen = observe(prefix)
            where = f"{fault} at {counter.names[at]}, point {at}"
            assert seen == new if said_done else seen in (old, new), where
            assert _leftovers(prefix) == [], where
            if seen == old or name in ("install", "update"):
                case.change(prefix)
            assert observe(prefix) == new, where
            disk.remove_tree(prefix)
