"""Where an index is published to: writing in order, locks, places on other machines."""

from __future__ import annotations

import hashlib
import pathlib
from typing import TYPE_CHECKING

import pytest

from crpack.archive import verify
from crpack.config import Homes, merge
from crpack.errors import FetchError, InstallError, UsageError
from crpack.index.publish import File
from crpack.index.publishers import Publishers
from crpack.ops import examine, publishing, remote
from crpack.ops.publishing import Folder
from crpack.ops.remote import Remote
from crpack.process.run import Outcome
from crpack.session import Session
from tests.unit.index import room

if TYPE_CHECKING:
    from pathlib import Path

    from crpack.archive.reader import Archive
    from crpack.archive.verify import Finding

TIMESTAMP = "metadata/timestamp.json"


@pytest.fixture
def session(tmp_path: Path) -> Session:
    homes = Homes(*(str(tmp_path / part) for part in ("config", "cache", "data", "state")))
    return Session(merge([]), homes, str(tmp_path / "prefix"))


@pytest.fixture
def place(tmp_path: Path) -> Folder:
    (tmp_path / "index").mkdir()
    return Folder(str(tmp_path / "index"))


def test_files_named_by_their_digest_are_written_once(place: Folder, tmp_path: Path) -> None:
    """PUB-16."""
    place.write([File("s/x", b"one"), File("metadata/1.root.json", b"one")], (), b"")
    place.write([File("s/x", b"two"), File("metadata/1.root.json", b"two")], (), b"")
    assert (tmp_path / "index/s/x").read_bytes() == b"one"
    assert (tmp_path / "index/metadata/1.root.json").read_bytes() == b"two"


def test_the_timestamp_must_be_the_one_that_was_read(place: Folder, tmp_path: Path) -> None:
    """PUB-15: what another wrote meanwhile is not lost."""
    place.write([File(TIMESTAMP, b"one")], (), b"")
    place.write([File(TIMESTAMP, b"two")], (), b"one")
    with pytest.raises(InstallError) as caught:
        place.write([File("s/x", b"x"), File(TIMESTAMP, b"three")], ("metadata/y",), b"one")
    assert caught.value.rule == "PUB-15"
    assert (tmp_path / "index" / TIMESTAMP).read_bytes() == b"two"


def test_an_archive_that_changes_while_it_is_copied_is_not_published(
    place: Folder, tmp_path: Path
) -> None:
    """PUB-16."""
    path = tmp_path / "x.crpkg"
    path.write_bytes(b"other")
    name = f"a/{hashlib.sha256(b'one').hexdigest()}.crpkg"
    with pytest.raises(InstallError):
        place.write([File(name, origin=str(path))], (), b"")
    assert list((tmp_path / "index/a").iterdir()) == []
    path.write_bytes(b"one")
    place.write([File(name, origin=str(path))], (), b"")
    assert (tmp_path / "index" / name).read_bytes() == b"one"


def test_an_archive_that_changed_is_not_sent_to_another_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PUB-16: what travels is a copy that was held against the digest in its name."""
    sent: list[dict[str, bytes]] = []

    def send(_: Remote, folder: str) -> None:
        root = pathlib.Path(folder)
        files = [path for path in root.rglob("*") if path.is_file()]
        sent.append({str(path.relative_to(root)): path.read_bytes() for path in files})

    monkeypatch.setattr(Remote, "_send", send)
    answer = Outcome(0, b"", b"", False, False, 0.0, 0.0, "L1", "open")
    monkeypatch.setattr(Remote, "_ask", lambda *_: answer)
    far = Remote("host", 0, "/index", str(tmp_path / "scratch"))
    path = tmp_path / "x.crpkg"
    name = f"a/{hashlib.sha256(b'one').hexdigest()}.crpkg"
    path.write_bytes(b"other")
    with pytest.raises(InstallError) as caught:
        far.write([File(name, origin=str(path))], (), b"")
    assert caught.value.rule == "PUB-16"
    assert sent == []
    path.write_bytes(b"one")
    far.write([File(name, origin=str(path))], (), b"")
    assert sent == [{"base": b"", name: b"one"}]


def test_an_archive_that_is_swapped_while_it_is_examined_is_not_listed_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PUB-06: digest and facts are those of one open file."""
    data = room.archive(room.recipe("lab/data"))
    path = tmp_path / "x.crpkg"
    path.write_bytes(data)

    def swapped(archive: Archive) -> tuple[Finding, ...]:
        (tmp_path / "other").write_bytes(b"other")
        (tmp_path / "other").rename(path)
        return verify.verify(archive)

    monkeypatch.setattr(examine, "_read_through", swapped)
    rules = Publishers(room.rules("*"))
    found = examine.archive(str(path), rules, date=room.DATE, scratch=str(tmp_path))
    assert [one.sha256 for one in found.release.copies] == [hashlib.sha256(data).hexdigest()]


def test_a_writer_elsewhere_is_waited_for_and_then_told(
    place: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PUB-15."""
    link = tmp_path / "index/.publishing"
    link.symlink_to("ssh-0123")
    monkeypatch.setattr(publishing, "PATIENCE", 0.3)
    with pytest.raises(InstallError) as caught, place.locked():
        pass
    assert "ssh-0123" in caught.value.why[0]
    assert link.is_symlink()  # it is not ours to remove


def test_the_lock_is_gone_after_a_failure(place: Folder, tmp_path: Path) -> None:
    """PUB-15."""
    link = tmp_path / "index/.publishing"

    def fail() -> None:
        with place.locked():
            assert link.is_symlink()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not link.is_symlink()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("host:index", "host:index"),
        ("me@host.example:/srv/index", "me@host.example:/srv/index"),
        ("host:~/index", "host:~/index"),
        ("ssh://me@host:2222/srv/index", "me@host:/srv/index"),
    ],
)
def test_places_on_other_machines_are_told_from_folders(
    session: Session, text: str, name: str
) -> None:
    """PUB-17."""
    found = remote.place(session, text)
    assert isinstance(found, Remote)
    assert found.name == name


@pytest.mark.parametrize("text", ["index", "/srv/index", "./host:index", "a/b:c"])
def test_a_path_is_a_folder(session: Session, text: str) -> None:
    found = remote.place(session, text)
    assert isinstance(found, Folder)
    assert found.path.startswith("/")


@pytest.mark.parametrize(
    "text",
    [
        "-oProxyCommand=id:/a",
        "host:/a b",
        "host:/a;id",
        "host:$(id)",
        "host:-a",
        "host:",
        "a b:/c",
        "ssh://-host/a",
        "ssh://host:port/a",
        "https://host/a",
        "host:/a\nb",
        "user@-host:/a",
    ],
)
def test_what_would_be_more_than_a_place_is_refused(session: Session, text: str) -> None:
    """PUB-17: nothing becomes an option of ssh or a word of a shell."""
    with pytest.raises(UsageError):
        remote.place(session, text)


@pytest.mark.parametrize(
    "data",
    [
        *(b"x", b"s/x\n", b"s/x -1\n", b"s/x 1", b"Welcome to the machine\ns/x 1\nx"),
        b"s/x " + b"9" * 5000 + b"\n",
    ],
)
def test_a_host_that_answers_with_something_else_is_told(data: bytes) -> None:
    """PUB-17."""
    with pytest.raises(FetchError):
        remote.shown(data, "host")


def test_files_of_a_host_are_told_apart() -> None:
    assert remote.shown(b"s/x 3\na\nbs/y 0\n", "host") == {"s/x": b"a\nb", "s/y": b""}
