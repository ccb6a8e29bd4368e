from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from crpack import disk
from crpack.errors import InstallError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    disk.arm(None)


def test_each_effect_passes_a_point_before_and_one_after_it(tmp_path: Path) -> None:
    passed: list[str] = []
    disk.arm(passed.append)
    disk.write_file(f"{tmp_path}/a", [b"x"])
    steps = ["create", "write", "mode", "close"]
    assert passed == [f"write-file.{s}{tail}" for s in steps for tail in ("", ":done")]
    assert set(passed) <= set(disk.points())


def test_points_have_each_name_once() -> None:
    assert len(set(disk.points())) == len(disk.points())


def test_a_hook_may_fail_an_effect_as_the_system_would(tmp_path: Path) -> None:
    def fail(name: str) -> None:
        if name == "write-file.write":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    disk.arm(fail)
    with pytest.raises(InstallError) as caught:
        disk.write_file(f"{tmp_path}/a", [b"x"])
    assert caught.value.what == f"there is no space left for `{tmp_path}/a`"
    assert caught.value.hint
    assert caught.value.data == {"path": f"{tmp_path}/a", "errno": "ENOSPC"}


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.EIO, errno.EDQUOT, 9999])
def test_every_system_error_names_the_file_and_the_cause(number: int) -> None:
    error = disk.failure(OSError(number, os.strerror(number)), "/some/file")
    assert "`/some/file`" in error.what
    assert error.why == (os.strerror(number),)
