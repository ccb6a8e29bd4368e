from __future__ import annotations

import pytest

from crpack import config
from crpack.cli import topics
from crpack.errors import CrpackError, UsageError

TOPICS = topics.TOPICS


def test_the_topics_are_listed() -> None:
    listed = topics.text("").partition("\n")[0].removeprefix("Topics: ").split(", ")
    assert tuple(listed) == TOPICS
    assert {"exit-codes", "environment", "json", "signatures", "files", "platforms"} <= set(TOPICS)
    assert {"indexes", "locks", "bundles"} <= set(TOPICS)


@pytest.mark.parametrize("topic", TOPICS)
def test_every_topic_has_a_text_that_fits_a_terminal(topic: str) -> None:
    text = topics.text(topic)
    assert text.strip()
    assert max(len(line) for line in text.splitlines()) <= 120


def test_the_exit_codes_are_those_of_the_classes() -> None:
    """CLI-03."""
    rows = [line.split(maxsplit=2) for line in topics.exit_codes().splitlines()[1:]]
    told = {row[1]: int(row[0]) for row in rows if row and row[0].isdigit()}
    assert told == {"-": 0} | {cls.code: cls.exit_code for cls in topics.classes()}


def test_exit_codes_are_those_of_the_contract() -> None:
    """CLI-03."""
    codes = {cls.code: cls.exit_code for cls in topics.classes()}
    assert codes == {
        "failed": 1, "detect": 1, "install": 1, "undecided": 1, "usage": 2, "manifest": 2,
        "no-solution": 3, "archive": 4, "format": 4, "trust": 4, "fetch": 5, "build-failed": 6,
        "check-failed": 7,
        "run-failed": 125, "interrupted": 130,
    }  # fmt: skip


def test_every_error_has_a_code_of_its_own() -> None:
    """CLI-02."""
    found = [cls.code for cls in topics.classes()]
    assert len(found) == len(set(found))
    assert all(issubclass(cls, CrpackError) and cls.__doc__ for cls in topics.classes())


def test_every_setting_stands_in_the_table_of_variables() -> None:
    """CFG-01."""
    text = topics.text("environment")
    for setting in config.SETTINGS:
        assert setting.variable in text
        assert setting.meaning in text
    assert "CRPACK_HOME" in text
    assert "NO_COLOR" in text


@pytest.mark.parametrize(
    ("topic", "hint"),
    [("exit-code", "did you mean `exit-codes`?"), ("trus", "did you mean `trust`?"),
     ("bild", "did you mean `build`?")],
)  # fmt: skip
def test_an_unknown_topic_has_the_nearest_one_as_hint(topic: str, hint: str) -> None:
    """CLI-03: verbs count, because `crpack help build` tells of them."""
    with pytest.raises(UsageError) as caught:
        topics.text(topic)
    assert caught.value.hint == hint
