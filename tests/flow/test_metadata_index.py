"""Problem sets as JSON: an index without archives, solved by the command line (SOL-08, IDX-09)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.flow.tool import Tool
from tests.house.source import ROOT

if TYPE_CHECKING:
    from pathlib import Path

TABLE = {
    "a": {"1.0": {"depends": {"c": ">=2"}}, "2.0": {"depends": {"c": ">=2", "zlib": "*"}}},
    "b": {"1.0": {"depends": {"c": "<2"}}},
    "c": {"1.0": {"depends": {}}, "2.0": {}},
    "zlib": {"0.1": {}},
}


@pytest.fixture
def user(tmp_path: Path) -> Tool:
    tool = Tool(tmp_path)
    (tmp_path / "set.json").write_text(json.dumps({"index": TABLE}))
    subprocess.run(
        [sys.executable, "tests/tools/metadata_index.py", tmp_path / "set.json", tmp_path / "ix"],
        env={**os.environ, "CRPACK_HOME": str(tool.home)},
        cwd=ROOT,
        check=True,
    )
    return tool


def test_a_table_is_solved_without_archives_and_by_itself(user: Tool) -> None:
    """What the machine has of a name does not count."""
    found = user("lock", "--offline", "--index", user.folder / "ix", "--json", "a").json["data"]
    chosen = {one["name"]: one["version"] for one in found["selected"]}
    assert chosen == {"a": "2.0", "c": "2.0", "zlib": "0.1"}
    oldest = ["--prefer", "lowest", "--lock", "low.lock"]
    found = user("lock", "--offline", "--index", user.folder / "ix", "--json", "a", *oldest).json
    assert {one["name"]: one["version"] for one in found["data"]["selected"]} == {
        "a": "1.0",
        "c": "2.0",
    }


def test_what_cannot_be_solved_ends_with_three_and_says_why(user: Tool) -> None:
    """SOL-10."""
    words = ("lock", "--offline", "--index", user.folder / "ix")
    error = user(*words, "--json", "a", "b", code=3).json["error"]
    assert error["what"] == "`a` and `b` cannot be had together"
    assert [fix["change"] for fix in error["data"]["fixes"]] == ["drop", "drop"]
    told = user(*words, "--tree", "a", "b", code=3).err
    assert "cause:   `a` 1.0, 2.0 requires `c` >=2\n" in told
    assert user(*words, "no-such", code=3).err
