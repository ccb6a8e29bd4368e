"""The stand-alone reader of `spec/` against the vectors."""

from __future__ import annotations

import importlib.util
import json
from typing import TYPE_CHECKING

import pytest

from tests.vectors.make_vectors import VECTORS

if TYPE_CHECKING:
    import pathlib
    from types import ModuleType

# What the reader leaves out, as its docstring says: recipes, copies of components, the tar,
# signatures;
# and shapes of documents that can do no harm.
LEFT_OUT = {"MAN", "DOC", "SIG", "ARC-09", "ARC-14", "ARC-15", "PTH-07"} | {
    f"TOC-{number:02}" for number in (2, 3, 5, 6, 7, 10, 12, 13)
}
LEFT_OUT_CASES = {"broken-component", "recipe-not-json", "recipe-traversal"}


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reader", VECTORS.parent / "reader.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


READER = load()
VALID = sorted((VECTORS / "valid").iterdir())
INVALID = [
    folder
    for folder in sorted((VECTORS / "invalid").iterdir())
    if (folder / "archive.crpkg").exists()
    and folder.name not in LEFT_OUT_CASES
    and not {json.loads((folder / "expect.json").read_text())["rule"][:end] for end in (3, 6)}
    & LEFT_OUT
]


@pytest.mark.parametrize("folder", VALID, ids=lambda folder: folder.name)
def test_the_reader_takes_what_is_valid(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    READER.main(str(folder / "archive.crpkg"), str(tmp_path / "out"))
    expect = json.loads((folder / "expect.json").read_text(encoding="utf-8"))
    for payload, held in expect["payloads"].items():
        if f"payload/{payload}.tar.zst" not in expect["members"]:
            continue
        for path, kind, executable, content in held["entries"]:
            found = tmp_path / "out" / payload / path
            if kind == "link":
                assert str(found.readlink()) == content
            elif kind == "dir":
                assert list(found.iterdir()) == []
            else:
                assert bool(found.stat().st_mode & 0o100) == bool(executable)


@pytest.mark.parametrize("folder", INVALID, ids=lambda folder: folder.name)
def test_the_reader_refuses_what_is_not(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    with pytest.raises(SystemExit, match="refused: "):
        READER.main(str(folder / "archive.crpkg"), str(tmp_path / "out"))


def test_most_of_what_is_invalid_is_tried() -> None:
    assert len(INVALID) > 75
