"""Fixtures of the flow tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.flow.tool import Tool, program, solution

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def tool(tmp_path: Path) -> Tool:
    """The command with a pinned throw-away key."""
    return Tool(tmp_path).with_key()


@pytest.fixture
def sample(tool: Tool) -> Path:
    """A full archive of the sample solution and its program."""
    program(tool.folder / "parts/greet")
    solution(tool.folder / "parts/sample")
    tool("build", "parts/sample", "--with", "parts", "--full", "--out", "sample.crpkg")
    return tool.folder / "sample.crpkg"
