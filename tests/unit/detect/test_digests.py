"""Models and data sets, recognised by what they are (DET-24)."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from crpack.detect import eyes as looking
from tests.unit.detect.trees import Tree, note, whys

CONTENT = b"weights of a model"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
FILE = f"""[[probe]]
kind = "digest"
roots = ["{{data}}", "{{home}}/.cache/things"]
size = {len(CONTENT)}
sha256 = "{SHA256}"
"""
FOLDER = """[[probe]]
kind = "digest"
roots = ["{data}"]
markers = ["labels.txt", { path = "images/1.png", size = 3 }]
"""


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    tree = Tree(tmp_path)
    (tmp_path / "data").mkdir()
    tree.data = (f"{tmp_path}/data",)
    return tree


def test_a_file_is_recognised_whatever_it_is_called(tree: Tree) -> None:
    """DET-24: it is the version that the component has."""
    tree.put("/data/a/b/renamed.bin", CONTENT)
    found = tree.one(FILE)
    assert (found.version, tree.at(found), found.raw) == ("7", "data/a/b/renamed.bin", SHA256)
    assert note(found, "prefix") == f"{tree.root}/data/a/b"


def test_only_a_file_of_the_size_is_read(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """DET-24."""
    tree.put("/data/other", CONTENT + b"!")
    tree.put("/data/same", b"x" * len(CONTENT))
    read: list[str] = []
    real = looking._sha256
    monkeypatch.setattr(looking, "_sha256", lambda path: read.append(path) or real(path))  # type: ignore[func-returns-value]
    done = tree.scan(FILE)
    assert [Path(path).name for path in read] == ["same"]
    assert whys(done) == ["it has the size of what is looked for, and other bytes"]


def test_the_users_home_has_usual_folders(tree: Tree) -> None:
    """PRB-11."""
    tree.put("/me/.cache/things/model", CONTENT)
    assert tree.found(FILE) == ()
    tree.environ["HOME"] = f"{tree.root}/me"
    assert tree.one(FILE).version == "7"


def test_a_file_deeper_than_three_levels_is_found_where_the_probe_says_so(tree: Tree) -> None:
    """PRB-10."""
    tree.put("/data/a/b/c/model", CONTENT)
    assert tree.found(FILE) == ()
    assert tree.one(FILE + 'paths = ["a/*/c/mod*"]\n').version == "7"


def test_a_folder_is_recognised_by_its_markers(tree: Tree) -> None:
    """DET-24."""
    tree.put("/data/set/labels.txt", "cat\n")
    tree.put("/data/set/images/1.png", "png")
    tree.put("/data/half/labels.txt", "cat\n")
    tree.put("/data/wrong/labels.txt", "cat\n")
    tree.put("/data/wrong/images/1.png", "longer")
    done = tree.scan(FOLDER)
    assert [(tree.at(one), one.version) for one in done.found] == [("data/set", "7")]
    assert whys(done) == ["it lacks `images/1.png`"] * 2


def test_a_named_folder_may_be_the_data_set_itself(tree: Tree) -> None:
    tree.put("/data/labels.txt", "cat\n")
    tree.put("/data/images/1.png", "png")
    assert tree.at(tree.one(FOLDER)) == "data"


def test_one_file_of_two_names_is_one_finding(tree: Tree) -> None:
    """DET-08."""
    tree.put("/data/model", CONTENT)
    tree.link("/data/snapshot", "model")
    assert len(tree.found(FILE)) == 1
