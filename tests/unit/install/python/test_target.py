from __future__ import annotations

import pytest
from packaging.markers import default_environment

from crpack.install.python.target import Target
from crpack.model.platforms import parse


def target(platform: str) -> Target:
    return Target(parse(platform), "3.11")


def test_tags_are_those_of_every_floor_down_from_the_own() -> None:
    """PYE-09: PEP 600."""
    tags = target("linux-aarch64-gnu2.19").tags
    assert tags[:5] == (
        "manylinux_2_19_aarch64",
        "manylinux_2_18_aarch64",
        "manylinux_2_17_aarch64",
        "manylinux2014_aarch64",
        "manylinux_2_16_aarch64",
    )
    assert tags[-3:] == ("manylinux_2_5_aarch64", "manylinux1_aarch64", "linux_aarch64")


@pytest.mark.parametrize(
    ("platform", "tags"),
    [
        ("linux-x86_64-gnu", ("linux_x86_64",)),
        ("linux-x86_64-gnu3.1", ("linux_x86_64",)),
        ("linux-armv6-gnu2.36", ("linux_armv6l",)),
        ("linux-x86_64-musl1.1.24", ("musllinux_1_2_x86_64", "musllinux_1_1_x86_64")),
        ("macos-arm64-14", ("macosx_14_0_arm64",)),
        ("macos-x86_64-10.15.7", ("macosx_10_15_x86_64",)),
        ("macos-arm64", ("macosx_0_0_arm64",)),
        ("windows-x86_64-mingw", ("win_amd64",)),
        ("android-aarch64-24", ("android_24_arm64_v8a",)),
        ("wasi-wasm32", ("any",)),
    ],
)
def test_each_platform_has_the_tags_that_python_has_for_it(
    platform: str, tags: tuple[str, ...]
) -> None:
    """PYE-09."""
    assert target(platform).tags[: len(tags)] == tags


def test_a_floor_without_measure_makes_no_endless_list() -> None:
    """PYE-09."""
    assert len(target(f"linux-x86_64-gnu2.{'9' * 30}").tags) < 110


@pytest.mark.parametrize(
    ("platform", "word"),
    [
        ("linux-x86_64-gnu2.36", "x86_64-manylinux_2_36"),
        ("linux-aarch64-gnu2.30", "aarch64-manylinux_2_28"),
        ("linux-aarch64-gnu2.99", "aarch64-manylinux_2_40"),
        ("linux-x86_64-gnu2.12", ""),
        ("linux-x86_64-gnu", ""),
        ("linux-armv7-gnu2.36", ""),
        ("linux-aarch64-musl", "aarch64-unknown-linux-musl"),
        ("linux-aarch64-musl1.1", ""),
        ("macos-arm64-14", "aarch64-apple-darwin"),
        ("macos-arm64", ""),
        ("wasi-wasm32", ""),
    ],
)
def test_uv_is_told_the_closest_floor_that_it_knows(platform: str, word: str) -> None:
    """PYE-09: without a word, pip is asked."""
    assert target(platform).uv == word


def test_uv_is_told_the_floor_of_macos_in_its_environment() -> None:
    """PYE-09."""
    assert target("macos-arm64-14").variables == (("MACOSX_DEPLOYMENT_TARGET", "14"),)
    assert target("linux-x86_64-gnu2.36").variables == ()


def test_markers_are_asked_of_everything_that_they_may_name() -> None:
    """PYE-09: PEP 508."""
    environment = dict(target("linux-armv7-gnu2.36").environment)
    assert environment.keys() == default_environment().keys()
    assert environment["platform_machine"] == "armv7l"
    assert environment["python_version"] == "3.11"
    assert environment["sys_platform"] == "linux"
