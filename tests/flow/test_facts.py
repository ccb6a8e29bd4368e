"""Facts that a person states: on the command line, in a setting, in a file (FCT-04 to FCT-07)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from crpack.model import canonical
from tests.flow.index_room import Room, error_of, installed, locked

if TYPE_CHECKING:
    from pathlib import Path

    from crpack.index.entries import Release
    from tests.flow.tool import Tool

pytestmark = pytest.mark.slow  # `make sweep`

BOARD = "linux-x86_64-gnu2.28"
FLOORS = {
    "2.0": (("cpu", "x86-64-v3"),),
    "1.1": (("cuda", "12.0"), ("memory", "4000000000")),
    "1.0": (),
}


@pytest.fixture(scope="module")
def room(lab: Room, tmp_path_factory: pytest.TempPathFactory) -> Room:
    """The index, where the payloads of `lab/data` ask something of the machine."""
    room = lab.copy(tmp_path_factory.mktemp("facts") / "owner")

    def asking(release: Release) -> Release:
        floors = FLOORS[release.version]
        payloads = tuple(replace(one, floors=floors) for one in release.payloads)
        table = canonical.decode(release.recipe, what="the recipe")
        if floors:
            del table["build"]  # nor can it be made
        return replace(release, payloads=payloads, recipe=canonical.encode(table))

    room.relist(asking, "lab/data")
    return room


@pytest.fixture
def user(room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tool:
    """Somebody on whose PATH is nothing, so that nothing is looked at."""
    monkeypatch.setenv("PATH", str(tmp_path / "no-programs"))
    return room.user(tmp_path / "user")


def lock(user: Tool, *words: str | Path, **given: object) -> str:
    """Return the version of the data set that is locked for the board."""
    env = {str(key): str(value) for key, value in given.items()}
    path = user.folder / "crpack.lock"
    path.unlink(missing_ok=True)
    user("lock", "lab/data", *words, env=env)
    return locked(user.folder)["lab/data"]


def test_capabilities_on_the_command_line_decide_what_is_chosen(user: Tool) -> None:
    """FCT-06, FCT-07: a level above the floor is enough, and nothing stated is not known."""
    board = ("--platform", BOARD)
    assert lock(user, *board) == "1.0"
    assert lock(user, *board, "--fact", "@cpu=x86-64-v2") == "1.0"
    assert lock(user, *board, "--fact", "@cpu=x86-64-v4") == "2.0"
    gpu = ("--fact", "@cuda=12.4", "--fact", "@memory=8000000000")
    assert lock(user, *board, *gpu) == "1.1"
    assert '"@cuda" = "12.0"' in (user.folder / "crpack.lock").read_text()
    assert lock(user, *board, CRPACK_FACT="@cuda=12.4,@memory=8000000000") == "1.1"
    assert lock(user, *board, "--fact", "@cpu=x86-64-v4", CRPACK_FACT="@cuda=12") == "2.0"


def test_what_is_stated_is_told_where_it_decides(user: Tool) -> None:
    """FCT-07."""
    done = user("lock", "lab/data", "--platform", BOARD, "--fact", "@cpu=x86-64-v4", "--dry-run")
    assert "counting on @cpu x86-64-v4, as you said" in done.err
    plan = user("install", "lab/data", "--fact", "@cpu=", "--fact", "@cuda=", "--dry-run")
    here = dict(user("detect", "--json").json["data"]["capabilities"])["@cpu"]
    assert f"take   @cpu absent as you said; this machine has {here}" in plan.out
    assert "lab/data 1.0" in plan.out
    data = user("install", "lab/data", "--fact", "@cpu=", "--dry-run", "--json").json["data"]
    assert f"@cpu absent as you said; this machine has {here}" in data[0]["stated"]


def test_a_payload_is_installed_as_if_the_machine_were_so(user: Tool) -> None:
    """FCT-07: the user's word counts when installing, too."""
    user("install", "lab/data", "--fact", "@cpu=", "--fact", "@cuda=")
    assert installed(user) == {"lab/data": "1.0"}


def test_an_older_c_library_is_another_platform(room: Room, tmp_path: Path) -> None:
    """FCT-07: what is locked so runs on older machines."""
    user = room.user(tmp_path / "user")
    here = user("detect", "--json").json["data"]
    if "@glibc" not in dict(here["capabilities"]):
        pytest.skip("this machine has another C library")
    user("lock", "greet", "--fact", "@glibc=2.17")
    base = here["platform"].partition("gnu")[0]
    assert f'platform = "{base}gnu2.17"' in (user.folder / "crpack.lock").read_text()
    user("install", "--frozen")
    assert "greet" in installed(user)
    words = ("install", "greet", "--reinstall", "--fact", "@glibc=2.17", "--json")
    done = user(*words, code=(0, 6)).json  # 0 where zig is at hand, which links older libraries
    assert done["ok"] or done["error"]["data"]["rule"] == "AUD-08"
    assert "greet" in installed(user)


@pytest.mark.parametrize(
    ("fact", "said"),
    [
        ("@glib=2.28", "did you mean `@glibc`?"),
        ("@cpu=x86-64-v9", "did you mean `x86-64-v4`?"),
        ("@cpu=armv8-a", "no level of `@cpu` for `x86_64`"),
        ("", "needs a value"),
    ],
)
def test_a_word_that_means_nothing_is_exit_2(user: Tool, fact: str, said: str) -> None:
    """FCT-07."""
    done = user("lock", "lab/data", "--platform", BOARD, "--fact", fact, code=2)
    assert said in done.err
    assert not (user.folder / "crpack.lock").exists()


def test_a_file_of_facts_is_held_to_its_rules(user: Tool) -> None:
    """FCT-04: exit 2 and one sentence, whatever is in it."""
    file = user.folder / "board.json"
    words = ("lock", "lab/data", "--facts", "board.json")
    file.write_text(json.dumps({"platform": BOARD, "capabilities": {"@cpu": "x86-64-v4"}}))
    user(*words)
    assert locked(user.folder)["lab/data"] == "2.0"
    user(*words, "--fact", "@cpu=x86-64-v2", "--upgrade", "*")  # the command line counts more
    assert locked(user.folder)["lab/data"] == "1.0"
    file.write_text(json.dumps({"platform": BOARD, "capabilites": {"@cpu": "x86-64-v4"}}))
    error = error_of(user(*words, "--json", code=2).out)
    assert error["what"] == "`board.json`: the facts: `capabilites` is not a known key"
    assert error["hint"] == "did you mean `capabilities`?"
    for text in ('{"platform": "any", "found": ' + "[" * 9999, " " * (5 << 20)):
        file.write_text(text)
        user(*words, code=2)
    user(*words[:2], "--facts", user.folder, code=2)


def test_a_file_that_detect_saved_is_taken_as_it_is(user: Tool) -> None:
    """FCT-01, FCT-04."""
    user("detect", "gcc", "--save", "here.json")
    user("lock", "lab/data", "--facts", "here.json")
