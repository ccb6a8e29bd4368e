"""Build tools of the user's own: below a home, in a folder for temporary files, behind links."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.flow.tool import PROGRAM, Tool, component, head, program

if TYPE_CHECKING:
    from pathlib import Path

CMAKE = """\
cmake_minimum_required(VERSION 3.16)
project(x C)
install(FILES a.h DESTINATION include)
"""
WRAPPER = '#!/bin/sh\nexec {real} "$@"\n'


def real(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"`{name}` is not on this machine")
    return found


def wrap(folder: Path, name: str, text: str = WRAPPER) -> None:
    """Put a script that stands for a tool of the system into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text.replace("{real}", real(name)))
    (folder / name).chmod(0o755)


def first(folder: Path) -> dict[str, str]:
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


def here(tool: Tool) -> str:
    return str(tool("detect", "gcc", "--json").json["data"]["platform"])


def log(tool: Tool) -> str:
    (found,) = (tool.home / "state/logs").glob("*.log")
    return found.read_text("utf-8")


def test_tools_of_the_user_s_own_build(tool: Tool) -> None:
    """SBX-14: a copy of make and wrappers of compilers in a home, where walls hide all else."""
    own = tool.folder / "bin"
    wrap(own, "gcc")
    wrap(own, "g++")
    shutil.copy2(real("make"), own / "make")
    (tool.folder / "secret").write_text("hidden")
    program(tool.folder / "greet")
    tool("build", "greet", "--platform", here(tool), env=first(own))
    said = log(tool)
    assert f"{own}/make" in said
    assert f"CC={own}/gcc" in said


def test_a_cmake_tree_of_the_user_s_own_behind_links_builds(tool: Tool) -> None:
    """SBX-14: its modules lie in `share`, its folder is reached by two links."""
    cmake = real("cmake")
    names = [name for name in os.listdir("/usr/share") if name.startswith("cmake-")]
    if cmake != "/usr/bin/cmake" or not names:
        pytest.skip("cmake is not that of the system")
    version = names[0]
    tree = tool.folder / "opt/tools"
    (tree / "bin").mkdir(parents=True)
    shutil.copy2(cmake, tree / "bin/cmake")
    shutil.copytree(f"/usr/share/{version}", tree / "share" / version)
    (tool.folder / "dots").mkdir()
    (tool.folder / "dots/cmake").symlink_to("../opt/tools/bin/cmake")
    (tool.folder / "bin").symlink_to("dots")
    recipe = PROGRAM.replace('"make"', '"cmake"').replace("exe = [", 'header = ["**/a.h"]\nexe = [')
    component(
        tool.folder / "greet",
        head("greet") + recipe.replace("bin/greet", "include/a.h"),
        src__CMakeLists_dot_txt=CMAKE,
        src__a_dot_h="",
    )
    tool("build", "greet", "--platform", here(tool), env=first(tool.folder / "bin"))
    assert f"{tool.folder}/bin/cmake" in log(tool)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can build as another user")
def test_what_root_builds_as_nobody_belongs_to_root(tool: Tool) -> None:
    """BLD-18: the steps wrote it as somebody else."""
    program(tool.folder / "greet")
    tool("build", "greet", "--out", "greet.crpkg")
    tool("install", "greet.crpkg")
    assert "# all steps run as user " in log(tool)
    made = [tool.prefix, *tool.prefix.rglob("*")]
    assert any(path.name == "greet" and path.is_file() for path in made)
    assert {path.lstat().st_uid for path in made} == {0}
