"""Attacks on an index and its archives, against the command: refused, and nothing is installed."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from crpack.archive.reader import Archive
from crpack.index import publishers, release
from crpack.index.entries import Shard
from crpack.index.publishers import Publishers, Rule
from crpack.model import canonical
from crpack.model import manifest as manifests
from crpack.ops import detection
from crpack.trust import keys
from crpack.trust.indexes import IndexPin
from crpack.trust.roots import repository
from tests.flow.index_room import Room, error_of, generation, installed, pin, served

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from crpack.index.entries import Release
    from tests.flow.tool import Tool


@pytest.fixture(scope="module")
def hall(lab: Room, tmp_path_factory: pytest.TempPathFactory) -> Room:
    """The index, with archives of a stranger and of nobody beside it that it does not list."""
    hall = lab.copy(tmp_path_factory.mktemp("hall") / "owner")
    hall.owner("key", "new", "stranger", "--no-passphrase")
    hall.dataset("lab/data", "9.0", key="stranger")
    hall.dataset("lab/data", "9.1")
    hall.dataset("lab/other", "2.0")
    for version in ("1.1", "2.0"):  # the same bytes under another signature
        hall.dataset("lab/data", version, key="stranger")
    folder = hall.owner.folder
    hall.owner("build", "parts/lab-data", "--with", "parts", "--full", "--unsigned",
               "--out", folder / "unsigned.crpkg")  # fmt: skip
    return hall


@pytest.fixture
def room(hall: Room, tmp_path: Path) -> Room:
    """One to attack."""
    return hall.copy(tmp_path / "owner")


@pytest.fixture
def user(room: Room, tmp_path: Path) -> Tool:
    return room.user(tmp_path / "user")


def refused(user: Tool, *words: str, code: int | tuple[int, ...] = 4) -> dict[str, Any]:
    """Install, see that it is refused and nothing came of it, and return the error."""
    done = user("install", *(words or ("lab/data",)), "--json", code=code)
    assert installed(user) == {}
    error = error_of(done.out)
    assert error["data"]["changed"] is False
    return error


def listed(room: Room, path: Path) -> Release:
    """Put an archive into the index's folder and return what would be listed of it."""
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    shutil.copy(path, room.index / f"a/{sha256}.crpkg")
    with path.open("rb") as stream:
        archive = Archive.open(stream, size=path.stat().st_size)
        copy = release.copy_of(archive, "full", sha256)
        return release.of_archive(archive, (copy,), ("f" * 64,), "2026-01-31T12:00:00Z")


# A mirror: it has no key


@pytest.mark.parametrize(
    ("substitute", "where"),
    [
        *((one, "folder") for one in ("bit", "other name", "unsigned")),
        *((one, "server") for one in ("other version", "other key", "gone")),
        *(
            pytest.param(one, where, marks=pytest.mark.slow)
            for one, where in (("bit", "server"), ("cut", "server"), ("gone", "folder"))
        ),
    ],
)
def test_an_archive_substituted_behind_a_good_index_is_refused(
    room: Room, tmp_path: Path, substitute: str, where: str
) -> None:
    """ASK-04, FET-11."""
    path, folder = room.archive("lab/data", "2.0"), room.owner.folder
    good = path.read_bytes()
    others = {
        "other version": room.archive("lab/data", "1.1"),
        "other name": folder / "lab-other-2.0-test.crpkg",
        "other key": folder / "lab-data-2.0-stranger.crpkg",
        "unsigned": folder / "unsigned.crpkg",
    }
    if substitute in others:
        path.write_bytes(others[substitute].read_bytes())
    elif substitute == "gone":
        path.unlink()
    else:
        path.write_bytes(bytes([good[0] ^ 1]) + good[1:] if substitute == "bit" else good[:-9])
    code = 5 if substitute == "gone" else (4, 5)  # 5 for one of another length
    with served(room.index) as url:
        user = room.user(tmp_path / "user", url if where == "server" else "")
        refused(user, code=code)


@pytest.mark.parametrize("kind", ["s", "b", "targets"])
def test_an_edited_file_of_the_index_is_refused(room: Room, user: Tool, kind: str) -> None:
    """IDX-11."""
    files = sorted((room.index / kind).iterdir())
    good = [path.read_bytes() for path in files]
    for path, data in zip(files, [*good[1:], good[0]], strict=True):
        path.write_bytes(data)  # each is a right one, of another digest
    refused(user)
    for path, data in zip(files, good, strict=True):
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    refused(user)


def test_an_old_copy_of_the_whole_index_is_refused(
    lab: Room, room: Room, user: Tool, tmp_path: Path
) -> None:
    """TUF-11: also when it stands at another address."""
    room.add(room.owner.folder / "lab-data-9.1-test.crpkg")
    user("search", "data")
    pin(user, IndexPin("lab", str(lab.index), lab.fingerprint))
    assert refused(user)["data"]["attack"] == "rollback"
    with served(lab.index) as url:
        pin(user, IndexPin("lab", url, lab.fingerprint))
        assert refused(user)["data"]["attack"] == "rollback"
        shutil.rmtree(user.home / "cache")
        shutil.rmtree(user.home / "state/index" / lab.fingerprint / "metadata")
        assert refused(user)["data"]["attack"] == "rollback"


def test_another_index_at_the_address_of_a_pinned_one_is_refused(
    room: Room, user: Tool, tmp_path: Path
) -> None:
    """IDX-12: before and after its first use."""
    from tests.flow.index_room import empty

    other = empty(tmp_path / "other")
    other.add(other.dataset("lab/data", "9.9"))
    room.index.rename(tmp_path / "gone")
    shutil.copytree(other.index, room.index)
    assert error_rule(refused(user)) == "IDX-12"
    shutil.rmtree(room.index)
    (tmp_path / "gone").rename(room.index)
    user("search", "data")
    room.index.rename(tmp_path / "gone")
    shutil.copytree(other.index, room.index)
    refused(user)


def error_rule(error: dict[str, Any]) -> str:
    return str(error["data"].get("rule", ""))


# A thief of the online key: what the index lists is his


def test_an_archive_that_no_publisher_signed_is_refused(room: Room, user: Tool) -> None:
    """PUB-04, ASK-04: a stolen key of the index lists whatever it likes, and ships nothing."""
    new = listed(room, room.owner.folder / "lab-data-9.0-stranger.crpkg")
    new = replace(new, signers=room.release("lab/data", "2.0").signers)
    room.sign({"lab/data": lambda shard: Shard(shard.name, (new, *shard.releases))})
    error = refused(user)
    assert error_rule(error) == "PUB-04"
    assert "`test`" in error["why"][-1]


@pytest.mark.parametrize("stem", ["lab-data-2.0-stranger", "unsigned"])
def test_the_same_archive_without_the_signature_is_refused(
    room: Room, user: Tool, stem: str
) -> None:
    """PUB-04: the identity is right, and nobody who may sign it has."""
    new, old = listed(room, room.owner.folder / f"{stem}.crpkg"), room.release("lab/data", "2.0")
    assert new.identity == old.identity
    room.relist(
        lambda one: replace(one, copies=new.copies) if one.version == "2.0" else one, "lab/data"
    )
    assert error_rule(refused(user)) == "PUB-04"


def _said(one: Release, **words: object) -> Release:
    """Return a release whose listed recipe says other words of its package."""
    recipe = json.loads(one.recipe)
    recipe["package"] |= words
    new = replace(one, recipe=canonical.encode(recipe))
    return replace(new, version=str(recipe["package"]["version"]))


def _old_as_new(room: Room) -> Callable[[Release], Release]:
    old = _said(room.release("lab/data", "1.0"), version="2.0")
    return lambda one: old if one.version == "2.0" else one


def _other_name(room: Room) -> Callable[[Release], Release]:
    other = listed(room, room.owner.folder / "lab-other-2.0-test.crpkg")
    signers = room.release("lab/data", "2.0").signers
    other = replace(_said(other, name="lab/data"), signers=signers)
    return lambda one: other if one.version == "2.0" else one


def _higher_revision(room: Room) -> Callable[[Release], Release]:
    return lambda one: replace(_said(one, revision=7), revision=7)


def _no_requirements(room: Room) -> Callable[[Release], Release]:
    def change(one: Release) -> Release:
        recipe = json.loads(one.recipe)
        recipe.pop("requires")
        return replace(one, recipe=canonical.encode(recipe))

    return change


def _other_summary(room: Room) -> Callable[[Release], Release]:
    return lambda one: _said(one, summary="another component")


@pytest.mark.parametrize(
    ("lie", "name"),
    [
        (_old_as_new, "lab/data"),
        (_other_name, "lab/data"),
        (_no_requirements, "lab/user"),
        pytest.param(_higher_revision, "lab/data", marks=pytest.mark.slow),
        pytest.param(_other_summary, "lab/data", marks=pytest.mark.slow),
    ],
)
def test_a_list_that_says_other_things_than_the_archive_is_refused(
    room: Room, user: Tool, lie: Callable[[Room], Callable[[Release], Release]], name: str
) -> None:
    """ASK-04, IDX-06."""
    room.relist(lie(room), name)
    error = refused(user, name)
    assert error_rule(error) in {"ASK-04", "IDX-06"}, error


def test_a_list_cannot_say_who_signed(room: Room, user: Tool) -> None:
    """ASK-04: what is told and recorded is who signed, not who is said to have."""
    room.relist(lambda one: replace(one, signers=(*one.signers, "f" * 64)), "lab/data")
    assert "signed by test;" in user("install", "lab/data").out
    assert generation(user, "lab/data")["unsigned"] == []


@pytest.mark.parametrize(
    "change", ["id", "tree", "size", pytest.param("platform", marks=pytest.mark.slow)]
)
def test_a_list_that_lies_on_results_installs_nothing_else(
    room: Room, user: Tool, change: str
) -> None:
    """The archive's own manifest decides what is unpacked."""

    def lie(one: Release) -> Release:
        (payload,) = one.payloads
        new = {
            "id": replace(payload, id="0" * 16),
            "tree": replace(payload, tree="0" * 64),
            "platform": replace(payload, platform=str(detection.platform())),
            "size": replace(payload, unpacked=1, packed=1),
        }[change]
        number = manifests.payload_id(new.platform, new.options, new.tree)
        new = replace(new, id=new.id if change == "id" else number)
        return replace(one, payloads=(new,))

    path = room.archive("lab/data", "2.0")
    room.relist(lie, "lab/data")
    if change != "size":
        refused(user, code=(4, 5))  # 5: the archive has no such payload
        return
    user("install", "lab/data")
    (part,) = generation(user, "lab/data")["parts"]
    with path.open("rb") as stream:
        assert (
            part["tree"] == Archive.open(stream, size=path.stat().st_size).manifest.payloads[0].tree
        )
    user("verify", "lab/data")


def test_the_shard_of_another_name_is_refused(room: Room, user: Tool) -> None:
    """IDX-07."""
    name = "lab/user"
    other = room.release(name, "1.0")
    room.sign({"lab/data": lambda _: Shard("lab/data", (other,))})
    refused(user)


def test_a_thief_of_the_online_key_cannot_let_himself_publish(room: Room, user: Tool) -> None:
    """TUF-02, TUF-03: who may publish is signed by a key that is elsewhere."""
    home = room.owner.home / "config/keys"
    online = keys.from_pem((home / "lab-online.pem").read_bytes(), None)
    stranger = keys.public(keys.from_pem((home / "stranger.pem").read_bytes(), None))
    rules = publishers.encode(Publishers((Rule("*", ((stranger, "me"),)),)))
    (old,) = sorted((room.index / "metadata").glob("*.targets.json"))[-1:]
    from datetime import UTC, datetime

    now = datetime.now(UTC)
    signers = repository.role_signers(old.read_bytes(), "index")
    targets = repository.targets(int(old.name.split(".")[0]) + 1, now, rules, signers)
    targets = repository.add_signature(targets, online)
    number = int(old.name.split(".")[0]) + 1
    (room.index / f"metadata/{number}.targets.json").write_bytes(targets)
    (room.index / repository.target_path("publishers.json", rules)).write_bytes(rules)
    heads = sorted((room.index / "metadata").glob("*.index.json"), key=_number)
    snapshots = sorted((room.index / "metadata").glob("*.snapshot.json"), key=_number)
    snapshot = repository.snapshot(_number(snapshots[-1]) + 1, now, targets, heads[-1].read_bytes())
    snapshot = repository.add_signature(snapshot, online)
    path = room.index / f"metadata/{_number(snapshots[-1]) + 1}.snapshot.json"
    path.write_bytes(snapshot)
    timestamp = repository.add_signature(repository.timestamp(99, now, snapshot), online)
    (room.index / "metadata/timestamp.json").write_bytes(timestamp)
    error = refused(user)
    assert "sign" in " ".join([error["what"], *error["why"]])


def _number(path: Path) -> int:
    return int(path.name.split(".")[0])


# On this machine


def test_what_was_damaged_in_the_cache_is_fetched_again(room: Room, user: Tool) -> None:
    """ASK-05, IDX-11."""
    with served(room.index) as url:
        pin(user, IndexPin("lab", url, room.fingerprint))
        user("install", "lab/data")
        (kept,) = (user.home / "cache/archives").iterdir()
        good = kept.read_bytes()
        others = (
            b"",
            good[:-5],
            good[:60] + bytes([good[60] ^ 1]) + good[61:],
            (room.owner.folder / "lab-data-9.1-test.crpkg").read_bytes(),
        )
        for bad in others:
            kept.write_bytes(bad)
            user("install", "lab/data", "--reinstall")
        user("verify", "lab/data")
        user("remove", "lab/data")
        for path in (user.home / "cache/index").rglob("*"):
            if path.is_file():
                path.write_bytes(b"{}")
        for path in (user.home / "state/index" / room.fingerprint / "metadata").rglob("*"):
            if path.is_file():
                path.write_bytes(b"{}")
        user("install", "lab/data")
    kept.write_bytes((room.owner.folder / "lab-data-2.0-stranger.crpkg").read_bytes())
    user("remove", "lab/data")
    refused(user, "lab/data", "--offline")  # nobody signed the kept one, and no other is here


def test_a_damaged_memory_of_an_index_is_told(room: Room, user: Tool) -> None:
    """TUF-13: it is not taken for one that saw nothing."""
    user("search", "data")
    path = user.home / "state/index" / room.fingerprint / "seen.json"
    path.write_bytes(b'{"root":1}')
    refused(user)
    path = user.home / "config/indexes.json"
    path.write_bytes(b"[]")
    refused(user)
