from __future__ import annotations

import hashlib
import os
import stat
from typing import TYPE_CHECKING

import pytest

from crpack import disk
from crpack.errors import ArchiveError, InstallError
from crpack.install import listing
from crpack.install.store import Finding, Store, TreeWriter
from crpack.model import tree
from crpack.model.tree import Entry
from tests.unit.install.synthetic import entry

if TYPE_CHECKING:
    from pathlib import Path

FILES = {"bin/prog": b"run me", "share/doc/text": b"read me", "empty": b""}


def entries_of(path: Path | str) -> tuple[Entry, ...]:
    """Return what is listed in a folder, in order."""
    return tuple(sorted((p.entry for p in listing.walk(str(path))), key=lambda e: e.path))


def written(folder: Path) -> str:
    """Write a small tree and return its name."""
    writer = TreeWriter(str(folder))
    for path, data in FILES.items():
        writer.file(entry(path, data), [data])
    writer.folder("var/log")
    writer.link("share/prog", "../bin/prog")
    return writer.finish()


@pytest.fixture
def stored(tmp_path: Path) -> tuple[Store, str]:
    name = written(tmp_path / "stage")
    store = Store(str(tmp_path / "prefix"))
    assert store.admit(f"{tmp_path}/stage", name)
    return store, name


def test_a_tree_stands_under_the_digest_of_its_listing(stored: tuple[Store, str]) -> None:
    """STO-01, STO-02."""
    store, name = stored
    assert disk.names(store.root) == (name,)
    assert store.has(name)
    assert tree.digest(store.entries(name)) == name
    assert entries_of(store.path(name)) == store.entries(name)
    assert store.verify(name) == ()


def test_modes_are_fixed(stored: tuple[Store, str]) -> None:
    """STO-07."""
    store, name = stored
    modes = {
        path: stat.S_IMODE(os.stat(f"{store.path(name)}/{path}").st_mode)
        for path in ("bin/prog", "share/doc/text", "share", "var/log")
    }
    assert modes == {
        "bin/prog": 0o555,
        "share/doc/text": 0o444,
        "share": 0o755,
        "var/log": 0o755,
    }


def test_the_second_of_two_equal_trees_is_discarded(
    tmp_path: Path, stored: tuple[Store, str]
) -> None:
    """STO-03."""
    store, name = stored
    assert written(tmp_path / "again") == name
    assert not store.admit(f"{tmp_path}/again", name)
    assert store.verify(name) == ()


@pytest.mark.parametrize("data", [b"short", b"the same length?", b"much too long, by far"])
def test_bytes_that_are_not_those_of_the_entry_are_refused(tmp_path: Path, data: bytes) -> None:
    """STO-05."""
    writer = TreeWriter(f"{tmp_path}/stage")
    with pytest.raises(ArchiveError):
        writer.file(entry("a", b"the right length"), [data])
    writer.close()


def test_writing_stops_at_the_first_byte_too_many(tmp_path: Path) -> None:
    """STO-05: a source without an end does not fill the disk."""

    def endless() -> object:
        while True:
            yield b"x" * 1000

    writer = TreeWriter(f"{tmp_path}/stage")
    with pytest.raises(ArchiveError):
        writer.file(entry("a", b"x" * 10), endless())  # type: ignore[arg-type]
    assert os.path.getsize(f"{tmp_path}/stage/files/a") <= 1000
    writer.close()


@pytest.mark.parametrize(
    "entries",
    [
        (Entry("a", "link", target="../../outside"),),
        (Entry("a", "link", target="/etc/passwd"),),
        (Entry("a", "dir"), Entry("A", "dir")),
        (Entry("a", "link", target="b"), Entry("a/c", "dir")),
    ],
)
def test_a_set_that_the_path_policy_refuses_gets_no_name(
    tmp_path: Path, entries: tuple[Entry, ...]
) -> None:
    """STO-05: links are made only after the whole set was judged."""
    writer = TreeWriter(f"{tmp_path}/stage")
    for one in entries:
        if one.kind == "link":
            writer.link(one.path, one.target)
        else:
            writer.folder(one.path)
    with pytest.raises(ArchiveError):
        writer.finish()
    assert not os.path.lexists(f"{tmp_path}/stage/tree.json")
    writer.close()


def test_verification_tells_each_difference(stored: tuple[Store, str]) -> None:
    """STO-06."""
    store, name = stored
    files = store.path(name)
    os.chmod(f"{files}/share/doc/text", 0o644)
    os.chmod(f"{files}/bin/prog", 0o744)
    with open(f"{files}/bin/prog", "wb") as file:
        file.write(b"run you")
    os.unlink(f"{files}/empty")
    os.unlink(f"{files}/share/prog")
    os.symlink("../bin/other", f"{files}/share/prog")
    os.mkfifo(f"{files}/pipe")
    os.mkdir(f"{files}/var/log/new")
    assert store.verify(name) == (
        Finding("bin/prog", "modified"),
        Finding("empty", "missing"),
        Finding("pipe", "extra"),
        Finding("share/doc/text", "mode"),
        Finding("share/prog", "modified"),
        Finding("var/log", "missing"),
        Finding("var/log/new", "extra"),
    )


def test_a_file_replaced_by_a_folder_or_pipe_is_modified(stored: tuple[Store, str]) -> None:
    store, name = stored
    os.unlink(f"{store.path(name)}/empty")
    os.mkfifo(f"{store.path(name)}/empty")
    assert store.verify(name) == (Finding("empty", "modified"),)


def test_a_listing_changed_with_its_files_is_found(stored: tuple[Store, str]) -> None:
    """STO-01: only the name counts."""
    store, name = stored
    path = f"{store.place(name)}/tree.json"
    os.chmod(path, 0o644)
    forged = [*(e for e in store.entries(name) if e.path != "empty"), entry("empty", b"x")]
    with open(path, "wb") as file:
        file.write(listing.encode(forged))
    assert store.verify(name) == (Finding("", "modified"),)
    os.unlink(path)
    assert store.verify(name) == (Finding("", "missing"),)
    assert not store.has(name)


def test_names_whose_bytes_are_no_text_are_told_as_text(stored: tuple[Store, str]) -> None:
    store, name = stored
    with open(os.fsencode(store.path(name)) + b"/\xff", "wb"):
        pass
    (finding,) = store.verify(name)
    assert finding == Finding("\\udcff", "extra")


@pytest.mark.parametrize("name", ["", "../x", "A" * 64, "0" * 63, "g" * 64])
def test_only_a_digest_is_the_name_of_a_tree(tmp_path: Path, name: str) -> None:
    """STO-01."""
    with pytest.raises(InstallError):
        Store(str(tmp_path)).path(name)


def test_a_folder_is_copied_as_it_was_listed(tmp_path: Path) -> None:
    source = tmp_path / "out"
    (source / "bin").mkdir(parents=True)
    (source / "bin/prog").write_bytes(b"run me")
    (source / "bin/prog").chmod(0o700)
    (source / "bare").mkdir()
    (source / "link").symlink_to("bin/prog")
    os.link(source / "bin/prog", source / "hard")
    entries = entries_of(str(source))
    writer = TreeWriter(f"{tmp_path}/stage")
    writer.copy(str(source), entries)
    assert writer.finish() == tree.digest(entries)
    assert os.stat(f"{tmp_path}/stage/files/hard").st_nlink == 1
    assert stat.S_IMODE(os.stat(f"{source}/bin/prog").st_mode) == 0o700


def test_a_folder_that_changed_after_listing_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "out"
    source.mkdir()
    (source / "a").write_bytes(b"one")
    entries = entries_of(str(source))
    (source / "a").write_bytes(b"two")
    writer = TreeWriter(f"{tmp_path}/stage")
    with pytest.raises(ArchiveError):
        writer.copy(str(source), entries)
    writer.close()


def test_the_digest_of_an_entry_is_that_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    (found,) = entries_of(str(tmp_path))
    assert found == Entry(
        "a", "file", executable=False, size=3, sha256=hashlib.sha256(b"abc").hexdigest()
    )
