"""What is sent to another machine, and what it answers."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from crpack.errors import RunFailed
from crpack.work.executors import answers, packing

TIMES = "0m0.00s 0m0.01s\n1m2.50s 0m0.25s\n"


def unpacked(data: bytes, folder: Path) -> Path:
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        tar.extractall(folder)  # noqa: S202 -- our own; Python 3.11.2 has no filters
    return folder


def test_a_tree_is_sent_as_it_is(tmp_path: Path) -> None:
    """EXE-05: links as links, programs as programs, empty folders too."""
    root = tmp_path / "tree"
    (root / "bin/deep").mkdir(parents=True)
    (root / "empty").mkdir()
    (root / "bin/tool").write_bytes(b"x" * 100_000)
    (root / "bin/tool").chmod(0o755)
    (root / "bin/deep/über").write_text("")
    (root / "lib").symlink_to("bin")
    (root / "name").symlink_to("bin/tool")
    (tmp_path / "root").symlink_to(root)
    there = unpacked(b"".join(packing.tree(str(tmp_path / "root"))), tmp_path / "there")
    assert (there / "bin/tool").read_bytes() == b"x" * 100_000
    assert os.access(there / "bin/tool", os.X_OK)
    assert not os.access(there / "bin/deep/über", os.X_OK) or os.geteuid() == 0
    assert (there / "lib").readlink() == Path("bin")
    assert (there / "name").readlink() == Path("bin/tool")
    assert (there / "empty").is_dir()


def test_of_what_a_user_names_the_content_is_sent(tmp_path: Path) -> None:
    """EXE-05: links would lead nowhere there; a folder within itself has no end."""
    mine = tmp_path / "mine"
    (mine / "sub").mkdir(parents=True)
    (tmp_path / "outside").write_text("o")
    (mine / "a link").symlink_to(tmp_path / "outside")
    (mine / "sub/loop").symlink_to(mine)
    (mine / "lost").symlink_to("nowhere")
    os.mkfifo(mine / "pipe")
    sent = packing.given({str(mine): "given/0/mine"}, (("run/input.json", b"{}"),))
    there = unpacked(b"".join(sent), tmp_path / "there")
    names = sorted(str(path.relative_to(there)) for path in there.rglob("*") if path.is_file())
    assert names == ["given/0/mine/a link", "run/input.json"]
    assert (there / "given/0/mine/a link").read_text() == "o"
    assert (there / "given/0/mine/sub").is_dir()


def test_a_name_that_is_no_unicode_is_told(tmp_path: Path) -> None:
    """EXE-05."""
    with open(os.path.join(os.fsencode(tmp_path), b"\xff"), "wb"):
        pass
    with pytest.raises(RunFailed, match="is not Unicode"):
        b"".join(packing.given({str(tmp_path): "x"}, ()))


def test_pieces_are_the_same_bytes() -> None:
    """EXE-05: so that memory stays bounded."""
    chunks = [bytes([n]) * 7 for n in range(20)]
    found = list(packing.pieces(chunks, 20))
    assert b"".join(found) == b"".join(chunks)
    assert all(len(piece) >= 20 for piece in found[:-1])
    assert list(packing.pieces([], 20)) == []


@pytest.mark.parametrize(
    ("platform", "system", "processor", "fits"),
    [
        ("linux-x86_64-gnu2.36", "Linux", "x86_64", True),
        ("linux-aarch64-gnu", "Linux", "x86_64", False),
        ("linux-armv6-gnu", "Linux", "aarch64", True),
        ("linux-aarch64-gnu", "Linux", "armv7l", False),
        ("linux-aarch64-gnu", "Darwin", "aarch64", False),
        ("android-aarch64-24", "Linux", "aarch64", True),
        ("macos-arm64-11.0", "Darwin", "arm64", True),
        ("windows-x86_64-mingw", "Linux", "x86_64", False),
        ("any", "Plan 9", "mips", True),
    ],
)
def test_a_machine_takes_programs_of_its_own_kind(
    platform: str, system: str, processor: str, *, fits: bool
) -> None:
    """EXE-04."""
    if fits:
        answers.check_machine("demo", platform, system, processor, "`far`")
    else:
        with pytest.raises(RunFailed, match="do not run on `far`"):
            answers.check_machine("demo", platform, system, processor, "`far`")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [(TIMES, 62.75), ("", 0.0), ("0m1.0s 0m1.0s", 0.0), ("x\n\ny", 0.0), ("a\n0m1,5s 0m0s\n", 1.5)],
)
def test_cpu_time_is_that_of_the_programs_of_the_shell(text: str, seconds: float) -> None:
    """EXE-07: 0 where it is not told."""
    assert answers.cpu_seconds(text) == seconds
