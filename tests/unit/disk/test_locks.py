from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from crpack import disk
from crpack.errors import InstallError

if TYPE_CHECKING:
    from pathlib import Path


def test_an_exclusive_lock_keeps_all_others_out(tmp_path: Path) -> None:
    """STO-13."""
    path = f"{tmp_path}/lock"
    with disk.lock(path):
        assert disk.try_lock(path) is None
        assert disk.try_lock(path, shared=True) is None
    again = disk.try_lock(path)
    assert again is not None
    again.release()


def test_a_lock_file_is_its_owners_alone(tmp_path: Path) -> None:
    """STO-13: who can read a file can lock it."""
    with disk.lock(f"{tmp_path}/lock"):
        assert os.stat(f"{tmp_path}/lock").st_mode & 0o777 == 0o600


def test_shared_locks_keep_only_exclusive_ones_out(tmp_path: Path) -> None:
    """STO-13."""
    path = f"{tmp_path}/lock"
    with disk.lock(path, shared=True), disk.lock(path, shared=True):
        assert disk.try_lock(path) is None


def test_a_lock_is_waited_for(tmp_path: Path) -> None:
    path = f"{tmp_path}/lock"
    order: list[str] = []

    def wait() -> None:
        with disk.lock(path):
            order.append("second")

    with disk.lock(path):
        thread = threading.Thread(target=wait)
        thread.start()
        thread.join(0.05)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_a_lock_of_a_file_that_was_replaced_meanwhile_is_not_taken(tmp_path: Path) -> None:
    """STO-13."""
    path = f"{tmp_path}/lock"
    held = disk.lock(path)
    taken: list[disk.Lock] = []
    thread = threading.Thread(target=lambda: taken.append(disk.lock(path)))
    thread.start()
    thread.join(0.05)
    os.unlink(path)
    held.release()
    thread.join()
    assert disk.try_lock(path) is None  # the new file is locked by the thread
    taken[0].release()


def test_the_death_of_a_holder_frees_its_lock(tmp_path: Path) -> None:
    path = f"{tmp_path}/lock"
    child = os.fork()
    if child == 0:
        disk.lock(path)
        os._exit(0)
    os.waitpid(child, 0)
    held = disk.try_lock(path)
    assert held is not None
    held.release()


def test_holding_makes_nothing_and_needs_no_right_to_write(tmp_path: Path) -> None:
    """GEN-08."""
    path = tmp_path / "record"
    assert disk.hold(str(path)) is None
    assert not path.exists()
    path.touch(0o444)
    with disk.hold(str(path)) or pytest.fail("not held"):
        assert disk.hold(str(path), shared=False) is None


def test_a_link_is_not_locked(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("target")
    (tmp_path / "target").touch()
    with pytest.raises(InstallError):
        disk.lock(f"{tmp_path}/link")
