"""Bundles: all in one file, for a machine without a network; as old as the setting allows."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from crpack.archive.bundle import Bundle
from crpack.errors import FetchError
from crpack.ops import bundling, unbundling
from crpack.trust.indexes import IndexPin
from tests.flow.index_room import Room, empty, error_of, installed, opened_index, pin, served
from tests.flow.tool import Done, Tool, lend

if TYPE_CHECKING:
    from pathlib import Path

needs_faketime = pytest.mark.skipif(
    shutil.which("faketime") is None, reason="faketime is not installed"
)


def within(
    before: tuple[str, ...], user: Tool, *words: str | Path, code: int = 0, **env: str
) -> Done:
    """Run a command within another one, such as `unshare -n`."""
    lend(user.home / "cache")
    done = subprocess.run(
        [*before, sys.executable, "-m", "crpack", *map(str, words)],
        env={"PATH": os.environ["PATH"], "CRPACK_HOME": str(user.home), "HOME": str(user.folder)}
        | env,
        cwd=user.folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    said = f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert done.returncode == code, said
    assert "Traceback" not in done.stderr, said
    return Done(done.returncode, done.stdout, done.stderr)


def at(when: str, user: Tool, *words: str | Path, code: int = 0, **env: str) -> Done:
    """Run a command with another clock."""
    return within(("faketime", "-f", when), user, *words, code=code, **env)


@pytest.fixture(scope="module")
def bundle(lab: Room, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of the solution, made from a web server."""
    folder = tmp_path_factory.mktemp("bundle")
    with served(lab.index) as url:
        user = lab.user(folder / "user", url)
        done = user("bundle", "sample", "--out", folder / "sample.crbundle")
    assert "2 archives, 0 wheels" in done.out
    return folder / "sample.crbundle"


@pytest.fixture(scope="module")
def small(lab: Room, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of a data set, made from a folder."""
    folder = tmp_path_factory.mktemp("small")
    user = lab.user(folder / "user")
    user("bundle", "lab/data", "--out", folder / "data.crbundle")
    return folder / "data.crbundle"


@pytest.fixture
def user(tmp_path: Path, lab: Room) -> Tool:
    """Somebody without a network who was told the fingerprint."""
    (tmp_path / "far").mkdir()
    user = Tool(tmp_path / "far")
    pin(user, IndexPin("told", "http://127.0.0.1:9/lab", lab.fingerprint))
    return user


def test_a_bundle_is_installed_run_and_checked_without_a_network(
    lab: Room, bundle: Path, tmp_path: Path
) -> None:
    """BUN-10, BUN-11, TRU-01."""
    if subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False).returncode:
        pytest.skip("unshare may not make a network of its own here")
    (tmp_path / "user").mkdir()
    user, alone = Tool(tmp_path / "user"), ("unshare", "-n")
    done = within(alone, user, "install", bundle, "--json", code=4)
    error = error_of(done.out)
    assert error["data"]["rule"] == "BUN-10"
    assert lab.fingerprint in error["hint"]
    within(alone, user, "--offline", "trust", "add", "https://index.example.org/lab",
           "--root-fingerprint", f"sha256:{lab.fingerprint}")  # fmt: skip
    assert "would" not in within(alone, user, "install", bundle, "--dry-run").err
    done = within(alone, user, "install", bundle)
    assert "index index-example-org, as of 20" in done.out
    assert json.loads(within(alone, user, "run", "sample").out)["said"] == "hello"
    assert "valid: sample 1.0" in within(alone, user, "validate", "sample").out
    assert "nothing was changed" in within(alone, user, "install", bundle).out


def test_a_bundle_carries_what_its_lock_needs_and_no_more(small: Path, user: Tool) -> None:
    """BUN-09, BUN-11: one release of three, and no other name."""
    import zipfile

    names = zipfile.ZipFile(small).namelist()
    assert len([name for name in names if name.startswith("archive/")]) == 1
    assert len([name for name in names if "/s/" in name]) == 1
    assert not [name for name in names if "/c/" in name]
    assert names[-2:] == ["crpack.lock", "bundle.json"]
    assert "1 result, 0 binaries, all as stated" in user("verify", small, "--audit").out
    user("install", small)
    assert installed(user) == {"lab/data": "2.0"}


def test_a_slice_of_two_states_of_an_index_is_not_written(lab: Room, tmp_path: Path) -> None:
    """BUN-09: its owner publishes, or another command refreshes, while its files are read."""
    room = lab.copy(tmp_path / "owner")
    index = opened_index(room)
    files = read_all(room, bundling.files_of(index, {"lab/data"}))
    bundling._judge(index, files, {"lab/data"})
    room.add(room.dataset("lab/data", "3.0"))
    late = opened_index(room)
    later = read_all(room, bundling.files_of(late, {"lab/data"}))
    mixtures = [
        {**later, **{path: files[path] for path in files.keys() - later.keys()}},
        {**files, "metadata/timestamp.json": later["metadata/timestamp.json"]},
        {path: data for path, data in files.items() if not path.startswith("s/")},
        {path: data[:-1] if path.startswith("s/") else data for path, data in files.items()},
    ]
    for mixed in mixtures:
        with pytest.raises(FetchError, match="was changed meanwhile"):
            bundling._judge(index, mixed, {"lab/data"})


def read_all(room: Room, paths: set[str]) -> dict[str, bytes]:
    return {path: (room.index / path).read_bytes() for path in paths}


def test_files_of_an_index_in_a_bundle_are_read_side_by_side(small: Path) -> None:
    """BUN-05: several threads read, and the bundle is one open file."""
    with small.open("rb") as stream:
        bundle = Bundle.open(stream, size=small.stat().st_size)
        names = [name.split("/", 2) for name in bundle.names if name.startswith("index/")] * 40
        read = unbundling._reader(bundle, names[0][1])
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda name: len(read(name[2], 1 << 20)), names))
        assert found == [bundle.size_of("/".join(name)) for name in names]


def test_a_lock_is_bundled_as_it_is(lab: Room, tmp_path: Path, user: Tool) -> None:
    maker = lab.user(tmp_path / "maker")
    maker("bundle", code=2)
    maker("lock", "lab/data<2", "lab/user")
    assert "would carry" in maker("bundle", "--dry-run").out
    assert not (maker.folder / "data.crbundle").exists()
    done = maker("bundle", "--json")
    data = done.json["data"]
    assert data["archives"] == 2
    assert data["requests"] == ["lab/data<2", "lab/user"]
    user("install", data["path"])
    assert installed(user) == {"lab/data": "1.1", "lab/user": "1.0"}


def test_a_bundle_for_another_platform_is_refused_here(
    lab: Room, tmp_path: Path, user: Tool
) -> None:
    there = "linux-aarch64-gnu2.36"
    maker = lab.user(tmp_path / "maker")
    maker("bundle", "lab/data", "--platform", there, "--out", "there.crbundle")
    done = user("install", maker.folder / "there.crbundle", code=3)
    assert f"it has `{there}`" in done.err
    assert installed(user) == {}


def test_a_flipped_byte_anywhere_is_refused(small: Path, user: Tool) -> None:
    """BUN-01, BUN-05, BUN-11; each byte in tests/attack/test_bundles.py, some by the command."""
    good = small.read_bytes()
    bad = user.folder / "bad.crbundle"
    for place in range(0, len(good), len(good) // 6):
        data = bytearray(good)
        data[place] ^= 1
        bad.write_bytes(data)
        user("install", bad, code=4)
    bad.write_bytes(good[: len(good) // 2])
    user("install", bad, code=4)
    bad.write_bytes(good + b"more")
    user("install", bad, code=4)
    assert installed(user) == {}


def test_an_older_bundle_does_not_bring_the_index_back(
    lab: Room, small: Path, tmp_path: Path, user: Tool
) -> None:
    """BUN-10, TUF-11."""
    room = lab.copy(tmp_path / "owner")
    room.add(room.dataset("lab/data", "3.0"))
    maker = room.user(tmp_path / "maker")
    maker("bundle", "lab/data", "--out", "new.crbundle")
    user("install", maker.folder / "new.crbundle")
    done = user("install", small, "--json", code=4)
    assert error_of(done.out)["data"]["attack"] == "rollback"
    assert installed(user) == {"lab/data": "3.0"}
    user("trust", "remove", "told")  # what was seen is remembered below the fingerprint
    pin(user, IndexPin("again", "http://127.0.0.1:9", lab.fingerprint))
    user("install", small, code=4)


def test_a_bundle_of_an_index_that_is_not_trusted_is_refused(
    small: Path, tmp_path: Path, user: Tool
) -> None:
    """BUN-10: another index under the same name is another index."""
    other = empty(tmp_path / "other")
    pin(user, IndexPin("lab", str(other.index), other.fingerprint))
    done = user("install", small, "--json", code=4)
    assert error_of(done.out)["data"]["rule"] == "BUN-10"


def test_what_came_in_a_bundle_is_updated_from_the_index_itself(
    lab: Room, tmp_path: Path, small: Path, user: Tool
) -> None:
    """ASK-02: it is bound to the root, not to what the maker of the bundle calls the index."""
    user("install", small)
    room = lab.copy(tmp_path / "owner")
    room.add(room.dataset("lab/data", "3.0"))
    pin(user, IndexPin("mine", str(room.index), room.fingerprint))
    assert "nothing was changed" in user("install", "lab/data").out
    user("update")
    assert installed(user) == {"lab/data": "3.0"}


# Other clocks


@needs_faketime
@pytest.mark.parametrize("when", ["+170d", "@1970-01-02 00:00:00"])
def test_a_bundle_serves_for_half_a_year_and_a_clock_set_back_is_no_harm(
    small: Path, user: Tool, when: str
) -> None:
    """TUF-07, TUF-09."""
    at(when, user, "install", small)
    assert installed(user) == {"lab/data": "2.0"}


@needs_faketime
def test_an_old_bundle_is_refused_unless_the_setting_allows(small: Path, user: Tool) -> None:
    """TUF-09."""
    for when in ("+200d", "@2038-01-20 00:00:00"):
        error = error_of(at(when, user, "install", small, "--json", code=4).out)
        assert error["data"]["attack"] == "freeze"
        assert "max-offline-age" in error["hint"]
    at("+200d", user, "install", small, CRPACK_MAX_OFFLINE_AGE="201")


@needs_faketime
def test_a_clock_set_back_does_not_make_an_old_bundle_new(
    lab: Room, small: Path, tmp_path: Path, user: Tool
) -> None:
    """TUF-07: the newest date that was seen is the floor."""
    room = lab.copy(tmp_path / "owner")
    at("+300d", room.owner, "index", "refresh", room.index)
    room_user = room.user(tmp_path / "maker")
    at("+300d", room_user, "bundle", "lab/data", "--out", "late.crbundle")
    at("+301d", user, "install", room_user.folder / "late.crbundle")
    pin(user, IndexPin("told", "http://127.0.0.1:9/lab", lab.fingerprint))
    at("@1970-01-02 00:00:00", user, "install", small, code=4)


@needs_faketime
def test_an_index_whose_timestamp_expired_is_refused_online(lab: Room, tmp_path: Path) -> None:
    """TUF-08: a mirror that is frozen is found out; a clock set back is no harm."""
    with served(lab.index) as url:
        user = lab.user(tmp_path / "user", url)
        user("install", "lab/data==1.0")
        at("+25d", user, "install", "lab/data")
        done = at("+40d", user, "update", "lab/data", "--json", code=4)
        assert error_of(done.out)["data"]["attack"] == "freeze"
        at("@2038-01-20 00:00:00", user, "update", "lab/data", code=4)
        at("+40d", user, "--offline", "install", "lab/data")  # as of its date
        at("+200d", user, "--offline", "update", "lab/data", code=4)
        at("@1970-01-02 00:00:00", user, "update", "lab/data")
    assert installed(user) == {"lab/data": "2.0"}
