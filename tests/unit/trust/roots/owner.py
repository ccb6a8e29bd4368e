"""An owner who signs an index in a folder with throw-away keys, and thieves of those keys."""

from __future__ import annotations

import contextlib
import os
import shutil
from typing import TYPE_CHECKING

from crpack.fetch.transport import Transport
from crpack.trust import keys
from crpack.trust.roots import client, repository, state
from crpack.trust.roots.repository import Roles, Signers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path


def key(number: int) -> keys.PrivateKey:
    return keys.PrivateKey(bytes([number]) * 32)


def signers(*privates: keys.PrivateKey, threshold: int = 1) -> Signers:
    return Signers(tuple(keys.public(one) for one in privates), threshold)


def signed(metadata: bytes, *privates: keys.PrivateKey) -> bytes:
    for one in privates:
        metadata = repository.add_signature(metadata, one)
    return metadata


class Owner:
    """Publishes releases below `folder`; `held` are the newest bytes of each role."""

    def __init__(self, folder: Path, now: datetime) -> None:
        self.folder = folder
        self.now = now
        self.roots = (key(1), key(2), key(3))
        self.offline, self.index, self.online = key(4), key(5), key(6)
        self.versions = dict.fromkeys(state.ROLES, 0)
        self.held: dict[str, bytes] = {}
        self.root()
        self.release(b"first")

    def roles(self) -> Roles:
        online = signers(self.online)
        return Roles(signers(*self.roots, threshold=2), signers(self.offline), online, online)

    def next(self, role: str) -> int:
        self.versions[role] += 1
        return self.versions[role]

    def put(self, role: str, data: bytes) -> bytes:
        """Write a role's file as it is, under the version that it is due."""
        self.held[role] = data
        path = self.folder / repository.path(role, self.versions[role])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return data

    def root(self, *privates: keys.PrivateKey) -> bytes:
        """Publish the next root, signed by all root keys or by these."""
        unsigned = repository.root(self.next("root"), self.now, self.roles())
        return self.put("root", signed(unsigned, *(privates or self.roots)))

    def release(self, content: bytes) -> None:
        """Publish new targets and a new index, and what follows."""
        self.targets(b"publishers of " + content)
        self.contents(content)
        self.announce()

    def targets(self, publishers: bytes) -> bytes:
        version = self.next("targets")
        unsigned = repository.targets(version, self.now, publishers, signers(self.index))
        return self.put("targets", signed(unsigned, self.offline))

    def contents(self, content: bytes) -> bytes:
        unsigned = repository.index(self.next("index"), self.now, content)
        return self.put("index", signed(unsigned, self.index))

    def announce(self) -> None:
        """Publish a new snapshot and a new timestamp of what is held."""
        self.snapshot()
        self.timestamp()

    def snapshot(self) -> bytes:
        version = self.next("snapshot")
        held = self.held["targets"], self.held["index"]
        return self.put(
            "snapshot", signed(repository.snapshot(version, self.now, *held), self.online)
        )

    def timestamp(self) -> bytes:
        version = self.next("timestamp")
        unsigned = repository.timestamp(version, self.now, self.held["snapshot"])
        return self.put("timestamp", signed(unsigned, self.online))

    def read(self, path: str, limit: int) -> bytes:
        """Read as `offline.verify` wants it."""
        return (self.folder / path).read_bytes()[: limit + 1]


class Client:
    """A client of one index, with its folder and its memory."""

    def __init__(self, folder: Path, pinned: bytes) -> None:
        self.folder = folder
        self.pinned = pinned
        self.seen = state.Seen()
        self.asked: list[str] = []
        self._transport = Transport(os.environ)

    def refresh(self, place: Path | str, now: datetime) -> state.Head:
        head = client.refresh(
            str(self.folder), str(place), self.pinned, self.open, seen=self.seen, now=now
        )
        self.seen = state.merge(self.seen, head)
        return head

    def open(self, url: str, limit: int) -> AbstractContextManager[Iterable[bytes]]:
        self.asked.append(url.rpartition("/")[2])
        return self._transport.open(url, limit=limit)

    def forget_cache(self) -> None:
        shutil.rmtree(self.folder)


@contextlib.contextmanager
def endless() -> Iterator[Iterable[bytes]]:
    """Send as long as somebody reads."""
    yield iter(lambda: b" " * 4096, b"")


def mirror(owner: Owner, place: Path) -> Path:
    """Return a copy of the index as it is now."""
    shutil.copytree(owner.folder, place)
    return place
