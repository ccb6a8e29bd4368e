from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from crpack import disk
from crpack.errors import InstallError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_scratch_file_is_new(tmp_path: Path) -> None:
    """STO-11."""
    with disk.create_file(f"{tmp_path}/a") as file:
        file.write(b"x")
    with pytest.raises(InstallError, match="is there already"):
        disk.create_file(f"{tmp_path}/a")


def test_a_published_file_replaces_whole(tmp_path: Path) -> None:
    """STO-11."""
    (tmp_path / "scratch").write_bytes(b"x" * 3_000_000)
    (tmp_path / "public").write_bytes(b"old")
    disk.publish_file(f"{tmp_path}/scratch", f"{tmp_path}/public")
    assert (tmp_path / "public").read_bytes() == b"x" * 3_000_000
    assert disk.names(str(tmp_path)) == ("public", "scratch")


def test_a_file_that_cannot_be_published_leaves_the_old(tmp_path: Path) -> None:
    (tmp_path / "public").write_bytes(b"old")
    with pytest.raises(InstallError, match="is not there"):
        disk.publish_file(f"{tmp_path}/missing", f"{tmp_path}/public")
    assert disk.names(str(tmp_path)) == ("public",)
    assert (tmp_path / "public").read_bytes() == b"old"


def test_a_temporary_stage_is_private_and_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    stage = disk.temporary_stage()
    assert os.path.dirname(stage.path) == os.path.realpath(tmp_path)
    assert stat.S_IMODE(os.stat(stage.path).st_mode) == 0o700
    stage.close()
    assert disk.names(str(tmp_path)) == ()
