"""Trusting an index: by its fingerprint, or by a person at a terminal; listed, removed, changed."""

from __future__ import annotations

import json
import os
import pty
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.flow.index_room import Room, empty, error_of, installed, served
from tests.flow.tool import Tool

if TYPE_CHECKING:
    from pathlib import Path

OTHER = "sha256:" + "0" * 64


@pytest.fixture
def user(tmp_path: Path) -> Tool:
    (tmp_path / "user").mkdir()
    return Tool(tmp_path / "user")


def pins(user: Tool) -> list[tuple[str, str]]:
    """Return name and fingerprint of the indexes that are pinned, crpack's own left out."""
    rows = user("trust", "list", "--json").json["data"]["indexes"]
    return [(row["name"], row["fingerprint"]) for row in rows if row["url"]]


def test_a_folder_is_trusted_by_its_fingerprint(lab: Room, user: Tool) -> None:
    """TRU-01."""
    words = ("trust", "add", lab.index, "--root-fingerprint")
    user(*words, f"sha256:{lab.fingerprint}", "--dry-run")
    assert pins(user) == []
    done = user(*words, f"sha256:{lab.fingerprint}")
    assert "trusted the index `lab`" in done.out
    assert pins(user) == [("lab", lab.fingerprint)]
    user(*words, f"sha256:{lab.fingerprint}")  # once more is the same
    assert pins(user) == [("lab", lab.fingerprint)]
    assert lab.fingerprint in user("trust", "list").out
    user("install", "lab/data")


def test_a_web_address_is_trusted_by_its_fingerprint(lab: Room, user: Tool) -> None:
    """TRU-01."""
    with served(lab.index) as url:
        user("trust", "add", f"{url}/", "--root-fingerprint", f"sha256:{lab.fingerprint}",
             "--name", "near")  # fmt: skip
        user("install", "lab/data")
    assert pins(user) == [("near", lab.fingerprint)]


def test_another_root_is_refused(lab: Room, user: Tool) -> None:
    """TRU-01."""
    done = user("trust", "add", lab.index, "--root-fingerprint", OTHER, "--json", code=4)
    error = error_of(done.out)
    assert error["data"]["rule"] == "TRU-01"
    assert lab.fingerprint in error["why"][0]
    with served(lab.index) as url:
        user("trust", "add", url, "--root-fingerprint", OTHER, code=4)
    assert pins(user) == []
    assert not (user.home / "config/indexes.json").exists()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("add", "{lab}"), 2),  # no terminal to ask on
        (("add", "{lab}", "--json"), 2),
        (("add", "{lab}", "--root-fingerprint", "abc"), 2),
        (("add", "{lab}", "--root-fingerprint", "{print}", "--names", "*"), 2),
        (("add", "{lab}", "--root-fingerprint", "{print}", "--name", "crpack"), 2),
        (("add", "{lab}/metadata", "--root-fingerprint", "{print}"), 2),
        (("add", "http://127.0.0.1:9", "--root-fingerprint", "{print}"), 5),
        (("add", "http://me:pw@127.0.0.1:9/", "--root-fingerprint", "{print}"), 2),
        (("add", "nowhere", "--root-fingerprint", "{print}"), 2),
        (("remove", "lab"), 2),
        (("rotate", "lab", "--root-fingerprint", "{print}"), 2),
        (("add",), 2),
    ],
)
def test_what_cannot_be_trusted(lab: Room, user: Tool, words: tuple[str, ...], code: int) -> None:
    """TRU-02."""
    known = {"lab": str(lab.index), "print": f"sha256:{lab.fingerprint}"}
    done = user("trust", *(word.format(**known) for word in words), code=code)
    assert "--json" in words or "error:" in done.err
    assert pins(user) == []


def test_an_index_of_a_bad_head_is_not_pinned(lab: Room, tmp_path: Path, user: Tool) -> None:
    """TRU-01: the root is right and what stands below it is not."""
    room = lab.copy(tmp_path / "owner")
    path = room.index / "metadata/timestamp.json"
    path.write_bytes(path.read_bytes().replace(b'"version":2', b'"version":3'))
    done = user("trust", "add", room.index, "--root-fingerprint", f"sha256:{room.fingerprint}",
                code=4)  # fmt: skip
    assert "signature" in done.err or "signed" in done.err
    assert pins(user) == []


@pytest.mark.parametrize(("answer", "code"), [("yes", 0), ("y", 2), ("", 2)])
def test_a_person_is_asked_at_a_terminal(lab: Room, user: Tool, answer: str, code: int) -> None:
    """TRU-02."""
    said, ended = at_terminal(user, answer, "trust", "add", str(lab.index))
    assert ended == code, said
    assert f"sha256:{lab.fingerprint}" in said
    assert "Type `yes`" in said
    assert pins(user) == ([("lab", lab.fingerprint)] if code == 0 else [])


def at_terminal(user: Tool, answer: str, *words: str) -> tuple[str, int]:
    """Run a command at a terminal of its own; return what it said and its exit code."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(user.folder)
        environment = {"CRPACK_HOME": str(user.home), "HOME": str(user.folder), "TERM": "dumb"}
        os.execve(sys.executable, [sys.executable, "-m", "crpack", *words], environment)  # noqa: S606
    said = b""
    os.write(terminal, answer.encode() + b"\n")
    while True:
        try:
            chunk = os.read(terminal, 4096)
        except OSError:  # the other end is closed
            break
        if not chunk:
            break
        said += chunk
    os.close(terminal)
    return said.decode(), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_removed_index_is_asked_no_more_and_what_was_seen_is_kept(
    lab: Room, tmp_path: Path
) -> None:
    """TRU-03."""
    user = lab.user(tmp_path / "user")
    user("install", "lab/data")
    for word in ("lab", str(lab.index), f"sha256:{lab.fingerprint}"):
        assert "would be no longer trusted" in user("trust", "remove", word, "--dry-run").out
    user("trust", "remove", "lab")
    assert pins(user) == []
    user("install", "lab/user", code=3)
    assert installed(user) == {"lab/data": "2.0"}
    assert (user.home / "state/index" / lab.fingerprint / "seen.json").is_file()
    assert user("list", "--outdated").out == ""


def test_an_owner_who_lost_the_root_is_followed_by_a_new_fingerprint(
    lab: Room, tmp_path: Path
) -> None:
    """TRU-03: name, address and order stay; what is installed stays bound to the old root."""
    room = lab.copy(tmp_path / "owner")
    user = room.user(tmp_path / "user")
    user("install", "lab/data==1.0")
    other = empty(tmp_path / "other")
    other.add(other.dataset("lab/data", "5.0"))
    room.index.rename(tmp_path / "gone")
    other.index.rename(room.index)
    new = Room(room.owner).fingerprint
    user("update", "lab/data", code=4)  # the address has another root now
    user("trust", "rotate", "lab", code=2)
    user("trust", "rotate", "lab", "--root-fingerprint", OTHER, code=4)
    user("trust", "rotate", "lab", "--root-fingerprint", f"sha256:{new}")
    assert pins(user) == [("lab", new)]
    done = user("update", "lab/data", "--json", code=3)
    assert error_of(done.out)["data"]["rule"] == "ASK-02"
    user("remove", "lab/data")
    user("install", "lab/data")
    assert installed(user) == {"lab/data": "5.0"}


def test_a_key_is_followed_by_another(lab: Room, user: Tool) -> None:
    keys = lab.owner.home / "config/keys"
    user("trust", "add", keys / "test.pub", "--names", "lab/*", "--label", "us")
    (before,) = user("trust", "list", "--json").json["data"]["keys"]
    user("trust", "rotate", before["keyid"], code=2)
    user("trust", "rotate", before["keyid"], "--by", keys / "lab-online.pub")
    after = user("trust", "list", "--json").json["data"]["keys"]
    assert before["keyid"] not in [row["keyid"] for row in after]
    assert [row["names"] for row in after] == [["lab/*"]]
    user("trust", "add", keys / "lab-online.pub", "--root-fingerprint", OTHER, code=2)


def test_offline_an_index_is_pinned_without_a_look(lab: Room, user: Tool) -> None:
    """TRU-01: nothing is believed of it before its root is seen."""
    url = "http://127.0.0.1:9/lab"
    done = user("--offline", "trust", "add", url, code=(2, 5))
    assert "--root-fingerprint" in done.err
    done = user("--offline", "trust", "add", url, "--root-fingerprint", f"sha256:{lab.fingerprint}")
    assert "was not looked at" in done.out
    assert pins(user) == [("127-0-0-1-9", lab.fingerprint)]
    done = user("--offline", "install", "lab/data", code=5)
    assert "never fetched" in done.err or "is not here" in done.err
    user("install", "lab/data", code=5)
    with served(lab.index.parent) as other:  # what answers there must have that root
        user("--offline", "trust", "add", f"{other}/lab", "--root-fingerprint", OTHER,
             "--name", "wrong")  # fmt: skip
        user("trust", "remove", "127-0-0-1-9")
        assert "is not the one that was pinned" in user("install", "lab/data", code=4).err
    data = json.loads((user.home / "config/indexes.json").read_text())
    assert [row["name"] for row in data["indexes"]] == ["wrong"]


def test_a_dry_run_of_trusting_an_index_writes_nothing(lab: Room, user: Tool) -> None:
    print_ = f"sha256:{lab.fingerprint}"
    user("trust", "add", lab.index, "--root-fingerprint", print_, "--dry-run")
    with served(lab.index) as url:
        user("trust", "add", url, "--root-fingerprint", print_, "--dry-run")
    kept = set(os.listdir(user.home)) if user.home.exists() else set()
    assert kept <= {"cache"}  # where a flow may have lent what this machine is


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("nosuch", "there is no file or folder `nosuch`"),
        ("/etc/passwd", "not a public key file"),
        ("x.crpkg", "is an archive"),
    ],
)
def test_what_is_neither_key_nor_index_is_told_as_such(user: Tool, word: str, said: str) -> None:
    (user.folder / "x.crpkg").write_bytes(b"PK")
    assert said in user("trust", "add", word, code=2).err


def test_what_is_not_trusted_cannot_be_removed(user: Tool) -> None:
    assert "part of crpack" in user("trust", "remove", "crpack", code=2).err
    assert "nothing that is trusted is called `nosuch`" in user("trust", "remove", "nosuch",
                                                                code=2).err  # fmt: skip


def test_a_page_is_no_index(tmp_path: Path, user: Tool) -> None:
    page = tmp_path / "page/metadata"
    page.mkdir(parents=True)
    with served(tmp_path / "page") as url:
        done = user("trust", "add", url, "--root-fingerprint", OTHER, code=5)
        assert "give the address below which" in done.err
        (page / "1.root.json").write_text("<html>Welcome</html>")
        done = user("trust", "add", url, "--root-fingerprint", OTHER, code=2)
    assert "there is no index in" in done.err
    assert "fingerprint" not in done.err


def test_keys_that_are_trusted_at_once_are_all_trusted(lab: Room, user: Tool) -> None:
    """PIN-05."""
    for number in range(4):
        user("key", "new", f"k{number}", "--no-passphrase")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: user("trust", "add", user.home / f"config/keys/k{n}.pub",
                                     "--names", f"s{n}/*"), range(4)))  # fmt: skip
    assert len(user("trust", "list", "--json").json["data"]["keys"]) == 4


def test_damaged_state_is_told_with_its_file(lab: Room, tmp_path: Path) -> None:
    """TUF-13: what was seen is not forgotten in silence."""
    user = lab.user(tmp_path / "user")
    user("info", "lab/data")
    seen = user.home / f"state/index/{lab.fingerprint}/seen.json"
    seen.write_text("{")
    done = user("info", "lab/data", code=(1, 4))
    assert str(seen) in done.err
    assert "old copy" in done.err
    assert "--index crpack" in done.err
    keys = user.home / "config/trust.json"
    keys.write_text("{")
    user("trust", "remove", "lab")
    assert str(keys) in user("trust", "list", code=(1, 4)).err
