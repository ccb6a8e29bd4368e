"""Who may build here, and in which sandbox: by the signer of the recipe (BLD-19, BLD-20)."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from tests.flow import walled
from tests.flow.index_room import Room, error_of, installed
from tests.flow.tool import Tool, component, head

if TYPE_CHECKING:
    from pathlib import Path

    from crpack.process.sandbox import Level

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's"),
]

RECIPE = """
[build]
driver = "script"
[build.script]
steps = [["/bin/sh", "-c", "echo made > $1/made", "sh", "{out}"]]
[outputs]
data = ["made"]
"""


@pytest.fixture(scope="module")
def room(lab: Room, tmp_path_factory: pytest.TempPathFactory) -> Room:
    """The index with something that is built by a script on each device."""
    room = lab.copy(tmp_path_factory.mktemp("policy") / "owner")
    component(room.owner.folder / "parts/made", head("lab/made") + RECIPE)
    room.owner("build", "parts/made", "--full", "--out", "made.crpkg", "--key", "test")
    room.add(room.owner.folder / "made.crpkg")
    return room


@pytest.fixture
def archive(room: Room) -> Path:
    return room.owner.folder / "made.crpkg"


@pytest.fixture
def user(room: Room, tmp_path: Path) -> Tool:
    return room.user(tmp_path / "user")


def trust(room: Room, user: Tool, *words: str) -> None:
    user("trust", "add", room.owner.home / "config/keys/test.pub", *words)


def recorded(user: Tool) -> list[str]:
    """Return the levels that stand in the records of builds."""
    files = (user.prefix / "built").glob("*.json")
    return [json.loads(file.read_text())["sandbox"] for file in files]


@pytest.mark.parametrize("level", ["L2", "L3"])
def test_a_stranger_s_recipe_builds_at_l2_or_better(
    room: Room, user: Tool, archive: Path, level: Level
) -> None:
    """BLD-19: the level that was reached is told and recorded."""
    trust(room, user, "--names", "lab/*")
    done = walled.run(user, level, "install", archive)
    assert f"builds ran in sandbox level {level}, network: none" in done.out
    assert f"lab/made 1.0 in sandbox level {level}" in done.err
    assert recorded(user) == [level]
    assert "warning" not in done.err


def test_below_l2_a_stranger_s_recipe_is_not_built(room: Room, user: Tool, archive: Path) -> None:
    """BLD-19: exit 6, and the way out is named; nothing changed, also in a dry run."""
    trust(room, user, "--names", "lab/*")
    for words in (("install", archive, "--dry-run"), ("install", "lab/made")):
        error = error_of(walled.run(user, "L1", *words, "--json", code=6).out)
        assert error["what"] == (
            "`lab/made` needs sandbox level L2 to be built, and this machine builds L1"
        )
        assert [text.partition(":")[0] for text in error["why"][1:]] == ["L3", "L2"]
        assert "`--sandbox=best-effort`" in error["hint"]
        assert error["data"]["rule"] == "BLD-19"
    assert installed(user) == {}


@pytest.mark.parametrize("way", ["flag", "variable"])
def test_best_effort_builds_it_all_the_same_loudly(
    room: Room, user: Tool, archive: Path, way: str
) -> None:
    """BLD-20."""
    trust(room, user, "--names", "lab/*")
    words = ("--sandbox", "best-effort") if way == "flag" else ()
    if way == "variable":
        (user.home / "config/config.toml").write_text('sandbox = "best-effort"\n')
    done = walled.run(user, "L1", "install", archive, *words)
    assert "builds ran in sandbox level L1" in done.out
    assert "warning: `lab/made` was built in sandbox level L1, and its signer needs L2" in done.err
    assert recorded(user) == ["L1"]


def test_no_sandbox_at_all_is_a_wish_of_its_own(room: Room, user: Tool, archive: Path) -> None:
    """BLD-20."""
    trust(room, user, "--names", "lab/*")
    done = walled.run(user, "L1", "install", archive, "--sandbox=none")
    assert "the setting `sandbox` let builds run unconfined" in done.err
    assert recorded(user) == ["L0"]
    user("install", archive, "--sandbox", "bset", code=2)


def test_without_any_wall_the_walls_are_missed_and_no_compiler(lab: Room, tmp_path: Path) -> None:
    """DET-06, BLD-02, BLD-19: the compiler that nobody asked what it is may serve."""
    user = lab.user(tmp_path / "user")
    (user.home / "cache/detect.json").unlink()  # what it would know of this machine
    gcc = user.folder / "no-programs/gcc"
    gcc.parent.mkdir()
    gcc.write_text("#!/bin/sh\n")
    gcc.chmod(0o755)
    done = walled.run(user, "L0", "detect", "gcc")
    assert "not found: gcc" in done.err
    assert "warning: 1 program not asked, for this machine cannot confine a probe" in done.err
    assert "cannot confine" not in walled.run(user, "L1", "detect", "gcc").err
    error = error_of(walled.run(user, "L0", "install", "greet", "--json", code=6).out)
    assert error["what"] == "this machine cannot confine the build of `greet`"
    assert "`--sandbox=none`" in error["hint"]
    done = walled.run(user, "L0", "install", "greet", "--sandbox", "none", code=6)
    assert "not on this machine" in done.err or "no C and C++ compiler" in done.err


def test_who_may_build_builds_in_what_there_is(room: Room, user: Tool, archive: Path) -> None:
    """BLD-19, PIN-08: by a pin, for the names of that pin."""
    trust(room, user, "--names", "lab/made", "--may-build")
    assert "may build" in user("trust", "list").out
    done = walled.run(user, "L1", "install", archive)
    assert recorded(user) == ["L1"]
    assert "warning" not in done.err


def test_an_index_says_who_may_build(room: Room, tmp_path: Path, archive: Path) -> None:
    """BLD-19, PUB-05: its publishers' rule, for what is installed by name and from a bundle."""
    own = room.copy(tmp_path / "owner")
    user = own.user(tmp_path / "user")
    trust(own, user, "--names", "*", "--may-build")  # a pin counts for files, not for an index
    walled.run(user, "L1", "install", "lab/made", code=6)
    own.owner("index", "allow", own.index, "*", "test", "--may-build")
    walled.run(user, "L1", "install", "lab/made")
    assert recorded(user) == ["L1"]
    walled.run(user, "L1", "bundle", "lab/made", "--out", "one.crbundle")
    other = own.user(tmp_path / "other")
    walled.run(other, "L1", "install", user.folder / "one.crbundle")
    assert recorded(other) == ["L1"]
    stranger = room.user(tmp_path / "stranger")
    walled.run(stranger, "L1", "bundle", "lab/made", "--out", "two.crbundle")
    walled.run(stranger, "L1", "install", stranger.folder / "two.crbundle", code=6)


def test_what_nobody_signed_may_not_build_either(tool: Tool) -> None:
    """BLD-19."""
    component(tool.folder / "made", head("made") + RECIPE)
    tool("build", "made", "--full", "--out", "made.crpkg", "--unsigned")
    words = ("install", "made.crpkg", "--allow-unsigned")
    walled.run(tool, "L1", *words, code=6)
    walled.run(tool, "L2", *words)


def test_an_author_builds_in_what_there_is(tool: Tool) -> None:
    """BLD-19: the recipe is the author's own."""
    recipe = RECIPE.replace('"script"', '"script"\nplatform = "any"')
    component(tool.folder / "made", head("made") + recipe)
    done = walled.run(tool, "L1", "build", "made")
    assert "steps ran in sandbox level L1" in done.out


def test_what_runs_nothing_needs_no_sandbox(room: Room, user: Tool) -> None:
    """A copy is no code."""
    walled.run(user, "L1", "install", "lab/data")
    assert installed(user) == {"lab/data": "2.0"}
