"""Power cuts and a full disk, on a real file system in a file (STO-12, STO-10).

A copy of the image of a mounted file system, mounted anew, is what a power cut leaves: the
journal is replayed, and what was not flushed is lost.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from crpack import disk
from crpack.errors import InstallError
from tests.unit.install.synthetic import V1, V2, install, leftovers, observe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MIB = 2**20


@contextlib.contextmanager
def mounted(image: Path) -> Iterator[str]:
    """Mount the image of a file system beside it."""
    place = image.with_suffix(".mounted")
    place.mkdir(exist_ok=True)
    subprocess.run(["mount", "-o", "loop", image, place], check=True, capture_output=True)
    try:
        yield str(place)
    finally:
        subprocess.run(["umount", place], check=True, capture_output=True)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Return the image of an empty file system of 6 MiB."""
    path = tmp_path / "disk.img"
    path.write_bytes(bytes(6 * MIB))
    try:
        subprocess.run(["mkfs.ext4", "-q", "-F", path], check=True, capture_output=True)
        with mounted(path):
            pass
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs mkfs.ext4 and the right to mount")
    return path


@pytest.mark.slow
def test_a_power_cut_at_any_point_leaves_the_old_or_the_new_state(image: Path) -> None:
    """STO-12."""
    cuts: list[Path] = []
    with mounted(image) as folder:
        prefix = f"{folder}/prefix"
        install(prefix, "1", V1)
        old = observe(prefix)

        def cut(name: str) -> None:
            cuts.append(image.with_name(f"{len(cuts):03}-{name.replace(':', '-')}.img"))
            shutil.copyfile(image, cuts[-1])

        disk.arm(cut)
        try:
            install(prefix, "2", V2)
        finally:
            disk.arm(None)
        new = observe(prefix)
        shutil.copyfile(image, image.with_name("end.img"))
    seen = []
    for copy in (*cuts, image.with_name("end.img")):
        with mounted(copy) as folder:
            seen.append(observe(f"{folder}/prefix"))
            assert seen[-1] in (old, new), copy.name
            assert leftovers(f"{folder}/prefix") == (), copy.name
            install(f"{folder}/prefix", "2", V2)
            assert observe(f"{folder}/prefix") == new, copy.name
        copy.unlink()
    assert seen[0] == old
    assert seen[-1] == new  # said to be done: durable


def test_a_full_disk_leaves_the_old_state(image: Path) -> None:
    """STO-10."""
    with mounted(image) as folder:
        prefix = f"{folder}/prefix"
        install(prefix, "1", V1)
        old = observe(prefix)
        big = {"data": {"weights": os.urandom(8 * MIB)}}
        with pytest.raises(InstallError, match="no space left") as caught:
            install(prefix, "2", big)
        assert caught.value.data["errno"] == "ENOSPC"
        assert observe(prefix) == old
        assert leftovers(prefix) == ()
        install(prefix, "2", V2)
