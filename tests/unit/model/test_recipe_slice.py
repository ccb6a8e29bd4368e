"""The slice of a recipe: what an index lists of it (SPEC IDX-06)."""

from __future__ import annotations

import pytest

from crpack.errors import FormatError, TrustError
from crpack.model import canonical, platforms, recipe_document, recipe_slice
from crpack.model.recipe_document import Context
from tests.unit.model.written_recipes import HEAD, LINUX, WHOLE


def written(text: str) -> bytes:
    return recipe_document.read(text, file="crpack.toml")


def test_a_slice_keeps_what_choosing_needs_and_nothing_else() -> None:
    document = written(WHOLE)
    table = canonical.decode(recipe_slice.cut(document), what="the slice")
    assert set(table) <= recipe_slice.KEPT | {"build", "when"}
    assert set(table["build"]) <= {"driver", "platform"}
    assert {"package", "options", "requires", "python"} <= set(table)
    assert all(set(block) <= recipe_slice.KEPT | {"build", "match"} for block in table["when"])


def test_a_slice_resolves_like_the_whole() -> None:
    document = written(WHOLE)
    context = Context(platforms.parse(LINUX), (("images", "50"),))
    whole = recipe_document.resolve(document, context)
    part = recipe_document.resolve(recipe_slice.cut(document), context)
    for name in ("package", "options", "requires", "python", "probe"):
        assert getattr(part, name) == getattr(whole, name)
    assert part.build is not None
    assert whole.build is not None
    assert part.build.driver == whole.build.driver
    assert (part.source, part.action, part.metrics) == ((), (), ())


def test_a_block_that_says_nothing_of_choosing_is_left_out() -> None:
    block = '[[when]]\nmatch = { os = "linux" }\n[when.exports]\nbin = ["bin"]\n'
    assert b"when" not in recipe_slice.cut(written(HEAD + block))


def test_cutting_again_changes_nothing() -> None:
    once = recipe_slice.cut(written(WHOLE))
    assert recipe_slice.cut(once) == once
    recipe_slice.check_form(once, what="it")


def test_more_than_a_slice_is_refused() -> None:
    with pytest.raises(FormatError) as caught:
        recipe_slice.check_form(written(WHOLE), what="it")
    assert caught.value.rule == "IDX-06"


def test_what_is_no_recipe_is_refused() -> None:
    with pytest.raises(FormatError):
        recipe_slice.check_form(canonical.encode({"package": {"name": "x"}}), what="it")


def test_an_archive_must_be_the_one_that_was_chosen_by() -> None:
    document = written(WHOLE)
    recipe_slice.check(document, recipe_slice.cut(document), name="lab/sample")
    other = recipe_slice.cut(written(WHOLE.replace('zlib = ">=1.2"', 'zlib = ">=1.3"')))
    with pytest.raises(TrustError) as caught:
        recipe_slice.check(document, other, name="lab/sample")
    assert caught.value.rule == "IDX-06"
