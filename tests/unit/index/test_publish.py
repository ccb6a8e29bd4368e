"""Plans of publishing."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace

import pytest

from crpack.errors import TrustError, UsageError
from crpack.index import publish, publishers
from crpack.index.contents import Card
from crpack.index.head import Drafts
from crpack.index.publishers import Publishers, Rule
from crpack.trust import keys
from crpack.trust.roots import repository
from tests.unit.index import room

OTHER = room.key("other publisher")


def test_a_release_costs_a_fixed_number_of_files() -> None:
    """PUB-16: whatever the index holds, one release is one shard, bucket, piece and head."""
    host = room.host()
    host.add(*(room.archive(room.recipe(f"lab/n{n}")) for n in range(40)))
    before = dict(host.files)
    done = host.add(room.archive(room.recipe("lab/n7", "2.0")))
    assert [file.path[:2] for file in done.files] == ["s/", "b/", "c/", "c/"]
    fresh = {path for path in host.files if host.files[path] != before.get(path)}
    assert len(fresh) == 4 + 1 + 1 + 3  # archive; index.json; index, snapshot, timestamp
    index = host.index()
    assert (index.contents.names, index.contents.releases) == (40, 41)


def test_files_that_are_there_are_never_rewritten() -> None:
    """IDX-02, PUB-16."""
    host = room.host()
    host.add(room.archive(room.recipe("zlib")))
    before = dict(host.files)
    host.add(room.archive(room.recipe("zlib", "2.0")), room.archive(room.recipe("other")))
    changed = {path for path, data in before.items() if host.files[path] != data}
    assert changed == {"metadata/timestamp.json"}


def test_every_file_lies_where_readers_look_for_it() -> None:
    """IDX-01."""
    host = room.host()
    host.add(room.archive(room.recipe("zlib")))
    names = {re.sub("[0-9a-f]{64}", "SHA256", path) for path in host.files}
    assert {name for name in names if not name.startswith("metadata/")} == {
        "a/SHA256.crpkg",
        "b/SHA256.json.zst",
        "c/SHA256.json.zst",
        "s/SHA256.json.zst",
        "targets/SHA256.index.json.zst",
        "targets/SHA256.publishers.json",
    }
    for path, data in host.files.items():
        if not path.startswith("metadata/"):
            assert hashlib.sha256(data).hexdigest() in path


def test_releases_of_one_name_stand_in_order_however_they_came() -> None:
    """IDX-08."""
    host = room.host()
    for version in ("1.0", "3.0", "2.0rc1", "2.0"):
        host.add(room.archive(room.recipe("zlib", version)))
    shard = host.index().shards(["zlib"])["zlib"]
    assert shard is not None
    assert [one.version for one in shard.releases] == ["3.0", "2.0", "2.0rc1", "1.0"]


def test_several_releases_of_a_name_may_come_at_once() -> None:
    host = room.host()
    host.add(*(room.archive(room.recipe("zlib", version)) for version in ("1.0", "2.0")))
    shard = host.index().shards(["zlib"])["zlib"]
    assert shard is not None
    assert len(shard.releases) == 2


def test_another_archive_needs_a_higher_revision() -> None:
    """PUB-08."""
    host = room.host()
    host.add(room.archive(room.recipe("zlib", revision=1)))
    for revision in (0, 1):
        with pytest.raises(UsageError) as caught:
            host.add(room.archive(room.recipe("zlib", revision=revision, summary="Another")))
        assert caught.value.rule == "PUB-08"
    host.add(room.archive(room.recipe("zlib", revision=2, summary="Another")))
    assert host.index().contents.releases == 2


def test_the_same_archive_again_changes_nothing_but_may_add_a_copy() -> None:
    """PUB-08."""
    host = room.host()
    data = room.archive(room.recipe("zlib"))
    host.add(data)
    assert publish.add(host.index(), [("zlib", room.listed(data))]).files == ()
    other = room.archive(room.recipe("zlib"), (room.PUBLISHER, OTHER))
    host.add(other)
    shard = host.index().shards(["zlib"])["zlib"]
    assert shard is not None
    assert [len(one.copies) for one in shard.releases] == [2]


@pytest.mark.parametrize("name", ["z-lib", "z.lib", "zl_ib", "z--lib"])
def test_a_name_that_looks_like_another_publishers_is_refused(name: str) -> None:
    """PUB-09."""
    host = room.host()
    host.drafts = _let(host, *room.rules("*"), *room.rules(name, signer=OTHER))
    host.renew(host.stored())
    host.add(room.archive(room.recipe("zlib")))
    release = replace(room.made_up(name), signers=(_keyid(OTHER),))
    with pytest.raises(TrustError) as caught:
        publish.add(host.index(), [(name, release)])
    assert caught.value.rule == "PUB-09"


def test_a_publisher_may_have_names_that_look_alike() -> None:
    """PUB-09."""
    host = room.host()
    host.add(room.archive(room.recipe("zlib")))
    host.add(room.archive(room.recipe("z-lib")))
    assert host.index().contents.names == 2


def test_yanking_marks_every_revision_and_can_be_taken_back() -> None:
    """PUB-10."""
    host = room.host()
    for revision in (0, 1):
        host.add(room.archive(room.recipe("zlib", "2.0", revision=revision)))
    host.add(room.archive(room.recipe("zlib", "1.0")))
    host.change(publish.yank(host.index(), "zlib", "2.0", "wrong results"))
    shard = host.index().shards(["zlib"])["zlib"]
    assert shard is not None
    assert [one.yanked for one in shard.releases] == ["wrong results", "wrong results", ""]
    assert list(host.index().cards()) == [Card("zlib", "dataset", "1.0", "A sample")]
    host.change(publish.yank(host.index(), "zlib", "2.0", ""))
    assert [card.version for card in host.index().cards()] == ["2.0"]


@pytest.mark.parametrize(("name", "version"), [("zlib", "9"), ("none", "1.0")])
def test_only_what_is_listed_can_be_yanked(name: str, version: str) -> None:
    """PUB-10."""
    host = room.host()
    host.add(room.archive(room.recipe("zlib")))
    with pytest.raises(UsageError):
        publish.yank(host.index(), name, version, "why")


def _keyid(private: keys.PrivateKey) -> str:
    return keys.public(private).keyid


def _let(host: room.Host, *rules: Rule) -> Drafts:
    """Return drafts that let these rules hold."""
    said = publishers.encode(Publishers(tuple(rules)))
    data = repository.targets(2, host.now, said, room.signers(room.ONLINE))
    return Drafts(targets=data, publishers=said)
