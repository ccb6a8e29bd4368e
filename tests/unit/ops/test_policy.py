from __future__ import annotations

import pytest

from crpack import config
from crpack.errors import BuildFailed
from crpack.ops import policy
from crpack.process import sandbox
from crpack.process.sandbox import LEVELS, Level, Reached
from crpack.session import Session
from crpack.trust import keys
from crpack.trust.pins import Pin

KEY, OTHER = (keys.public(keys.generate()) for _ in range(2))
REFUSED: tuple[tuple[Level, str], ...] = (("L3", "no namespaces"), ("L2", "no Landlock"))


def session(setting: str) -> Session:
    homes = config.homes({"CRPACK_HOME": "/nowhere"}, "/")
    layer = config.Layer("the test", (("sandbox", setting),))
    return Session(config.merge([layer]), homes, "/nowhere/prefix")


def reaching(monkeypatch: pytest.MonkeyPatch, level: Level) -> None:
    """Be on a machine that builds no higher level."""
    refused = tuple(pair for pair in REFUSED if LEVELS.index(pair[0]) > LEVELS.index(level))
    monkeypatch.setattr(sandbox, "best", lambda *_: Reached(level, refused))


@pytest.mark.parametrize(
    ("setting", "trusted", "level", "taken"),
    [
        ("best", True, "L3", True),
        ("best", True, "L1", True),
        ("best", True, "L0", False),
        ("best", False, "L3", True),
        ("best", False, "L2", True),
        ("best", False, "L1", False),
        ("best", False, "L0", False),
        ("best-effort", False, "L1", True),
        ("best-effort", False, "L0", False),
        ("best-effort", True, "L0", False),
        ("none", False, "L0", True),
        ("none", True, "L3", True),
    ],
)
def test_who_signed_and_what_the_user_said_decide(
    monkeypatch: pytest.MonkeyPatch, setting: str, *, trusted: bool, level: Level, taken: bool
) -> None:
    """BLD-19, BLD-20: the best level that there is, or none at all where it is not enough."""
    reaching(monkeypatch, level)
    mine = session(setting)
    if taken:
        policy.check(mine, "demo", trusted=trusted)
        built = policy.walls(mine, "demo", trusted=trusted)
        assert built.level == ("L0" if setting == "none" else level)
        return
    with pytest.raises(BuildFailed) as caught:
        policy.check(mine, "demo", trusted=trusted)
    way = "--sandbox=none" if level == "L0" else "--sandbox=best-effort"
    assert way in caught.value.hint
    reasons = [text for name, text in REFUSED if LEVELS.index(name) > LEVELS.index(level)]
    assert all(any(reason in why for why in caught.value.why) for reason in reasons)
    with pytest.raises(BuildFailed):
        policy.walls(mine, "demo", trusted=trusted)


def test_a_key_may_build_under_the_names_of_its_pin_only() -> None:
    """PIN-08, BLD-19."""
    pinned = (Pin(KEY, ("lab/*",), "lab", may_build=True), Pin(OTHER, ("*",), "all"))
    assert policy.may_build(pinned, "lab/tool", (KEY.keyid,))
    assert policy.may_build(pinned, "lab/tool", (OTHER.keyid, KEY.keyid))
    assert not policy.may_build(pinned, "lab/tool", (OTHER.keyid,))
    assert not policy.may_build(pinned, "tool", (KEY.keyid,))
    assert not policy.may_build(pinned, "lab/tool", ())
