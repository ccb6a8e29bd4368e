"""Fixtures of the flow tests."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.flow.tool import Tool, lend, program, solution


@pytest.fixture(scope="session")
def author(tmp_path_factory: pytest.TempPathFactory) -> Tool:
    """Who has the key of each `tool`; nobody changes it."""
    return Tool(tmp_path_factory.mktemp("author")).with_key()


@pytest.fixture(scope="session")
def sampled(author: Tool) -> Path:
    """The archive that each `sample` is a copy of; its sources are beside it."""
    program(author.folder / "parts/greet")
    solution(author.folder / "parts/sample")
    author("build", "parts/sample", "--with", "parts", "--full", "--out", "sample.crpkg")
    return author.folder / "sample.crpkg"


@pytest.fixture
def tool(author: Tool, tmp_path: Path) -> Tool:
    """The command with a pinned throw-away key."""
    tool = Tool(tmp_path)
    shutil.copytree(author.home / "config", tool.home / "config")
    lend(tool.home / "cache")
    return tool


@pytest.fixture
def sample(tool: Tool, sampled: Path) -> Path:
    """A full archive of the sample solution and its program."""
    shutil.copytree(sampled.parent / "parts", tool.folder / "parts")
    return Path(shutil.copy(sampled, tool.folder))
