"""An index from the command line: made, filled by several at once, checked, signed by others."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NoReturn

import pytest

from crpack.config import Homes, merge
from crpack.errors import CrpackError
from crpack.index import blobs, client
from crpack.index.client import Rooms
from crpack.ops import edits, host
from crpack.ops.edits import KeyRing
from crpack.ops.publishing import Folder
from crpack.session import Session
from crpack.trust.indexes import IndexPin
from crpack.trust.roots import chain
from tests.flow.tool import Tool, component, head

if TYPE_CHECKING:
    from pathlib import Path

    from crpack.index.client import Index

COPY = """
[[source]]
kind = "local"
path = "src"
[build]
driver = "copy"
"""


def dataset(tool: Tool, name: str, version: str = "1.0", *, key: str = "", size: int = 0) -> Path:
    """Return an archive of a small data set, built where it is not there yet."""
    stem = f"{name}-{version}".replace("/", "-")
    archive = tool.folder / f"{stem}.crpkg"
    if archive.exists():
        return archive
    component(tool.folder / stem, head(name, version, "dataset") + COPY, src__a_dot_txt=stem)
    if size:
        noise = b"".join(hashlib.sha256(b"%d" % n).digest() for n in range(size // 32))
        (tool.folder / stem / "src/noise.bin").write_bytes(noise)
    words = ["--key", key] if key else []
    tool("build", stem, "--full", "--out", archive, *words)
    return archive


@pytest.fixture(scope="session")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a key, a new index that lets this key publish all names, and archives."""
    tool = Tool(tmp_path_factory.mktemp("index")).with_key()
    tool("index", "new", "lab", "--no-passphrase", "--publisher", "*=test")
    for name in ("lab/data", "lab/n0", "lab/n1"):
        dataset(tool, name)
    return tool.folder


@pytest.fixture
def tool(begun: Path, tmp_path: Path) -> Tool:
    """The command in a copy of that home."""
    shutil.copytree(begun, tmp_path, dirs_exist_ok=True)
    return Tool(tmp_path)


@pytest.fixture
def index(tool: Tool) -> Path:
    """The new index."""
    return tool.folder / "lab"


def opened(tool: Tool, folder: Path, room: str = "reader") -> Index:
    root = (folder / "metadata/1.root.json").read_bytes()
    fingerprint = blobs.digest(root)
    rooms = Rooms(str(tool.folder / room / "state"), "")
    pin = IndexPin("lab", str(folder), fingerprint)
    return client.open_index(
        pin, rooms, _no_network, offline=False, now=datetime.now(UTC), max_age_days=180
    )


def _no_network(url: str, limit: int, _: str = "") -> NoReturn:
    raise AssertionError((url, limit))


def test_an_archive_is_listed_found_and_yanked(tool: Tool, index: Path) -> None:
    """PUB-06, PUB-10, PUB-18."""
    archive = dataset(tool, "lab/data")
    tool("index", "add", index, archive)
    shard = opened(tool, index).shards(["lab/data"])["lab/data"]
    assert shard is not None
    copy = shard.releases[0].copies[0]
    assert (index / copy.url).read_bytes() == archive.read_bytes()
    tool("index", "check", index)
    tool("index", "yank", index, "lab/data==1.0", "--reason", "wrong labels")
    shard = opened(tool, index).shards(["lab/data"])["lab/data"]
    assert shard is not None
    assert shard.releases[0].yanked == "wrong labels"


def test_no_private_key_lies_in_the_folder(tool: Tool, index: Path) -> None:
    tool("index", "add", index, dataset(tool, "lab/data"))
    for path in index.rglob("*"):
        assert not path.is_file() or b"PRIVATE KEY" not in path.read_bytes()
    keys = sorted(path.stem for path in (tool.home / "config/keys").glob("lab-*.pem"))
    assert keys == ["lab-online", "lab-root-1", "lab-root-2", "lab-root-3", "lab-targets"]


def test_a_thin_copy_is_listed_where_it_saves_enough(tool: Tool, index: Path) -> None:
    """PUB-07."""
    small, large = dataset(tool, "lab/small"), dataset(tool, "lab/large", size=400_000)
    tool("index", "add", index, small, large)
    found = opened(tool, index).shards(["lab/small", "lab/large"])
    kinds = {name: [copy.kind for copy in shard.releases[0].copies]
             for name, shard in found.items() if shard}  # fmt: skip
    assert kinds == {"lab/small": ["full"], "lab/large": ["full", "thin"]}
    tool("index", "check", index)


def test_dry_runs_change_nothing(tool: Tool, index: Path) -> None:
    archive = dataset(tool, "lab/data")
    before = _state(index)
    for words in (
        ("add", index, archive),
        ("refresh", index),
        ("allow", index, "x/*", "test"),
        ("keys", index, "--online-key", "test"),
    ):
        tool("index", *words, "--dry-run")
    tool("publish", archive, "--to", index, "--dry-run")
    tool("index", "new", "other", "--dry-run")
    assert _state(index) == before
    assert not (tool.folder / "other").exists()


def test_an_archive_that_its_publisher_did_not_sign_is_refused(tool: Tool, index: Path) -> None:
    """PUB-04, PUB-06."""
    tool("key", "new", "stranger", "--no-passphrase")
    archive = dataset(tool, "lab/strange", key="stranger")
    before = _state(index)
    done = tool("index", "add", index, archive, "--json", code=4)
    assert done.json["error"]["data"]["rule"] == "PUB-04"
    assert _state(index) == before


def test_a_damaged_archive_is_refused(tool: Tool, index: Path) -> None:
    """PUB-06."""
    archive = dataset(tool, "lab/noise", size=100_000)
    data = bytearray(archive.read_bytes())
    data[len(data) // 3] ^= 1
    archive.write_bytes(data)
    tool("index", "add", index, archive, code=4)


def test_a_check_finds_a_changed_file(tool: Tool, index: Path) -> None:
    """PUB-18."""
    tool("index", "add", index, dataset(tool, "lab/data"))
    for kind in ("a", "s", "b", "c"):
        path = next((index / kind).iterdir())
        data = path.read_bytes()
        path.write_bytes(data[:-1] + b"x")
        tool("index", "check", index, code=7)
        path.write_bytes(data)
    tool("index", "check", index)


def test_a_check_refuses_a_changed_head(tool: Tool, index: Path) -> None:
    """PUB-18."""
    path = index / "metadata/1.targets.json"
    path.write_bytes(path.read_bytes().replace(b"2", b"3", 1))
    tool("index", "check", index, code=4)


def test_publishers_are_let_and_revoked(tool: Tool, index: Path) -> None:
    """PUB-02, PUB-03, PUB-18: what a revoked key signed counts no more, and is no fault."""
    tool("key", "new", "alice", "--no-passphrase")
    archive = dataset(tool, "alice/data", key="alice")
    tool("index", "add", index, archive, code=4)
    tool("index", "allow", index, "alice/*", "alice")
    tool("publish", archive, "--to", index)
    keyid = _keyid(tool, "alice")
    tool("index", "revoke", index, keyid)
    tool("index", "add", index, dataset(tool, "alice/data", "2.0", key="alice"), code=4)
    said = tool("index", "check", index).err
    assert "`alice/data==1.0` is no longer in force" in said
    tool("index", "yank", index, "alice/data==1.0", "--reason", "the key was lost")
    assert "no longer in force" not in tool("index", "check", index).err


def test_a_root_of_two_owners_is_signed_one_after_the_other(tool: Tool) -> None:
    """PUB-11: the public keys make the draft, each owner signs with his own key."""
    for name in ("r1", "r2", "t", "o"):
        tool("key", "new", name, "--no-passphrase")
    keys = tool.home / "config/keys"
    away = tool.folder / "away"
    away.mkdir()
    for name in ("r1", "r2", "t"):
        (keys / f"{name}.pem").rename(away / f"{name}.pem")
        (keys / f"{name}.pub").rename(away / f"{name}.pub")
    words: list[str | Path] = ["--root-key", away / "r1.pub", "--root-key", away / "r2.pub"]
    words += ["--targets-key", away / "t.pub", "--online-key", "o", "--publisher", "*=test"]
    done = tool("index", "new", "ours", *words, "--json")
    assert len(done.json["data"]["missing"]) == 2
    archive = dataset(tool, "lab/data", key="test")
    tool("index", "add", "ours", archive, code=2)
    for name, role in (("r1", "root"), ("t", "targets"), ("r2", "root")):
        tool("key", "import", away / f"{name}.pem")
        done = tool("index", "sign", "ours", role, "--yes", "--key", name, "--key", "o", "--json")
        (keys / f"{name}.pem").unlink()
    assert done.json["data"]["missing"] == []
    tool("index", "add", "ours", archive)
    tool("index", "check", "ours")
    tool("index", "sign", "ours", "root", "--key", "o", code=2)


def test_a_root_that_ends_soon_is_renewed_and_signed(
    tool: Tool, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PUB-12, PUB-20: a renewal of what is in force needs nobody's word."""
    later = datetime.now(UTC) + timedelta(days=300)
    for module in (edits, host):
        monkeypatch.setattr(module, "now", lambda: later)
    homes = Homes(*(str(tool.home / part) for part in ("config", "cache", "data", "state")))
    session = Session(merge([]), homes, str(tool.prefix))
    ring = KeyRing(lambda name: session.private_key(name, None))
    change = host.refresh(session, Folder(str(index)), ring)
    assert [(one.role, one.items) for one in change.differences] == [("root", ()), ("targets", ())]
    assert change.missing == ()
    found = chain.walk(Folder(str(index)).read, (index / "metadata/1.root.json").read_bytes()).head
    assert (found.versions.root, found.versions.targets) == (2, 2)
    assert f'"fingerprint":"{found.fingerprint}"' in (index / "metadata/2.root.json").read_text()


def test_the_keys_of_an_index_are_shown_before_they_change(tool: Tool, index: Path) -> None:
    """PUB-20."""
    words = ("--online-key", "test", "--threshold", "1")
    done = tool("index", "keys", index, *words, "--json")
    root, targets = done.json["data"]["differences"]
    assert [item["what"] for item in root["items"]] == [
        "who signs `root`",
        "who signs `snapshot`",
        "who signs `timestamp`",
    ]
    assert root["items"][0]["gone"] == ["2 of the keys must sign"]
    assert root["items"][0]["new"] == ["1 of the keys must sign"]
    assert f"    + key {_keyid(tool, 'test')}" in done.err
    assert targets["version"] == 2


def test_every_key_of_an_index_can_be_changed(tool: Tool, index: Path) -> None:
    """PUB-14: who pinned the first root follows."""
    tool("index", "add", index, dataset(tool, "lab/data", key="test"))
    before = opened(tool, index).head
    for name in ("n1", "n2", "nt", "no"):
        tool("key", "new", name, "--no-passphrase")
    words = ["--root-key", "n1", "--root-key", "n2", "--targets-key", "nt", "--online-key", "no"]
    done = tool("index", "keys", index, *words, "--json")
    assert done.json["data"]["missing"] == []
    for path in (tool.home / "config/keys").glob("lab-*"):
        path.unlink()
    tool("index", "add", index, dataset(tool, "lab/more", key="test"))
    tool("index", "check", index)
    after = opened(tool, index)
    assert after.head.fingerprint == before.fingerprint
    assert after.head.versions.root == 2
    assert after.contents.names == 2


def test_several_publishers_at_once_all_survive_and_no_reader_misses(
    tool: Tool, index: Path
) -> None:
    """PUB-13, PUB-15."""
    archives = [dataset(tool, f"lab/n{n}") for n in range(4)]
    ended = threading.Event()
    misses: list[str] = []
    reads = 0

    def read() -> None:
        nonlocal reads
        while not ended.is_set() or not reads:
            try:
                found = opened(tool, index)
                shards = found.shards(f"lab/n{n}" for n in range(4))
                listed = [shard for shard in shards.values() if shard]
                if len(listed) != found.contents.names:
                    misses.append("a name without a shard")
                copies = [shard.releases[0].copies[0].url for shard in listed]
                misses.extend(url for url in copies if not (index / url).is_file())
            except CrpackError as error:
                misses.append(f"{error.what} {error.why}")
            reads += 1

    reader = threading.Thread(target=read)
    reader.start()
    environment = {"CRPACK_HOME": str(tool.home), "HOME": str(tool.folder)}
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "crpack", "index", "add", str(index), str(archive)],
            env={**environment, "PATH": "/usr/bin:/bin"},
            stderr=subprocess.PIPE,
            text=True,
            cwd=tool.folder,
        )
        for archive in archives
    ]
    said = [process.communicate(timeout=300)[1] for process in running]
    ended.set()
    reader.join()
    assert [process.returncode for process in running] == [0] * 4, said
    assert misses == []
    assert reads > 0
    assert opened(tool, index).contents.names == 4
    assert opened(tool, index).head.versions.timestamp == 5
    tool("index", "check", index)


def test_a_lock_that_a_dead_publisher_left_is_taken_over(tool: Tool, index: Path) -> None:
    """PUB-15."""
    import platform

    (index / ".publishing").symlink_to(f"local@{platform.node()}")
    tool("index", "refresh", index)
    assert not (index / ".publishing").is_symlink()


def test_an_interrupted_publication_is_done_again(tool: Tool, index: Path) -> None:
    """PUB-13: all but the timestamp was written; nobody sees it, and the next one goes over it.

    PUB-19: what was seen is forgotten, as on another machine; so the key must be named.
    """
    timestamp = (index / "metadata/timestamp.json").read_bytes()
    archive = dataset(tool, "lab/data")
    tool("index", "add", index, archive)
    (index / "metadata/timestamp.json").write_bytes(timestamp)
    (tool.home / "state").rename(tool.folder / "forgotten")
    assert opened(tool, index).contents.names == 0
    other = dataset(tool, "lab/other")
    done = tool("index", "add", index, other, "--json", code=4)  # no longer known here
    assert done.json["error"]["data"]["rule"] == "PUB-19"
    tool("index", "add", index, other, "--key", "lab-online")
    assert opened(tool, index).contents.names == 1
    tool("index", "check", index)


def test_an_index_is_made_once(tool: Tool, index: Path) -> None:
    tool("index", "new", index, "--root-key", "test", "--targets-key", "test",
         "--online-key", "test", code=2)  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [
        ("add", "nowhere", "x.crpkg"),
        ("add", "."),
        ("yank", ".", "x"),
        ("check", "nowhere"),
        ("sign", "nowhere", "root"),
        ("allow", ".", "*"),
    ],
)
def test_wrong_words_are_usage_errors(tool: Tool, words: tuple[str, ...]) -> None:
    tool("index", *words, code=2)


def _state(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _keyid(tool: Tool, name: str) -> str:
    cards = json.loads(tool("key", "list", "--json").out)["data"]
    return str(next(card["keyid"] for card in cards if card["name"] == name))
