"""The head of an index as its owner renews it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crpack.errors import UsageError
from crpack.index import contents, head, publishers
from crpack.index.head import Drafts
from crpack.index.publishers import Publishers
from crpack.model import dates
from crpack.trust.roots import chain, repository
from tests.unit.index import room

TARGETS, ONLINE, ROOTS = room.TARGETS, room.ONLINE, room.ROOTS


def paths(coming: head.Next) -> list[str]:
    return [file.path for file in coming.files]


def test_a_new_index_comes_in_force_when_its_thresholds_are_met() -> None:
    """PUB-11, PUB-13."""
    host = room.host(at_hand=(ROOTS[0], TARGETS, ONLINE))
    assert set(host.files) == {"pending/root.json", "pending/targets.json",
                               "pending/publishers.json"}  # fmt: skip
    coming = host.renew(contents.encode(contents.Contents()), at_hand=(ROOTS[2], ONLINE))
    assert coming.missing == ()
    assert paths(coming)[-1] == "metadata/timestamp.json"
    assert not [path for path in host.files if path.startswith("pending/")]
    assert host.index().contents.names == 0


def test_what_a_draft_lacks_is_told() -> None:
    """PUB-11."""
    host = room.host(at_hand=())
    coming = head.waiting(host.signed, host.drafts, (ROOTS[1],), room.CONSENT)
    assert [(one.role, one.count) for one in coming.missing] == [("root", 1), ("targets", 1)]


def test_keys_that_are_not_asked_for_sign_nothing() -> None:
    """PUB-11."""
    host = room.host(at_hand=(room.PUBLISHER, ONLINE))
    assert b'"signatures":[]' in host.files["pending/root.json"]


def test_a_renewal_signs_the_timestamp_only() -> None:
    """PUB-12."""
    host = room.host()
    host.now += timedelta(days=10)
    assert paths(host.renew(host.stored(), at_hand=(ONLINE,))) == ["metadata/timestamp.json"]


def test_a_renewal_signs_what_ends_soon_too() -> None:
    """PUB-12."""
    host = room.host()
    host.now += timedelta(days=300)
    host.drafts = head.due_drafts(host.signed, host.drafts, host.now, b"{}")
    assert host.drafts.root
    assert host.drafts.targets
    host.drafts = Drafts()
    coming = host.renew(host.stored(), at_hand=(ONLINE,))
    assert paths(coming)[1:] == [
        "metadata/2.index.json",
        "metadata/2.snapshot.json",
        "metadata/timestamp.json",
    ]


def test_the_online_key_is_needed_for_any_change() -> None:
    """PUB-12."""
    host = room.host()
    with pytest.raises(UsageError) as caught:
        host.renew(host.stored(), at_hand=(*ROOTS, TARGETS))
    assert caught.value.rule == "PUB-12"


def test_a_draft_of_targets_changes_nothing_until_it_is_signed() -> None:
    """PUB-11."""
    host = room.host()
    said = publishers.encode(Publishers(room.rules("lab/*")))
    data = repository.targets(2, host.now, said, room.signers(ONLINE))
    host.drafts = Drafts(targets=data, publishers=said)
    host.renew(host.stored(), at_hand=(ONLINE,))
    assert host.index().publishers.rule_for("zlib") is not None
    host.renew(host.stored(), at_hand=(ONLINE, TARGETS))
    assert host.index().publishers.rule_for("zlib") is None
    assert not [path for path in host.files if path.startswith("pending/")]


def test_every_key_can_be_changed_and_readers_of_the_old_root_follow() -> None:
    """PUB-13, PUB-14."""
    host = room.host()
    host.add(room.archive(room.recipe("zlib")))
    online, targets = room.key("online 2"), room.key("targets 2")
    roots = tuple(room.key(f"root {n}") for n in (4, 5, 6))
    roles = repository.Roles(
        room.signers(*roots, threshold=2),
        room.signers(targets),
        room.signers(online),
        room.signers(online),
    )
    said = publishers.encode(Publishers(room.rules("*")))
    host.drafts = Drafts(
        repository.root(2, host.now, roles),
        repository.targets(2, host.now, said, room.signers(online)),
        said,
    )
    every = (*roots, *ROOTS, online, ONLINE, targets, TARGETS)
    coming = host.renew(host.stored(), at_hand=every)
    assert paths(coming)[-2:] == ["metadata/timestamp.json", "metadata/2.root.json"]
    assert host.index().shards(["zlib"])["zlib"] is not None
    del host.files["metadata/2.root.json"]  # as a reader sees it just before the last write
    assert host.index().shards(["zlib"])["zlib"] is not None


def test_a_new_root_needs_the_keys_of_the_one_before() -> None:
    """PUB-11."""
    host = room.host()
    thief = room.key("thief")
    roles = repository.Roles(*(room.signers(thief) for _ in range(4)))
    host.drafts = Drafts(root=repository.root(2, host.now, roles))
    host.renew(host.stored(), at_hand=(thief, ONLINE))
    assert "metadata/2.root.json" not in host.files
    assert "pending/root.json" in host.files


def test_a_head_is_read_back_file_by_file() -> None:
    host = room.host()
    host.add(room.archive(room.recipe("zlib")))
    found = chain.walk(host.read, host.root).head
    assert head.read_signed(host.read, found.versions, 2**20) == host.signed
    assert head.date_of(host.signed.timestamp) == found.date == dates.dated(host.now)
