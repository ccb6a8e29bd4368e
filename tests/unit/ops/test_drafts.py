from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from crpack import __version__
from crpack.errors import CrpackError, ManifestError, NoSolution, UsageError
from crpack.model import recipe_document
from crpack.model.limits import MAX_TOML_BYTES
from crpack.ops import drafts

if TYPE_CHECKING:
    from pathlib import Path

HEAD = '[package]\nname = "{}"\nversion = "{}"\nkind = "program"\nsummary = ""\nlicense = ""\n'


def folder(place: Path, name: str, text: str = "", version: str = "1.0") -> Path:
    """Write a component's folder and return it."""
    path = place / name.replace("/", "-")
    path.mkdir(parents=True)
    (path / "crpack.toml").write_text(HEAD.format(name, version) + text, encoding="utf-8")
    return path


def closure(root: Path, *places: Path) -> list[str]:
    found = drafts.closure(drafts.read(str(root)), tuple(str(place) for place in places))
    return [draft.name for draft in found]


def refusal(root: Path, *places: Path) -> CrpackError:
    with pytest.raises((NoSolution, UsageError)) as caught:
        closure(root, *places)
    return caught.value


def test_a_draft_is_a_folder_with_a_recipe(tmp_path: Path) -> None:
    """RCP-01."""
    path = folder(tmp_path, "lab/x")
    draft = drafts.read(str(path))
    assert (draft.name, draft.folder) == ("lab/x", str(path))
    assert draft.recipe == recipe_document.open_json(draft.document)


def test_a_folder_is_taken_from_where_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder(tmp_path, "x")
    monkeypatch.chdir(path)
    assert drafts.read(".").folder == str(path)


def test_another_version_of_a_draft_may_be_read(tmp_path: Path) -> None:
    """DOC-02."""
    path = folder(tmp_path, "x", '[versions."0.9"]\n')
    assert drafts.read(str(path), version="0.9").recipe.package.version == "0.9"
    with pytest.raises(ManifestError, match=r"has no version `0\.8`"):
        drafts.read(str(path), version="0.8")


@pytest.mark.parametrize("name", ["missing", "empty", "file"])
def test_a_folder_without_a_recipe_is_told(name: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError) as caught:
        drafts.read(str(tmp_path / name))
    assert caught.value.what == f"there is no `crpack.toml` in `{tmp_path / name}`"
    assert "crpack new" in caught.value.hint


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"\xff\xfe[package]", "is not UTF-8"),
        (b"# \xe9\n", "is not UTF-8"),
        (b"#" * (MAX_TOML_BYTES + 1), f"is longer than {MAX_TOML_BYTES} bytes"),
        ("#é".encode() * MAX_TOML_BYTES, f"is longer than {MAX_TOML_BYTES} bytes"),
    ],
)
def test_what_cannot_be_read_whole_is_refused(data: bytes, what: str, tmp_path: Path) -> None:
    """A file is never judged by its beginning alone."""
    (tmp_path / "crpack.toml").write_bytes(data)
    with pytest.raises(UsageError, match=what):
        drafts.read(str(tmp_path))


def test_a_mark_at_the_beginning_of_a_file_does_not_count(tmp_path: Path) -> None:
    path = folder(tmp_path, "x")
    before = drafts.read(str(path)).document
    data = (path / "crpack.toml").read_bytes()
    (path / "crpack.toml").write_bytes(b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n"))
    assert drafts.read(str(path)).document == before


def test_a_fault_names_the_file_from_where_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SCH-01."""
    folder(tmp_path, "x", "[bild]\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ManifestError) as caught:
        drafts.read("x")
    assert caught.value.file == "x/crpack.toml"
    assert [(fault.path, fault.line) for fault in caught.value.faults] == [("bild", 7)]


def test_a_component_may_need_another_crpack(tmp_path: Path) -> None:
    good = folder(tmp_path, "good", f'needs-crpack = ">={__version__}"\n')
    assert drafts.read(str(good)).name == "good"
    bad = folder(tmp_path, "bad", 'needs-crpack = ">=999"\n')
    with pytest.raises(UsageError) as caught:
        drafts.read(str(bad))
    assert caught.value.what == f"`bad` needs crpack >=999, and this is crpack {__version__}"
    assert caught.value.hint == "upgrade crpack"


def test_the_closure_holds_all_that_some_platform_may_require(tmp_path: Path) -> None:
    """DOC-04: each after what it requires, itself last."""
    text = (
        "[requires]\nrun = ''\n[requires.build]\ntool = ''\n[requires.target]\nlib = ''\n"
        "[[when]]\nmatch = { os = 'wasi' }\nrequires.rare = ''\n"
    )
    root = folder(tmp_path, "root", text)
    for name in ("run", "tool", "rare"):
        folder(tmp_path / "others", name)
    folder(tmp_path / "others", "lib", "[requires]\nrun = ''\n")
    folder(tmp_path / "others", "unused", "[requires]\nnowhere = ''\n")
    assert closure(root, tmp_path / "others") == ["run", "lib", "rare", "tool", "root"]


def test_components_are_looked_for_three_folders_deep(tmp_path: Path) -> None:
    root = folder(tmp_path, "root", "[requires]\nx = ''\n")
    deep = folder(tmp_path / "a/b/c", "x")
    assert closure(root, tmp_path / "a") == ["x", "root"]
    assert closure(root, deep) == ["x", "root"]
    folder(tmp_path / "a/b/c/d", "y")
    (deep / "crpack.toml").unlink()
    folder(tmp_path / "far/1/2/3", "x")
    assert refusal(root, tmp_path / "far", tmp_path / "a").exit_code == 3


def test_hidden_folders_hold_no_components(tmp_path: Path) -> None:
    root = folder(tmp_path, "root", "[requires]\nx = ''\n")
    folder(tmp_path / "others/.git", "x")
    assert refusal(root, tmp_path / "others").exit_code == 3


def test_a_missing_component_is_told_with_where_it_was_looked_for(tmp_path: Path) -> None:
    root = folder(tmp_path, "root", "[requires]\nx = ''\n")
    error = refusal(root)
    assert error.what == "`root` requires `x`, which was not found"
    assert error.why == ("no place to look in was named",)
    (tmp_path / "others").mkdir()
    assert refusal(root, tmp_path / "others").why == (f"looked in `{tmp_path}/others`",)


def test_an_optional_component_may_be_missing_unless_some_machine_needs_it(tmp_path: Path) -> None:
    """REQ-01, DOC-04."""
    optional = "[requires]\nx = { optional = true }\n"
    assert closure(folder(tmp_path, "root", optional)) == ["root"]
    block = "[[when]]\nmatch = { os = 'linux' }\nrequires.x.optional = false\n"
    assert refusal(folder(tmp_path, "other", optional + block)).exit_code == 3


def test_every_range_is_checked_whatever_the_machine(tmp_path: Path) -> None:
    """DOC-04: also the one that only a block asks for."""
    folder(tmp_path / "others", "x", version="1.5")
    others = tmp_path / "others"
    text = "[requires]\nx = '>=1'\n"
    assert closure(folder(tmp_path, "good", text), others) == ["x", "good"]
    for name, more, ranges in (
        ("one", "[requires.build]\nx = '>=2'\n", ">=2"),
        ("two", "[[when]]\nmatch = { os = 'macos' }\nrequires.x = '>=2'\n", ">=1,>=2"),
    ):
        error = refusal(folder(tmp_path, name, text + more), others)
        assert error.what == f"`{name}` needs `x` {ranges}"
        assert error.why == (f"`{others}/x` has version 1.5",)


def test_components_that_require_one_another_are_told(tmp_path: Path) -> None:
    root = folder(tmp_path / "all", "one", "[requires]\ntwo = ''\n")
    folder(tmp_path / "all", "two", "[requires]\nthree = ''\n")
    folder(tmp_path / "all", "three", "[requires.build]\none = ''\n")
    error = refusal(root, tmp_path / "all")
    assert error.what == "components require one another in a circle"
    assert error.why == ("one → two → three → one",)
    assert error.exit_code == 2


def test_a_place_must_be_there(tmp_path: Path) -> None:
    root = folder(tmp_path, "root")
    assert refusal(root, tmp_path / "no").what == f"there is no folder `{tmp_path}/no`"


def test_two_folders_with_one_name_are_told(tmp_path: Path) -> None:
    root = folder(tmp_path, "root", "[requires]\nx = ''\n")
    one, two = folder(tmp_path / "a", "x"), folder(tmp_path / "b", "x")
    error = refusal(root, tmp_path / "a", tmp_path / "b")
    assert error.what == "two folders hold a component `x`"
    assert error.why == (str(one), str(two))
    assert closure(root, tmp_path / "a", one) == ["x", "root"]  # one folder, named twice


BROKEN = ["", "[", "\xff", "package = 3", "[package]", "a = " + "[" * 10_000, "a = " + "1" * 5000]


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_file_beside_what_is_needed_does_not_count(text: str, tmp_path: Path) -> None:
    root = folder(tmp_path, "root", "[requires]\nx = ''\n")
    folder(tmp_path / "all", "x")
    (tmp_path / "all/broken").mkdir()
    (tmp_path / "all/broken/crpack.toml").write_bytes(text.encode("latin-1"))
    assert closure(root, tmp_path / "all") == ["x", "root"]


def test_a_folder_that_is_closed_holds_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = folder(tmp_path, "root")
    (tmp_path / "all/closed").mkdir(parents=True)
    scandir = os.scandir

    def guarded(path: str) -> object:
        if path.endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    assert closure(root, tmp_path / "all") == ["root"]
