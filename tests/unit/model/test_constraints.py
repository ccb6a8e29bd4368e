"""Values that go together, in recipes and as they are judged (SPEC RCP-15)."""

from __future__ import annotations

import pytest

from crpack.model import constraints, recipe_document
from crpack.model.constraints import Clash
from crpack.model.parameters import Parameter
from crpack.model.recipe import Constraint
from tests.unit.model.written_recipes import HEAD, document, messages

ACTIONS = """
[options.engine]
type = "enum"
values = ["own", "other"]
default = "own"
scope = "run"
[options.threads]
type = "int"
default = 1
scope = "run"
[action.run]
argv = ["x"]
[action.run.params.batch]
type = "int"
default = 1
"""
WRITTEN = """
[[constraint]]
match = { engine = "own" }
only = { threads = [1, 2], batch = 1 }
"""
OWN = Constraint((("engine", ("own",)),), (("batch", ("1",)), ("threads", ("1", "2"))))
DECLARED = (
    Parameter("enum", values=("own", "other"), name="engine"),
    Parameter("int", name="threads"),
    Parameter("float", name="batch"),
)


def test_a_recipe_states_which_values_go_together() -> None:
    """RCP-15: a single value stands for an array of one."""
    recipe = recipe_document.open_json(document(HEAD + ACTIONS + WRITTEN))
    assert recipe.constraint == (OWN,)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("threads = [1, 2]", "thread = 1", "is not a known key"),
        ("[1, 2]", '"two"', "`two` is no value for `threads`"),
        ("[1, 2]", "[]", "must name a value"),
        ("[1, 2]", "[[1]]", "must be a text"),
        ("[1, 2]", "2", "refuses the defaults"),
        ('"own"', '"none"', "`none` is no value for `engine`"),
        ('{ engine = "own" }', '"own"', "must be a table"),
        ("{ threads = [1, 2], batch = 1 }", "{}", "must name an option or a param"),
        ("only =", "onely =", "is not a known key"),
        ("[[constraint]]", "[constraint]", "must be an array"),
    ],
)
def test_a_constraint_that_says_nothing_is_a_fault(old: str, new: str, message: str) -> None:
    """RCP-15."""
    text = HEAD + ACTIONS + WRITTEN.replace(old, new)
    assert any(message in one for one in messages(text)), messages(text)


def test_a_default_that_is_no_value_is_told_beside() -> None:
    """SCH-01: the constraint is judged by the other defaults."""
    wrong = ACTIONS.replace('default = "own"', 'default = "none"')
    found = messages(HEAD + wrong + WRITTEN)
    assert len(found) == 1
    assert "`none` is no value for `engine`" in found[0]


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"engine": "own", "threads": "2", "batch": "1.0"}, None),  # as a float's `1` is written
        ({"engine": "other", "threads": "9"}, None),
        ({"threads": "9"}, None),
        ({"engine": "own"}, None),
        (
            {"engine": "own", "threads": "4"},
            Clash("threads", "4", (("engine", "own"),), ("1", "2")),
        ),
    ],
)
def test_a_constraint_speaks_where_all_of_it_matches(
    values: dict[str, str], found: Clash | None
) -> None:
    """RCP-15: what has no value breaks nothing."""
    assert constraints.clash((OWN,), DECLARED, values) == found
