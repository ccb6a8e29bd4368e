"""Placeholders and globs: the two small languages of a `[build]` table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crpack.errors import ManifestError
from crpack.make import globs
from crpack.model import placeholders

VALUES = {"out": "/o", "dep.a/b-c": "/d", "tool.g++": "/g", "option.x": "{out}"}


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("{out}/x", "/o/x"),
        ("{out}{out}", "/o/o"),
        ("-I{dep.a/b-c}/include", "-I/d/include"),
        ("{tool.g++}", "/g"),
        ("{option.x}", "{out}"),  # a value is not rendered again
        ("{{out}}", "{out}"),
        ("{print $1}", "{print $1}"),
        ('{"a": {}}', '{"a": {}}'),
        ("{}", "{}"),
        ("${HOME}", "${HOME}"),
    ],
)
def test_placeholders_are_replaced_once_and_other_braces_stay(text: str, rendered: str) -> None:
    """BLD-03."""
    assert placeholders.render(text, VALUES, where="x") == rendered


def test_an_unknown_placeholder_is_named() -> None:
    """BLD-03."""
    with pytest.raises(ManifestError) as failure:
        placeholders.render_all(("a", "{ouT}", "{oot}"), VALUES, where="build.script.steps.0")
    error = failure.value
    assert error.exit_code == 2
    assert error.what == "`build.script.steps.0` asks for the unknown placeholder `{oot}`"
    assert error.faults[0].hint == "did you mean `{out}`?"


@given(st.text(), st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), st.text()))
def test_a_text_is_rendered_or_names_what_is_unknown(text: str, values: dict[str, str]) -> None:
    """BLD-03."""
    try:
        placeholders.render(text, values, where="x")
    except ManifestError:
        assert placeholders.names([text]) - values.keys()
    else:
        assert not placeholders.names([text]) - values.keys()


@pytest.mark.parametrize(
    ("glob", "taken"),
    [
        ("a.txt", ["a.txt"]),
        ("*.txt", ["a.txt", "A.txt"]),
        ("**/*.txt", ["a.txt", "d/b.txt", "d/e/c.txt", "A.txt"]),
        ("d/**/*.txt", ["d/b.txt", "d/e/c.txt"]),
        ("d/*.txt", ["d/b.txt"]),
        ("d", ["d/b.txt", "d/e/c.txt", "d/e/.x"]),
        ("d/**", ["d/b.txt", "d/e/c.txt", "d/e/.x"]),
        ("**", ["a.txt", "d/b.txt", "d/e/c.txt", "d/e/.x", "A.txt"]),
        ("d/[e-f]/?.txt", ["d/e/c.txt"]),
        ("**/e/**/c.txt", ["d/e/c.txt"]),
        ("a.txt/**", []),
        ("*/b", []),
        ("[", []),
    ],
)
def test_globs_take_files_by_their_parts(glob: str, taken: list[str]) -> None:
    """BLD-13."""
    paths = ("a.txt", "d/b.txt", "d/e/c.txt", "d/e/.x", "A.txt")
    assert list(globs.select(glob, paths)) == taken


def test_a_hostile_glob_costs_no_time() -> None:
    """BLD-13."""
    assert globs.select("/".join(["**"] * 40 + ["x*" * 40]), ("/".join(["xxxxxxxx"] * 60),)) == ()


@pytest.mark.parametrize("glob", ["", "/a", "a/../b", "..", "a//b", "./a", "a/", "a\0b"])
def test_a_glob_that_leaves_its_folder_is_refused(glob: str) -> None:
    """BLD-13."""
    with pytest.raises(ManifestError):
        globs.check(glob, where="outputs.exe")


@pytest.mark.parametrize(
    ("glob", "folder"),
    [("a/b/*.txt", "a/b"), ("a/b", "a"), ("a", ""), ("*", ""), ("a/**/b", "a"), ("a/[x]/b", "a")],
)
def test_the_fixed_part_of_a_glob_ends_before_its_first_wildcard(glob: str, folder: str) -> None:
    """BLD-09."""
    assert globs.fixed(glob) == folder
