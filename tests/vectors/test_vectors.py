"""Every vector of the specification does what its `expect.json` says."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from crpack.archive import reader, verify
from crpack.errors import ArchiveError, FormatError
from crpack.model import canonical
from tests.vectors import make_vectors

if TYPE_CHECKING:
    import pathlib

VECTORS = make_vectors.VECTORS
VALID = sorted((VECTORS / "valid").iterdir())
INVALID = sorted((VECTORS / "invalid").iterdir())


def expected(folder: pathlib.Path) -> Any:
    return json.loads((folder / "expect.json").read_text(encoding="utf-8"))


def refusal(folder: pathlib.Path) -> tuple[str, str]:
    """Return code and rule of the first fault that crpack finds; empty when it finds none."""
    document = folder / "document.json"
    try:
        if document.exists():
            canonical.decode(document.read_bytes(), what="the document")
            return "", ""
        data = (folder / "archive.crpkg").read_bytes()
        archive = reader.Archive.open(io.BytesIO(data), size=len(data))
    except (ArchiveError, FormatError) as error:
        return error.code, error.rule
    found = verify.verify(archive, strict=True)
    return (found[0].code, found[0].rule) if found else ("", "")


@pytest.mark.parametrize("folder", INVALID, ids=lambda folder: folder.name)
def test_an_invalid_vector_is_refused_by_its_rule(folder: pathlib.Path) -> None:
    expect = expected(folder)
    assert refusal(folder) == (expect["code"], expect["rule"])


@pytest.mark.parametrize("folder", VALID, ids=lambda folder: folder.name)
def test_a_valid_vector_is_taken_and_read_as_expected(folder: pathlib.Path) -> None:
    data = (folder / "archive.crpkg").read_bytes()
    archive = reader.Archive.open(io.BytesIO(data), size=len(data))
    assert verify.verify(archive, strict=True) == ()
    assert make_vectors.expectation(data) == expected(folder)


def test_the_generator_makes_the_committed_vectors() -> None:
    made = make_vectors.files()
    held = {
        path.relative_to(VECTORS).as_posix(): path.read_bytes()
        for path in VECTORS.rglob("*")
        if path.is_file()
    }
    assert sorted(made) == sorted(held)
    assert [name for name in made if made[name] != held[name]] == []
