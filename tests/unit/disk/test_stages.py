from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from crpack import disk

if TYPE_CHECKING:
    from pathlib import Path


def test_a_stage_is_private_and_goes_with_its_content(tmp_path: Path) -> None:
    """STO-04."""
    stage = disk.make_stage(f"{tmp_path}/stage")
    assert stat.S_IMODE(os.stat(stage.path).st_mode) == 0o700
    disk.write_file(f"{stage.path}/a", [b"x"])
    stage.close()
    assert disk.names(f"{tmp_path}/stage") == ()


def test_a_sweep_spares_stages_of_living_processes_only(tmp_path: Path) -> None:
    """STO-15."""
    root = f"{tmp_path}/stage"
    living = disk.make_stage(root)
    child = os.fork()
    if child == 0:
        disk.write_file(f"{disk.make_stage(root).path}/a", [b"x"])
        os._exit(0)
    os.waitpid(child, 0)
    assert len(disk.names(root)) == 2
    assert disk.sweep(root) == 1
    assert disk.names(root) == (os.path.basename(living.path),)
    living.close()


def test_a_stage_that_cannot_be_removed_is_left_to_the_next_sweep(tmp_path: Path) -> None:
    stage = disk.make_stage(str(tmp_path))

    def fail(_: str) -> None:
        raise OSError(5, "Input/output error")

    disk.arm(fail)
    stage.close()
    disk.arm(None)
    assert os.path.isdir(stage.path)
    assert disk.sweep(str(tmp_path)) == 1


def test_discarding_moves_things_of_one_name_side_by_side(tmp_path: Path) -> None:
    (tmp_path / "trash").mkdir()
    for _ in range(2):
        (tmp_path / "a").mkdir()
        assert disk.discard(f"{tmp_path}/a", f"{tmp_path}/trash")
    assert len(disk.names(f"{tmp_path}/trash")) == 2


def test_there_is_nothing_to_sweep_where_there_are_no_stages(tmp_path: Path) -> None:
    assert disk.sweep(f"{tmp_path}/missing") == 0
