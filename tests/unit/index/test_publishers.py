"""Who may publish what."""

from __future__ import annotations

from typing import Any

import pytest

from crpack.errors import FormatError, TrustError
from crpack.index import publishers
from crpack.index.publishers import Publishers, Rule
from crpack.model import canonical, signatures
from crpack.trust import keys
from tests.unit.index import room

ONE, TWO, THREE = room.key("one"), room.key("two"), room.key("three")


def rule(pattern: str, *private: keys.PrivateKey, **more: Any) -> Rule:
    ordered = sorted((keys.public(one) for one in private), key=lambda key: key.keyid)
    return Rule(pattern, tuple((key, "") for key in ordered), **more)


def keyid(private: keys.PrivateKey) -> str:
    return keys.public(private).keyid


SAID = Publishers((rule("*", ONE), rule("lab/*", TWO, may_build=True), rule("lab/zlib", THREE)))


def test_rules_are_read_as_they_were_written() -> None:
    """PUB-01."""
    said = Publishers((rule("*", ONE, TWO, threshold=2),), (keyid(THREE),))
    assert publishers.decode(publishers.encode(said)) == said


@pytest.mark.parametrize(
    ("name", "owner"),
    [("zlib", ONE), ("lab/zlib", THREE), ("lab/other", TWO), ("other/zlib", ONE), ("lab", ONE)],
)
def test_the_most_specific_pattern_decides_alone(name: str, owner: keys.PrivateKey) -> None:
    """PUB-02."""
    assert [pin.keyid for pin in SAID.pins_for(name)] == [keyid(owner)]


def test_nobody_may_publish_what_no_pattern_covers() -> None:
    """PUB-04."""
    said = Publishers((rule("lab/*", ONE),))
    with pytest.raises(TrustError) as caught:
        said.check("zlib", b"", ())
    assert caught.value.rule == "PUB-04"


def test_an_archive_counts_by_its_publishers_signature() -> None:
    """PUB-04."""
    archive = room.opened(room.archive(room.recipe("lab/zlib"), (THREE,)))
    found = signatures.decode(archive.signatures_bytes)
    assert SAID.check("lab/zlib", archive.manifest_bytes, found) == (keyid(THREE),)
    for other in ("zlib", "lab/other"):
        with pytest.raises(TrustError) as caught:
            SAID.check(other, archive.manifest_bytes, found)
        assert caught.value.rule == "PUB-04"


def test_a_threshold_counts_distinct_keys() -> None:
    """PUB-04."""
    said = Publishers((rule("*", ONE, TWO, threshold=2),))
    for private, good in (((ONE,), False), ((ONE, TWO), True)):
        archive = room.opened(room.archive(room.recipe("zlib"), private))
        found = signatures.decode(archive.signatures_bytes)
        if good:
            assert len(said.check("zlib", archive.manifest_bytes, found)) == 2
        else:
            with pytest.raises(TrustError):
                said.check("zlib", archive.manifest_bytes, found)


def test_a_revoked_key_counts_nowhere() -> None:
    """PUB-03."""
    archive = room.opened(room.archive(room.recipe("zlib"), (ONE,)))
    found = signatures.decode(archive.signatures_bytes)
    said = Publishers((rule("*", ONE, TWO),), (keyid(ONE),))
    assert [pin.keyid for pin in said.pins_for("zlib")] == [keyid(TWO)]
    with pytest.raises(TrustError):
        said.check("zlib", archive.manifest_bytes, found)
    assert not Publishers((rule("*", ONE, may_build=True),), (keyid(ONE),)).may_build(
        "zlib", [keyid(ONE)]
    )


def test_a_release_is_in_force_while_enough_of_its_keys_are() -> None:
    """PUB-02, PUB-03."""
    said = Publishers((rule("*", ONE, TWO, threshold=2),))
    assert said.allows("zlib", [keyid(ONE), keyid(TWO)])
    assert not said.allows("zlib", [keyid(ONE), keyid(ONE), keyid(THREE)])
    revoked = Publishers(said.rules, (keyid(ONE),))
    assert not revoked.allows("zlib", [keyid(ONE), keyid(TWO)])
    assert not Publishers().allows("zlib", [])


def test_the_right_to_build_goes_by_rule_and_key() -> None:
    """PUB-05."""
    assert SAID.may_build("lab/other", [keyid(TWO)])
    assert not SAID.may_build("lab/other", [keyid(ONE)])
    assert not SAID.may_build("lab/zlib", [keyid(THREE)])
    assert not SAID.may_build("zlib", [keyid(ONE)])


def _broken() -> list[tuple[str, Any]]:
    return [
        ("keyid", lambda t: t["publishers"][0]["keys"][0].update(keyid="0" * 64)),
        ("key", lambda t: t["publishers"][0]["keys"][0].update(key="AAAA")),
        ("small order", lambda t: t["publishers"][0]["keys"][0].update(key="A" * 43 + "=")),
        ("no keys", lambda t: t["publishers"][0].update(keys=[])),
        ("one key twice", lambda t: t["publishers"][0].update(keys=t["publishers"][0]["keys"] * 2)),
        ("threshold", lambda t: t["publishers"][0].update(threshold=2)),
        ("no threshold", lambda t: t["publishers"][0].update(threshold=0)),
        ("pattern", lambda t: t["publishers"][0].update(pattern="la*")),
        ("order", lambda t: t["publishers"].reverse()),
        ("twice", lambda t: t["publishers"].insert(0, t["publishers"][0])),
        ("revoked", lambda t: t.update(revoked=["x"])),
        ("revoked twice", lambda t: t.update(revoked=["a" * 64] * 2)),
        ("may_build", lambda t: t["publishers"][0].update(may_build="yes")),
    ]  # fmt: skip


@pytest.mark.parametrize(("what", "change"), _broken(), ids=[what for what, _ in _broken()])
def test_rules_that_break_the_format_are_refused(what: str, change: Any) -> None:
    """PUB-01."""
    assert what
    table = canonical.decode(publishers.encode(SAID), what="it")
    change(table)
    with pytest.raises(FormatError):
        publishers.decode(canonical.encode(table))
