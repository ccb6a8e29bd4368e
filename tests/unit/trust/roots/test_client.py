from __future__ import annotations

import subprocess
import sys
import threading
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from crpack.errors import FetchError, InstallError, TrustError
from crpack.model import dates
from crpack.trust.roots import chain, client, offline
from tests.house.source import ROOT
from tests.unit.trust.roots.owner import Client, Owner

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def owner(tmp_path: Path, now: datetime) -> Owner:
    return Owner(tmp_path / "served", now)


@pytest.fixture
def user(tmp_path: Path, owner: Owner) -> Client:
    return Client(tmp_path / "cache", owner.held["root"])


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def server(owner: Owner) -> Iterator[str]:
    made = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(owner.folder)))
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{made.server_address[1]}"
    made.shutdown()
    thread.join()
    made.server_close()


def test_the_first_refresh_asks_for_each_role_and_the_next_for_two_files(
    owner: Owner, user: Client, server: str
) -> None:
    # TUF-01
    first = user.refresh(server, owner.now)
    assert user.asked == [
        "2.root.json",
        "timestamp.json",
        "1.snapshot.json",
        "1.targets.json",
        "1.index.json",
    ]
    user.asked.clear()
    assert user.refresh(f"{server}/", owner.now) == first
    assert user.asked == ["2.root.json", "timestamp.json"]


def test_a_head_tells_what_it_vouches_for(owner: Owner, user: Client) -> None:
    # TUF-01, TUF-04
    head = user.refresh(owner.folder, owner.now)
    assert head.fingerprint == chain.fingerprint(owner.held["root"])
    assert head.snapshot_sha256 == chain.fingerprint(owner.held["snapshot"])
    assert head.index.path == f"targets/{head.index.sha256}.index.json.zst"
    assert (head.index.size, head.publishers.size) == (len(b"first"), len(b"publishers of first"))
    assert head.date == dates.dated(owner.now)
    assert head.expires > head.date
    assert head.versions == user.seen


def test_only_what_changed_is_fetched(owner: Owner, user: Client) -> None:
    user.refresh(owner.folder, owner.now)
    user.asked.clear()
    owner.contents(b"second")
    owner.announce()
    user.refresh(owner.folder, owner.now)
    assert user.asked == ["2.root.json", "timestamp.json", "2.snapshot.json", "2.index.json"]


def test_the_cache_serves_offline(owner: Owner, user: Client) -> None:
    # TUF-09
    owner.root()
    head = user.refresh(owner.folder, owner.now)
    assert head.versions.root == 2
    read = client.cached(str(user.folder))
    known = {"seen": user.seen, "now": owner.now, "max_age_days": 180}
    assert offline.verify(read, user.pinned, **known) == head  # type: ignore[arg-type]
    user.forget_cache()
    with pytest.raises(FetchError, match="has no file"):
        offline.verify(read, user.pinned, **known)  # type: ignore[arg-type]


FILES = [
    "root.json",
    "timestamp.json",
    "snapshot.json",
    "targets.json",
    "index.json",
    "root_history/1.root.json",
    "root_history/2.root.json",
    "root_history/3.root.json",
]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("harm", ["cut", "empty", "folder", "dangling", "gone"])
def test_a_damaged_cache_is_healed(owner: Owner, user: Client, name: str, harm: str) -> None:
    # TUF-14
    owner.root()
    head = user.refresh(owner.folder, owner.now)
    path = user.folder / name
    data = path.read_bytes() if path.exists() else b"{}"
    path.unlink(missing_ok=True)
    if harm in {"cut", "empty"}:
        path.write_bytes(data[: len(data) // 2] if harm == "cut" else b"")
    elif harm == "folder":
        path.mkdir()
    elif harm == "dangling":
        path.symlink_to("nowhere")
    assert user.refresh(owner.folder, owner.now) == head
    read = client.cached(str(user.folder))
    assert chain.walk(read, user.pinned).head == head


def test_what_a_killed_refresh_left_is_swept(owner: Owner, user: Client) -> None:
    # TUF-14
    user.refresh(owner.folder, owner.now)
    before = sorted(user.folder.rglob("*"))
    (user.folder / "tmpk2x8").write_bytes(b"{")
    user.refresh(owner.folder, owner.now)
    assert sorted(user.folder.rglob("*")) == before


def test_a_cache_that_is_a_file_is_healed(owner: Owner, user: Client) -> None:
    # TUF-14
    user.folder.write_text("x")
    assert user.refresh(owner.folder, owner.now)


def test_a_place_that_cannot_be_written_is_told(owner: Owner, user: Client) -> None:
    user.folder.write_text("x")
    user.folder = user.folder / "below"
    with pytest.raises(InstallError, match="below"):
        user.refresh(owner.folder, owner.now)


def test_a_server_without_an_index_is_told_by_the_file_it_lacks(
    tmp_path: Path, owner: Owner, user: Client, server: str
) -> None:
    (owner.folder / "metadata/timestamp.json").unlink()
    with pytest.raises(FetchError, match=r"timestamp\.json") as error:
        user.refresh(server, owner.now)
    assert error.value.data["status"] == 404
    with pytest.raises(FetchError, match=r"timestamp\.json"):
        user.refresh(tmp_path / "nowhere", owner.now)


def test_a_root_is_looked_at_before_it_is_pinned(owner: Owner) -> None:
    # TUF-03, TUF-04
    assert chain.check_root(owner.held["root"]) == 1
    altered = owner.held["root"].replace(b'"threshold":2', b'"threshold":1')
    for data in (b"", b"{}", owner.held["timestamp"], altered):
        with pytest.raises(TrustError):
            chain.check_root(data)
    owner.root(owner.roots[0])
    with pytest.raises(TrustError):
        chain.check_root(owner.held["root"])


def test_the_library_is_loaded_when_a_head_is_asked_for_and_not_before() -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import crpack.trust.indexes\n"
        "from crpack.trust.roots import chain, client, offline, repository, state\n"
        "print([name for name in sys.modules if name.split('.')[0] in {'tuf', 'requests'}])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(ROOT)], capture_output=True, check=True, text=True
    )
    assert done.stdout == "[]\n"
