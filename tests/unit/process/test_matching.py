"""Patterns of strangers (SBX-13)."""

from __future__ import annotations

import time

import pytest

from crpack.errors import RunFailed
from crpack.process import matching


def test_a_pattern_is_found_line_by_line() -> None:
    assert matching.search("", "anything")
    assert matching.search("^ok$", "first\nok\nlast")
    assert not matching.search("^ok$", "not ok")
    assert matching.search("größer", "ein \N{GRINNING FACE} größer\ufffd")


def test_only_the_end_of_a_long_text_is_looked_at() -> None:
    long = "x" * matching.MAX_TEXT
    assert not matching.search("early", "early" + long)
    assert matching.search("late", long + "late")


def test_a_pattern_that_never_ends_is_ended() -> None:
    started = time.monotonic()
    with pytest.raises(RunFailed, match="cannot be matched"):
        matching.search("(a+)+$", "a" * 60 + "b")
    assert time.monotonic() - started < 30


def test_a_broken_pattern_is_told() -> None:
    with pytest.raises(RunFailed, match="cannot be matched"):
        matching.search("(", "text")
