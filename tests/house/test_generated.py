"""Law 7: generated documents are fresh."""

from __future__ import annotations

import json

import jsonschema
import pytest

from tests.house.source import ROOT
from tests.tools.generate_docs import documents


@pytest.mark.parametrize("path", sorted(documents()))
def test_a_generated_document_is_as_the_code_makes_it(path: str) -> None:
    """SCH-03; `make docs` writes them."""
    assert (ROOT / path).read_text(encoding="utf-8") == documents()[path]


SCHEMAS = sorted(path.name for path in (ROOT / "spec").glob("*.schema.json"))


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_one_and_has_a_name(name: str) -> None:
    schema = json.loads((ROOT / "spec" / name).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"].endswith("2020-12/schema")
    assert schema["$id"].startswith("urn:crpack:")
