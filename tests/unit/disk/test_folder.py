from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from crpack import disk
from crpack.errors import InstallError

if TYPE_CHECKING:
    from pathlib import Path


def test_files_folders_and_links_are_made_below(tmp_path: Path) -> None:
    with disk.Folder(str(tmp_path)) as folder:
        assert folder.file("a/b/c", [b"12", b"3"], 0o555) == 3
        assert folder.file("a/b/d", [], date=100) == 0
        folder.file("e", [b"x"])
        folder.folder("a/empty/deep")
        folder.link("z/link", "../e")
    assert (tmp_path / "a/b/c").read_bytes() == b"123"
    assert (tmp_path / "a/b/d").stat().st_mtime == 100
    assert (tmp_path / "a/empty/deep").is_dir()
    assert (tmp_path / "z/link").read_bytes() == b"x"


def test_folders_have_their_mode_whatever_the_umask(tmp_path: Path) -> None:
    """STO-07."""
    before = os.umask(0o077)
    try:
        with disk.Folder(str(tmp_path)) as folder:
            folder.file("a/b", [b"x"], 0o444)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o755


@pytest.mark.parametrize("path", ["../a", "/a", "a/../b", "a//b", "a/.", ".", "..", "", "a/"])
def test_no_path_leaves_the_folder(tmp_path: Path, path: str) -> None:
    """STO-05."""
    inside = tmp_path / "inside"
    inside.mkdir()
    with disk.Folder(str(inside)) as folder:
        for act in (lambda: folder.file(path, [b"x"]), lambda: folder.folder(path)):
            with pytest.raises(InstallError):
                act()
        with pytest.raises(InstallError):
            folder.link(path, "x")
    assert disk.names(str(tmp_path)) == ("inside",)
    assert disk.names(str(inside)) == ()


def test_no_link_on_the_way_is_followed(tmp_path: Path) -> None:
    """STO-05."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside/way").symlink_to("../outside")
    with disk.Folder(f"{tmp_path}/inside") as folder:
        with pytest.raises(InstallError):
            folder.file("way/a", [b"x"])
        with pytest.raises(InstallError):
            folder.folder("way/b")
    assert disk.names(f"{tmp_path}/outside") == ()


def test_a_folder_swapped_for_a_link_meanwhile_leads_nowhere(tmp_path: Path) -> None:
    """STO-05."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "inside").mkdir()
    with disk.Folder(f"{tmp_path}/inside") as folder:
        folder.file("a/one", [b"x"])
        os.rename(tmp_path / "inside/a", tmp_path / "moved")
        (tmp_path / "inside/a").symlink_to("../outside")
        folder.file("a/two", [b"x"])  # the open folder, wherever it is now
        folder.file("b", [b"x"])
        with pytest.raises(InstallError):
            folder.file("a/three", [b"x"])
    assert disk.names(f"{tmp_path}/outside") == ()


def test_descriptors_are_closed(tmp_path: Path) -> None:
    before = len(os.listdir("/dev/fd"))
    with disk.Folder(str(tmp_path)) as folder:
        for at in range(20):
            folder.file(f"{at}/a/b/c", [b""])
        assert len(os.listdir("/dev/fd")) < before + 10
    assert len(os.listdir("/dev/fd")) == before
