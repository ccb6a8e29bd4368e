"""Installing by name: from a folder, a web server, updates, searching, the right exit codes."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from crpack.trust.indexes import IndexPin
from tests.flow.index_room import Room, empty, error_of, installed, pin, served

if TYPE_CHECKING:
    from pathlib import Path

    from tests.flow.tool import Tool


@pytest.fixture
def user(lab: Room, tmp_path: Path) -> Tool:
    return lab.user(tmp_path / "user")


def test_a_solution_is_installed_by_name_and_run(lab: Room, user: Tool) -> None:
    """ASK-04, ASK-06: what it needs comes with it, made here; the index and its date are told."""
    done = user("install", "sample")
    assert "+ greet 1.0 (source)" in done.out
    assert "signed by test; index lab, as of 20" in done.out
    assert json.loads(user("run", "sample").out)["said"] == "hello"
    assert "valid: sample 1.0" in user("validate", "sample").out
    tree = user("list", "--tree").out
    assert tree == "sample 1.0 (binary)\n  greet 1.0 (source)\n"
    assert "nothing was changed" in user("install", "sample").out
    assert "- sample 1.0" in user("remove", "sample").out
    assert installed(user) == {}


def test_a_dry_run_changes_nothing(user: Tool) -> None:
    plan = user("install", "sample", "--dry-run")
    assert "build  greet 1.0" in plan.out
    assert not user.prefix.exists()


def test_versions_are_chosen_kept_updated_and_gone_back(lab: Room, user: Tool) -> None:
    """ASK-06, LCK-09."""
    user("install", "lab/data==1.0")
    assert installed(user) == {"lab/data": "1.0"}
    assert "nothing was changed" in user("install", "lab/data").out  # kept, it serves
    listed = user("list", "--outdated", "--json").json["data"]
    assert [(one["name"], one["version"], one["newest"]) for one in listed] == [
        ("lab/data", "1.0", "2.0")
    ]
    user("update", "lab/data<2")
    assert installed(user) == {"lab/data": "1.1"}
    user("update")
    assert installed(user) == {"lab/data": "2.0"}
    assert "newest that its index has" in user("list", "--outdated").err
    user("install", "lab/data<2")
    assert installed(user) == {"lab/data": "1.1"}
    user("update", "lab/data", "--rollback")
    assert installed(user) == {"lab/data": "2.0"}


def test_several_names_are_all_prepared_before_the_first_is_installed(user: Tool) -> None:
    """ASK-06."""
    user("install", "lab/data", "nosuch", code=3)
    assert not (user.prefix / "solutions").exists()
    user("install", "lab/data", "lab/user")
    assert installed(user) == {"lab/data": "2.0", "lab/user": "1.0"}


def test_a_yanked_version_is_not_chosen(lab: Room, tmp_path: Path) -> None:
    room = lab.copy(tmp_path / "owner")
    room.owner("index", "yank", room.index, "lab/data==2.0", "--reason", "wrong labels")
    user = room.user(tmp_path / "user")
    assert "yanked: wrong labels" in user("info", "lab/data").out
    user("install", "lab/data")
    assert installed(user) == {"lab/data": "1.1"}
    user("install", "lab/data==2.0", code=3)


def test_names_are_searched_and_shown(user: Tool) -> None:
    found = {one["name"]: one for one in user("search", "lab", "--json").json["data"]}
    assert found.keys() == {"lab/data", "lab/user"}
    assert found["lab/data"]["version"] == "2.0"
    assert user("search", "no-such-word-anywhere").out == ""
    card = user("info", "lab/data", "--json").json["data"]
    assert [one["version"] for one in card["releases"]] == ["2.0", "1.1", "1.0"]
    assert card["publishers"] == ["test"]
    assert card["index"] == "lab"
    text = user("info", "lab/user").out
    assert "needs     lab/data >=1" in text
    user("info", "lab/none", code=3)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("install", "sampel"), 3, "did you mean `sample`?"),
        (("install", "lab/data>=3"), 3, "lab/data"),
        (("install", ".data"), 2, "`.data` is not a component's name"),
        (("install", "lab/data>>1"), 2, "`>>1` is not a range"),
        (("install", "lab/data", "--index", "other"), 2, "there is no index `other`"),
        (("install", "lab/data", "--option", "x=1"), 3, "x"),
        (("update", "lab/data"), 1, "`lab/data` is not installed"),
        (("info", "lab/dtaa"), 3, "did you mean `lab/data`?"),
    ],
)
def test_what_cannot_be_had_is_told_with_the_right_code(
    user: Tool, words: tuple[str, ...], code: int, said: str
) -> None:
    done = user(*words, code=code)
    assert said in done.err
    assert installed(user) == {}


def test_a_missing_requirement_is_explained(lab: Room, tmp_path: Path) -> None:
    """The chain from what was asked to what is missing is told."""
    room = lab.copy(tmp_path / "owner")
    first = room.dataset("lab/base")
    room.add(room.dataset("lab/top", needs='"lab/base" = ">=1"'))
    assert first.exists()
    done = room.user(tmp_path / "user")("install", "lab/top", code=3)
    assert "lab/base" in done.err
    assert "lab/top" in done.err


# From a web server, and without one


def test_an_index_behind_a_web_server_serves_and_then_its_cache(lab: Room, tmp_path: Path) -> None:
    """IDX-11, IDX-14, ASK-05: what was fetched once serves offline."""
    asked: list[str] = []
    with served(lab.index, asked) as url:
        user = lab.user(tmp_path / "user", url)
        user("install", "lab/data")
        asked.clear()
        user("list", "--outdated")
        assert sorted(asked) == ["/metadata/2.root.json", "/metadata/timestamp.json"]
    user("remove", "lab/data")
    done = user("install", "lab/data", code=5)
    assert "error:" in done.err
    user("--offline", "install", "lab/data")
    assert installed(user) == {"lab/data": "2.0"}
    done = user("--offline", "install", "sample", code=5)  # its shard was never fetched
    assert "offline" in done.err


def test_an_index_that_was_never_fetched_is_not_there_offline(lab: Room, tmp_path: Path) -> None:
    """IDX-14."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        user = lab.user(tmp_path / "user", url)
        done = user("--offline", "install", "lab/data", code=5)
        assert "was never fetched" in done.err or "offline" in done.err
        user("install", "lab/data", code=5)
        user("search", "data", code=5)
        user("list", "--outdated", code=5)
    assert user("list").out == ""  # what is here needs no index


def test_a_folder_needs_no_network_and_serves_offline(user: Tool) -> None:
    user("--offline", "install", "lab/data")
    assert installed(user) == {"lab/data": "2.0"}


def test_offline_no_socket_of_the_network_is_opened(lab: Room, tmp_path: Path) -> None:
    """IDX-14: seen by the kernel."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    with served(lab.index) as url:
        user = lab.user(tmp_path / "user", url)
        user("install", "lab/data")
        assert _sockets(user, tmp_path / "on", "list", "--outdated") != []  # strace sees them
    user("remove", "lab/data")
    assert _sockets(user, tmp_path / "off", "--offline", "install", "lab/data") == []
    assert installed(user) == {"lab/data": "2.0"}


def _sockets(user: Tool, log: Path, *words: str) -> list[str]:
    """Run a command; return the lines of strace that open a socket of the network."""
    done = subprocess.run(
        ["strace", "-f", "-qq", "-e", "trace=socket,connect", "-o", str(log),
         sys.executable, "-m", "crpack", *words],
        env={**os.environ, "CRPACK_HOME": str(user.home), "HOME": str(user.folder)},
        cwd=user.folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode and "ptrace" in done.stderr:
        pytest.skip("strace may not trace here")
    assert done.returncode == 0, done.stderr
    return [line for line in log.read_text().splitlines() if "AF_INET" in line]


# Which index decides


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Room:
    """Another index, of other keys, that has a higher version of `lab/data`."""
    room = empty(tmp_path_factory.mktemp("second") / "owner")
    room.add(room.dataset("lab/data", "9.0"), room.dataset("lab/only"))
    return room


def test_the_first_index_that_has_a_name_decides_and_it_stays_bound(
    lab: Room, other: Room, tmp_path: Path
) -> None:
    """ASK-01, ASK-02, ASK-03."""
    user = lab.user(tmp_path / "user")
    one = IndexPin("lab", str(lab.index), lab.fingerprint)
    two = IndexPin("two", str(other.index), other.fingerprint)
    pin(user, one, two)
    user("install", "lab/data", "lab/only")
    assert installed(user) == {"lab/data": "2.0", "lab/only": "1.0"}
    found = {hit["name"]: hit["index"] for hit in user("search", "lab", "--json").json["data"]}
    assert found == {"lab/data": "lab", "lab/user": "lab", "lab/only": "two"}
    pin(user, two, one)  # the other comes first now, and the name is bound
    user("update")
    assert installed(user)["lab/data"] == "2.0"
    assert user("list", "--outdated").out == ""
    user("update", "--index", "two", "lab/data", code=3)
    user("remove", "lab/data")
    user("install", "lab/data")  # nothing binds it any more
    assert installed(user)["lab/data"] == "9.0"
    pin(user, one)
    done = user("update", "lab/data", code=3)
    assert "bound to the index `two`" in done.err
    assert installed(user)["lab/data"] == "9.0"


def test_a_name_is_bound_to_the_root_of_its_index_and_not_to_a_word(
    lab: Room, other: Room, tmp_path: Path
) -> None:
    """ASK-02: another index under the same name of the user's is another index."""
    user = lab.user(tmp_path / "user")
    user("install", "lab/data")
    pin(user, IndexPin("lab", str(other.index), other.fingerprint))
    done = user("update", "lab/data", "--json", code=3)
    assert error_of(done.out)["data"]["rule"] == "ASK-02"
    assert installed(user) == {"lab/data": "2.0"}


# Killed


@pytest.mark.slow
def test_an_install_that_was_killed_is_done_again(lab: Room, tmp_path: Path) -> None:
    """Killed at any moment: what was there is there, and the next run succeeds."""
    room = lab.copy(tmp_path / "owner")
    room.add(room.solution("2.0"))
    user = room.user(tmp_path / "user")
    chance = random.Random(3)  # noqa: S311
    wanted, killed = "", 0
    for number, after in enumerate([0.1, *(chance.uniform(0.1, 0.6) for _ in range(4))]):
        wanted = "1.0" if number % 2 else "2.0"
        killed += _killed(user, after, "install", f"sample=={wanted}")
        if installed(user):
            user("verify", "sample")
            assert installed(user)["sample"] in {"1.0", "2.0"}
    assert killed > 0
    user("install", f"sample=={wanted}")
    assert installed(user) == {"sample": wanted}
    assert json.loads(user("run", "sample").out)["said"] == "hello"
    assert list((user.prefix / "stage").iterdir()) == []


def _killed(user: Tool, after: float, *words: str) -> bool:
    """Run a command and kill it after some seconds; say whether it still ran."""
    child = subprocess.Popen(
        [sys.executable, "-m", "crpack", *words],
        env={**os.environ, "CRPACK_HOME": str(user.home), "HOME": str(user.folder)},
        cwd=user.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    time.sleep(after)
    child.kill()
    return child.wait() == -signal.SIGKILL
