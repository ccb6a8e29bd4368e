"""Which index decides for a name; locks speak of roots, whatever their users call an index."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from crpack import config
from crpack.config import Homes
from crpack.errors import NoSolution, UsageError
from crpack.index import bootstrap
from crpack.model.lock import Lock, LockedIndex, LockedPackage
from crpack.ops import indexes
from crpack.ops.indexes import Indexes
from crpack.session import Session
from crpack.trust.indexes import IndexPin
from tests.flow.index_room import opened_index

if TYPE_CHECKING:
    from pathlib import Path

    from tests.flow.index_room import Room

ONE, TWO, THREE = ("1" * 64, "2" * 64, "3" * 64)


@pytest.fixture
def session(tmp_path: Path) -> Session:
    homes = Homes(*(f"{tmp_path}/{name}" for name in ("config", "cache", "data", "state")))
    session = Session(config.merge([]), homes, f"{tmp_path}/data")
    session.save_indexes((IndexPin("one", "/one", ONE), IndexPin("two", "/two", TWO)))
    return session


def lock(*rows: tuple[str, str]) -> Lock:
    """Return a lock of a package from each index, told by name and root."""
    return Lock(
        request=("a0",),
        index=tuple(LockedIndex(name, root, "0" * 64) for name, root in rows),
        package=tuple(
            LockedPackage(f"a{n}", "1.0", 0, "dataset", index=name)
            for n, (name, _) in enumerate(rows)
        ),
    )


def bound(one: Lock) -> list[str]:
    return [package.index for package in one.package]


def test_a_lock_is_read_in_own_words(session: Session) -> None:
    """ASK-02: also where two users call two indexes by each other's names."""
    own = indexes.in_own_words(session, lock(("two", ONE), ("one", TWO)))
    assert bound(own) == ["one", "two"]
    assert {row.name: row.root for row in own.index} == {"one": ONE, "two": TWO}
    assert bound(indexes.in_own_words(session, lock(("x", ONE)))) == ["one"]
    assert bound(indexes.in_own_words(session, lock(("x", bootstrap.ROOT_SHA256)))) == ["crpack"]
    same = indexes.in_own_words(session, lock(("x", ONE), ("y", ONE)))
    assert bound(same) == ["one", "one"]
    assert [row.name for row in same.index] == ["one"]


@pytest.mark.parametrize(
    ("name", "said"), [("three", "not one of yours"), ("one", "another one than yours")]
)
def test_a_root_that_is_not_trusted_is_refused(session: Session, name: str, said: str) -> None:
    """ASK-02: a word for it is not enough."""
    with pytest.raises(NoSolution) as error:
        indexes.in_own_words(session, lock(("two", TWO), (name, THREE)))
    assert error.value.rule == "ASK-02"
    assert said in error.value.what
    assert "`a1`" in error.value.what
    assert THREE in error.value.why[0]


def test_the_first_index_that_has_a_name_decides(lab: Room) -> None:
    """ASK-02."""
    first, second = opened_index(lab, "first"), opened_index(lab, "second")
    lacking = replace(first, contents=replace(first.contents, buckets=("",) * 256))
    offers = Indexes((lacking, second)).offers(["lab/data", "no/such"])
    assert offers["lab/data"].index == "second"
    assert offers["no/such"].shard is None
    assert Indexes((first, second)).offers(["lab/data"])["lab/data"].index == "first"


def test_a_bound_name_is_taken_from_its_index_only(lab: Room) -> None:
    """ASK-02."""
    first, second = opened_index(lab, "first"), opened_index(lab, "second")
    asked = Indexes((first, second), {"lab/data": "second", "sample": "gone"})
    assert asked.offers(["lab/data"])["lab/data"].index == "second"
    with pytest.raises(NoSolution, match="bound to the index `gone`"):
        asked.offers(["sample"])
    lacking = replace(second, contents=replace(second.contents, buckets=("",) * 256))
    assert (
        Indexes((first, lacking), {"lab/data": "second"}).offers(["lab/data"])["lab/data"].shard
        is None
    )
    with pytest.raises(NoSolution):
        asked.named("gone")
    with pytest.raises(NoSolution, match="does not list"):
        asked.release("first", "lab/data", "0" * 64)


def test_the_setting_names_the_only_index(session: Session) -> None:
    """ASK-03."""
    with pytest.raises(UsageError, match="`three`"):
        indexes.opened(only(session, "three"))
    asked = indexes.opened(only(session, "crpack")).opened
    assert [index.name for index in asked] == ["crpack"]


def only(session: Session, name: str) -> Session:
    """Return the session with the setting `index`."""
    return replace(session, config=config.merge([config.Layer("test", (("index", name),))]))
