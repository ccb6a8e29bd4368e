"""A machine that programs are sent to, and that lies in all that it answers."""

from __future__ import annotations

import contextlib
import io
import os
import tarfile
from typing import TYPE_CHECKING

import pytest

from crpack.errors import CrpackError, FetchError, FormatError, RunFailed
from crpack.work.executors.adb import Adb
from crpack.work.executors.errand import Errand
from crpack.work.executors.far import Far
from tests.tools import stand_in

if TYPE_CHECKING:
    from pathlib import Path

HONEST = "Linux\nx86_64\n/data\n"
# A stand-in of adb that answers each kind of script with the bytes of a file, and runs nothing.
LIAR = """\
import os, sys
script = sys.argv[-1]
kind = "hello" if "uname" in script else "back" if "tar -cf" in script else \\
    "code" if "cat code" in script else "ask"
if kind == "ask":
    sys.stdin.buffer.read()
path = os.path.join({folder!r}, kind)
if os.path.exists(path):
    sys.stdout.buffer.write(open(path, "rb").read())
if kind == "back" and os.path.exists(path + ".endless"):
    while True:
        os.write(1, bytes(65536))
"""


class Liar:
    """A machine whose answers are files of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "answers"
        self.folder.mkdir()
        self.run = folder / "run"
        self.run.mkdir()
        program = folder / "adb"
        stand_in.write(program, LIAR.format(folder=str(self.folder)))
        self.far = Far(Adb("", str(program)))
        self.says("hello", HONEST.encode())
        self.says("code", b"0\n")

    def says(self, kind: str, data: bytes) -> None:
        """Set what it answers."""
        (self.folder / kind).write_bytes(data)

    def visit(self, platform: str = "linux-x86_64-gnu") -> int:
        """Run a program there, and bring back what it wrote."""
        with self.far.visit(Errand("demo", platform, str(self.run))) as stay:
            stay.give(b"{}")
            ended = stay.run(("demo",), env={}, timeout_s=30)
            stay.collect()
        return ended.code


@pytest.fixture
def liar(tmp_path: Path) -> Liar:
    return Liar(tmp_path)


def packed(*members: tarfile.TarInfo) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for member in members:
            tar.addfile(member, io.BytesIO(b"x" * member.size))
    return out.getvalue()


def member(
    name: str, kind: bytes = tarfile.REGTYPE, target: str = "", size: int = 0
) -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.type, found.linkname, found.size = kind, target, size
    return found


def test_what_an_honest_machine_wrote_is_taken(liar: Liar) -> None:
    """EXE-06: else the others prove nothing."""
    liar.says("back", packed(member("./output.json", size=3), member("./a/b", size=1)))
    assert liar.visit() == 0
    assert (liar.run / "output.json").read_bytes() == b"xxx"
    assert (liar.run / "a/b").exists()


@pytest.mark.parametrize(
    "evil",
    [
        member("../evil"),
        member("/etc/evil"),
        member("./a/../../evil"),
        member("./evil", tarfile.SYMTYPE, "/etc/passwd"),
        member("./evil", tarfile.SYMTYPE, "../../evil"),
        member("./evil", tarfile.LNKTYPE, "/etc/passwd"),
        member("./evil", tarfile.CHRTYPE),
        member("./evil", tarfile.FIFOTYPE),
        member("./" + "d/" * 200 + "evil"),
        member("./evil\x1b[2J"),
        member("./input.json"),
    ],
    ids=lambda one: f"{one.name[:20]!r}",
)
def test_a_member_that_may_not_be_taken_is_refused(liar: Liar, evil: tarfile.TarInfo) -> None:
    """EXE-06: exit code 4; nothing beside the run folder is written."""
    (liar.run / "input.json").write_text("{}")
    liar.says("back", packed(member("./fine"), evil))
    with pytest.raises(FormatError, match="sent back is refused"):
        liar.visit()
    assert sorted(os.listdir(liar.run.parent)) == ["adb", "adb.py", "answers", "run"]
    assert os.listdir(liar.run) == ["input.json"]
    assert (liar.run / "input.json").read_text() == "{}"


@pytest.mark.parametrize("data", [b"", b"nonsense", b"\0" * 700, packed(member("a", size=9))[:600]])
def test_what_is_no_tar_is_refused_or_empty(liar: Liar, data: bytes) -> None:
    """EXE-06."""
    liar.says("back", data)
    with contextlib.suppress(FormatError):
        liar.visit()
    assert [path.name for path in liar.run.iterdir()] == []


def test_an_answer_without_end_is_cut(liar: Liar, monkeypatch: pytest.MonkeyPatch) -> None:
    """EXE-06: memory stays bounded; the line's time ends it."""
    monkeypatch.setattr("crpack.work.executors.far.MAX_FETCHED_BYTES", 1000)
    monkeypatch.setattr("crpack.work.executors.far._PATIENCE", 2.0)
    (liar.folder / "back.endless").touch()
    with pytest.raises(CrpackError):
        liar.visit()
    assert not list(liar.run.iterdir())


@pytest.mark.parametrize(
    ("hello", "kind"),
    [
        (b"", FetchError),
        (b"\xff\xfe\n\n\n", FetchError),
        (b"Linux\nx86_64\nrelative\n", FetchError),
        (b"Linux\nx86_64\n/data\x1b[2J\n", FetchError),
        (b"Welcome!\nLinux\nx86_64\n/data\n", FetchError),
        (b"Linux\nmips\n/data\n", RunFailed),
    ],
)
def test_a_machine_that_is_not_what_it_should_be_gets_nothing(
    liar: Liar, hello: bytes, kind: type[CrpackError]
) -> None:
    """EXE-04."""
    liar.says("hello", hello)
    with pytest.raises(kind):
        liar.visit()


@pytest.mark.parametrize("code", [b"", b"-1\n", b"256\n", b"0x1\n", "٣\n".encode(), b"9" * 5000])
def test_an_exit_status_that_is_none_is_no_success(liar: Liar, code: bytes) -> None:
    """EXE-07."""
    liar.says("code", code)
    with pytest.raises(RunFailed, match="does not tell how `demo` ended"):
        liar.visit()
