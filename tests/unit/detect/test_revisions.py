"""Versions of packages, and of what is in them (DET-22)."""

from __future__ import annotations

import pytest

from crpack.detect import revisions


@pytest.mark.parametrize(
    ("package", "upstream"),
    [
        ("1:1.2.13.dfsg-1", "1.2.13"),
        ("3.0.19-1~deb12u2", "3.0.19"),
        ("2:8.39-15", "8.39"),
        ("1.2.13+dfsg1-3ubuntu2", "1.2.13"),
        ("1.2.13~dfsg-1", "1.2.13"),
        ("4.3-4.1", "4.3"),
        ("12.2.0-14+deb12u1", "12.2.0"),
        ("17.0.15+6-1~deb12u1", "17.0.15"),
        ("1.9.0+ds-2", "1.9.0"),
        ("2.0~rc1-1", "2.0rc1"),
        ("2.0~beta2+dfsg-1", "2.0b2"),
        ("2.0~alpha.1-1", "2.0a1"),
        ("0.1~git20200101.abc-1", "0.1.dev0"),
        ("2.0+really1.9-1", "1.9"),
        ("5.0.0+git20230101-1", "5.0.0"),
        ("1.1.1w-0+deb11u1", "1.1.1w"),
        ("2023c", "2023c"),
        ("1:6b-1", "6b"),
        ("1.2.3-rc1-1", "1.2.3-rc1"),
    ],
)
def test_debian(package: str, upstream: str) -> None:
    """DET-22, trap 7."""
    assert revisions.debian(package) == upstream


@pytest.mark.parametrize(
    ("version", "upstream"),
    [
        ("1.2.13", "1.2.13"),
        ("2.0~rc1", "2.0rc1"),
        ("1.0^20230101git1", "1.0"),
        ("3.0~pre", "3.0rc0"),
    ],
)
def test_rpm(version: str, upstream: str) -> None:
    """DET-22."""
    assert revisions.rpm(version) == upstream


@pytest.mark.parametrize(
    ("version", "upstream"),
    [
        ("1.2.13-r0", "1.2.13"),
        ("9.3_p1-r3", "9.3"),
        ("2.0_rc1-r0", "2.0rc1"),
        ("2.0_alpha-r0", "2.0a0"),
        ("1.0_beta2_git20200101-r1", "1.0b2"),
        ("odd", "odd"),
    ],
)
def test_alpine(version: str, upstream: str) -> None:
    """DET-22."""
    assert revisions.alpine(version) == upstream


def test_homebrew() -> None:
    """DET-22."""
    assert revisions.homebrew("1.2.13_1") == revisions.homebrew("1.2.13") == "1.2.13"
    assert revisions.homebrew("2_x") == "2_x"
