"""Platforms: one text each, one spelling for each tool, and an order of floors."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crpack.errors import UsageError
from crpack.model import platforms
from crpack.model.platforms import ANY, Column, Platform

COLUMNS: tuple[Column, ...] = get_args(Column)
FLOORS = st.lists(st.integers(0, 99), min_size=1, max_size=3).map(lambda n: ".".join(map(str, n)))
FLOORED = [platform for platform in platforms.known() if platform.os != "wasi"]


@st.composite
def any_platforms(draw: st.DrawFn) -> Platform:
    """Return a platform of the table, with or without a floor, or `any`."""
    base = draw(st.sampled_from([*platforms.known(), ANY]))
    if base == ANY:
        return ANY
    return Platform(base.os, base.arch, base.abi, draw(st.just("") | FLOORS))


@given(any_platforms())
def test_a_platform_comes_back_from_its_text(platform: Platform) -> None:
    """PLT-01."""
    assert platforms.parse(str(platform)) == platform


@given(st.text(max_size=80) | st.from_regex(r"[a-z]{1,7}-[a-z0-9_]{1,8}(-[a-z]*[0-9.]*)?"))
def test_any_text_is_one_platform_or_refused(text: str) -> None:
    """PLT-01: what is accepted is its own text, so that no platform has two names."""
    try:
        platform = platforms.parse(text)
    except UsageError:
        return
    assert str(platform) == text
    assert platform == ANY or platform.base in platforms.known()


@given(any_platforms(), st.sampled_from(COLUMNS))
def test_every_platform_has_a_spelling_or_none_in_every_column(
    platform: Platform, column: Column
) -> None:
    """PLT-03."""
    word = platforms.spelling(platform, column)
    assert word.isascii()
    assert "{" not in word
    assert " " not in word
    if column not in ("conda", "wheel", "debian"):
        assert bool(word) is (platform != ANY)


@pytest.mark.parametrize("column", ["gnu", "zig", "rust", "conda", "wheel", "debian"])
def test_a_word_of_another_tool_means_one_platform(column: Column) -> None:
    """PLT-03: but for ARMv6 and ARMv7, which GNU and zig do not tell apart."""
    seen: dict[str, Platform] = {}
    for base in platforms.known():
        word = platforms.spelling(Platform(base.os, base.arch, base.abi, "24"), column)
        other = seen.setdefault(word, base) if word else base
        assert other == base or {other.arch, base.arch} == {"armv6", "armv7"}


@given(st.sampled_from(platforms.known()), FLOORS)
def test_a_gnu_triple_leads_back_to_its_platform(base: Platform, floor: str) -> None:
    """PLT-03."""
    platform = Platform(base.os, base.arch, base.abi, floor if base.os == "android" else "")
    triple = platforms.spelling(platform, "gnu")
    found = platforms.from_triple(triple)
    assert found == (base if base.arch != "armv6" else Platform("linux", "armv7", "gnu"))


@given(any_platforms(), any_platforms())
def test_only_any_runs_on_another_platform(machine: Platform, result: Platform) -> None:
    """PLT-04."""
    if machine.accepts(result):
        assert result == ANY or result.base == machine.base
    assert machine.accepts(ANY)
    assert machine.accepts(machine.base)
    assert machine.accepts(machine)


@given(st.sampled_from(FLOORED), FLOORS, FLOORS, FLOORS)
def test_floors_have_an_order(base: Platform, one: str, two: str, three: str) -> None:
    """PLT-04."""
    low, middle, high = (Platform(base.os, base.arch, base.abi, f) for f in (one, two, three))
    assert low.accepts(middle) or middle.accepts(low)
    if middle.accepts(low) and high.accepts(middle):
        assert high.accepts(low)


@given(st.text(max_size=60) | st.from_regex(r"[a-z0-9_]+-[a-z0-9]+-[a-z0-9.]+"))
def test_any_triple_names_a_platform_or_none(triple: str) -> None:
    """PLT-03."""
    found = platforms.from_triple(triple)
    assert found is None or found in platforms.known()
