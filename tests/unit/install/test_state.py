from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from crpack.detect import machine
from crpack.errors import InstallError
from crpack.install import generations, state
from tests.unit.install.synthetic import NAME, V1, V2, install

if TYPE_CHECKING:
    from pathlib import Path


def test_nothing_is_installed_where_there_is_nothing(tmp_path: Path) -> None:
    assert state.installed(f"{tmp_path}/missing") == ()
    assert state.current_number(str(tmp_path), "demo") == 0


def test_each_solution_is_told_by_its_current_generation(tmp_path: Path) -> None:
    """GEN-01, GEN-02."""
    install(str(tmp_path), "1", V1)
    install(str(tmp_path), "2", V2)
    install(str(tmp_path), "7", V1, name="another")
    one, two = state.installed(str(tmp_path))
    assert (one.name, one.version, one.number, one.damage) == ("another", "7", 1, "")
    assert (two.name, two.version, two.number, two.request) == (NAME, "2", 2, NAME)
    assert two.path == f"{tmp_path}/solutions/lab@demo"
    assert (two.revision, two.identity, two.date) == (0, "0" * 64, "2024-01-01T00:00:00Z")


def test_a_solution_without_current_is_not_installed(tmp_path: Path) -> None:
    """GEN-02."""
    install(str(tmp_path), "1", V1)
    os.unlink(f"{tmp_path}/solutions/lab@demo/current")
    assert state.installed(str(tmp_path)) == ()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"[" * 100_000,
        b"[]",
        b"{}",
        json.dumps({"format": 2}).encode(),
        json.dumps({"format": 1, "critical": ["x"]}).encode(),
        json.dumps({"format": 1, "critical": []}).encode(),
    ],
)
def test_a_damaged_record_is_told_and_hides_no_other(tmp_path: Path, data: bytes) -> None:
    """GEN-02."""
    generation = install(str(tmp_path), "1", V1)
    install(str(tmp_path), "1", V1, name="whole")
    path = f"{generation.path}/generation.json"
    os.chmod(path, 0o644)
    with open(path, "wb") as file:
        file.write(data)
    bad, good = state.installed(str(tmp_path))
    assert path in bad.damage
    assert (good.name, good.damage) == ("whole", "")
    with pytest.raises(InstallError, match="is damaged"):
        generations.current(str(tmp_path), NAME)


@pytest.mark.parametrize("target", ["gen/0", "gen/01", "gen/x", "../gen/1", "gen/1234567890", "/"])
def test_current_names_a_generation_and_nothing_else(tmp_path: Path, target: str) -> None:
    """GEN-01, GEN-02."""
    folder = tmp_path / "solutions/demo"
    folder.mkdir(parents=True)
    (folder / "current").symlink_to(target)
    with pytest.raises(InstallError):
        state.current_number(str(tmp_path), "demo")
    (item,) = state.installed(str(tmp_path))
    assert item.damage


def test_current_that_is_no_link_is_damage(tmp_path: Path) -> None:
    (tmp_path / "solutions/demo/current").mkdir(parents=True)
    (item,) = state.installed(str(tmp_path))
    assert item.damage


def test_a_file_in_place_of_the_prefix_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InstallError, match="is not a folder"):
        state.installed(f"{tmp_path}/file")


def test_what_the_user_may_not_read_is_not_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may read all, so the system's refusal is put in its place."""
    install(str(tmp_path), "1", V1)

    def refuse(path: str) -> str:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "readlink", refuse)
    (item,) = state.installed(str(tmp_path))
    assert "is not yours to read" in item.damage
    monkeypatch.setattr(os, "lstat", refuse)
    with pytest.raises(InstallError, match="is not yours to read"):
        generations.require(str(tmp_path), NAME)
    monkeypatch.setattr(os, "listdir", refuse)
    with pytest.raises(InstallError, match="is not yours to read"):
        state.installed(str(tmp_path))


@pytest.mark.parametrize(
    ("platform", "foreign"),
    [("", False), ("any", False), ("linux-vax", True), ("windows-x86_64-mingw", True)],
)
def test_a_platform_of_another_system_is_foreign(platform: str, *, foreign: bool) -> None:
    assert state.is_foreign(platform) is foreign


def test_this_machine_is_not_foreign() -> None:
    assert not state.is_foreign(str(machine.here()))
