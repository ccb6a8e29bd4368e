"""Locks: the same versions tomorrow, and on other machines."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

import pytest

from crpack.trust.indexes import IndexPin
from tests.flow.index_room import Room, empty, error_of, generation, installed, locked, pin
from tests.flow.tool import MAKEFILE, PROGRAM, component, head

if TYPE_CHECKING:
    from pathlib import Path

    from tests.flow.tool import Tool

TOOLED = """
[requires]
ninja = ">=90"
[[source]]
kind = "inline"
path = "run.sh"
text = 'echo "{}" > $1'
[build]
driver = "copy"
[action.run]
argv = ["/bin/sh", "{self}/run.sh", "{output}"]
"""
BOARD = {
    "platform": "linux-aarch64-gnu2.31",
    "capabilities": {"@glibc": "2.31"},
    "found": [{"name": "ninja", "version": "98.7", "path": "/opt/ninja"}],
}


@pytest.fixture(scope="module")
def room(lab: Room, tmp_path_factory: pytest.TempPathFactory) -> Room:
    """The index with a newer release to come, and a solution that needs the tool `ninja`."""
    room = lab.copy(tmp_path_factory.mktemp("locks") / "owner")
    room.dataset("lab/data", "3.0")
    folder = room.owner.folder / "parts/ninja"
    source = '#include <stdio.h>\nint main(void) { puts("99.1"); return 0; }\n'
    makefile = MAKEFILE.replace("greet", "ninja")
    toml = head("ninja", "99.1") + PROGRAM.replace("greet", "ninja")
    component(folder, toml, src__Makefile=makefile, src__ninja_dot_c=source)
    component(room.owner.folder / "parts/tooled", head("tooled", kind="solution") + TOOLED)
    archives = [room.owner.folder / f"{name}.crpkg" for name in ("ninja", "tooled")]
    for path in archives:
        room.owner("build", f"parts/{path.stem}", "--with", "parts", "--full", "--out", path,
                   "--key", "test")  # fmt: skip
    room.add(*archives)
    return room


@pytest.fixture
def user(room: Room, tmp_path: Path) -> Tool:
    return room.user(tmp_path / "user")


def test_the_same_versions_after_a_newer_release(room: Room, tmp_path: Path) -> None:
    """LCK-08, LCK-09: what is locked stays; the lock is right until something is upgraded."""
    room = room.copy(tmp_path / "owner")
    user = room.user(tmp_path / "user")
    done = user("lock", "lab/user")
    assert "+ linux-" in done.out
    lock = (user.folder / "crpack.lock").read_bytes()
    room.add(room.owner.folder / "lab-data-3.0-test.crpkg")
    assert "is right as it is" not in user("lock", "--check").err
    user("lock")
    assert locked(user.folder) == {"lab/data": "2.0", "lab/user": "1.0"}
    (user.folder / "crpack.lock").write_bytes(lock)  # of the older state of the index
    user("install", "--frozen")
    assert installed(user) == {"lab/user": "1.0"}
    parts = {one["name"]: one["version"]
             for one in generation(user, "lab/user")["parts"]}  # fmt: skip
    assert parts == {"lab/data": "2.0", "lab/user": "1.0"}
    assert "~ linux-" in user("lock", "--upgrade", "lab/data", "--dry-run").out
    assert (user.folder / "crpack.lock").read_bytes() == lock
    user("lock", "--upgrade", "*")
    assert locked(user.folder) == {"lab/data": "3.0", "lab/user": "1.0"}
    user("lock", "--check")


def test_a_lock_of_other_requests_is_stale(user: Tool) -> None:
    """LCK-07."""
    user("lock", "--check", code=2)  # there is none
    user("install", "--frozen", code=2)
    user("lock", code=2)
    for verb in ("lock", "bundle"):
        assert "`data-1.0.crpkg` is a file" in user(verb, "data-1.0.crpkg", code=2).err
    user("lock", "lab/data<2")
    user("lock", "--check")
    done = user("lock", "--check", "lab/data", "--json", code=3)
    assert error_of(done.out)["data"]["rule"] == "LCK-09"
    user("install", "--locked", "lab/data", code=3)
    user("install", "--locked", "lab/user", code=3)
    user("install", "--frozen", "lab/user", code=3)
    user("install", "--locked", "lab/data<2", "--no-detect", code=3)
    assert installed(user) == {}
    user("install", "--locked")
    assert installed(user) == {"lab/data": "1.1"}
    assert "nothing was changed" in user("install", "--frozen", "lab/data").out


def test_a_lock_that_was_edited_is_stale_or_refused(user: Tool) -> None:
    """LCK-03: there is one form; a version that the index does not have cannot be installed."""
    user("lock", "lab/data")
    path = user.folder / "crpack.lock"
    good = path.read_text()
    path.write_text(good.replace("\n\n", "\n", 1))
    assert "line 5" in user("install", "--frozen", code=4).err
    identity = re.findall('identity = "(.*)"', good)[0]
    path.write_text(good.replace(identity, "0" * 64))
    done = user("install", "--frozen", code=3)
    assert "does not list the `lab/data` of the lock" in done.err
    assert "out of date" in user("lock", "--check", code=3).err
    path.write_text(good.replace('name = "lab/data"', 'name = "lab/user"'))
    user("install", "--frozen", code=3)
    version = re.findall('\nversion = "(.*)"', good)[0]
    path.write_text(good.replace(f'version = "{version}"', 'version = "0.9"'))
    told = user("install", "--frozen", code=4).err
    assert "the lock says of `lab/data` what its archive does not" in told
    path.write_text("<<<<<<< HEAD\n" + good)
    assert "remove it" in user("lock", code=4).err
    assert installed(user) == {}


def test_a_lock_names_no_path_and_no_host_and_is_canonical(room: Room, tmp_path: Path) -> None:
    """LCK-02, LCK-05, LCK-06."""
    one, two = room.user(tmp_path / "one"), room.user(tmp_path / "two")
    locks = []
    for user in (one, two):
        user("lock", "sample", "lab/data")
        locks.append((user.folder / "crpack.lock").read_bytes())
    assert locks[0] == locks[1]
    text = locks[0].decode()
    assert str(tmp_path) not in text
    assert "/usr" not in text
    assert "://" not in text
    assert os.uname().nodename not in text


@pytest.mark.slow
def test_a_lock_is_of_the_root_and_not_of_a_word_for_the_index(room: Room, tmp_path: Path) -> None:
    """ASK-02: others may call the same index something else; another index is another one."""
    user = room.user(tmp_path / "user")
    user("lock", "lab/data<2")
    lock = user.folder / "crpack.lock"
    colleague = room.user(tmp_path / "colleague")
    pin(colleague, IndexPin("theirs", str(room.index), room.fingerprint))
    colleague("install", "--frozen", "--lock", lock)
    assert installed(colleague) == {"lab/data": "1.1"}
    colleague("lock", "--check", "--lock", lock)
    colleague("update", "lab/data")
    other = empty(tmp_path / "other")
    other.add(other.dataset("lab/data", "1.1"))
    stranger = room.user(tmp_path / "stranger")
    pin(stranger, IndexPin("lab", str(other.index), other.fingerprint))
    for words in (("install", "--frozen"), ("lock",), ("lock", "--check"), ("bundle",)):
        done = stranger(*words, "--lock", lock, "--json", code=3)
        assert error_of(done.out)["data"]["rule"] == "ASK-02", words
    assert installed(stranger) == {}
    stranger("lock", "--upgrade", "*", "--lock", lock)


@pytest.mark.slow
def test_a_lock_for_another_platform_is_refused_here(user: Tool) -> None:
    """LCK-08: one lock has a target for each platform."""
    there = "linux-aarch64-gnu2.36"
    user("lock", "lab/data", "--platform", there)
    done = user("install", "--frozen", code=3)
    assert f"it has `{there}`" in done.err
    here = user("detect", "gcc", "--json").json["data"]["platform"]
    user("lock", "lab/data", "greet", "--platform", there, "--platform", here)
    text = (user.folder / "crpack.lock").read_text()
    assert re.findall('platform = "(.*)"', text) == sorted([there, here])
    user("lock", "--check")  # of its own targets
    user("lock", "--check", "--platform", there, code=3)
    user("install", "--frozen")
    assert installed(user) == {"lab/data": "2.0", "greet": "1.0"}
    user("lock", "lab/data", "--platform", "no-such-platform", code=2)


def test_a_lock_for_a_board_takes_its_facts(user: Tool) -> None:
    """LCK-05, FCT-04: what the board has serves, and its path stays with the board."""
    (user.folder / "board.json").write_text(json.dumps(BOARD))
    user("lock", "tooled", "--facts", "board.json")
    text = (user.folder / "crpack.lock").read_text()
    assert 'platform = "linux-aarch64-gnu2.31"' in text
    assert 'tested = "98.7"' in text
    assert 'fallback = "source"' in text
    assert "/opt/ninja" not in text
    user("lock", "--check")  # LCK-10: the lock says what the board has
    user("lock", "tooled", "lab/data")
    text = (user.folder / "crpack.lock").read_text()
    here = user("detect", "gcc", "--json").json["data"]["platform"]
    assert re.findall('platform = "(.*)"', text) == sorted([BOARD["platform"], here])
    assert 'tested = "98.7"' in text
    user("lock", "tooled", "--facts", "nowhere.json", code=2)
    (user.folder / "board.json").write_text("{")
    user("lock", "tooled", "--facts", "board.json", code=2)


@pytest.mark.slow
def test_a_lock_made_with_a_tool_serves_where_the_tool_is_not(room: Room, tmp_path: Path) -> None:
    """LCK-05, LCK-08: the fallback is made from its source."""
    user = room.user(tmp_path / "user")
    tool = user.folder / "bin/ninja"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\necho 98.5\n")
    tool.chmod(0o755)
    with_tool = {"PATH": f"{user.folder}/bin{os.pathsep}{os.environ['PATH']}"}
    user("lock", "tooled", env=with_tool)
    text = (user.folder / "crpack.lock").read_text()
    assert 'tested = "98.5"' in text
    assert str(user.folder) not in text
    done = user("install", "--frozen", env=with_tool)
    assert "+ ninja 98.5 (detected)" in done.out
    user("run", "tooled", env=with_tool)
    plan = user("install", "--frozen", "--no-detect", "--dry-run", env=with_tool)
    assert "build  ninja 99.1" in plan.out  # what the lock falls back on
    for word in (("--only-detected",), ("--prefer", "newest")):
        assert "chooses nothing" in user("install", "--frozen", *word, code=2).err
    other = room.user(tmp_path / "other")
    done = other("install", "--frozen", "--lock", user.folder / "crpack.lock")
    assert "+ ninja 99.1 (source)" in done.out
    other("run", "tooled")
    user("lock", "tooled", "--only-detected", "--lock", "only.lock", env=with_tool)
    done = other("install", "tooled", "--only-detected", code=3)
    assert "ninja" in done.err
