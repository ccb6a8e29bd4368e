"""What the owner of an index may say wrongly, and what comes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.flow.tool import Tool

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def tool(tmp_path: Path) -> Tool:
    return Tool(tmp_path).with_key()


@pytest.fixture
def index(tool: Tool) -> Path:
    place = tool.folder / "lab"
    tool("index", "new", place, "--no-passphrase")
    return place


def _ids(tool: Tool) -> dict[str, str]:
    return {card["name"]: card["keyid"] for card in tool("key", "list", "--json").json["data"]}


@pytest.mark.parametrize("threshold", ["0", "4", "-1"])
def test_a_threshold_that_no_keys_can_meet_makes_nothing(tool: Tool, threshold: str) -> None:
    done = tool("index", "new", "lab", "--no-passphrase", f"--threshold={threshold}", code=2)
    assert f"by {threshold} of 3 root keys" in done.err
    assert not (tool.folder / "lab").exists()
    assert set(_ids(tool)) == {"test"}


def test_a_threshold_that_is_asked_for_counts(tool: Tool) -> None:
    tool("index", "new", "lab", "--no-passphrase", "--threshold", "3")
    keys = tool.home / "config/keys"
    (keys / "lab-root-3.pem").unlink()
    done = tool("index", "keys", "lab", "--threshold", "2", "--json")
    assert done.json["data"]["missing"]  # three of them had to sign


def test_an_index_that_is_there_costs_no_keys(tool: Tool, index: Path) -> None:
    before = _ids(tool)
    (tool.folder / "other").symlink_to(index)
    done = tool("index", "new", tool.folder / "other", "--no-passphrase", code=2)
    assert "there is an index" in done.err
    assert _ids(tool) == before


def test_fewer_root_keys_do_not_lower_the_threshold_unsaid(tool: Tool, index: Path) -> None:
    done = tool("index", "keys", index, "--root-key", "lab-root-1", code=2)
    assert "by 2 of 1 root key\n" in done.err
    assert "--threshold N" in done.err


def test_keys_without_a_change_renew_nothing(tool: Tool, index: Path) -> None:
    done = tool("index", "keys", index, code=2)
    assert "`index refresh` renews" in done.err


def test_yanking_takes_a_reason(tool: Tool, index: Path) -> None:
    """PUB-10: without one, nothing that was yanked comes back by mistake."""
    done = tool("index", "yank", index, "data==1.0", code=2)
    assert "--reason TEXT" in done.err


def test_a_key_is_revoked_by_its_label_or_name_or_id(tool: Tool, index: Path) -> None:
    ids = _ids(tool)
    tool("key", "new", "other", "--no-passphrase")
    tool("index", "allow", index, "*", "test", "other")
    for word in ("test", f"sha256:{_ids(tool)['other']}"):
        tool("index", "revoke", index, word)
    again = tool("index", "revoke", index, ids["test"], code=2)
    assert "says already" in again.err
    unknown = tool("index", "revoke", index, "nobody", code=2)
    assert "`nobody`" in unknown.err
