from __future__ import annotations

import ctypes
import os
import stat
from typing import TYPE_CHECKING

import pytest

from crpack import disk
from crpack.errors import FetchError, InstallError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def mode(path: str) -> int:
    return stat.S_IMODE(os.lstat(path).st_mode)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_permission_bits_do_not_depend_on_the_umask(tmp_path: Path, umask: int) -> None:
    """STO-11."""
    before = os.umask(umask)
    try:
        disk.write_file(f"{tmp_path}/a", [b"x"], 0o555)
        disk.atomic_write(f"{tmp_path}/b", b"y")
    finally:
        os.umask(before)
    assert (mode(f"{tmp_path}/a"), mode(f"{tmp_path}/b")) == (0o555, 0o644)


def test_a_file_that_exists_is_never_opened_for_change(tmp_path: Path) -> None:
    """STO-11."""
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with pytest.raises(InstallError, match="is there already"):
        disk.write_file(str(path), [b"new"])
    assert path.read_bytes() == b"old"


def test_a_file_is_not_made_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("elsewhere")
    with pytest.raises(InstallError):
        disk.write_file(f"{tmp_path}/link", [b"new"])
    assert not (tmp_path / "elsewhere").exists()


def test_what_the_chunks_raise_passes_through(tmp_path: Path) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"x"
        raise FetchError("cut off")

    with pytest.raises(FetchError, match="cut off"):
        disk.write_file(f"{tmp_path}/a", chunks())


def test_an_atomic_write_replaces_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = f"{tmp_path}/a"
    disk.atomic_write(path, b"one")
    disk.atomic_write(path, b"two")
    assert disk.read(path, limit=10) == b"two"
    assert disk.names(str(tmp_path)) == ("a",)


@pytest.mark.parametrize("linked", [False, True])
def test_an_atomic_write_takes_no_device_or_pipe_away(tmp_path: Path, *, linked: bool) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    path = tmp_path / "link" if linked else pipe
    if linked:
        path.symlink_to(pipe)
    with pytest.raises(InstallError, match="device, pipe or socket"):
        disk.atomic_write(str(path), b"text")
    assert pipe.is_fifo()
    assert path.is_symlink() == linked


def test_a_failed_atomic_write_keeps_the_old_and_removes_the_new(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.mkdir()
    (path / "inside").touch()
    with pytest.raises(InstallError):
        disk.atomic_write(str(path), b"two")
    assert disk.names(str(tmp_path)) == ("a",)


def test_a_failed_atomic_write_names_the_file_that_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "file"
    with pytest.raises(InstallError) as caught:
        disk.atomic_write(str(path), b"new")
    assert caught.value.what == f"`{path}` is not there"


def test_an_atomic_write_that_fails_anywhere_leaves_the_old_or_the_new(tmp_path: Path) -> None:
    """STO-10, STO-11."""
    passed: list[str] = []
    disk.arm(passed.append)
    disk.atomic_write(f"{tmp_path}/first", b"one")
    for at in range(len(passed)):
        disk.arm(None)
        path = f"{tmp_path}/{at}"
        disk.atomic_write(path, b"one")
        left = [at]

        def fail(_: str, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] == -1:
                raise OSError(5, "Input/output error")

        disk.arm(fail)
        with pytest.raises(InstallError):
            disk.atomic_write(path, b"two")
        assert disk.read(path, limit=9) in (b"one", b"two")
    disk.arm(None)
    assert not [name for name in disk.names(str(tmp_path)) if name.startswith(".")]


def test_reading_refuses_what_is_too_long_a_link_or_no_file(tmp_path: Path) -> None:
    (tmp_path / "long").write_bytes(b"12345")
    (tmp_path / "link").symlink_to("long")
    os.mkfifo(tmp_path / "pipe")
    for name in ("long", "link", "pipe", "missing", "."):
        with pytest.raises(InstallError):
            disk.read(f"{tmp_path}/{name}", limit=4)
    assert disk.read(f"{tmp_path}/long", limit=5) == b"12345"


def test_folders_are_made_with_those_above(tmp_path: Path) -> None:
    disk.make_folders(f"{tmp_path}/a/b/c")
    disk.make_folders(f"{tmp_path}/a/b/c")
    assert os.path.isdir(f"{tmp_path}/a/b/c")


def test_a_folder_cannot_be_made_where_a_file_is(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    with pytest.raises(InstallError):
        disk.make_folders(f"{tmp_path}/a/b")


def test_a_switched_link_is_old_or_new_and_never_missing(tmp_path: Path) -> None:
    """GEN-04."""
    path = f"{tmp_path}/current"
    scratch = f"{tmp_path}/scratch"
    os.mkdir(scratch)
    disk.switch_link(path, "one", scratch=scratch)
    seen = []
    disk.arm(lambda _: seen.append(os.readlink(path)))
    try:
        disk.switch_link(path, "two", scratch=scratch)
    finally:
        disk.arm(None)
    assert set(seen) == {"one", "two"}
    assert os.listdir(scratch) == []


def test_the_loser_of_a_rename_keeps_its_own(tmp_path: Path) -> None:
    """STO-03."""
    for name in ("winner", "loser"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    assert disk.rename(f"{tmp_path}/winner", f"{tmp_path}/place")
    assert not disk.rename(f"{tmp_path}/loser", f"{tmp_path}/place")
    assert disk.names(f"{tmp_path}/place") == ("winner",)
    assert disk.names(f"{tmp_path}/loser") == ("loser",)


def test_free_space_is_told_of_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    free = disk.free_bytes(f"{tmp_path}/not/yet")
    numbers = os.statvfs(tmp_path)
    assert 0 < free <= numbers.f_blocks * numbers.f_frsize


def test_the_file_system_is_flushed_or_the_error_is_told(tmp_path: Path) -> None:
    """STO-12."""
    disk.sync_tree(str(tmp_path))
    with pytest.raises(InstallError, match="is not there"):
        disk.sync_tree(f"{tmp_path}/missing")


def test_without_syncfs_every_file_system_is_flushed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """STO-12: as on macOS."""
    called = []
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: object())
    monkeypatch.setattr(os, "sync", lambda: called.append("sync"))
    disk.sync_tree(str(tmp_path))
    assert called == ["sync"]
