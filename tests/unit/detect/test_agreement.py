"""What several probes say of one thing (DET-19)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from crpack.detect.agreement import agree, settle
from crpack.model.facts import Found


def found(version: str | None, evidence: str = "", prefix: str = "/usr", **more: str) -> Found:
    notes = {"evidence": evidence, "prefix": prefix}
    pairs = tuple(sorted((name, text) for name, text in notes.items() if text))
    return Found("thing", version, notes=pairs, how=evidence or "exec", path=more.get("path", "/x"))


def notes(one: Found, name: str) -> str:
    return dict(one.notes).get(name, "")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("3.0", "3.0.15", True),
        ("3.0.15", "3.0.15", True),
        ("3.0.15", "3.0.16", False),
        ("12", "12.2.0", True),
        ("1.1.1w", "1.1.1k", False),
        ("1.1.1", "1.1.1w", True),
        ("", "1", False),
        ("3", "3", True),
        ("12", "13", False),
        ("6.00", "6.0", True),
        ("1.10", "1.1", False),
    ],
)
def test_versions_agree_as_far_as_both_tell(one: str, other: str, same: bool) -> None:  # noqa: FBT001
    """DET-19."""
    assert agree(one, other) is agree(other, one) is same


def test_a_finding_without_a_version_takes_no_others() -> None:
    """DET-19: an unknown version satisfies no range."""
    kept = settle([found(None, path="/usr/bin/thing-11"), found("12.2", "os-package")])
    assert [one.version for one in kept] == [None, "12.2"]
    assert not any(notes(one, "disagrees") for one in kept)


def test_programs_beside_each_other_are_not_one_thing() -> None:
    """DET-14, DET-19: gcc 11 and gcc 12 in one folder; the package agrees with one of them."""
    kept = settle([found("12.2.0"), found("11.3.0"), found("12.2.0", "os-package")])
    assert [(one.version, notes(one, "also")) for one in kept] == [
        ("12.2.0", "os-package"),
        ("11.3.0", ""),
    ]
    assert not any(notes(one, "disagrees") for one in kept)


def test_another_prefix_is_another_thing() -> None:
    """DET-19."""
    kept = settle([found("1"), found("2", "os-package", "/opt")])
    assert len(kept) == 2
    assert not any(notes(one, "disagrees") for one in kept)


def test_a_disagreement_is_told_at_both() -> None:
    """DET-19."""
    kept = settle([found("1.0"), found("2.0", "pkg-config")])
    assert [notes(one, "disagrees") for one in kept] == ["pkg-config says 2.0", "exec says 1.0"]


def test_two_findings_of_one_kind_neither_merge_nor_disagree() -> None:
    kept = settle([found("1.0", "elf"), found("1.0", "elf"), found("2.0", "elf")])
    assert len(kept) == 3
    assert not any(notes(one, "disagrees") for one in kept)


def library(version: str | None, path: str, soname: str = "") -> Found:
    one = found(version, "elf", path=path)
    more = (("provides", "runtime"), *((("soname", soname),) if soname else ()))
    return replace(one, notes=tuple(sorted((*one.notes, *more))))


@pytest.mark.parametrize("version", ["1.0", None])
def test_what_is_linked_names_the_library_that_is_loaded(version: str | None) -> None:
    """DET-19: headers, `.pc` file and package are known by the one library of their prefix."""
    kept = settle(
        [
            found("1.0.2", "header-macro", path="/usr/include/thing.h"),
            found("1.0.2", "pkg-config", path="/usr/lib/pkgconfig/thing.pc"),
            library(version, "/usr/lib/libthing.so.1", "libthing.so.1"),
        ]
    )
    assert kept[0].library == "/usr/lib/libthing.so.1"
    assert notes(kept[0], "soname") == "libthing.so.1"
    assert kept[0].path == "/usr/include/thing.h"


def test_of_several_libraries_that_of_the_version_is_named() -> None:
    """DET-19."""
    several = [library("2.0", "/usr/lib/libthing.so.2"), library("1.0", "/usr/lib/libthing.so.1")]
    assert settle([found("1.0.2", "header-macro"), *several])[0].library == "/usr/lib/libthing.so.1"
    other = settle([found("3.0", "header-macro"), *several])
    assert other[0].library == ""
    assert notes(other[0], "disagrees")


def test_a_library_is_its_own_and_a_program_has_none() -> None:
    """DET-19."""
    (alone,) = settle([library("1.0", "/usr/lib/libthing.so.1")])
    assert (alone.library, alone.linkable) == ("/usr/lib/libthing.so.1", False)
    program = settle([found("1.0"), library("1.0", "/usr/lib/libthing.so.1")])[0]
    assert program.library == ""
