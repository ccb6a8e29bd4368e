from __future__ import annotations

import pytest

from crpack.errors import TrustError
from crpack.install.python import exact
from crpack.install.python.target import Target
from crpack.model.distribution import Distribution
from crpack.model.platforms import parse

HERE = Target(parse("linux-x86_64-gnu2.36"), "3.11").environment
LATER = tuple({**dict(HERE), "python_full_version": "3.11.7"}.items())
TOP = Distribution("top", "1.0", ("low>=1", "old; python_full_version < '3.11.3'", "x; extra=='e'"))
LOW = Distribution("low", "1.5", python=">=3.8")
OLD = Distribution("old", "1")


def problem(*found: Distribution, own: str = "top", every: str = "top", later: bool = False) -> str:
    machines = (LATER, HERE) if later else (HERE,)
    try:
        exact.check(found, own=own.split(), every=every.split(), machines=machines)
    except TrustError as error:
        return error.why[0]
    return ""


def test_the_error_is_one_of_trust() -> None:
    """PYE-10."""
    with pytest.raises(TrustError) as caught:
        exact.check([OLD], own=[], every=[], machines=[HERE])
    assert caught.value.exit_code == 4
    assert caught.value.rule == "PYE-10"
    assert caught.value.hint


def test_what_signed_recipes_ask_for_passes() -> None:
    """PYE-10."""
    assert problem(TOP, LOW, OLD) == ""
    assert problem(own="", every="") == ""


def test_a_wheel_that_nothing_asks_for_is_refused() -> None:
    """PYE-10: it would run whenever the interpreter starts."""
    evil = Distribution("evil", "1")
    assert problem(TOP, LOW, OLD, evil) == "nothing asks for `evil`"
    assert problem(evil, own="", every="") == "nothing asks for `evil`"
    assert problem(TOP, LOW, OLD, Distribution("x", "1")) == "nothing asks for `x`"
    two = (Distribution("evil", "1", ("evil2",)), Distribution("evil2", "1", ("evil",)))
    assert problem(TOP, LOW, OLD, *two) == "nothing asks for `evil`, `evil2`"


def test_a_requirement_that_no_wheel_meets_is_refused() -> None:
    """PYE-10."""
    assert problem(TOP, OLD) == "it lacks `low>=1`"
    assert problem(TOP, Distribution("low", "0.5"), OLD) == "it lacks `low>=1`"
    assert problem(LOW, OLD, own="top", every="top low old") == "it lacks `top`"
    assert problem(TOP, LOW, OLD, own="top[e]", every="top[e]").startswith("it lacks `x")


def test_what_other_components_of_the_lock_ask_for_may_be_there() -> None:
    """PYE-10: one lock, several requests."""
    assert problem(TOP, LOW, OLD, own="low", every="top low") == ""
    assert problem(TOP, LOW, OLD, own="low", every="low") == "nothing asks for `old`, `top`"


def test_the_markers_may_be_those_that_the_lock_was_made_with() -> None:
    """PYE-10: this machine's Python is a later 3.11."""
    assert problem(TOP, LOW, OLD, later=True) == ""
    assert problem(TOP, LOW, later=True) == ""
    assert problem(TOP, later=True) == "it lacks `low>=1`"


def test_a_distribution_stands_once_and_runs_on_the_python() -> None:
    """PYE-10."""
    assert problem(TOP, LOW, LOW, OLD) == "it has 2 wheels of `low`"
    assert "for Python <3, not" in problem(TOP, LOW, Distribution("old", "1", python="<3"))


@pytest.mark.parametrize("line", ["no dependency!", "b; python_version >= '3", "b; " + "(" * 9999])
def test_hostile_dependencies_end_in_one_sentence(line: str) -> None:
    """PYE-10."""
    hostile = Distribution("top", "1", (line,))
    assert "is not a dependency" in problem(hostile)
