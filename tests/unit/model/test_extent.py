from __future__ import annotations

from typing import Any

import pytest

from crpack.errors import FormatError
from crpack.model import canonical, extent, limits, recipe_document
from tests.unit.model.written_recipes import HEAD, WHOLE, document, messages

PACKAGE = {"name": "a", "version": "1", "kind": "program", "summary": "", "license": ""}


def probes(count: int, **keys: str) -> list[Any]:
    return [{"kind": "elf", "names": ["a"], **keys}] * count


def blocks(count: int, **tables: Any) -> list[Any]:
    return [{"match": {}, **tables}] * count


def steps(count: int) -> dict[str, Any]:
    return {"a": {"argv": ["x"] * count}}


PATTERN = "(?P<version>xx)x"  # 16 characters
LONG = "x" * limits.MAX_TEXT_LENGTH
VALUES = limits.MAX_RECIPE_VALUES - len(PACKAGE) - 5  # beside the tables around an argv


def test_an_ordinary_recipe_is_far_from_every_limit() -> None:
    assert extent.excess(canonical.decode(document(WHOLE), what="it")) == ""


@pytest.mark.parametrize(
    ("tables", "what"),
    [
        ({"action": steps(VALUES + 1)}, "32768 values"),
        ({"action": steps(600), "when": blocks(60)}, "32768 values"),
        ({"when": blocks(60, action=steps(600))}, "32768 values"),
        ({"when": blocks(65)}, "64 blocks `[[when]]`"),
        ({"python": {"requires": ["a"] * 513}}, "512 requirements"),
        ({"requires": dict.fromkeys(map(str, range(513)), "")}, "512 requirements"),
        ({"requires": {"build": dict.fromkeys(map(str, range(513)), "")}}, "512 requirements"),
        ({"conflicts": dict.fromkeys(map(str, range(513)), "")}, "512 requirements"),
        ({"python": {"requires": ["a"] * 300},
          "when": blocks(3, python={"requires": ["a"] * 80})}, "512 requirements"),
        ({"probe": probes(65)}, "64 probes"),
        ({"probe": probes(40), "when": blocks(5, probe=probes(5))}, "64 probes"),
        ({"test": {"steps": [], "expect": "x" * 1025}}, "1024 characters in patterns"),
        ({"probe": probes(64, version=PATTERN + "x")}, "1024 characters in patterns"),
        ({"when": blocks(64, test={"expect": "x" * 17})}, "1024 characters in patterns"),
        ({"exports": {"env": {"A": LONG + "x"}}}, "4096 characters in a key or text"),
        ({"exports": {"env": {LONG + "x": ""}}}, "4096 characters in a key or text"),
        ({LONG + "x": 1}, "4096 characters in a key or text"),
        ({"when": blocks(1, exports={"env": {"A": LONG + "x"}})},
         "4096 characters in a key or text"),
    ],
)  # fmt: skip
def test_a_recipe_that_would_cost_much_is_refused_unjudged(
    tables: dict[str, Any], what: str
) -> None:
    """DOC-06: in an archive, whoever signed it."""
    with pytest.raises(FormatError) as caught:
        recipe_document.open_json(canonical.encode({"package": PACKAGE, **tables}))
    assert caught.value.why == (f"`recipe.json` has more than {what}",)
    assert caught.value.rule == "DOC-03"


@pytest.mark.parametrize(
    "tables",
    [
        {"action": steps(VALUES)},
        {"python": {"requires": ["a"] * 512}},
        {"probe": probes(64, version=PATTERN)},
        {"exports": {"env": {"A": LONG}}},
        {"source": [{"kind": "inline", "path": "x", "text": LONG + "x"}]},
        {"when": blocks(1, source=[{"kind": "inline", "path": "x", "text": LONG + "x"}])},
    ],
)
def test_what_reaches_a_limit_is_taken(tables: dict[str, Any]) -> None:
    """DOC-06."""
    assert recipe_document.open_json(canonical.encode({"package": PACKAGE, **tables}))


@pytest.mark.parametrize(
    "tables",
    [
        {"when": 3}, {"when": [3]}, {"requires": 3}, {"python": {"requires": 3}}, {"probe": {}},
        {"probe": [3]}, {"test": []}, {"test": {"expect": 3}}, {"source": 3}, {"source": [3]},
        {"source": [{"text": []}]},
    ],
)  # fmt: skip
def test_what_is_of_another_kind_is_left_to_the_other_rules(tables: dict[str, Any]) -> None:
    assert extent.excess(tables) == ""


def test_a_text_of_a_person_has_the_same_limits() -> None:
    """DOC-06."""
    text = f'{HEAD}[exports]\nenv = {{ A = "{LONG}x" }}\n'
    assert messages(text) == [" has more than 4096 characters in a key or text"]
