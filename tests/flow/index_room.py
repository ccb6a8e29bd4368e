"""An index of throw-away keys with small components, its owner, users, and a thief of a key."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from unittest import mock

from crpack.index import blobs, client, entries, head, places, publish
from crpack.index.cache import Blobs
from crpack.index.head import Drafts
from crpack.install import state
from crpack.model.limits import MAX_HEAD_BYTES
from crpack.trust import indexes, keys
from crpack.trust.indexes import IndexPin
from crpack.trust.roots import chain
from tests.flow import tool as tools
from tests.flow.tool import Tool, component

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from crpack.index.client import Index
    from crpack.index.entries import Release, Shard

COPY = """
[[source]]
kind = "local"
path = "src"
[build]
driver = "copy"
"""


@dataclass(frozen=True)
class Room:
    """An index in a folder, and the home of who owns it."""

    owner: Tool

    @property
    def index(self) -> Path:
        """The folder of the index."""
        return self.owner.folder / "lab"

    @property
    def fingerprint(self) -> str:
        """Of its root, in hex."""
        return hashlib.sha256((self.index / "metadata/1.root.json").read_bytes()).hexdigest()

    def copy(self, folder: Path) -> Room:
        """Return a room of its own that may be changed, with the same keys and content."""
        shutil.copytree(self.owner.folder, folder)
        return Room(Tool(folder))

    def user(self, folder: Path, url: str = "") -> Tool:
        """Return somebody who pinned the index as `lab`, and whose machine was looked at."""
        folder.mkdir(exist_ok=True)
        user = Tool(folder)
        pin(user, IndexPin("lab", url or str(self.index), self.fingerprint))
        tools.lend(user.home / "cache")
        return user

    def dataset(self, name: str, version: str = "1.0", needs: str = "", *, key: str = "") -> Path:
        """Build the archive of a small data set, signed by the key of this name (`test`)."""
        stem = name.replace("/", "-")
        text = tools.head(name, version, "dataset") + f"[requires]\n{needs}\n" + COPY
        component(self.owner.folder / "parts" / stem, text, src__a_dot_txt=f"{name} {version}")
        path = self.owner.folder / f"{stem}-{version}-{key or 'test'}.crpkg"
        self.owner("build", f"parts/{stem}", "--with", "parts", "--full", "--out", path,
                   "--key", key or "test")  # fmt: skip
        return path

    def add(self, *archives: Path) -> None:
        """List archives."""
        self.owner("index", "add", self.index, *archives)

    def solution(self, version: str) -> Path:
        """Build the archive of the solution `sample`, which compiles and runs `greet`."""
        tools.solution(self.owner.folder / "parts/sample", version=version)
        path = self.owner.folder / f"sample-{version}.crpkg"
        self.owner("build", "parts/sample", "--with", "parts", "--full", "--out", path,
                   "--key", "test")  # fmt: skip
        return path

    def relist(self, change: Callable[[Release], Release], *names: str) -> None:
        """Be a thief of the online key, who changes what is listed of names."""

        def changed(shard: Shard) -> Shard:
            return replace(shard, releases=tuple(change(one) for one in shard.releases))

        self.sign(dict.fromkeys(names, changed))

    def sign(self, changes: dict[str, Callable[[Shard], Shard]]) -> None:
        """Publish changed shards with nothing but the online key."""
        key = keys.from_pem((self.owner.home / "config/keys/lab-online.pem").read_bytes(), None)
        read = places.read_folder(str(self.index))
        index = opened_index(self)
        old = index.shards(changes)
        new = {name: change(shard) for name, change in changes.items() if (shard := old[name])}
        with mock.patch.object(entries, "encode", _unchecked):
            listed = publish._listed(index, old, new)
        signed = head.read_signed(read, index.head.versions, MAX_HEAD_BYTES)
        now = datetime.now(UTC)
        made = head.renew(signed, Drafts(), [key], now, contents=listed.contents, changed=True)
        for file in (*listed.files, *made.files):
            (self.index / file.path).write_bytes(file.data)

    def release(self, name: str, version: str) -> Release:
        """Return what is listed of a version."""
        shard = opened_index(self).shards([name])[name]
        assert shard is not None
        return next(one for one in shard.releases if one.version == version)

    def archive(self, name: str, version: str) -> Path:
        """Return the file of the full copy that is listed."""
        return self.index / self.release(name, version).copies[0].url


def _unchecked(shard: Shard) -> bytes:
    """Return the bytes of a shard, right or wrong."""
    rows = [entries._plain(one) for one in shard.releases]
    return blobs.pack({"name": shard.name, "releases": rows})


def empty(folder: Path) -> Room:
    """Make an index of new keys that lists nothing."""
    folder.mkdir()
    room = Room(Tool(folder).with_key())
    room.owner("index", "new", "lab", "--no-passphrase", "--publisher", "*=test")
    return room


def made(folder: Path) -> Room:
    """Make the room: a data set in three versions, one that needs it, a program, a solution."""
    room = empty(folder)
    archives = [room.dataset("lab/data", version) for version in ("1.0", "1.1", "2.0")]
    archives.append(room.dataset("lab/user", needs='"lab/data" = ">=1"'))
    tools.program(folder / "parts/greet")
    room.owner("build", "parts/greet", "--full", "--out", "greet.crpkg", "--key", "test")
    archives += [folder / "greet.crpkg", room.solution("1.0")]
    room.add(*archives)
    return room


def opened_index(room: Room, name: str = "lab") -> Index:
    """Return the index as it is now, whatever the time."""
    read = places.read_folder(str(room.index))
    found = chain.walk(read, (room.index / "metadata/1.root.json").read_bytes()).head
    return client.of_head(name, "", found, Blobs(read))


def pin(user: Tool, *pins: IndexPin) -> None:
    """Pin indexes, in this order, in place of those that are pinned."""
    (user.home / "config").mkdir(parents=True, exist_ok=True)
    (user.home / "config/indexes.json").write_bytes(indexes.encode(pins))


def installed(user: Tool) -> dict[str, str]:
    """Return what is installed: names and versions, as `list` reads them."""
    return {one.name: one.version for one in state.installed(str(user.prefix))}


def error_of(out: str) -> dict[str, Any]:
    """Return the error in an answer of `--json`."""
    error: dict[str, Any] = json.loads(out)["error"]
    return error


def generation(user: Tool, name: str) -> dict[str, Any]:
    """Return the record of what is installed under a name."""
    path = user.prefix / "solutions" / name.replace("/", "@") / "current/generation.json"
    record: dict[str, Any] = json.loads(path.read_text())
    return record


def locked(folder: Path) -> dict[str, str]:
    """Return names and versions of the packages in a lock."""
    rows = re.findall(
        r'\[\[package\]\]\nname = "(.*)"\nversion = "(.*)"', (folder / "crpack.lock").read_text()
    )
    return dict(rows)


class _Quiet(SimpleHTTPRequestHandler):
    asked: list[str]

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def send_head(self) -> Any:
        self.asked.append(self.path)
        return super().send_head()


@contextlib.contextmanager
def served(folder: Path, asked: list[str] | None = None) -> Iterator[str]:
    """Serve a folder with Python's own web server, which knows no ranges; give its address."""
    handler = type("_Served", (_Quiet,), {"asked": [] if asked is None else asked})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
