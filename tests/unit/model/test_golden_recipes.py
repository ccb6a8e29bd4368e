"""Golden runs in recipes (SPEC GLD-01, GLD-02)."""

from __future__ import annotations

import pytest

from crpack.model import recipe_document
from crpack.model.recipe import Expected, Golden
from tests.unit.model.written_recipes import HEAD, document, messages, resolved

ACTIONS = """
[options.engine]
type = "enum"
values = ["a", "b"]
default = "a"
scope = "run"
[action.run]
argv = ["x"]
[action.run.inputs.image]
type = "path"
[action.run.params.least]
type = "float"
default = 0.3
[action.run.outputs]
count = { type = "int" }
found = { type = "array" }
picture = { type = "path" }
"""
GOLDEN = """
[[golden]]
input = { image = "{self}/a.png", least = 0.5, engine = "b" }
[golden.expect]
count = { value = 3 }
found = { file = "golden/a.json", tolerance = 0.01 }
picture = { sha256 = "DIGEST" }
""".replace("DIGEST", "a" * 64)


def test_a_golden_run_is_an_input_and_what_is_expected() -> None:
    """GLD-01: options of scope `run` are params of every action."""
    recipe = recipe_document.open_json(document(HEAD + ACTIONS + GOLDEN))
    assert recipe.golden == (
        Golden(
            "run",
            (("engine", "b"), ("image", "{self}/a.png"), ("least", "0.5")),
            (
                Expected("3", name="count"),
                Expected(file="golden/a.json", tolerance="0.01", name="found"),
                Expected(sha256="a" * 64, name="picture"),
            ),
        ),
    )


def test_golden_runs_of_a_block_are_added() -> None:
    """DOC-04, GLD-01."""
    block = '[[when]]\nmatch = { os = "linux" }\n[[when.golden]]\nexpect.count.value = 9\n'
    assert len(resolved(HEAD + ACTIONS + GOLDEN + block).golden) == 2
    assert len(resolved(HEAD + ACTIONS + GOLDEN + block.replace("linux", "macos")).golden) == 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[[golden]]", '[[golden]]\naction = "walk"', "names no action: `walk`"),
        ("least =", "lest =", "is not a known key"),
        ("count =", "counted =", "is not a known key"),
        ("value = 3", 'value = "three"', "`three` is no value for `count`"),
        ("value = 3", 'value = 3, file = "x"', "needs one of `value`, `file` and `sha256`"),
        ("value = 3", "tolerance = 1", "needs one of `value`, `file` and `sha256`"),
        ("value = 3", f'sha256 = "{"a" * 64}"', "is for outputs of type `path`"),
        ("golden/a.json", "../a.json", "must stay inside the component's result"),
        ("golden/a.json", "/etc/x", "does not have the form"),
        ("tolerance = 0.01", "tolerance = -1", "does not have the form"),
    ],
)
def test_what_does_not_fit_is_told(old: str, new: str, message: str) -> None:
    """GLD-01, GLD-02."""
    text = HEAD + ACTIONS + GOLDEN.replace(old, new)
    assert any(message in one for one in messages(text)), messages(text)


def test_a_golden_run_expects_something() -> None:
    """GLD-01."""
    assert any("must say" in one for one in messages(HEAD + ACTIONS + "[[golden]]\n"))
