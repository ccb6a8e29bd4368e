from __future__ import annotations

from itertools import pairwise

import pytest

from crpack.errors import UsageError
from crpack.model import versions
from crpack.model.limits import MAX_RANGE_LENGTH, MAX_VERSION_LENGTH


def admits(text: str, version: str | None) -> bool:
    return versions.parse_range(text).admits(version)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [("1", "1"), ("1.0", "1.0"), ("v1.2", "1.2"), ("1.0-RC1", "1.0rc1"), ("1!2.0", "1!2.0"),
     ("1.0.post2", "1.0.post2"), ("1.0.dev3", "1.0.dev3"), ("1.0+cu118", "1.0+cu118"),
     ("2024.01.05", "2024.1.5")],
)  # fmt: skip
def test_a_published_version_is_pep_440(text: str, canonical: str) -> None:
    """VER-01."""
    assert str(versions.parse(text)) == canonical


@pytest.mark.parametrize(
    "text",
    ["", "x", "1.x", "1.0-x86", "1..0", "latest", "1 0", "1.0\0", "\u0661.\u0660", "1\n2",
     "1.0\n", " 1.0", "1.0 \t",
     "1" * (MAX_VERSION_LENGTH + 1), "9" * 5000, "1.0;rm -rf"],
)  # fmt: skip
def test_anything_else_is_no_version(text: str) -> None:
    """VER-01: also what is not ASCII, or too long to be read in passing."""
    with pytest.raises(UsageError) as caught:
        versions.parse(text)
    assert caught.value.rule == "VER-01"
    assert len(caught.value.what) < 2 * MAX_VERSION_LENGTH


def test_order_is_that_of_the_version_and_not_of_the_text() -> None:
    """VER-02."""
    order = ["1.0.dev1", "1.0a1", "1.0rc1", "1.0", "1.0+local", "1.0.post1", "1.2", "1.10", "1!0.1"]
    assert all(versions.parse(one) < versions.parse(two) for one, two in pairwise(order))


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("==1.2", ["1.2", "1.2.0"], ["1.2.1", "1.3"]),
        ("!=1.2", ["1.3", "1.2.1"], ["1.2", "1.2.0"]),
        (">=1.2", ["1.2", "1.10", "2"], ["1.1", "1.1.9"]),
        ("<=1.2", ["1.2", "1.1", "0"], ["1.2.1", "1.10"]),
        (">1.2", ["1.2.1", "2"], ["1.2", "1.2.0", "1"]),
        ("<1.2", ["1.1.9", "0.1"], ["1.2", "1.3"]),
        ("~=1.4.2", ["1.4.2", "1.4.9"], ["1.5", "1.4.1", "2"]),
        ("~=1.4", ["1.4", "1.9"], ["2.0", "1.3"]),
        ("==3.*", ["3", "3.0", "3.99.1"], ["2.9", "4", "30"]),
        ("!=3.*", ["2", "4"], ["3", "3.1"]),
        (">=1.2,<2", ["1.2", "1.9"], ["1.1", "2"]),
        (" >= 1.2 , < 2 ", ["1.2", "1.9"], ["2"]),
        (">=1.2,<2 || ==3.*", ["1.5", "3.4"], ["2.5", "4"]),
        ("==1||==2||==3", ["1", "2", "3"], ["4"]),
    ],
)
def test_a_range_admits_what_all_clauses_of_one_list_admit(
    text: str, inside: list[str], outside: list[str]
) -> None:
    """VER-03."""
    assert [version for version in inside + outside if admits(text, version)] == inside


def test_greater_and_less_are_plain() -> None:
    """VER-03: unlike PEP 440, post- and local releases are greater than what they follow."""
    assert admits(">1.2", "1.2.post1")
    assert admits(">1.2", "1.2+local")
    assert admits("<1.2.post1", "1.2")
    assert admits("<2,>1.0rc1", "1.0rc2")


@pytest.mark.parametrize("version", ["0", "1.2", "1!3", "1.0rc1", "2.0.dev1", "1+local"])
def test_an_empty_range_admits_every_version(version: str) -> None:
    """VER-03."""
    assert admits("", version)
    assert admits("  ", version)


@pytest.mark.parametrize(
    ("text", "version", "expected"),
    [
        (">=1", "2.0rc1", False),
        (">=1", "2.0.dev1", False),
        ("!=1", "2.0rc1", False),
        ("==2.*", "2.0rc1", False),
        (">=2.0rc1", "2.0rc1", True),
        (">=2.0rc1", "2.1a1", True),
        ("==2.0rc1", "2.0rc1", True),
        ("~=2.0rc1", "2.1b1", True),
        (">=1 || >=2.0.dev1", "2.0rc1", True),
        (">=2.0rc1,<2 || >=1", "2.5rc1", False),
        (">=1", "2.0.post1", True),
    ],
)
def test_a_pre_release_is_admitted_by_a_list_that_names_one(
    text: str, version: str, *, expected: bool
) -> None:
    """VER-04."""
    assert admits(text, version) is expected


@pytest.mark.parametrize("text", ["", ">=0", "!=1", "==1.* || >=0"])
@pytest.mark.parametrize("version", [None, "", "unknown", "Debian 12.2.0-14", "9" * 5000])
def test_a_version_that_could_not_be_determined_is_in_no_range(
    text: str, version: str | None
) -> None:
    """VER-05."""
    assert not admits(text, version)


@pytest.mark.parametrize(
    "text",
    ["1.2", "=1.2", "===1.2", "=>1", ">=1.x", ">=1.*", "<1.*", "~=1", "~=1.*", ">=", ">=1,", ",",
     ">=1,,<2", "||", ">=1||", "|| >=1", ">=1 | <2", ">=1 <2", "^1.2", "*", ">=1;x", "٣", ">=٣",
     ">=1\0", ">" * 200, ">=" + "1" * MAX_RANGE_LENGTH, "==1." + "9" * 5000],
)  # fmt: skip
def test_what_is_no_range_is_refused(text: str) -> None:
    """VER-03."""
    with pytest.raises(UsageError) as caught:
        versions.parse_range(text)
    assert caught.value.rule == "VER-03"
    assert caught.value.why
    assert len(caught.value.what) < 2 * MAX_VERSION_LENGTH
