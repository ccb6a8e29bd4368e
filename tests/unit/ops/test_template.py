from __future__ import annotations

import pytest

from crpack.model import recipe_document
from crpack.model.manifest import KINDS
from crpack.ops import template


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["x", "lab/my-thing", "a.b_c", "7"])
def test_what_new_writes_is_a_recipe_without_faults(kind: str, name: str) -> None:
    """RCP-01."""
    files = dict(template.files(name, kind))
    recipe = recipe_document.open_json(
        recipe_document.read(files["crpack.toml"], file="crpack.toml")
    )
    assert (recipe.package.name, recipe.package.kind) == (name, kind)
    assert recipe.build is not None
    assert recipe.outputs.by_role()


@pytest.mark.parametrize("kind", KINDS)
def test_every_source_that_it_names_is_written(kind: str) -> None:
    """RCP-06."""
    files = dict(template.files("lab/x", kind))
    recipe = recipe_document.open_json(recipe_document.read(files["crpack.toml"], file="f"))
    for source in recipe.source:
        assert any(path.startswith(f"{source.path}/") for path in files)
    assert all(text.endswith("\n") for text in files.values())


def test_a_new_solution_has_something_to_run() -> None:
    """ACT-01."""
    files = dict(template.files("hello", "solution"))
    recipe = recipe_document.open_json(recipe_document.read(files["crpack.toml"], file="f"))
    (run,) = recipe.action
    assert run.name == "run"
    assert [output.name for output in run.outputs if output.required] == ["greeting"]


def test_a_new_program_tells_what_it_is_part_of() -> None:
    files = dict(template.files("lab/hello", "program"))
    assert "hello from lab/hello" in files["src/hello.cpp"]
    assert "hello: hello.cpp" in files["src/Makefile"]
