"""What a solution needs of the machine itself: capabilities and Python, asked for and told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.flow.index_room import Room, empty
from tests.flow.tool import component, head

if TYPE_CHECKING:
    from pathlib import Path

    from tests.flow.tool import Tool

TEXT = """
[requires]
"@glibc" = ">=2.31"
part = ">=1"
[python]
python = ">=3.9"
[[source]]
kind = "inline"
path = "run.sh"
text = "echo"
[build]
driver = "copy"
platform = "any"
"""


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Room:
    """An index with a solution that needs a C library of some age, and a part."""
    room = empty(tmp_path_factory.mktemp("capable") / "owner")
    parts = room.owner.folder / "parts"
    component(parts / "part", head("part") + TEXT[TEXT.index("[[source]]") :])
    component(parts / "able", head("able", kind="solution") + TEXT)
    archives = [room.owner.folder / f"{name}.crpkg" for name in ("part", "able")]
    for path in archives:
        room.owner("build", parts / path.stem, "--with", parts, "--full", "--out", path,
                   "--key", "test")  # fmt: skip
    room.add(*archives)
    return room


@pytest.fixture
def user(room: Room, tmp_path: Path) -> Tool:
    return room.user(tmp_path / "user")


def test_a_machine_below_what_is_required_is_told_by_every_way_to_install(
    room: Room, user: Tool
) -> None:
    """REQ-08: by name, from the archive alone, and from a lock."""
    user("lock", "able")
    old = ("--fact", "@glibc=2.28")
    what = "`@glibc` 2.28 was found on `linux-"
    assert what in user("install", "able", *old, code=3).err
    user("trust", "add", room.owner.home / "config/keys/test.pub", "--names", "*")
    done = user("install", room.owner.folder / "able.crpkg", *old, code=3)
    assert "`able` requires `@glibc` >=2.31" in done.err
    assert what in done.err
    assert (
        "the lock has no target for this machine" in user("install", "--frozen", *old, code=3).err
    )
    assert "  * found" in user("why", "@glibc", "--in", "able").out
    told = user("why", "@glibc", "--in", "able", *old, "--json").json["data"]
    (one,) = told["cases"][0]["candidates"]
    assert (one["version"], one["chosen"], one["why"]) == (
        "2.28", False, "`able 1.0` needs >=2.31",
    )  # fmt: skip
    assert user("why", "@glib", "--json", code=2).json["error"]["hint"] == "did you mean `@glibc`?"


def test_the_python_of_an_environment_is_told_with_who_needs_it(user: Tool) -> None:
    """SOL-11."""
    told = user("why", "python", "--in", "able", "--json").json["data"]
    (case,) = told["cases"]
    assert case["needed"] == [{"by": "able 1.0", "wants": ">=3.9"}]
    assert [one for one in case["candidates"] if one["chosen"]]


def test_changes_and_trees_are_told_in_fields(user: Tool) -> None:
    """CLI-07."""
    made = user("lock", "able", "--json").json["data"]["changes"]
    assert [(one["kind"], one["name"], one["context"], one["before"]) for one in made] == [
        ("added", "able", "target", None),
        ("added", "part", "target", None),
    ]
    side = made[0]["after"]
    assert (side["version"], side["revision"], side["origin"]) == ("1.0", 0, "binary")
    assert len(side["identity"]) == 64
    carried = user("bundle", "able", "--dry-run", "--json").json["data"]["carries"]
    assert [one["name"] for one in carried] == ["able", "part"]
    user("install", "--frozen")
    (tree,) = user("list", "--tree", "--json").json["data"]
    keys = ("depth", "name", "version", "origin", "range", "again")
    assert [tuple(one[key] for key in keys) for one in tree] == [
        (0, "able", "1.0", "binary", "", False),
        (1, "part", "1.0", "binary", ">=1", False),
    ]
