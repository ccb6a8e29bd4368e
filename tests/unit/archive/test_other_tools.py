"""An archive opens with the tools that everyone has, and gives the same files."""

from __future__ import annotations

import io
import os
import shutil
import stat
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from crpack.archive import writer
from crpack.model.tree import Entry
from tests.unit.archive.written import Files, archive, opened
from tests.vectors.make_vectors import VECTORS

if TYPE_CHECKING:
    from pathlib import Path

LONG = "long/" * 21 + "name"
FILES = Files(
    {
        "bin/run": b"#!/bin/sh\n",
        "data/zéro": b"",
        "data/big": os.urandom(1000) * 3000,
        LONG: b"deep",
        "z": b"z" * 70_000,
    }
)
LINKS = {"lib/a": "../bin/run", "lib/b": "a", "far": LONG}
OTHERS = (
    Entry("empty/inside", "dir"),
    *(Entry(path, "link", target=target) for path, target in LINKS.items()),
)


def run(*argv: str | Path, cwd: Path) -> None:
    """Run a tool that everyone has; skip where this machine has it not."""
    if shutil.which(str(argv[0])) is None:
        pytest.skip(f"`{argv[0]}` is not on this machine")
    done = subprocess.run(argv, cwd=cwd, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b""), done.stderr.decode()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    target = tmp_path / "sample.crpkg"
    target.write_bytes(archive(FILES, *OTHERS, executable=("bin/run",)))
    return target


def assert_unpacked(folder: Path) -> None:
    found = {
        one.relative_to(folder).as_posix(): one
        for one in folder.rglob("*")
        if one.is_symlink() or one.is_file()
    }
    assert set(found) == set(FILES) | set(LINKS)
    for name, data in FILES.items():
        assert found[name].read_bytes() == data
        assert bool(found[name].stat().st_mode & stat.S_IXUSR) == (name == "bin/run")
    for name, target in LINKS.items():
        assert os.readlink(found[name]) == target
    assert [one.name for one in (folder / "empty").iterdir()] == ["inside"]


def test_unzip_tests_and_unpacks_it(path: Path) -> None:
    run("unzip", "-qt", path, cwd=path.parent)
    run("unzip", "-q", path, "-d", path.parent / "out", cwd=path.parent)
    found = opened(path.read_bytes())
    for name in found.names:
        with found.stream(name) as stream:
            assert (path.parent / "out" / name).read_bytes() == stream.read()


def test_python_unzips_it(path: Path) -> None:
    with zipfile.ZipFile(path) as found:
        assert found.testzip() is None
        assert found.namelist() == list(opened(path.read_bytes()).names)
        assert {info.compress_type for info in found.infolist()} == {zipfile.ZIP_STORED}


def test_tar_unpacks_a_payload(path: Path) -> None:
    with zipfile.ZipFile(path) as found:
        (name,) = (name for name in found.namelist() if name.startswith("payload/"))
        (path.parent / "payload.tar.zst").write_bytes(found.read(name))
    if shutil.which("zstd") is None:
        pytest.skip("`zstd` is not on this machine")
    (path.parent / "out").mkdir()
    run("zstd", "-qt", "payload.tar.zst", cwd=path.parent)
    run("tar", "--zstd", "-xf", "payload.tar.zst", "-C", "out", cwd=path.parent)
    assert_unpacked(path.parent / "out")


READER = VECTORS.parent / "reader.py"


def read_alone(path: Path, folder: str = "out") -> subprocess.CompletedProcess[str]:
    """Run the reader of the specification, isolated from everything of crpack."""
    argv = [sys.executable, "-I", str(READER), str(path), folder]
    return subprocess.run(
        argv, cwd=path.parent, capture_output=True, check=False, text=True, encoding="utf-8"
    )


def test_the_reader_of_the_specification_is_small_and_alone() -> None:
    text = READER.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 200
    assert "import crpack" not in text
    assert "from crpack" not in text


def test_the_reader_of_the_specification_unpacks_it(path: Path) -> None:
    done = read_alone(path)
    assert done.returncode == 0, done.stderr
    names = [line.split()[1] for line in done.stdout.splitlines()]
    assert names == list(opened(path.read_bytes()).names)
    (payload,) = (path.parent / "out").iterdir()
    assert_unpacked(payload)


def test_the_reader_of_the_specification_lists_a_thin_copy(path: Path) -> None:
    out = io.BytesIO()
    writer.write(writer.copy(opened(path.read_bytes()), thin=True), out)
    path.write_bytes(out.getvalue())
    done = read_alone(path)
    assert done.returncode == 0, done.stderr
    assert not (path.parent / "out").exists()
