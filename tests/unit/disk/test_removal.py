from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from crpack import disk
from crpack.errors import InstallError

if TYPE_CHECKING:
    from pathlib import Path


def test_what_is_not_there_is_removed_already(tmp_path: Path) -> None:
    disk.remove_tree(f"{tmp_path}/missing")
    disk.remove_file(f"{tmp_path}/missing")


def test_no_link_is_followed(tmp_path: Path) -> None:
    """STO-14."""
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/file").touch()
    (tmp_path / "tree/sub").mkdir(parents=True)
    (tmp_path / "tree/link").symlink_to("../kept")
    (tmp_path / "tree/sub/link").symlink_to("../../kept/file")
    (tmp_path / "top").symlink_to("kept")
    disk.remove_tree(f"{tmp_path}/tree")
    disk.remove_tree(f"{tmp_path}/top")
    assert disk.names(str(tmp_path)) == ("kept",)
    assert disk.names(f"{tmp_path}/kept") == ("file",)


def test_depth_beyond_every_limit_does_not_stop_it(tmp_path: Path) -> None:
    """STO-14: deeper than Python recurses and longer than a path may be."""
    fd = os.open(tmp_path, os.O_RDONLY)
    for name in ["tree"] + ["d" * 20] * 1500:
        os.mkdir(name, dir_fd=fd)
        below = os.open(name, os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = below
    os.close(fd)
    disk.remove_tree(f"{tmp_path}/tree")
    assert disk.names(str(tmp_path)) == ()


def test_permission_bits_do_not_stop_it(tmp_path: Path) -> None:
    """STO-14."""
    (tmp_path / "tree/a/b").mkdir(parents=True)
    (tmp_path / "tree/a/b/file").touch()
    for name in ("tree/a/b", "tree/a", "tree"):
        (tmp_path / name).chmod(0)
    if os.getuid() == 0:
        _as_nobody(tmp_path)
    else:
        disk.remove_tree(f"{tmp_path}/tree")
    assert disk.names(str(tmp_path)) == ()


def _as_nobody(folder: Path) -> None:
    """Remove the tree in a child without root's rights."""
    for path, _, files in os.walk(folder):
        for name in (path, *(f"{path}/{file}" for file in files)):
            os.chown(name, 65534, 65534)
    child = os.fork()
    if child == 0:
        try:
            os.chdir(folder)
            os.setgroups([])
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)
            disk.remove_tree("tree")
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_names_that_look_like_its_own_do_not_confuse_it(tmp_path: Path) -> None:
    for name in ("tree/.1/.1/.2", "tree/.2/x", "tree/a/.1"):
        (tmp_path / name).mkdir(parents=True)
    disk.remove_tree(f"{tmp_path}/tree")
    assert disk.names(str(tmp_path)) == ()


def test_a_removed_file_stays_removed_and_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    (tmp_path / "b").mkdir()
    disk.remove_file(f"{tmp_path}/a")
    with pytest.raises(InstallError):
        disk.remove_file(f"{tmp_path}/b")
    assert disk.names(str(tmp_path)) == ("b",)
