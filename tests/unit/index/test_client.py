"""An index as it is read."""

from __future__ import annotations

import contextlib
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from crpack.errors import FetchError, TrustError
from crpack.index import blobs, bootstrap, client, contents, places
from crpack.index.cache import THREADS, Blobs
from crpack.index.client import Rooms
from crpack.trust.indexes import IndexPin
from crpack.trust.roots.state import Seen
from tests.unit.index import room

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from crpack.index.client import Index

URL = "https://index.example/lab"


class Server:
    """Serves the files of a host below URL, and counts."""

    def __init__(self, host: room.Host) -> None:
        self.host = host
        self.asked: list[str] = []
        self.at_once = self.most = 0
        self.lock = threading.Lock()

    def open(
        self, url: str, limit: int, etag: str = ""
    ) -> contextlib.AbstractContextManager[Iterable[bytes]]:
        path = url.removeprefix(URL + "/")
        data = self.host.read(path, limit)
        same = etag == f'"{blobs.digest(data)}"'
        self.asked.append(f"{path} unchanged" if same else path)
        return Answer(self, [] if same else [data], f'"{blobs.digest(data)}"', unchanged=same)

    def below(self) -> list[str]:
        """Return what was asked for below the head since the last call."""
        found = [path for path in self.asked if not path.startswith("metadata/")]
        self.asked.clear()
        return found


class Answer:
    """What the server sends for one file."""

    def __init__(self, server: Server, chunks: list[bytes], etag: str, *, unchanged: bool) -> None:
        self.server, self.chunks, self.etag, self.unchanged = server, chunks, etag, unchanged

    def __enter__(self) -> Iterable[bytes]:
        with self.server.lock:
            self.server.at_once += 1
            self.server.most = max(self.server.most, self.server.at_once)
        return self.chunks

    def __exit__(self, *_: object) -> None:
        with self.server.lock:
            self.server.at_once -= 1


@pytest.fixture
def host() -> room.Host:
    made = room.host()
    made.add(*(room.archive(room.recipe(f"lab/n{n}")) for n in range(30)))
    return made


@pytest.fixture
def rooms(tmp_path: Path) -> Rooms:
    return Rooms(str(tmp_path / "state"), str(tmp_path / "cache"))


def opened(
    server: Server, rooms: Rooms, *, offline: bool = False, days: int = 0, url: str = URL
) -> Index:
    return client.open_index(
        IndexPin("lab", url, server.host.fingerprint),
        rooms,
        server.open,
        offline=offline,
        now=server.host.now + timedelta(days=days),
        max_age_days=180,
    )


def test_names_are_looked_up_and_unknown_ones_are_none(host: room.Host, rooms: Rooms) -> None:
    found = opened(Server(host), rooms).shards(["lab/n3", "nothing", "lab/n4"])
    assert list(found) == ["lab/n3", "nothing", "lab/n4"]
    assert [shard.name if shard else "" for shard in found.values()] == ["lab/n3", "", "lab/n4"]


@pytest.mark.parametrize("text", ["", "Zlib", "../x", "\udcff", "x" * 500])
def test_what_is_no_name_is_not_there(host: room.Host, text: str) -> None:
    assert host.index().shards([text]) == {text: None}


def test_what_was_read_is_not_asked_for_again(host: room.Host, rooms: Rooms) -> None:
    """IDX-11."""
    server = Server(host)
    opened(server, rooms).shards(["lab/n3"])
    assert [path.partition("/")[0] for path in server.below()] == ["targets", "targets", "b", "s"]
    opened(server, rooms).shards(["lab/n3"])
    assert server.below() == []


def test_a_change_elsewhere_costs_the_list_alone(host: room.Host, rooms: Rooms) -> None:
    """PUB-16."""
    server = Server(host)
    opened(server, rooms).shards(["lab/n3"])
    host.add(room.archive(room.recipe("other", "1.0")))
    server.asked.clear()
    opened(server, rooms).shards(["lab/n3"])
    assert len(server.below()) == 1


def test_several_files_are_fetched_at_once_but_not_too_many(host: room.Host, rooms: Rooms) -> None:
    server = Server(host)
    index = opened(server, rooms)
    barrier = threading.Barrier(2, timeout=60)
    held, once = server.open, threading.Semaphore(2)

    @contextlib.contextmanager
    def slow(url: str, limit: int, etag: str = "") -> Iterator[Iterable[bytes]]:
        with held(url, limit, etag) as body:
            if once.acquire(blocking=False):
                barrier.wait()  # only two at once pass
            yield body

    read = places.read_url(URL, slow)
    slowed = client.of_head("lab", URL, index.head, Blobs(read))
    assert all(slowed.shards(f"lab/n{n}" for n in range(30)).values())
    assert 2 <= server.most <= THREADS


def test_a_damaged_kept_file_is_fetched_again(
    host: room.Host, rooms: Rooms, tmp_path: Path
) -> None:
    """IDX-11."""
    server = Server(host)
    opened(server, rooms).shards(["lab/n3"])
    kept = sorted((tmp_path / "cache").iterdir())
    for path in kept:
        path.write_bytes(b"damaged")
    server.asked.clear()
    assert opened(server, rooms).shards(["lab/n3"])["lab/n3"] is not None
    assert len(server.below()) == len(kept)
    assert all(blobs.digest(path.read_bytes()) == path.name for path in kept)


def test_a_damaged_kept_file_offline_is_an_error_that_says_so(
    host: room.Host, rooms: Rooms, tmp_path: Path
) -> None:
    """IDX-14."""
    server = Server(host)
    opened(server, rooms).shards(["lab/n3"])
    for path in (tmp_path / "cache").iterdir():
        path.write_bytes(b"damaged")
    with pytest.raises(FetchError):
        opened(server, rooms, offline=True)


@pytest.mark.parametrize("kind", ["targets/", "b/", "s/"])
def test_a_flipped_byte_anywhere_is_refused(host: room.Host, rooms: Rooms, kind: str) -> None:
    """IDX-02."""
    for path, data in host.files.items():
        if path.startswith(kind):
            host.files[path] = data[:-1] + bytes([data[-1] ^ 1])
    with pytest.raises(TrustError) as caught:
        opened(Server(host), rooms).shards(["lab/n3"])
    assert caught.value.rule == "IDX-02"


def test_a_timestamp_that_did_not_change_is_not_sent_again(
    host: room.Host, rooms: Rooms, tmp_path: Path
) -> None:
    """IDX-11."""
    server = Server(host)
    for _ in range(2):
        server.asked.clear()
        opened(server, rooms)
    assert server.asked == ["metadata/2.root.json", "metadata/timestamp.json unchanged"][1:]
    host.add(room.archive(room.recipe("other")))
    assert opened(server, rooms).contents.names == 31
    kept = tmp_path / "state/metadata/timestamp.json"
    kept.write_bytes(kept.read_bytes()[:-1])  # what is kept is no longer what the ETag stands for
    server.asked.clear()
    assert opened(server, rooms).contents.names == 31
    assert "metadata/timestamp.json" in server.asked


def test_offline_the_last_head_serves_and_nothing_is_opened(host: room.Host, rooms: Rooms) -> None:
    """IDX-14."""
    server = Server(host)
    opened(server, rooms).shards(["lab/n3"])
    server.asked.clear()
    index = opened(server, rooms, offline=True, days=100)
    assert index.date == host.index().date
    assert index.shards(["lab/n3"])["lab/n3"] is not None
    missing = next(n for n in range(30) if contents.bucket_of(f"lab/n{n}")
                   != contents.bucket_of("lab/n3"))  # fmt: skip
    with pytest.raises(FetchError) as caught:
        index.shards([f"lab/n{missing}"])
    assert "offline" in caught.value.what
    assert server.asked == []


def test_offline_an_index_that_was_never_fetched_is_told(host: room.Host, rooms: Rooms) -> None:
    """IDX-14."""
    server = Server(host)
    with pytest.raises(FetchError) as caught:
        opened(server, rooms, offline=True)
    assert "offline" in caught.value.what
    assert server.asked == []


def test_an_index_that_is_not_the_pinned_one_is_refused(host: room.Host, rooms: Rooms) -> None:
    """IDX-12."""
    host.files["metadata/1.root.json"] += b" "
    server = Server(host)
    pin = IndexPin("lab", URL, "0" * 64)
    with pytest.raises(TrustError) as caught:
        client.open_index(pin, rooms, server.open, offline=False, now=host.now, max_age_days=180)
    assert caught.value.rule == "IDX-12"


def test_a_head_that_goes_back_is_refused(host: room.Host, rooms: Rooms) -> None:
    """IDX-13."""
    old = room.Host(dict(host.files), host.signed, host.drafts, host.now)
    host.add(room.archive(room.recipe("other")))
    opened(Server(host), rooms)
    with pytest.raises(TrustError) as caught:
        opened(Server(old), rooms)
    assert caught.value.data["attack"] == "rollback"


def test_a_folder_is_an_index_too_even_offline(
    host: room.Host, rooms: Rooms, tmp_path: Path
) -> None:
    """IDX-15."""
    folder = tmp_path / "an index"
    host.save(folder)
    for offline in (False, True):
        index = opened(Server(host), rooms, offline=offline, url=str(folder))
        shard = index.shards(["lab/n3"])["lab/n3"]
        assert shard is not None
        place = index.place(shard.releases[0].copies[0])
        assert place.startswith(f"{folder}/a/")
        with open(place, "rb") as stream:
            assert blobs.digest(stream.read()) == shard.releases[0].copies[0].sha256
    assert not (tmp_path / "cache").exists()


def test_a_folder_offline_is_judged_by_its_age(
    host: room.Host, rooms: Rooms, tmp_path: Path
) -> None:
    """TUF-09, IDX-14: as any index whose server is not asked."""
    folder = str(tmp_path / "an index")
    host.save(tmp_path / "an index")
    assert opened(Server(host), rooms, offline=True, days=100, url=folder).contents.names == 30
    for offline, days, attack in ((True, 200, "TUF-09"), (False, 100, "TUF-08")):
        with pytest.raises(TrustError) as caught:
            opened(Server(host), rooms, offline=offline, days=days, url=folder)
        assert caught.value.rule == attack


def test_a_folder_that_goes_back_is_refused(host: room.Host, rooms: Rooms, tmp_path: Path) -> None:
    """TUF-11."""
    old, folder = dict(host.files), tmp_path / "an index"
    host.add(room.archive(room.recipe("other")))
    host.save(folder)
    opened(Server(host), rooms, url=str(folder))
    (folder / "metadata/timestamp.json").write_bytes(old["metadata/timestamp.json"])
    with pytest.raises(TrustError) as caught:
        opened(Server(host), rooms, url=str(folder))
    assert caught.value.data["attack"] == "rollback"


def test_a_slice_in_a_bundle_is_judged_by_its_age(host: room.Host) -> None:
    """IDX-15."""
    for days, good in ((170, True), (200, False)):
        now = host.now + timedelta(days=days)
        with contextlib.nullcontext() if good else pytest.raises(TrustError):
            index = client.open_slice(
                "lab", host.read, host.root, seen=Seen(), now=now, max_age_days=180
            )
            assert index.shards(["lab/n3"])["lab/n3"] is not None


def test_the_index_inside_crpack_is_trusted_by_two_digests(host: room.Host) -> None:
    """IDX-15."""
    head = host.index().head
    root, snapshot = blobs.digest(host.root), head.snapshot_sha256
    index = client.open_embedded("crpack", host.read, root_sha256=root, snapshot_sha256=snapshot)
    assert index.date == head.date
    with pytest.raises(TrustError):
        client.open_embedded("crpack", host.read, root_sha256=root, snapshot_sha256="0" * 64)


def test_an_index_does_not_go_back_behind_the_copy_in_crpack(
    rooms: Rooms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TUF-11: the embedded copy counts as seen, for a pin as for a bundle."""
    host = room.host()
    host.add(room.archive(room.recipe("first")))
    old = room.Host(dict(host.files), host.signed, host.drafts, host.now)
    host.add(room.archive(room.recipe("second")))
    host.save(tmp_path / "embedded")
    monkeypatch.setattr(bootstrap, "PLACES", (str(tmp_path / "embedded"),))
    monkeypatch.setattr(bootstrap, "ROOT_SHA256", host.fingerprint)
    monkeypatch.setattr(bootstrap, "SNAPSHOT_SHA256", host.index().head.snapshot_sha256)
    with pytest.raises(TrustError) as caught:
        opened(Server(old), rooms)
    assert caught.value.data["attack"] == "rollback"
    assert opened(Server(host), rooms).contents.names == 2


def test_searching_finds_words_in_names_first(rooms: Rooms) -> None:
    """IDX-10."""
    host = room.host()
    for name, summary in (("a-tool", "Reads zlib"), ("zlib", "Compression"), ("other", "")):
        host.add(room.archive(room.recipe(name, summary=summary)))
    index = opened(Server(host), rooms)
    assert [card.name for card in index.search(["ZLIB"])] == ["zlib", "a-tool"]
    assert [card.name for card in index.search(["zlib", "reads"])] == ["a-tool"]
    assert len(index.search([])) == 3


def test_looking_up_a_name_never_reads_the_catalogue(host: room.Host, rooms: Rooms) -> None:
    """IDX-10."""
    server = Server(host)
    opened(server, rooms).shards(["lab/n3"])
    assert not [path for path in server.asked if path.startswith("c/")]
