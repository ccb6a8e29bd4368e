from __future__ import annotations

import pytest

from crpack.errors import UsageError
from crpack.model.dependencies import Dependency, counted, plain

BOARD = (("platform_machine", "armv7l"), ("python_version", "3.12"))


def test_a_dependency_counts_where_its_marker_holds() -> None:
    """PYE-09."""
    lines = [
        "numpy>=2",
        "rocket; platform_machine == 'x86_64'",
        "Py_Ro >= 1, < 2 ; python_version >= '3.10'",
        "quick[C-Speed,b]; extra == 'fast'",
    ]
    base = (
        Dependency("numpy", "numpy>=2", ">=2"),
        Dependency("py-ro", "Py_Ro<2,>=1", "<2,>=1"),
    )
    assert counted(lines, BOARD) == base
    quick = Dependency("quick", "quick[C-Speed,b]", "", ("b", "c-speed"))
    assert counted(lines, BOARD, ["slow", "fast"]) == (*base, quick)


@pytest.mark.parametrize(
    ("version", "serves"),
    [("1.0", True), ("1.5rc1", True), ("2.0", False), ("strange", False)],
)
def test_a_dependency_admits_the_versions_of_its_range(version: str, *, serves: bool) -> None:
    """PYE-09."""
    assert Dependency("a", "a<2", "<2").admits(version) is serves


@pytest.mark.parametrize(
    "line", ["", "-r other.txt", "a\n--index-url b", "a @", "a; python_version <", "a; b == 'c'"]
)
def test_a_line_that_is_no_dependency_is_refused(line: str) -> None:
    """PYE-09."""
    with pytest.raises(UsageError, match="is not a dependency"):
        counted([line], BOARD)


def test_names_have_one_form() -> None:
    """PYE-09: PEP 503."""
    assert plain("A__b.-C") == "a-b-c"
