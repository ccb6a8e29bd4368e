"""crpack from Python does what the command line does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import crpack
from crpack.errors import InstallError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.flow.tool import Tool


def test_a_solution_is_installed_loaded_and_run(
    tool: Tool, sample: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CRPACK_HOME", str(tool.home))
    monkeypatch.setenv("HOME", str(tool.folder))
    assert crpack.install_file(str(sample)).generation == 1
    solution = crpack.load("sample")
    assert solution.version == "1.0"
    assert solution.run({"times": 2})["said"] == "hello hello"
    with pytest.raises(UsageError, match="no input"):
        solution.run({"tmies": 2})
    assert solution.validate().faults == ()
    with pytest.raises(InstallError, match="not installed"):
        crpack.load("nobody")
    assert capfd.readouterr().out == ""
