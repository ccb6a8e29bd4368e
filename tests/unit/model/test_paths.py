from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from crpack.errors import ArchiveError
from crpack.model import limits, paths
from crpack.model.tree import Entry

if TYPE_CHECKING:
    from collections.abc import Iterator


def rule(path: str) -> str:
    """Return the rule that a path breaks; empty when it breaks none."""
    try:
        assert paths.check_path(path) == path
    except ArchiveError as error:
        return error.rule
    return ""


def link_rule(path: str, target: str) -> str:
    try:
        assert paths.check_link(path, target) == target
    except ArchiveError as error:
        return error.rule
    return ""


def set_rule(*entries: Entry) -> str:
    try:
        paths.check_set(entries)
    except ArchiveError as error:
        return error.rule
    return ""


def file(path: str) -> Entry:
    return Entry(path, "file", size=0, sha256="0" * 64)


def folder(path: str) -> Entry:
    return Entry(path, "dir")


def link(path: str, target: str) -> Entry:
    return Entry(path, "link", target=target)


@pytest.mark.parametrize(
    "path",
    [
        "a",
        "a/b.c/d",
        ".hidden",
        "..a",
        "a..b",
        "...a",
        " leading space",
        "-dash",
        "~",
        "a~",
        "a~1b.txt",
        "report.c.~1~",
        "ünïcode/Δ/漢字/🙂",
        "console",
        "con-x",
        "com",
        "com10",
        "lpt",
        "auxiliary.txt",
        "a" * 255,
        "/".join("a" * 64),
        "x" * 9 + "~1",
    ],
)
def test_an_ordinary_path_is_taken(path: str) -> None:
    assert rule(path) == ""


@pytest.mark.parametrize(
    "path",
    [
        *("", "/", "/a", "a/", "a//b", ".", "..", "./a", "a/.", "a/../b", "../a"),
        *("a\\b", "\\\\host\\share", "a\0b", "a\nb", "a\rb", "a\x1bb", "a\x7fb", "a\x85b"),
        *("a\u200db", "a\u202eb", "a\ufeffb", "a\u2028b", "a\xadb", "a\ud800b"),
    ],
)
def test_a_path_that_is_not_plain_and_relative_is_refused(path: str) -> None:
    assert rule(path) == "PTH-01"


def test_limits_of_paths_count_bytes_and_parts() -> None:
    assert rule("é" * 127) == ""
    assert rule("é" * 128) == "PTH-02"
    longest = "/".join(["a" * 204] * 5)
    assert len(longest) == limits.MAX_PATH_BYTES
    assert rule(longest) == ""
    assert rule(longest + "a") == "PTH-02"
    assert rule("/".join("a" * (limits.MAX_PATH_DEPTH + 1))) == "PTH-02"


@pytest.mark.parametrize(
    "path",
    [
        *("con", "PRN", "Aux.txt", "nul.tar.gz", "x/NUL/y", "COM1", "lpt9.log", "com0", "CONIN$"),
        *("com¹", "LPT²", "nul ", "con .txt", "aux\u0020.a"),
        *("a:b", "a:$DATA", "c:/x", "a<b", "a>b", 'a"b', "a|b", "a?b", "a*b"),
        *("a.", "a ", "a /b", "a./b", "a. .", "...", "PROGRA~1", "x/LONGNA~2.TXT", "a~1", "git~1"),
    ],
)
def test_a_name_that_means_another_file_on_windows_is_refused(path: str) -> None:
    assert rule(path) == "PTH-03"


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("l", "a"),
        ("l", "a/b"),
        ("a/l", ".."),
        ("a/l", "../b"),
        ("a/b/l", "../../c"),
        ("l", "CON is not made here"),
        ("l", "..a"),
    ],
)
def test_a_link_inside_is_taken(path: str, target: str) -> None:
    assert link_rule(path, target) == ""


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("l", ""),
        ("l", "/"),
        ("l", "/etc/passwd"),
        ("l", ".."),
        ("l", "../x"),
        ("a/l", "../.."),
        ("a/l", "../../x"),
        ("l", "a/.."),
        ("l", "a/../b"),
        ("a/l", "../b/../../../x"),
        ("l", "."),
        ("l", "./a"),
        ("l", "a/"),
        ("l", "a//b"),
        ("a/l", "../"),
    ],
)
def test_a_link_that_leads_out_or_is_not_plain_is_refused(path: str, target: str) -> None:
    assert link_rule(path, target) == "PTH-06"


def test_targets_have_the_limits_and_characters_of_paths() -> None:
    assert link_rule("l", "a\\b") == "PTH-01"
    assert link_rule("l", "a\nb") == "PTH-01"
    assert link_rule("l", "a" * limits.MAX_LINK_BYTES) == ""
    assert link_rule("l", "a" * (limits.MAX_LINK_BYTES + 1)) == "PTH-02"
    assert link_rule("l", "/".join("a" * (2 * limits.MAX_PATH_DEPTH + 1))) == "PTH-02"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a", "A"),
        ("a/x", "A/y"),
        ("straße", "STRASSE"),
        ("ﬁ", "FI"),
        ("é", "e\u0301"),
        ("Å", "\u212b"),
        ("①", "1"),
        ("ς", "Σ"),
        ("a/b", "\uff41/c"),
        ("℀", "a/c"),
    ],
)
def test_two_names_that_are_one_somewhere_are_refused(one: str, other: str) -> None:
    assert rule(one) == rule(other) == ""
    assert set_rule(file(one), file(other)) == "PTH-04"
    assert set_rule(file(other), folder(one)) == "PTH-04"


def test_a_name_that_unfolds_beyond_the_limit_is_refused() -> None:
    assert set_rule(file("\ufdfa" * 56)) == ""
    assert set_rule(file("\ufdfa" * 57)) == "PTH-02"


@pytest.mark.parametrize(
    "above", [file("a"), folder("a"), link("a", "b")], ids=["file", "dir", "link"]
)
def test_nothing_stands_below_what_is_not_an_implied_folder(above: Entry) -> None:
    assert set_rule(above, file("a/b")) == "PTH-05"
    assert set_rule(file("a/b"), above) == "PTH-05"
    assert set_rule(file("a/b/c"), above) == "PTH-05"
    assert set_rule(above, file("ab"), file("a-b")) == ""


def test_one_path_is_listed_once() -> None:
    assert set_rule(file("a"), file("a")) == "PTH-05"
    assert set_rule(folder("a"), folder("a")) == "PTH-05"


def test_a_link_may_pass_links_and_may_end_nowhere() -> None:
    assert set_rule(link("a", "b/c"), link("b", "d"), file("d/c")) == ""
    assert set_rule(link("a", "absent")) == ""
    assert set_rule(file("lib/x"), link("deep/up", "../lib"), link("y", "deep/up/x")) == ""


def chain(links: int) -> list[Entry]:
    return [link(f"l{n:03}", f"l{n + 1:03}") for n in range(links)]


@pytest.mark.parametrize("order", [1, -1])
def test_chains_end_at_the_limit_in_whatever_order_they_are_listed(order: int) -> None:  # PTH-07
    assert set_rule(*chain(limits.MAX_LINK_HOPS)[::order]) == ""
    assert set_rule(*chain(limits.MAX_LINK_HOPS + 1)[::order]) == "PTH-07"
    assert set_rule(*chain(5000)[::order]) == "PTH-07"


@pytest.mark.parametrize(
    "loop",
    [
        (link("a", "a"),),
        (link("a", "a/b"),),
        (link("a", "b"), link("b", "a")),
        (link("a", "b/x"), link("b", "a/x")),
        (link("d/a", "../d/a/x"),),
    ],
)
def test_links_that_never_arrive_are_refused(loop: tuple[Entry, ...]) -> None:
    assert set_rule(*loop) == "PTH-07"


def test_links_that_grow_beyond_a_path_are_refused() -> None:
    step = "/".join(["x" * 200] * 3)
    grow = [link(f"l{n}", f"l{n + 1}/{step}") for n in range(3)]
    assert set_rule(*grow) == "PTH-07"


def test_a_tree_has_a_largest_number_of_entries() -> None:  # PTH-08
    count = limits.MAX_ENTRIES + 1
    with pytest.raises(ArchiveError) as caught:
        paths.check_set(file(f"{n:06}") for n in range(count))
    assert caught.value.rule == "PTH-08"


def test_the_folders_above_entries_count_as_entries() -> None:  # PTH-08
    deep = "/".join(["x"] * (limits.MAX_PATH_DEPTH - 2))
    taken = 0

    def hostile() -> Iterator[Entry]:
        nonlocal taken
        for taken in range(limits.MAX_ENTRIES):
            yield file(f"{taken}/{deep}/x")

    with pytest.raises(ArchiveError) as caught:
        paths.check_set(hostile())
    assert caught.value.rule == "PTH-08"
    assert taken == limits.MAX_ENTRIES // limits.MAX_PATH_DEPTH


def test_foreign_text_is_shown_on_one_short_printable_line() -> None:
    assert paths.shown("a\nb\x1b[31m\u202e") == "a\\u000ab\\u001b[31m\\u202e"
    assert paths.shown("é" * 81) == "é" * 80 + "…"
