"""The memory of a whole scan (DET-17)."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from crpack.detect import memory
from crpack.detect.cache import DAY
from crpack.detect.eyes import unchanged
from crpack.detect.scan import Ground, Scan, scan
from tests.unit.detect.trees import recipe

if TYPE_CHECKING:
    from pathlib import Path

PROBES = """[[probe]]
kind = "exec"
names = ["thing"]
version = '^thing (?P<version>.*)$'
[[probe]]
kind = "file"
paths = ["version"]
roots = ["{env.THING_HOME}", "{prefix}/share/thing"]
version = '(?P<version>[0-9.]+)'
"""


class Room:
    """A folder on PATH with a program, and a clock that runs a minute ahead."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.bin = root / "bin"
        self.bin.mkdir()
        self.tool = self.bin / "thing"
        self.tool.write_text("#!/bin/sh\necho thing 1.0\n")
        self.tool.chmod(0o755)
        self.environ = {"PATH": f"{self.bin}"}

    def scan(self) -> Scan:
        return scan([recipe(PROBES)], Ground(self.environ), unconfined=True)

    def same(self, seen: Scan) -> bool:
        """Say whether a scan that travelled as bytes still stands."""
        again = memory.from_bytes(memory.to_bytes(seen, "k"), "k", 0)
        assert again is not None
        assert (again.found, again.refused, again.missing) == (
            seen.found,
            seen.refused,
            seen.missing,
        )
        return unchanged(again.sights, self.environ)


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    now = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now() + 60 * 10**9)
    return Room(tmp_path)


def test_a_scan_stands_while_nothing_changed(room: Room) -> None:
    """DET-17."""
    seen = room.scan()
    assert [one.version for one in seen.found] == ["1.0"]
    assert room.same(seen)


def test_a_changed_program_ends_it(room: Room) -> None:
    """DET-17."""
    seen = room.scan()
    room.tool.write_text("#!/bin/sh\necho thing 2.0 and more\n")
    assert not room.same(seen)


def test_a_new_name_on_path_ends_it(room: Room) -> None:
    """DET-17: also where it is not looked for; nobody knows before it is read."""
    seen = room.scan()
    (room.bin / "other").touch()
    assert not room.same(seen)


def test_a_file_that_was_not_there_ends_it_when_it_comes(room: Room) -> None:
    """DET-17: what was not found is remembered too."""
    room.environ["THING_HOME"] = f"{room.root}/home"
    seen = room.scan()
    (room.root / "home").mkdir()
    assert not room.same(seen)


@pytest.mark.parametrize("is_link", [False, True])
def test_what_was_not_in_a_folder_of_path_ends_it_when_it_comes(
    room: Room, *, is_link: bool
) -> None:
    """DET-17: the folder tells of its names; where a link leads to, only a look does."""
    room.environ["THING_HOME"] = str(room.bin)
    file = room.root / "far" if is_link else room.bin / "version"
    if is_link:
        (room.bin / "version").symlink_to(file)
    seen = room.scan()
    looked = [path for kind, path, _ in seen.sights if kind in ("id", "stat")]
    assert (f"{room.bin}/version" in looked) is is_link
    assert room.same(seen)
    file.write_text("3.0")
    assert not room.same(seen)


def test_another_variable_ends_it(room: Room) -> None:
    """DET-17."""
    seen = room.scan()
    room.environ["THING_HOME"] = str(room.root)
    assert not room.same(seen)


def test_a_folder_that_others_may_change_now_ends_it(room: Room) -> None:
    """DET-17, DET-02."""
    seen = room.scan()
    times = (room.bin.stat().st_atime_ns, room.bin.stat().st_mtime_ns)
    room.bin.chmod(0o777)
    os.utime(room.bin, ns=times)
    assert not room.same(seen)


def test_a_link_that_leads_elsewhere_ends_it(room: Room) -> None:
    """DET-17: in a folder that is not on PATH."""
    away = room.root / "away"
    away.mkdir()
    real = room.tool.rename(away / "real")
    (away / "link").symlink_to(real)
    room.tool.symlink_to(away / "link")
    seen = room.scan()
    assert room.same(seen)
    real.rename(away / "moved")
    (away / "link").unlink()
    (away / "link").symlink_to(away / "moved")
    assert not room.same(seen)


def test_what_changed_just_now_is_not_remembered(tmp_path: Path) -> None:
    """DET-07."""
    assert Room(tmp_path).scan().sights == ()


def test_what_was_not_asked_is_not_remembered(room: Room) -> None:
    """DET-15."""
    seen = scan([recipe(PROBES)], Ground(room.environ), execute=False)
    assert seen.sights == ()


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[", b"null", b'{"key":"k"}', b"\xff", b"[" * 99_999]
)
def test_nonsense_is_no_memory(data: bytes) -> None:
    """DET-17."""
    assert memory.from_bytes(data, "k", 0) is None


def test_a_wrong_field_is_no_memory(room: Room) -> None:
    """DET-17."""
    good = memory.to_bytes(room.scan(), "k")
    assert memory.from_bytes(good, "other", 0) is None
    for name, value in (
        ("sights", [["x", "y", 1]]),
        ("found", [{"name": 1}]),
        ("refused", [1]),
        ("until", "x"),
    ):
        changed = json.dumps(json.loads(good) | {name: value}).encode()
        assert memory.from_bytes(changed, "k", 0) is None


def test_a_scan_stands_no_longer_than_its_answers(room: Room) -> None:
    """DET-07, DET-17."""
    ends = replace(room.scan(), until=DAY + 5)
    data = memory.to_bytes(ends, "k")
    assert memory.from_bytes(data, "k", DAY + 4) == replace(ends, cache=b"", sandbox="")
    for now in (DAY + 5, 4):
        assert memory.from_bytes(data, "k", now) is None
