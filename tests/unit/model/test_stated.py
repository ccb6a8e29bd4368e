from __future__ import annotations

import json

import pytest

from crpack.errors import FormatError, UsageError
from crpack.model import stated
from crpack.model.facts import Cpu, Facts
from crpack.model.limits import MAX_JSON_BYTES

HERE = Facts(
    "linux-x86_64-gnu2.36",
    (("@cpu", "x86-64-v3"), ("@glibc", "2.36"), ("@memory", "8000000000")),
    Cpu("some", ("avx2", "fma"), 4),
    absent=(("@cuda", "no NVIDIA driver is loaded"),),
)


def test_what_is_stated_takes_the_place_of_what_was_detected() -> None:
    """FCT-07."""
    texts = ("@glibc=2.28", "@cuda=11", "@cuda=12.4", "@memory=")
    facts = stated.override(HERE, stated.pairs(texts))
    assert facts.platform == "linux-x86_64-gnu2.28"
    assert facts.capabilities == (("@cpu", "x86-64-v3"), ("@cuda", "12.4"), ("@glibc", "2.28"))
    assert facts.absent == (("@memory", "you said that it is not there"),)
    assert facts.cpu == HERE.cpu


def test_a_stated_level_brings_no_features_of_the_machine() -> None:
    """FCT-07."""
    facts = stated.override(HERE, (("@cpu", "x86-64-v2+fma"),))
    assert facts.cpu == Cpu("some", ("fma",), 4)
    assert facts.capability("@cpu") == "x86-64-v2+fma"


def test_nothing_stated_changes_nothing() -> None:
    assert stated.override(HERE, ()) is HERE


@pytest.mark.parametrize(
    "text", ["glibc=2.28", "@glibc", "@glibc=two", "@musl=1.2.5", "@glibc=", "@cpu=armv8-a", ""]
)
def test_what_means_nothing_for_the_platform_is_a_fault_of_usage(text: str) -> None:
    """FCT-07."""
    with pytest.raises(UsageError):
        stated.override(HERE, stated.pairs([text]))


def test_a_floor_and_its_capability_give_one_another() -> None:
    """FCT-04."""
    one = stated.by_hand(b'{"platform": "linux-aarch64-gnu2.31"}')
    two = stated.by_hand(
        b'{"platform": "linux-aarch64-gnu", "capabilities": {"@glibc": "2.31", "@gpu": ""}}'
    )
    assert one == two == Facts("linux-aarch64-gnu2.31", (("@glibc", "2.31"),))
    apple = stated.by_hand(b'{"platform": "macos-arm64", "capabilities": {"@macos": "11.0"}}')
    assert apple.platform == "macos-arm64-11.0"


PLATFORM = '{"platform": "linux-armv7-gnu2.36"'
DEEP = '{"platform": "any", "found": ' + "[" * 100 + "]" * 100 + "}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"plattform": "any"}', "did you mean `platform`?"),
        (PLATFORM + ', "cpu": {"feature": []}}', "did you mean `features`?"),
        (PLATFORM + ', "found": [{"name": "gcc", "versoin": "1"}]}', "did you mean `version`?"),
        (PLATFORM + ', "found": [{"name": "gcc"}, {"nam": "x"}]}', "`found[1].nam`"),
        (PLATFORM + ', "capabilities": {"@cdua": "12"}}', "did you mean `@cuda`?"),
        (PLATFORM + ', "capabilities": {"@glibc": "2.31"}}', "`@glibc` is `2.31`"),
        (PLATFORM + ', "capabilities": {"@musl": "1.2"}}', "nothing of `linux-armv7-gnu`"),
        (PLATFORM + ', "capabilities": {"@cpu": "x86-64-v3"}}', "no level of `@cpu` for `armv7`"),
        (PLATFORM + ', "platform": "any"}', "`platform` stands twice"),
        (PLATFORM + ', "cpu": {"cores": 1.5}}', "canonical form"),
        (PLATFORM + ', "cpu": {"cores": ' + "9" * 5000 + "}}", "digits"),
        (PLATFORM + ', "cpu": {"cores": -1}}', "cores"),
        (PLATFORM + ', "found": {}}', "is not a list"),
        (PLATFORM + ', "found": [1]}', "is not an object"),
        (PLATFORM + ', "date": "\\ud800"}', "surrogate"),
        (DEEP, "nested"),
        ("[" * 100_000, "not JSON"),
        ("[]", "are not an object"),
        ("\xff", "are not"),
        (" " * MAX_JSON_BYTES + "{}", "longer than"),
    ],
)
def test_a_hostile_file_is_one_sentence(text: str, said: str) -> None:
    """FCT-04."""
    with pytest.raises(FormatError) as caught:
        stated.by_hand(text.encode("latin-1"))
    error = caught.value
    assert said in " ".join((error.what, *error.why, error.hint))
    assert len(error.what) < 300


def test_any_field_of_facts_is_a_known_key() -> None:
    """FCT-04: what `detect --save` writes is read."""
    from crpack.model.facts import Found, to_json

    facts = Facts("linux-x86_64-gnu2.36", (("@glibc", "2.36"),), found=(Found("gcc", "12"),))
    assert stated.by_hand(to_json(facts)) == facts
    assert json.loads(to_json(facts))["format"] == 1
