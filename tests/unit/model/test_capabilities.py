from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crpack.errors import UsageError
from crpack.model import capabilities
from crpack.model.capabilities import LADDERS


@pytest.mark.parametrize(
    ("name", "have", "wanted", "enough"),
    [
        ("@cpu", "x86-64-v3", "x86-64-v3", True),
        ("@cpu", "x86-64-v4", "x86-64-v3", True),
        ("@cpu", "x86-64-v2", "x86-64-v3", False),
        ("@cpu", "armv8.2-a", "armv8-a", True),
        ("@cpu", "armv8.2-a", "x86-64-v1", False),
        ("@cpu", "x86-64-v4", "x86-64-v5", False),
        ("@cpu", "armv8-a+asimddp+crc32", "armv8-a+asimddp", True),
        ("@cpu", "armv8.4-a", "armv8-a+asimddp", False),
        ("@cpu", "armv7+neon", "armv6", True),
        ("@cpu", "", "armv6", False),
        ("@glibc", "2.36", "2.28", True),
        ("@glibc", "2.4", "2.28", False),
        ("@glibc", "2.36", "hostile ||", False),
        ("@cuda", "12.4", "11", True),
        ("@memory", "8000000000", "4000000000", True),
        ("@memory", "2000000000", "4000000000", False),
        ("@gpu", "amd", "nvidia", False),
        ("@gpu", "nvidia", "nvidia", True),
        ("@unheard", "", "1", False),
    ],
)
def test_more_is_enough_and_less_is_not(name: str, have: str, wanted: str, *, enough: bool) -> None:
    """FCT-06."""
    assert capabilities.reaches(name, have, wanted) is enough


def test_features_of_the_processor_count_beside_its_level() -> None:
    """FCT-06: ARM's features are a set."""
    there = ("asimd", "asimddp", "fphp")
    assert capabilities.reaches("@cpu", "armv8-a", "armv8-a+asimddp+fphp", there)
    assert not capabilities.reaches("@cpu", "armv8-a", "armv8-a+asimddp+sve", there)


LEVELS = st.sampled_from([level for ladder in LADDERS for level in ladder])
VALUES = st.builds(
    lambda level, words: "+".join([level, *sorted(words)]),
    LEVELS,
    st.sets(st.sampled_from(["neon", "sve", "fma"])),
)


@given(VALUES, VALUES, VALUES)
def test_who_reaches_the_floor_of_two_reaches_both(have: str, one: str, two: str) -> None:
    """FCT-06."""
    both = capabilities.higher("@cpu", one, two)
    levels = [text.split("+")[0] for text in (one, two)]
    if any(set(levels) <= set(ladder) for ladder in LADDERS):
        each = all(capabilities.reaches("@cpu", have, floor) for floor in (one, two))
        assert capabilities.reaches("@cpu", have, both) is each


def test_the_higher_of_two_versions_is_the_floor_of_both() -> None:
    assert capabilities.higher("@glibc", "2.4", "2.28") == "2.28"
    assert capabilities.higher("@glibc", "2.28", "2.4") == "2.28"


@pytest.mark.parametrize(
    ("name", "value", "arch", "hint"),
    [
        ("@glib", "2.28", "", "did you mean `@glibc`?"),
        ("@cpu", "x86-64-3", "", "did you mean `x86-64-v3`?"),
        ("@cpu", "x86-64-v3", "aarch64", "armv8"),
        ("@cpu", "armv8-a+", "", ""),
        ("@glibc", "2.28; rm", "", ""),
        ("@glibc", "newest", "", ""),
        ("@memory", "8 GiB", "", ""),
        ("@memory", "0", "", ""),
        ("@gpu", "NVIDIA\n", "", ""),
    ],
)
def test_what_means_nothing_is_refused(name: str, value: str, arch: str, hint: str) -> None:
    """FCT-05."""
    with pytest.raises(UsageError) as caught:
        capabilities.check(name, value, arch=arch)
    assert caught.value.rule == "FCT-05"
    assert hint in caught.value.hint


def test_an_empty_value_says_that_it_is_not_there() -> None:
    """FCT-05."""
    for name in ("@cpu", "@cuda", "@gpu", "@memory"):
        capabilities.check(name, "")
