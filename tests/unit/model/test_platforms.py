from __future__ import annotations

import dataclasses

import pytest

from crpack.errors import UsageError
from crpack.model import platforms
from crpack.model.platforms import ANY, Column, Platform

DESIGNED = [
    "linux-x86_64-gnu2.28", "linux-aarch64-gnu", "linux-armv7-gnu", "linux-armv6-gnu",
    "linux-riscv64-gnu", "linux-x86_64-musl", "macos-arm64-11.0", "windows-x86_64-mingw",
    "android-aarch64-24", "wasi-wasm32", "any",
]  # fmt: skip


@pytest.mark.parametrize("text", DESIGNED)
def test_every_platform_has_one_text(text: str) -> None:
    """PLT-01."""
    assert str(platforms.parse(text)) == text


@pytest.mark.parametrize(
    ("text", "platform"),
    [
        ("linux-x86_64-gnu2.28", Platform("linux", "x86_64", "gnu", "2.28")),
        ("macos-arm64-11.0", Platform("macos", "arm64", "", "11.0")),
        ("android-aarch64-24", Platform("android", "aarch64", "", "24")),
        ("wasi-wasm32", Platform("wasi", "wasm32")),
        ("any", ANY),
    ],
)
def test_the_floor_follows_the_abi_or_stands_alone(text: str, platform: Platform) -> None:
    """PLT-01."""
    assert platforms.parse(text) == platform


@pytest.mark.parametrize(
    "text",
    ["", "-", "linux", "linux-x86_64", "linux-x86_64-", "linux-x86_64-gnu-2.28", "any-", "ANY",
     "linux-x86_64-gnu2.", "linux-x86_64-gnu.2", "linux-x86_64-2.28", "linux-x86-64-gnu",
     "linux-amd64-gnu", "darwin-arm64", "macos-arm64-", "macos-arm64-gnu", "windows-x86_64-msvc",
     "wasi-wasm32-", "linux-x86_64-gnu٢", "linux-x86_64-gnu2.28\n", " any", "linux-x86_64-gnu\0",
     "linux-x86_64-gnu" + "1" * 100, "\udcff"],
)  # fmt: skip
def test_what_is_not_in_the_table_is_refused(text: str) -> None:
    """PLT-01: the causes name what is known."""
    with pytest.raises(UsageError) as caught:
        platforms.parse(text)
    assert caught.value.rule == "PLT-01"
    assert "`linux-x86_64-gnu`" in caught.value.why[0]
    assert len(caught.value.what) < 100


@pytest.mark.parametrize(
    "text", ["linux-x86_64-gnu2.36-avx2", "linux-x86_64_v3-gnu", "linux-armv7-neon-gnu"]
)
def test_the_level_of_a_processor_is_no_part_of_a_platform(text: str) -> None:
    """PLT-02."""
    with pytest.raises(UsageError):
        platforms.parse(text)
    assert [field.name for field in dataclasses.fields(Platform)] == ["os", "arch", "abi", "floor"]


@pytest.mark.parametrize(
    ("text", "column", "word"),
    [
        ("linux-x86_64-gnu", "gnu", "x86_64-linux-gnu"),
        ("linux-armv7-gnu", "gnu", "arm-linux-gnueabihf"),
        ("android-aarch64-24", "gnu", "aarch64-linux-android24"),
        ("linux-x86_64-gnu2.28", "zig", "x86_64-linux-gnu.2.28"),
        ("linux-x86_64-musl", "zig", "x86_64-linux-musl"),
        ("macos-arm64-11.0", "zig", "aarch64-macos.11.0"),
        ("linux-riscv64-gnu", "rust", "riscv64gc-unknown-linux-gnu"),
        ("windows-x86_64-mingw", "rust", "x86_64-pc-windows-gnu"),
        ("linux-aarch64-gnu", "conda", "linux-aarch64"),
        ("linux-x86_64-musl", "conda", ""),
        ("linux-x86_64-gnu2.28", "wheel", "manylinux_2_28_x86_64"),
        ("linux-x86_64-gnu", "wheel", ""),
        ("macos-arm64-11.0", "wheel", "macosx_11_0_arm64"),
        ("windows-x86_64-mingw", "wheel", "win_amd64"),
        ("linux-armv7-gnu", "debian", "armhf"),
        ("linux-armv6-gnu", "debian", ""),
        ("macos-arm64", "meson", "aarch64"),
        ("macos-arm64", "cmake", "arm64"),
        ("windows-x86_64-mingw", "cmake", "AMD64"),
        ("any", "gnu", ""),
    ],
)
def test_other_tools_have_their_own_words(text: str, column: Column, word: str) -> None:
    """PLT-03."""
    assert platforms.spelling(platforms.parse(text), column) == word


@pytest.mark.parametrize(
    ("triple", "text"),
    [
        ("x86_64-linux-gnu", "linux-x86_64-gnu"),
        ("x86_64-pc-linux-gnu", "linux-x86_64-gnu"),
        ("x86_64-unknown-linux-gnu", "linux-x86_64-gnu"),
        ("x86_64-redhat-linux", "linux-x86_64-gnu"),
        ("x86_64-suse-linux", "linux-x86_64-gnu"),
        ("x86_64-alpine-linux-musl", "linux-x86_64-musl"),
        ("amd64-linux-gnu", "linux-x86_64-gnu"),
        ("aarch64-linux-gnu", "linux-aarch64-gnu"),
        ("arm-linux-gnueabihf", "linux-armv7-gnu"),
        ("armv7l-unknown-linux-gnueabihf", "linux-armv7-gnu"),
        ("riscv64-linux-gnu", "linux-riscv64-gnu"),
        ("arm64-apple-darwin22.1.0", "macos-arm64"),
        ("x86_64-apple-darwin", "macos-x86_64"),
        ("x86_64-w64-mingw32", "windows-x86_64-mingw"),
        ("aarch64-linux-android24", "android-aarch64"),
    ],
)
def test_a_triple_of_a_compiler_names_a_platform(triple: str, text: str) -> None:
    """PLT-03: the vendor does not count."""
    assert platforms.from_triple(triple) == platforms.parse(text)


@pytest.mark.parametrize(
    "triple", ["", "-", "x86_64", "mips-linux-gnu", "x86_64-pc-windows-msvc", "arm-none-eabi", "\0"]
)
def test_an_unknown_triple_names_none(triple: str) -> None:
    assert platforms.from_triple(triple) is None


@pytest.mark.parametrize(
    ("machine", "result", "runs"),
    [
        ("linux-x86_64-gnu2.36", "any", True),
        ("linux-x86_64-gnu2.36", "linux-x86_64-gnu", True),
        ("linux-x86_64-gnu2.36", "linux-x86_64-gnu2.28", True),
        ("linux-x86_64-gnu2.36", "linux-x86_64-gnu2.36", True),
        ("linux-x86_64-gnu2.36", "linux-x86_64-gnu2.36.0", True),
        ("linux-x86_64-gnu2.4", "linux-x86_64-gnu2.28", False),
        ("linux-x86_64-gnu2.36", "linux-x86_64-gnu2.37", False),
        ("linux-x86_64-gnu", "linux-x86_64-gnu2.17", False),
        ("linux-x86_64-gnu2.36", "linux-x86_64-musl", False),
        ("linux-x86_64-gnu2.36", "linux-aarch64-gnu", False),
        ("macos-arm64-14.2", "macos-arm64-11.0", True),
        ("macos-arm64-11", "macos-arm64-11.0", True),
        ("macos-arm64-11.0", "macos-x86_64-11.0", False),
        ("android-aarch64-24", "android-aarch64-33", False),
        ("any", "linux-x86_64-gnu", False),
    ],
)
def test_a_result_runs_where_its_platform_agrees_and_its_floor_is_reached(
    machine: str, result: str, *, runs: bool
) -> None:
    """PLT-04."""
    assert platforms.parse(machine).accepts(platforms.parse(result)) is runs


def test_the_base_of_a_platform_has_no_floor() -> None:
    assert str(platforms.parse("linux-x86_64-gnu2.28").base) == "linux-x86_64-gnu"
    assert platforms.parse("any").base == ANY


def test_the_table_holds_every_designed_platform() -> None:
    assert {platforms.parse(text).base for text in DESIGNED} - {ANY} <= set(platforms.known())
