"""Attacks by whoever may write to an index's folder and has no key: drafts, and other indexes."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from crpack.config import Homes, merge
from crpack.errors import InstallError, TrustError, UsageError
from crpack.index import publishers
from crpack.index.publishers import Publishers, Rule
from crpack.model import canonical
from crpack.ops import host
from crpack.ops.edits import KeyRing
from crpack.ops.publishing import Folder
from crpack.session import Session
from crpack.trust import keys
from crpack.trust.indexes import IndexPin
from crpack.trust.roots import chain, client, repository
from crpack.trust.roots.repository import Roles, Signers
from tests.flow import index_room
from tests.flow.index_room import Room, error_of, opened_index, pin
from tests.flow.tool import Tool
from tests.unit.trust.roots.owner import Client, Owner, signed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOW = datetime.now(UTC).replace(microsecond=0)
EVIL = keys.generate()
THIEF = keys.public(EVIL)
RULES = publishers.encode(Publishers((Rule("*", ((THIEF, "test"),), may_build=True),)))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Room:
    """An index of throw-away keys that lists one data set, and an archive for it to add."""
    room = index_room.empty(tmp_path_factory.mktemp("small") / "owner")
    room.add(room.dataset("lab/data"))
    room.dataset("lab/data", "2.0")
    return room


@pytest.fixture
def room(small: Room, tmp_path: Path) -> Room:
    """One to attack."""
    return small.copy(tmp_path / "owner")


def session_of(room: Room) -> Session:
    homes = Homes(*(str(room.owner.home / part) for part in ("config", "cache", "data", "state")))
    return Session(merge([]), homes, str(room.owner.prefix))


def held(room: Room, role: str) -> bytes:
    """Return the newest file of a role."""
    found = (room.index / "metadata").glob(f"*.{role}.json")
    return max(found, key=lambda path: int(path.name.split(".")[0])).read_bytes()


def plant(room: Room, role: str, data: bytes, rules: bytes = RULES) -> Path:
    """Put a draft into the folder; nobody signed it."""
    folder = room.index / "pending"
    folder.mkdir(exist_ok=True)
    (folder / f"{role}.json").write_bytes(data)
    if role == "targets":
        (folder / "publishers.json").write_bytes(rules)
    return folder / f"{role}.json"


def evil_targets(room: Room, version: int = 2, *, now: datetime = NOW) -> bytes:
    """Return targets that let the thief publish everything."""
    signers = repository.role_signers(held(room, "targets"), "index")
    return repository.targets(version, now, RULES, signers, room.fingerprint)


def evil_root(room: Room, fingerprint: str = "") -> bytes:
    """Return a root whose root role is the thief's, and signed by it."""
    old = repository.root_roles(held(room, "root"))
    roles = replace(old, root=Signers((THIEF,)))
    root = repository.root(2, NOW, roles, fingerprint or room.fingerprint)
    return repository.add_signature(root, EVIL)


def signers_of(data: bytes) -> list[str]:
    return [row["keyid"] for row in json.loads(data)["signatures"]]


EDITS = {
    "refresh": (),
    "add": ("lab-data-2.0-test.crpkg",),
    "yank": ("lab/data==1.0", "--reason", "x"),
}


@pytest.mark.parametrize("action", EDITS)
def test_an_edit_signs_no_draft_that_lay_in_the_folder(room: Room, action: str) -> None:
    """PUB-20: keys of root and targets sign nothing but what they were asked to."""
    targets = plant(room, "targets", evil_targets(room))
    root = plant(room, "root", evil_root(room))
    room.owner("index", action, room.index, *EDITS[action])
    assert signers_of(targets.read_bytes()) == []
    assert signers_of(root.read_bytes()) == [THIEF.keyid]
    assert opened_index(room).head.versions.root == 1
    assert opened_index(room).head.versions.targets == 1


def test_keys_for_drafts_are_not_even_unlocked_by_an_edit(room: Room) -> None:
    """PUB-20: so nobody is asked for the passphrase of a root key to refresh an index."""
    plant(room, "targets", evil_targets(room))
    plant(room, "root", evil_root(room))
    asked: list[str] = []

    def unlock(name: str) -> keys.PrivateKey:
        asked.append(name)
        return session.private_key(name, None)

    session = session_of(room)
    host.refresh(session, Folder(str(room.index)), KeyRing(unlock))
    assert asked == ["lab-online"]


def test_an_owners_edit_on_top_of_a_draft_is_left_to_be_shown(room: Room) -> None:
    """PUB-20: `allow` and `keys` build on what waits, and then sign nothing."""
    targets = plant(room, "targets", evil_targets(room))
    done = room.owner("index", "allow", room.index, "ours/*", "test", "--json").json["data"]
    assert signers_of(targets.read_bytes()) == []
    assert done["differences"] == []
    assert done["missing"]
    root = plant(room, "root", evil_root(room))
    room.owner("index", "keys", room.index, "--online-key", "test")
    assert signers_of(root.read_bytes()) == []
    assert signers_of(targets.read_bytes()) == []
    assert opened_index(room).head.versions.targets == 1


def test_what_waits_is_shown_and_agreed_to_before_it_is_signed(room: Room) -> None:
    """PUB-20."""
    path = plant(room, "targets", evil_targets(room))
    error = error_of(room.owner("index", "sign", room.index, "targets", "--json", code=2).out)
    assert error["data"]["rule"] == "PUB-20"
    shown = error["data"]["difference"]
    assert shown["fingerprint"] == f"sha256:{room.fingerprint}"
    assert shown["items"][0]["what"] == "who publishes `*`"
    assert f"key {THIEF.keyid} `test`" in shown["items"][0]["new"]
    done = room.owner("index", "sign", room.index, "targets", "--dry-run")
    assert THIEF.keyid in done.out
    assert signers_of(path.read_bytes()) == []
    done = room.owner("index", "sign", room.index, "targets", "--yes", "--json")
    assert done.json["data"]["differences"] == [shown]
    assert opened_index(room).publishers.may_build("x", [THIEF.keyid])


@pytest.mark.parametrize(("answer", "code", "version"), [("yes\n", 0, 2), ("y\n", 2, 1)])
def test_a_person_agrees_by_typing_yes(room: Room, answer: str, code: int, version: int) -> None:
    """PUB-20."""
    plant(room, "targets", evil_targets(room))
    ours, theirs = pty.openpty()
    os.write(ours, answer.encode())
    done = subprocess.Popen(
        [sys.executable, "-m", "crpack", "index", "sign", room.index, "targets"],
        env={**os.environ, "CRPACK_HOME": str(room.owner.home)},
        stdin=theirs, stderr=theirs, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert done.wait(30) == code
        assert THIEF.keyid in os.read(ours, 65536).decode()
    finally:
        os.close(theirs)
        os.close(ours)
    assert opened_index(room).head.versions.targets == version


def test_a_draft_that_was_swapped_after_it_was_shown_is_not_signed(room: Room) -> None:
    """PUB-20."""
    session, place = session_of(room), Folder(str(room.index))
    ring = KeyRing(lambda name: session.private_key(name, None))
    innocent = publishers.encode(Publishers(opened_index(room).publishers.rules, ("0" * 64,)))
    signers = repository.role_signers(held(room, "targets"), "index")
    data = repository.targets(2, NOW, innocent, signers, room.fingerprint)
    plant(room, "targets", data, innocent)
    seen = host.waiting(session, place, "targets")
    path = plant(room, "targets", evil_targets(room))
    with pytest.raises(InstallError):
        host.sign(session, place, seen, ring)
    assert signers_of(path.read_bytes()) == []


def test_the_keys_of_a_root_that_waits_are_shown_with_targets(room: Room) -> None:
    """PUB-20: they may sign by it, so whoever signs sees it."""
    plant(room, "targets", evil_targets(room))
    plant(room, "root", evil_root(room))
    seen = host.waiting(session_of(room), Folder(str(room.index)), "targets")
    assert seen.items[0].what == "who signs `root`"
    assert f"key {THIEF.keyid}" in seen.items[0].new


def resigned(data: bytes, **fields: object) -> bytes:
    """Return metadata with other fields, unsigned."""
    said: dict[str, Any] = json.loads(data)["signed"]
    return canonical.encode({"signatures": [], "signed": {**said, **fields}})


def with_threshold(data: bytes, threshold: object) -> bytes:
    roles = json.loads(data)["signed"]["roles"]
    roles["root"]["threshold"] = threshold
    return resigned(data, roles=roles)


UNSOUND: dict[str, Callable[[Room], bytes]] = {
    "garbage": lambda _: b"{",
    "no object": lambda _: b"[]",
    "the version in force": lambda room: evil_targets(room, 1),
    "a version too far": lambda room: evil_targets(room, 3),
    "of no index": lambda room: resigned(evil_targets(room), fingerprint="0" * 64),
    "for ten years": lambda room: evil_targets(room, now=NOW + timedelta(days=3650)),
    "that ended": lambda room: evil_targets(room, now=NOW - timedelta(days=366)),
    "with more fields": lambda room: resigned(evil_targets(room), custom={"a": 1}),
    "of another type": lambda room: resigned(evil_targets(room), _type="root"),
    "with other publishers": lambda room: repository.targets(
        2, NOW, b"{}", repository.role_signers(held(room, "targets"), "index"), room.fingerprint
    ),
    "with more targets": lambda room: resigned(
        evil_targets(room),
        targets={
            **json.loads(evil_targets(room))["signed"]["targets"],
            "index.json.zst": {"hashes": {"sha256": "0" * 64}, "length": 1},
        },
    ),
    "signed before": lambda room: held(room, "targets"),
}
UNSOUND_ROOTS: dict[str, Callable[[Room], bytes]] = {
    "of no index": lambda room: resigned(evil_root(room), fingerprint="0" * 64),
    "of an old form": lambda room: repository.root(2, NOW, repository.root_roles(evil_root(room))),
    "with a key of no role": lambda room: resigned(
        evil_root(room),
        keys=json.loads(held(room, "root"))["signed"]["keys"]
        | json.loads(evil_root(room))["signed"]["keys"],
    ),
    "a threshold of true": lambda room: with_threshold(evil_root(room), True),
    "a threshold of 0": lambda room: with_threshold(evil_root(room), 0),
    "without consistent snapshots": lambda room: resigned(
        evil_root(room), consistent_snapshot=False
    ),
    "the version in force": lambda room: held(room, "root"),
}


@pytest.mark.parametrize(
    ("role", "name"),
    [("targets", name) for name in UNSOUND] + [("root", name) for name in UNSOUND_ROOTS],
)
def test_a_draft_that_is_not_the_next_of_this_index_is_passed_over(
    room: Room, role: str, name: str
) -> None:
    """PUB-21: it holds up nothing, comes in force never, and cannot be signed."""
    data = {"root": UNSOUND_ROOTS, "targets": UNSOUND}[role][name](room)
    path = plant(room, role, data)
    session, place = session_of(room), Folder(str(room.index))
    ring = KeyRing(lambda name: session.private_key(name, None))
    change = host.refresh(session, place, ring)
    assert [one.partition(" is passed over")[0] for one in change.ignored] == [
        f"`pending/{role}.json`"
    ]
    assert path.read_bytes() == data
    assert opened_index(room).head.versions.targets == 1
    with pytest.raises(UsageError) as caught:
        host.waiting(session, place, role)
    assert any("passed over" in why for why in caught.value.why)


def test_publishing_to_a_foreign_index_signs_nothing_for_ones_own(
    room: Room, tmp_path: Path
) -> None:
    """PUB-21, TUF-18: the owner of B names A's root keys, and plants A's next root as B's draft."""
    bob = index_room.empty(tmp_path / "bob")
    pin(room.owner, IndexPin("bob", str(bob.index), bob.fingerprint))
    public = room.owner.home / "config/keys"
    bob.owner("index", "allow", bob.index, "*", public / "test.pub")
    theirs = bob.owner.home / "config/keys"
    for end in ("pem", "pub"):  # the key of a list that several keep
        shutil.copy(theirs / f"lab-online.{end}", public / f"bob-online.{end}")
    roots = [folder / f"lab-root-{n}.pub" for folder in (public, theirs) for n in (1, 2, 3)]
    words = [word for path in roots for word in ("--root-key", path)]
    bob.owner("index", "keys", bob.index, *words)  # B's root names A's root keys too
    first = (room.index / "metadata/1.root.json").read_bytes()
    old = repository.root_roles(first)
    roles = Roles(*(Signers((THIEF,)) for _ in range(4)))
    takeover = replace(roles, root=Signers((*old.root.keys, THIEF)))
    for fingerprint in ("", room.fingerprint, bob.fingerprint):
        draft = plant(bob, "root", repository.root(3, NOW, takeover, fingerprint))
        archive = room.owner.folder / "lab-data-2.0-test.crpkg"
        room.owner("publish", archive, "--to", bob.index)
        assert signers_of(draft.read_bytes()) == []
        code = 0 if fingerprint == bob.fingerprint else 2
        room.owner("index", "sign", bob.index, "root", "--yes", code=code)
        assert len(signers_of(draft.read_bytes())) == (3 if code == 0 else 0)
    with pytest.raises(TrustError) as caught:
        chain._check_index("root", chain._parse("root", draft.read_bytes()).signed,
                           room.fingerprint)  # fmt: skip
    assert caught.value.rule == "TUF-18"


@pytest.mark.parametrize("role", ["root", "targets", "index", "snapshot", "timestamp"])
def test_what_was_signed_for_another_index_is_refused(tmp_path: Path, role: str) -> None:
    """TUF-18."""

    def publish(fingerprint: str) -> None:
        bound = dict.fromkeys(("root", "targets", "index", "snapshot", "timestamp"), own)
        bound[role] = fingerprint
        targets = repository.targets(
            owner.next("targets"), NOW, b"x", Signers((keys.public(owner.index),)), bound["targets"]
        )
        owner.put("targets", signed(targets, owner.offline))
        index = repository.index(owner.next("index"), NOW, b"y", bound["index"])
        owner.put("index", signed(index, owner.index))
        root = repository.root(owner.next("root"), NOW, owner.roles(), bound["root"])
        owner.put("root", signed(root, *owner.roots))
        both = owner.held["targets"], owner.held["index"]
        snapshot = repository.snapshot(owner.next("snapshot"), NOW, *both, bound["snapshot"])
        owner.put("snapshot", signed(snapshot, owner.online))
        stamp = repository.timestamp(
            owner.next("timestamp"), NOW, owner.held["snapshot"], bound["timestamp"]
        )
        owner.put("timestamp", signed(stamp, owner.online))

    owner = Owner(tmp_path / "served", NOW)
    user = Client(tmp_path / "cache", owner.held["root"])
    own = chain.fingerprint(owner.held["root"])
    publish(own)
    assert user.refresh(owner.folder, NOW).fingerprint == own
    publish("0" * 64)
    with pytest.raises(TrustError) as caught:
        user.refresh(owner.folder, NOW)
    assert caught.value.rule == "TUF-18"


def test_more_roots_than_are_followed_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TUF-04: a reader never stops at an old root in silence."""
    monkeypatch.setattr(chain, "MAX_ROOTS", 3)
    monkeypatch.setattr(client, "MAX_ROOTS", 3)
    owner = Owner(tmp_path / "served", NOW)
    user = Client(tmp_path / "cache", owner.held["root"])
    for _ in range(3):
        owner.root()
    assert user.refresh(owner.folder, NOW).versions.root == 4
    owner.root()
    with pytest.raises(TrustError) as caught:
        user.refresh(owner.folder, NOW)
    assert caught.value.rule == "TUF-04"
    with pytest.raises(TrustError):
        chain.walk(owner.read, user.pinned)


@pytest.mark.parametrize("how", ["tried", "removed", "read"])
def test_an_index_that_was_only_looked_at_is_not_known_here(
    room: Room, tmp_path: Path, how: str
) -> None:
    """PUB-19: to have read an index, or trusted it once, is no leave to sign for it."""
    user = Tool(tmp_path / "user")
    (tmp_path / "user").mkdir()
    shutil.copytree(room.owner.home / "config/keys", user.home / "config/keys")
    words = ("--root-fingerprint", f"sha256:{room.fingerprint}", "--name", "lab")
    user("trust", "add", room.index, *words, *(["--dry-run"] if how == "tried" else []))
    if how == "read":
        user("search", "data")
    if how != "tried":
        user("trust", "remove", "lab")
    remembered = (user.home / f"state/index/{room.fingerprint}/seen.json").exists()
    assert remembered == (how != "tried")
    error = error_of(user("index", "refresh", room.index, "--json", code=4).out)
    assert error["data"]["rule"] == "PUB-19"
    user("index", "refresh", room.index, "--key", "lab-online")
    user("index", "refresh", room.index)  # written to from here
