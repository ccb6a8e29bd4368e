"""Which files on PATH may be executed (DET-01, DET-02, DET-10)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from crpack.detect import path as paths
from crpack.detect.path import Trust
from crpack.process import installation


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that only its owner may change, below ones that are fine."""
    (tmp_path / "bin").mkdir(mode=0o755)
    return tmp_path / "bin"


def tool(folder: Path, name: str = "tool", mode: int = 0o755) -> str:
    file = folder / name
    file.write_text("#!/bin/sh\n")
    file.chmod(mode)
    return str(file)


@pytest.fixture
def trust() -> Trust:
    return Trust(os.getuid())


def distrust(path: str) -> str:
    file = Trust(os.getuid()).file(path)
    assert file is not None
    return file.distrust


def test_only_absolute_folders_of_path_count() -> None:
    """DET-01."""
    assert paths.folders("/a:.::bin:/b/../c:/a:./x:/a/") == ("/a", "/c")
    assert paths.folders("") == ()


def test_a_file_of_the_users_own_is_trusted(folder: Path) -> None:
    """DET-02."""
    assert distrust(tool(folder)) == ""


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o777])
def test_a_file_that_others_may_change_is_not(folder: Path, mode: int) -> None:
    """DET-02."""
    assert "can be changed by other users" in distrust(tool(folder, mode=mode))


def test_nor_one_in_a_folder_where_others_may_write(folder: Path) -> None:
    """DET-02."""
    path = tool(folder)
    folder.chmod(0o777)
    assert f"`{folder}` can be changed" in distrust(path)
    folder.chmod(0o1777)  # sticky: others may add, not exchange
    assert distrust(path) == ""


def test_nor_one_far_below_such_a_folder(folder: Path) -> None:
    """DET-02."""
    deep = folder / "a" / "b"
    deep.mkdir(parents=True)
    path = tool(deep)
    folder.chmod(0o775)
    assert f"`{folder}` can be changed" in distrust(path)


def test_nor_one_behind_a_link_that_others_may_exchange(folder: Path, tmp_path: Path) -> None:
    """DET-02: the way counts, not only the end."""
    way = tmp_path / "way"
    way.mkdir()
    (way / "link").symlink_to(tool(folder))
    (folder / "through").symlink_to(way / "link")
    assert distrust(str(folder / "through")) == ""
    way.chmod(0o777)
    assert f"`{way}` can be changed" in distrust(str(folder / "through"))


def test_nor_one_below_a_linked_folder_that_others_may_exchange(tmp_path: Path) -> None:
    """DET-02."""
    real, way = tmp_path / "real", tmp_path / "way"
    real.mkdir()
    way.mkdir()
    tool(real)
    (way / "bin").symlink_to(real)
    assert distrust(f"{way}/bin/tool") == ""
    way.chmod(0o777)
    assert "can be changed" in distrust(f"{way}/bin/tool")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_somebody_else_is_not_trusted(folder: Path) -> None:
    """DET-02."""
    path = tool(folder)
    os.chown(path, 12345, 12345)
    assert distrust(path) == f"`{path}` belongs to user 12345"
    os.chown(path, 0, 0)
    os.chown(folder, 12345, 12345)
    assert distrust(path) == f"`{folder}` belongs to user 12345"
    assert Trust(12345).file(path).distrust == ""  # type: ignore[union-attr]


def test_what_is_no_executable_file_is_nothing(folder: Path, trust: Trust) -> None:
    (folder / "folder").mkdir()
    (folder / "dead").symlink_to("nowhere")
    (folder / "loop").symlink_to("loop")
    os.mkfifo(folder / "fifo", 0o755)
    tool(folder, "plain", 0o644)
    for name in ("folder", "dead", "loop", "fifo", "plain", "absent", "zero\0byte"):
        assert trust.file(str(folder / name)) is None, name


def test_a_stamp_changes_with_the_file(folder: Path) -> None:
    """DET-07."""
    path = tool(folder)
    before = paths.stamp(path)
    Path(path).write_text("#!/bin/sh\n# changed\n")
    assert paths.stamp(path) != before
    assert paths.stamp(str(folder / "absent")) is None


def test_interpreters_of_scripts() -> None:
    assert installation.interpreter(b"#! /usr/bin/env -S python3 -I\nx") == (
        "/usr/bin/env", "-S", "python3", "-I",
    )  # fmt: skip
    assert installation.interpreter(b"\x7fELF") == installation.interpreter(b"#!\n") == ()
