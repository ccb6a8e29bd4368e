from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from crpack import disk
from crpack.errors import InstallError

if TYPE_CHECKING:
    from pathlib import Path

NOBODY = 65534


def test_a_tree_is_given_away_and_nothing_that_its_links_point_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """STO-16."""
    (tmp_path / "outside").touch()
    (tmp_path / "tree/sub").mkdir(parents=True)
    (tmp_path / "tree/sub/file").touch()
    (tmp_path / "tree/link").symlink_to("../outside")
    given: list[tuple[str, int, int, bool]] = []

    def chown(
        name: str, user: int, group: int, *, dir_fd: int | None, follow_symlinks: bool
    ) -> None:
        given.append((os.path.basename(name), user, group, follow_symlinks))
        assert os.stat(name, dir_fd=dir_fd, follow_symlinks=False)

    monkeypatch.setattr(os, "chown", chown)
    disk.give_tree(f"{tmp_path}/tree", NOBODY, NOBODY)
    assert sorted(name for name, *_ in given) == ["file", "link", "sub", "tree"]
    assert {one[1:] for one in given} == {(NOBODY, NOBODY, False)}


def test_who_may_not_give_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "chown", refuse)
    with pytest.raises(InstallError, match="is not yours"):
        disk.give_tree(str(tmp_path), NOBODY, NOBODY)


def test_a_tree_that_is_not_there_cannot_be_given(tmp_path: Path) -> None:
    with pytest.raises(InstallError, match="is not there"):
        disk.give_tree(f"{tmp_path}/missing", NOBODY, NOBODY)
