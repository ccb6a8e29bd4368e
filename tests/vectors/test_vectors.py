"""Every vector of the specification does what its `expect.json` says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from crpack import config
from crpack.errors import ArchiveError, FormatError
from crpack.model import canonical
from crpack.ops import inquire
from crpack.session import Session
from tests.vectors import make_vectors

if TYPE_CHECKING:
    import pathlib

VECTORS = make_vectors.VECTORS
VALID = sorted((VECTORS / "valid").iterdir())
INVALID = sorted((VECTORS / "invalid").iterdir())


def expected(folder: pathlib.Path) -> Any:
    return json.loads((folder / "expect.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    folder = tmp_path_factory.mktemp("vectors")
    homes = config.homes({"CRPACK_HOME": str(folder / "home")}, "/")
    return Session(config.merge([]), homes, f"{folder}/prefix")


def checked(session: Session, folder: pathlib.Path) -> tuple[str, ...]:
    """Return what `crpack verify --strict --no-trust` finds in the archive of a vector."""
    path = str(folder / "archive.crpkg")
    return inquire.verify_archive(session, path, strict=True, trust=False).faults


def refusal(session: Session, folder: pathlib.Path) -> tuple[str, str]:
    """Return code and rule of the first fault that crpack finds; a finding has no code."""
    document = folder / "document.json"
    try:
        if document.exists():
            canonical.decode(document.read_bytes(), what="the document")
            return "", ""
        found = checked(session, folder)
    except (ArchiveError, FormatError) as error:
        return error.code, error.rule
    return "", found[0][-7:-1] if found else ""


@pytest.mark.parametrize("folder", INVALID, ids=lambda folder: folder.name)
def test_an_invalid_vector_is_refused_by_its_rule(session: Session, folder: pathlib.Path) -> None:
    expect = expected(folder)
    code, rule = refusal(session, folder)
    assert rule == expect["rule"]
    assert code in ("", expect["code"])


@pytest.mark.parametrize("folder", VALID, ids=lambda folder: folder.name)
def test_a_valid_vector_is_taken_and_read_as_expected(
    session: Session, folder: pathlib.Path
) -> None:
    assert checked(session, folder) == ()
    assert make_vectors.expectation((folder / "archive.crpkg").read_bytes()) == expected(folder)


def test_the_generator_makes_the_committed_vectors() -> None:
    made = make_vectors.files()
    held = {
        path.relative_to(VECTORS).as_posix(): path.read_bytes()
        for path in VECTORS.rglob("*")
        if path.is_file()
    }
    assert sorted(made) == sorted(held)
    assert [name for name in made if made[name] != held[name]] == []
