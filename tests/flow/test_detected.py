"""Software of the machine that a solution uses, and what happens when it changes (GEN-07)."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.flow.tool import component, head

if TYPE_CHECKING:
    from tests.flow.tool import Tool

NINJA = Path(__file__).resolve().parents[2] / "recipes/software/ninja"
SOLUTION = """
[requires]
ninja = ">=1.5"
[[source]]
kind = "inline"
path = "run.sh"
text = 'echo "{}" > $1'
[build]
driver = "copy"
[action.run]
argv = ["/bin/sh", "{self}/run.sh", "{output}"]
"""


def install_version(tool: Tool, version: str) -> None:
    """Put a program that says it is ninja into the user's own folder."""
    file = tool.folder / "bin/ninja"
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"#!/bin/sh\necho {version}\n")
    file.chmod(0o755)


@pytest.fixture
def path(tool: Tool) -> dict[str, str]:
    """An environment whose own ninja comes first, with a solution that uses it installed."""
    found = {"PATH": f"{tool.folder}/bin{os.pathsep}{os.environ['PATH']}"}
    install_version(tool, "1.10")
    shutil.copytree(NINJA, tool.folder / "parts/ninja")
    component(tool.folder / "parts/sample", head("sample", kind="solution") + SOLUTION)
    tool("build", "parts/sample", "--with", "parts", "--out", "sample.crpkg")
    tool("install", "sample.crpkg", env=found)
    return found


def test_a_changed_file_that_still_serves_is_told_and_recorded(
    tool: Tool, path: dict[str, str]
) -> None:
    assert "warning" not in tool("run", "sample", env=path).err
    install_version(tool, "1.11.1")
    done = tool("run", "sample", "--out", "run", env=path)
    assert f"`{tool.folder}/bin/ninja` changed since the install" in done.err
    record = json.loads((tool.folder / "run/run.json").read_text())
    assert record["changed"] == [f"{tool.folder}/bin/ninja"]
    assert "changed since the install" in tool("validate", "sample", env=path).err


def test_a_changed_file_that_does_not_serve_any_more_is_exit_7(
    tool: Tool, path: dict[str, str]
) -> None:
    install_version(tool, "1.4.9")
    for verb in ("run", "validate"):
        done = tool(verb, "sample", code=7, env=path)
        assert "bin/ninja` is now version 1.4.9; needed is `ninja` >=1.5" in done.err
        assert "crpack install --reinstall sample.crpkg" in done.err
    (tool.folder / "bin/ninja").write_text("#!/bin/sh\necho hello\n")
    assert "is not `ninja` any more" in tool("run", "sample", code=7, env=path).err


def test_the_command_of_the_hint_repairs_it(tool: Tool, path: dict[str, str]) -> None:
    (tool.folder / "bin/ninja").unlink()
    assert "is not there" in tool("run", "sample", code=7, env=path).err
    install_version(tool, "1.12")
    tool("install", "--reinstall", "sample.crpkg", env=path)
    assert "warning" not in tool("run", "sample", env=path).err
