"""Attacks on the head of an index, with real files and real signatures."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

import crpack
from crpack.errors import CrpackError, FetchError, TrustError
from crpack.model import canonical, dates
from crpack.model.limits import MAX_HEAD_BYTES
from crpack.trust import keys
from crpack.trust.roots import client, offline, repository, state
from tests.house.source import ROOT
from tests.unit.trust.roots.owner import Client, Owner, endless, key, mirror, signed, signers

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DAY = timedelta(days=1)
HUGE = 2**53 - 2


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def owner(tmp_path: Path, now: datetime) -> Owner:
    return Owner(tmp_path / "served", now)


@pytest.fixture
def user(tmp_path: Path, owner: Owner) -> Client:
    """Someone who pinned the first root and refreshed once."""
    one = Client(tmp_path / "cache", owner.held["root"])
    one.refresh(owner.folder, owner.now)
    return one


def refused(user: Client, place: Path, now: datetime, attack: str) -> TrustError:
    """Refresh and return the refusal; the memory stays and the refusal says what it is."""
    before = user.seen
    with pytest.raises(TrustError) as error:
        user.refresh(place, now)
    assert error.value.data["attack"] == attack, (error.value.what, error.value.why)
    assert error.value.exit_code == 4
    assert error.value.why
    assert user.seen == before
    return error.value


def edited(metadata: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """Return metadata whose signed part was changed and whose signatures were not."""
    document = json.loads(metadata)
    change(document["signed"])
    return canonical.encode(document)


def resigned(
    metadata: bytes, change: Callable[[dict[str, Any]], object], *by: keys.PrivateKey
) -> bytes:
    """Return metadata that a thief of keys changed and signed."""
    document = json.loads(edited(metadata, change))
    return signed(canonical.encode({"signatures": [], "signed": document["signed"]}), *by)


# Rollback


@pytest.mark.parametrize("cache", ["kept", "lost"])
def test_an_old_copy_of_the_whole_index_is_refused(
    tmp_path: Path, owner: Owner, user: Client, cache: str
) -> None:
    # TUF-11: the memory holds even where the cache is gone
    old = mirror(owner, tmp_path / "old")
    owner.release(b"second")
    assert user.refresh(owner.folder, owner.now).versions.timestamp == 2
    if cache == "lost":
        user.forget_cache()
    refused(user, old, owner.now, "rollback")


@pytest.mark.parametrize("cache", ["kept", "lost"])
@pytest.mark.parametrize("role", ["snapshot", "targets", "index"])
def test_a_thief_of_the_online_key_cannot_bring_back_an_old_role(
    owner: Owner, user: Client, role: str, cache: str
) -> None:
    # TUF-11
    old = dict(owner.held), dict(owner.versions)
    owner.release(b"second")
    user.refresh(owner.folder, owner.now)
    if cache == "lost":
        user.forget_cache()
    owner.held[role], owner.versions[role] = old[0][role], old[1][role]
    if role != "snapshot":
        owner.snapshot()
    owner.timestamp()
    refused(user, owner.folder, owner.now, "rollback")


def test_a_root_that_was_replaced_does_not_come_back_with_its_stolen_keys(
    tmp_path: Path, owner: Owner, user: Client
) -> None:
    # TUF-11: the thief signs higher versions with the old online key, below the old root
    stolen = Owner(tmp_path / "thief", owner.now)
    owner.online = key(9)
    owner.root()
    owner.announce()
    user.refresh(owner.folder, owner.now)
    user.forget_cache()
    stolen.versions["snapshot"] = stolen.versions["timestamp"] = HUGE - 1
    stolen.announce()
    refused(user, stolen.folder, owner.now, "rollback")


def test_a_bundle_that_is_older_than_what_was_seen_is_refused(
    tmp_path: Path, owner: Owner, user: Client
) -> None:
    # TUF-09, TUF-11
    old = mirror(owner, tmp_path / "old")
    owner.release(b"second")
    user.refresh(owner.folder, owner.now)
    owner.folder = old
    with pytest.raises(TrustError) as error:
        offline.verify(owner.read, user.pinned, seen=user.seen, now=owner.now, max_age_days=180)
    assert error.value.data["attack"] == "rollback"


# Freeze, and clocks


def test_an_index_that_is_not_renewed_expires(owner: Owner, user: Client) -> None:
    # TUF-08
    assert user.refresh(owner.folder, owner.now + 29 * DAY)
    error = refused(user, owner.folder, owner.now + 30 * DAY, "freeze")
    assert any("timestamp" in why for why in error.why)


@pytest.mark.parametrize("role", ["root", "targets", "snapshot", "index"])
def test_every_role_can_expire(owner: Owner, user: Client, now: datetime, role: str) -> None:
    # TUF-08
    owner.now = now - 400 * DAY
    getattr(owner, {"index": "contents"}.get(role, role))(*(b"x",) * (role in {"targets", "index"}))
    owner.now = now
    if role != "snapshot":
        owner.snapshot()
    owner.timestamp()
    refused(user, owner.folder, now, "freeze")


def test_a_timestamp_that_claims_a_long_life_is_refused(
    owner: Owner, user: Client, now: datetime
) -> None:
    # TUF-06
    def prolong(part: dict[str, Any]) -> None:
        part["expires"], part["version"] = dates.dated(now + 31 * DAY), 2

    owner.put("timestamp", resigned(owner.held["timestamp"], prolong, owner.online))
    assert refused(user, owner.folder, now, "freeze").rule == "TUF-06"


@pytest.mark.parametrize("date", ["", "yesterday", 5, None])
def test_a_timestamp_without_its_date_is_refused(owner: Owner, user: Client, date: object) -> None:
    # TUF-06
    def undate(part: dict[str, Any]) -> None:
        part["date"], part["version"] = date, 2

    owner.put("timestamp", resigned(owner.held["timestamp"], undate, owner.online))
    with pytest.raises(TrustError):
        user.refresh(owner.folder, owner.now)


def test_a_clock_that_was_set_back_does_not_make_an_old_index_new(
    owner: Owner, user: Client
) -> None:
    # TUF-07: by the newest date seen, and by the release of the program itself
    past = datetime(1970, 1, 1, tzinfo=UTC)

    def by(seen: state.Seen) -> state.Head:
        return offline.verify(owner.read, user.pinned, seen=seen, now=past, max_age_days=180)

    assert by(user.seen)
    with pytest.raises(TrustError) as error:
        by(replace(user.seen, date=dates.dated(owner.now + 181 * DAY)))
    assert error.value.rule == "TUF-09"
    assert state.floor(state.Seen(), past) == dates.moment(crpack.RELEASED)


def test_offline_an_index_serves_for_its_days_and_no_longer(owner: Owner, user: Client) -> None:
    # TUF-09
    def at(days: int) -> state.Head:
        return offline.verify(
            client.cached(str(user.folder)),
            user.pinned,
            seen=user.seen,
            now=owner.now + days * DAY,
            max_age_days=180,
        )

    assert at(180).date == dates.dated(owner.now)
    with pytest.raises(TrustError, match="181 days old") as error:
        at(181)
    assert error.value.data["attack"] == "freeze"


def test_offline_a_role_that_had_expired_when_the_timestamp_was_signed_is_refused(
    owner: Owner, user: Client, now: datetime
) -> None:
    # TUF-09: the old keys of an expired root sign nothing new
    owner.now = now + 366 * DAY
    owner.timestamp()
    with pytest.raises(TrustError) as error:
        offline.verify(owner.read, user.pinned, seen=user.seen, now=owner.now, max_age_days=180)
    assert error.value.data["attack"] == "freeze"


@pytest.mark.skipif(shutil.which("faketime") is None, reason="faketime is not installed")
@pytest.mark.parametrize("year", ["1970-01-02", "2038-01-18"])
def test_under_a_wrong_clock_an_expired_index_stays_refused(
    tmp_path: Path, now: datetime, year: str
) -> None:
    # TUF-07, TUF-08: what was signed before the program's release has expired for every clock
    owner = Owner(tmp_path / "served", dates.moment(crpack.RELEASED) - 31 * DAY)
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path\n"
        "from datetime import UTC, datetime\n"
        "from crpack.errors import TrustError\n"
        "from tests.unit.trust.roots.owner import Client\n"
        "user = Client(Path(sys.argv[3]), Path(sys.argv[2], 'metadata/1.root.json').read_bytes())\n"
        "now = datetime.now(UTC)\n"
        "try: print('taken', now, user.refresh(sys.argv[2], now))\n"
        "except TrustError as error: print(now.year, error.data['attack'])\n"
    )
    arguments = [str(ROOT), str(owner.folder), str(tmp_path / "cache")]
    done = subprocess.run(
        ["faketime", year, sys.executable, "-c", code, *arguments],
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.split() == [year[:4], "freeze"], done.stdout


# Mix-and-match


@pytest.mark.parametrize("role", ["snapshot", "targets", "index"])
def test_an_old_file_under_a_new_name_is_refused(owner: Owner, user: Client, role: str) -> None:
    # TUF-05
    old = owner.held[role]
    owner.release(b"second")
    owner.put(role, old)
    refused(user, owner.folder, owner.now, "mix-and-match")


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets", "index"])
def test_an_edited_file_is_refused(owner: Owner, user: Client, role: str) -> None:
    # TUF-04, TUF-05
    owner.release(b"second")
    owner.put(
        role, edited(owner.held[role], lambda part: part.update(expires="2099-01-01T00:00:00Z"))
    )
    attack = "signature" if role == "timestamp" else "mix-and-match"
    refused(user, owner.folder, owner.now, attack)


@pytest.mark.parametrize("role", ["targets", "index"])
def test_a_thief_of_the_online_key_cannot_edit_what_others_sign(
    owner: Owner, user: Client, role: str
) -> None:
    # TUF-04
    def edit(part: dict[str, Any]) -> None:
        part["version"] += 1
        for file in part["targets"].values():
            file["hashes"]["sha256"] = "0" * 64

    owner.next(role)
    owner.put(role, resigned(owner.held[role], edit, owner.online))
    owner.announce()
    refused(user, owner.folder, owner.now, "signature")


def test_a_role_in_the_place_of_another_is_refused(owner: Owner, user: Client) -> None:
    # TUF-05: the online key may sign both, and yet
    owner.next("timestamp")
    owner.put("timestamp", owner.held["snapshot"])
    refused(user, owner.folder, owner.now, "malformed")


# Fast-forward, and recovery from it


def fast_forward(owner: Owner, now: datetime) -> None:
    """Sign the highest versions and a late date with the stolen online key."""
    owner.versions["snapshot"] = owner.versions["timestamp"] = HUGE - 1
    owner.now = now + 300 * DAY
    owner.announce()
    owner.now = now


def test_an_owner_recovers_from_the_highest_versions_by_new_keys(
    owner: Owner, user: Client, now: datetime
) -> None:
    # TUF-12
    fast_forward(owner, now)
    user.refresh(owner.folder, now)
    assert (user.seen.snapshot, user.seen.date) == (HUGE, dates.dated(now + 300 * DAY))
    owner.versions["snapshot"] = owner.versions["timestamp"] = 10
    owner.announce()
    refused(user, owner.folder, now, "rollback")
    owner.online = key(9)
    owner.root()
    owner.announce()
    user.refresh(owner.folder, now)
    assert (user.seen.root, user.seen.snapshot, user.seen.date) == (2, 12, dates.dated(now))


def test_a_new_root_with_the_same_online_keys_forgets_nothing(
    owner: Owner, user: Client, now: datetime
) -> None:
    # TUF-12
    fast_forward(owner, now)
    user.refresh(owner.folder, now)
    owner.versions["snapshot"] = owner.versions["timestamp"] = 10
    owner.root()
    owner.announce()
    for _ in range(2):
        refused(user, owner.folder, now, "rollback")
        user.forget_cache()


def test_a_date_beyond_the_expiry_of_the_root_cannot_be_signed(
    owner: Owner, user: Client, now: datetime
) -> None:
    # TUF-07: so a stolen timestamp key cannot push the time floor further than the root lives
    owner.now = now + 366 * DAY
    owner.timestamp()
    refused(user, owner.folder, now, "freeze")


# Endless and hostile data


@pytest.mark.parametrize("name", ["2.root.json", "timestamp.json", "2.snapshot.json"])
def test_endless_data_is_cut_off(owner: Owner, user: Client, name: str) -> None:
    # TUF-05
    owner.release(b"second")
    plain = user.open
    user.open = lambda url, limit: endless() if url.endswith(name) else plain(url, limit)  # type: ignore[method-assign]
    refused(user, owner.folder, owner.now, "endless-data")


def test_a_file_beyond_the_limit_is_not_even_begun(owner: Owner, user: Client) -> None:
    # TUF-05
    owner.put("timestamp", b" " * (MAX_HEAD_BYTES + 1))
    with pytest.raises(FetchError, match=r"cannot be read"):
        user.refresh(owner.folder, owner.now)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 200_000,
        b'{"signed":{},"signatures":[]}',
        b'{"signed":' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b',"signatures":[]}',
        b'{"signed":{"_type":"timestamp","version":1e999},"signatures":[]}',
        b'{"signed":{"_type":"timestamp","version":' + b"9" * 5000 + b'},"signatures":[]}',
        b'{"signed":{"_type":["timestamp"]},"signatures":{}}',
    ],
)
@pytest.mark.parametrize("name", ["timestamp", "2.root"])
def test_hostile_json_is_refused_without_a_traceback(
    owner: Owner, user: Client, data: bytes, name: str
) -> None:
    # TUF-01
    (owner.folder / f"metadata/{name}.json").write_bytes(data)
    refused(user, owner.folder, owner.now, "malformed")
    with pytest.raises(TrustError):
        offline.verify(owner.read, user.pinned, seen=user.seen, now=owner.now, max_age_days=180)


@pytest.mark.parametrize("version", [2**53, 1.5, "2", 0, -1, True, None])
def test_a_version_that_is_no_number_is_refused(
    owner: Owner, user: Client, version: object
) -> None:
    # TUF-01
    document = json.loads(owner.held["timestamp"])
    document["signed"]["version"] = version
    if not isinstance(version, float):
        text = json.dumps(document["signed"], sort_keys=True, separators=(",", ":"))
        sig = keys.sign(owner.online, text.encode()).hex()
        document["signatures"][0]["sig"] = sig
    (owner.folder / "metadata/timestamp.json").write_text(json.dumps(document))
    user.forget_cache()
    with pytest.raises(TrustError):
        user.refresh(owner.folder, owner.now)


# Roots


BAD_ROOTS = [
    "signed by the new keys only",
    "signed by the old keys only",
    "one of two old signatures",
    "one of two new signatures",
    "no signature",
    "one of two",
    "a stranger",
    "a version is left out",
    "the old root again",
    "without consistent snapshots",
]


def bad_roots(owner: Owner) -> dict[str, bytes]:
    fresh = (key(11), key(12), key(13))
    roles = repository.Roles(
        signers(*fresh, threshold=2), signers(key(4)), signers(key(6)), signers(key(6))
    )
    new = repository.root(2, owner.now, roles)
    same = repository.root(2, owner.now, owner.roles())
    third = repository.root(3, owner.now, owner.roles())
    return {
        "signed by the new keys only": signed(new, *fresh),
        "signed by the old keys only": signed(new, *owner.roots),
        "one of two old signatures": signed(new, key(1), *fresh),
        "one of two new signatures": signed(new, *owner.roots, key(11)),
        "no signature": new,
        "one of two": signed(same, key(1)),
        "a stranger": signed(same, key(1), key(20)),
        "a version is left out": signed(third, *owner.roots),
        "the old root again": owner.held["root"],
        "without consistent snapshots": resigned(
            same, lambda part: part.update(consistent_snapshot=False), *owner.roots
        ),
    }


@pytest.mark.parametrize("name", BAD_ROOTS)
def test_a_new_root_needs_the_old_threshold_and_its_own(
    owner: Owner, user: Client, name: str
) -> None:
    # TUF-04
    (owner.folder / "metadata/2.root.json").write_bytes(bad_roots(owner)[name])
    with pytest.raises(CrpackError) as error:
        user.refresh(owner.folder, owner.now)
    assert error.value.exit_code in {4, 5}
    with pytest.raises(TrustError):
        offline.verify(owner.read, user.pinned, seen=user.seen, now=owner.now, max_age_days=180)
    assert user.seen.root == 1


def test_a_proper_change_of_all_root_keys_is_followed(owner: Owner, user: Client) -> None:
    # TUF-04
    old, owner.roots = owner.roots, (key(11), key(12), key(13))
    owner.root(old[0], old[2], key(11), key(13))
    owner.root()
    assert user.refresh(owner.folder, owner.now).versions.root == 3


def test_another_owner_with_the_same_layout_is_refused(
    tmp_path: Path, owner: Owner, user: Client
) -> None:
    # TUF-04
    other = Owner(tmp_path / "other", owner.now)
    other.roots, other.online, other.offline = (key(21), key(22), key(23)), key(24), key(25)
    other.versions = dict.fromkeys(state.ROLES, 0)
    other.root()
    other.release(b"evil")
    user.forget_cache()
    refused(user, other.folder, owner.now, "signature")


# Thresholds and kinds of keys


def test_one_key_under_two_names_does_not_meet_a_threshold(
    tmp_path: Path, owner: Owner, user: Client
) -> None:
    # TUF-03
    def double(part: dict[str, Any]) -> None:
        held = part["roles"]["snapshot"]["keyids"][0]
        part["keys"]["f" * 64] = part["keys"][held]
        part["roles"]["snapshot"] = {"keyids": sorted([held, "f" * 64]), "threshold": 2}
        part["version"] = 2

    root = resigned(owner.held["root"], double, *owner.roots)
    (owner.folder / "metadata/2.root.json").write_bytes(root)
    document = json.loads(owner.held["snapshot"])
    twin = {"keyid": "f" * 64, "sig": document["signatures"][0]["sig"]}
    document["signatures"].append(twin)
    owner.next("snapshot")
    owner.put("snapshot", canonical.encode(document))
    with pytest.raises(TrustError):
        user.refresh(owner.folder, owner.now)
    with pytest.raises(TrustError) as error:
        offline.verify(owner.read, user.pinned, seen=user.seen, now=owner.now, max_age_days=180)
    assert error.value.rule == "TUF-03"


def test_one_signature_given_twice_counts_once(owner: Owner, user: Client) -> None:
    # TUF-04
    document = json.loads(signed(repository.root(2, owner.now, owner.roles()), key(1)))
    document["signatures"] *= 2
    (owner.folder / "metadata/2.root.json").write_bytes(canonical.encode(document))
    refused(user, owner.folder, owner.now, "malformed")


@pytest.mark.parametrize(
    "row",
    [
        {"keytype": "rsa", "scheme": "rsassa-pss-sha256", "keyval": {"public": "x"}},
        {"keytype": "ecdsa", "scheme": "ecdsa-sha2-nistp256", "keyval": {"public": "x"}},
        {"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": "00" * 32}},
        {"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": "01" + "00" * 31}},
        {"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": "zz"}},
        {"keytype": "ed25519", "scheme": "ed25519", "keyval": {}},
        {"keytype": "ed25519", "scheme": "other", "keyval": {"public": "11" * 32}},
        {"keytype": "gpg", "scheme": "pgp+eddsa", "keyval": {"public": "11" * 32}},
    ],
)
def test_a_root_with_a_key_of_another_kind_is_refused(
    owner: Owner, user: Client, row: dict[str, Any]
) -> None:
    # TUF-03, even where the key is not needed for the threshold
    def name(part: dict[str, Any]) -> None:
        part["keys"]["e" * 64] = row
        part["roles"]["timestamp"]["keyids"].append("e" * 64)
        part["version"] = 2

    root = resigned(owner.held["root"], name, *owner.roots)
    (owner.folder / "metadata/2.root.json").write_bytes(root)
    with pytest.raises(TrustError):
        user.refresh(owner.folder, owner.now)


# The delegation


def test_the_role_index_cannot_name_publishers(owner: Owner, user: Client) -> None:
    # TUF-02: its word on publishers.json is not asked for
    def claim(part: dict[str, Any]) -> None:
        part["version"] = 2
        part["targets"]["publishers.json"] = {"hashes": {"sha256": "0" * 64}, "length": 1}

    before = user.refresh(owner.folder, owner.now).publishers
    owner.next("index")
    owner.put("index", resigned(owner.held["index"], claim, owner.index))
    owner.announce()
    head = user.refresh(owner.folder, owner.now)
    assert (head.versions.index, head.publishers) == (2, before)


@pytest.mark.parametrize(
    "change",
    [
        lambda part: part["delegations"]["roles"][0].update(paths=["*"]),
        lambda part: part["delegations"]["roles"][0].update(paths=["index.json.zst", "x"]),
        lambda part: part["delegations"]["roles"][0].update(terminating=False),
        lambda part: part["delegations"]["roles"][0].update(name="other"),
        lambda part: part["delegations"]["roles"].append(
            {**part["delegations"]["roles"][0], "name": "second"}
        ),
        lambda part: part["delegations"]["roles"].clear(),
        lambda part: part.pop("delegations"),
        lambda part: part["targets"].update({"index.json.zst": part["targets"]["publishers.json"]}),
        lambda part: part["targets"].clear(),
        lambda part: part["targets"]["publishers.json"].update(hashes={"sha512": "0" * 128}),
        lambda part: part["targets"]["publishers.json"]["hashes"].update(sha256="../" + "0" * 61),
    ],
)
def test_targets_with_another_delegation_are_refused(
    owner: Owner, user: Client, change: Callable[[dict[str, Any]], object]
) -> None:
    # TUF-02
    def edit(part: dict[str, Any]) -> None:
        part["version"] = 2
        change(part)

    owner.next("targets")
    owner.put("targets", resigned(owner.held["targets"], edit, owner.offline))
    owner.announce()
    with pytest.raises(CrpackError) as error:
        user.refresh(owner.folder, owner.now)
    assert error.value.exit_code == 4


def test_a_stolen_index_key_changes_nothing_by_itself(owner: Owner, user: Client) -> None:
    # TUF-05
    owner.put("index", signed(repository.index(1, owner.now, b"evil"), owner.index))
    user.forget_cache()
    refused(user, owner.folder, owner.now, "mix-and-match")


def test_stolen_online_keys_change_the_list_and_never_the_publishers(
    owner: Owner, user: Client
) -> None:
    # TUF-02
    before = user.refresh(owner.folder, owner.now)
    owner.contents(b"evil")
    owner.announce()
    after = user.refresh(owner.folder, owner.now)
    assert after.index != before.index
    assert after.publishers == before.publishers


def test_a_snapshot_that_leaves_out_a_role_is_refused(owner: Owner, user: Client) -> None:
    # TUF-05
    def leave_out(part: dict[str, Any]) -> None:
        part["version"] = 2
        del part["meta"]["index.json"]

    owner.next("snapshot")
    owner.put("snapshot", resigned(owner.held["snapshot"], leave_out, owner.online))
    owner.timestamp()
    for _ in range(2):
        with pytest.raises(TrustError):
            user.refresh(owner.folder, owner.now)
        user.forget_cache()


# The index that crpack carries


def test_the_carried_index_is_held_against_constants(tmp_path: Path, owner: Owner) -> None:
    # TUF-10
    head = Client(tmp_path / "cache", owner.held["root"]).refresh(owner.folder, owner.now)
    known = head.fingerprint, head.snapshot_sha256
    assert offline.embedded(owner.read, *known) == head
    with pytest.raises(TrustError, match="crpack carries"):
        offline.embedded(owner.read, "0" * 64, known[1])
    owner.release(b"second")
    with pytest.raises(TrustError, match="crpack carries"):
        offline.embedded(owner.read, *known)
