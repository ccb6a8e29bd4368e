"""Problem sets as JSON: an index without archives, solved by the command line (SOL-08, IDX-09)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from crpack.model import names
from tests.flow.tool import Tool
from tests.house.source import ROOT
from tests.tools import foreign

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
    made(tool, TABLE)
    return tool


def made(tool: Tool, table: object) -> str:
    """Make the index `ix` of a table, and return what was told."""
    (tool.folder / "set.json").write_text(json.dumps({"index": table}))
    return subprocess.run(
        [sys.executable, ROOT / "tests/tools/metadata_index.py", "set.json", "ix"],
        env={**os.environ, "CRPACK_HOME": str(tool.home)},
        cwd=tool.folder,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


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
    assert "cause:   every `a` (1.0 and 2.0) requires `c` >=2\n" in told
    assert user(*words, "no-such", code=3).err


def test_a_table_may_be_written_as_other_tools_do(tmp_path: Path) -> None:
    """REQ-03, VER-01: what is called otherwise, or left out, is told."""
    table = {
        "RestKit": {"v0.23.3": {"depends": {"RestKit/Core": "= 0.23.3", "_x": "~> 1.2"}}},
        "RestKit/Core": {"v0.23.3": {"depends": []}},
        "_x": {"1.2.0": {}, "1.9": {"depends": {"gone": None}}, "1.10-SNAPSHOT": {}},
        "gone": {"nightly": {}},
        "pre": {"1.0.0": {"depends": {"gone": "?"}}, "1.0": {}},
        "odd": {"1.0.0": {"depends": {"RestKit": ["<1", ">=0.1"]}}, "1.0": {}},
    }
    tool = Tool(tmp_path)
    assert made(tool, table).splitlines()[:-1] == [
        "`RestKit` is called `restkit`",
        "`RestKit/Core` is called `restkit/core`",
        "`_x` is called `x`",
        "`_x` 1.10-SNAPSHOT is called 1.10.dev0",
        "`gone` nightly is left out: it is no version",
        "`pre` 1.0.0 is left out: {'gone': None}",
    ]
    words = ("lock", "--offline", "--index", tmp_path / "ix", "--json", "RestKit", "odd<2", "pre")
    found = tool(*words).json["data"]["selected"]
    assert {one["name"]: one["version"] for one in found} == {
        "odd": "1.0", "pre": "1.0", "restkit": "v0.23.3", "restkit/core": "v0.23.3", "x": "1.2.0",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "here"),
    [
        ("1.0", "1.0"),
        ("v1.2.3.4", "v1.2.3.4"),
        ("2020-01-31", "2020.1.31"),
        ("1.0.0-beta.2", "1.0.0-beta.2"),
        ("1.0-SNAPSHOT", "1.0.dev0"),
        ("1.2.pre.3", "1.2.pre.3"),
        ("1.2.pre.3.1", "1.2rc3+1"),
        ("1.0.Final", "1.0"),
        ("5.6.0.RELEASE", "5.6.0"),
        ("1.1.1w", "1.1.1.post23"),
        ("1.0-alpha.beta", "1.0a0+beta"),
        ("3.4-jre7", "3.4+jre7"),
        ("r5", ""),
        ("", ""),
    ],
)
def test_a_version_is_its_numbers_and_the_word_behind(text: str, here: str) -> None:
    """VER-01."""
    assert foreign.version(text) == here


@pytest.mark.parametrize(
    ("text", "here"),
    [
        ("", ""),
        ("*", ""),
        (">=1,<2 || ==3.*", ">=1,<2 || ==3.*"),
        ("= 1.2", "==1.2"),
        ("1.2.3", "==1.2.3"),
        ("~> 1.2", ">=1.2,<2"),
        ("~> 1.2.3, != 1.2.5", ">=1.2.3,<1.3,!=1.2.5"),
        ("~> 1", ">=1,<2"),
        ("~1.2.3", ">=1.2.3,<1.3"),
        ("~1", ">=1,<2"),
        ("^1.2", ">=1.2,<2"),
        ("^0.2.3", ">=0.2.3,<0.3"),
        ("^0.0.3", ">=0.0.3,<0.0.4"),
        ("^1.0.0-beta", ">=1.0.0b0,<2.dev0"),
        (">=1.0 <2.0 || 3.x", ">=1.0,<2.0 || ==3.*"),
        ("1.2 - 1.5", ">=1.2,<=1.5"),
        (">= 1.0 , * ", ">=1.0"),
        ("1.x.x", "==1.*"),
        ("==2020-01-31", "==2020.1.31"),
        ("^1 || *", ""),
        ("?", None),
        (">= 2.* , != 2.5.*", ">=2,!=2.5.*"),
        (">=nightly", None),
    ],
)
def test_a_range_means_what_it_means_to_its_tool(text: str, here: str | None) -> None:
    """VER-03."""
    assert foreign.wanted(text) == here


def test_names_stay_apart() -> None:
    """NAM-01."""
    found = foreign.names_of(["a", "A", "a b", "a-b", "A+B", "build", "/", "a/b/c", "\udcff"])
    assert len(set(found.values())) == len(found)
    assert found["a"] == "a"
    assert all(names.is_name(name) for name in found.values())
