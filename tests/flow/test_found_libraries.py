"""Libraries of the machine: what runs with them, what links them, and what is noticed later."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from crpack.detect.path import read_image
from tests.flow.tool import MAKEFILE, PROGRAM, component, head

if TYPE_CHECKING:
    from pathlib import Path

    from tests.flow.tool import Tool

COPY = """
[[source]]
kind = "inline"
path = "run.sh"
text = 'echo "{}" > $1'
[build]
driver = "copy"
[action.run]
argv = ["/bin/sh", "{self}/run.sh", "{output}"]
"""
MADE = PROGRAM.partition("[outputs]")[0] + '[exports]\ninclude = ["include"]\n'
INSTALLS = """\
all:
install:
\tmkdir -p $(DESTDIR)$(PREFIX)/include
\tcp zlib.h $(DESTDIR)$(PREFIX)/include/
"""
HEADER = '#define ZLIB_VERSION "1.77.0"\n#define OWN\n'


def library(folder: Path, text: str = "int it(void) { return 1; }") -> Path:
    """Put a library into a prefix, under the names that such libraries have."""
    folder.mkdir(parents=True, exist_ok=True)
    real = folder / "libz.so.1.77.0"
    subprocess.run(
        ["cc", "-shared", "-Wl,-soname,libz.so.1", "-o", real, "-xc", "-"],
        input=text.encode(), check=True,
    )  # fmt: skip
    link = folder / "libz.so.1"
    if not link.is_symlink():
        link.symlink_to(real.name)
    return link


@pytest.fixture
def env(tool: Tool) -> dict[str, str]:
    """An environment with a prefix that has the library alone, and solutions that need it."""
    (tool.folder / "opt/bin").mkdir(parents=True)
    library(tool.folder / "opt/lib")
    component(
        tool.folder / "parts/zlib",
        head("zlib", "1.78") + MADE,
        src__Makefile=INSTALLS, src__zlib_dot_h=HEADER.replace("1.77.0", "1.78"),
    )  # fmt: skip
    runs = head("runs", kind="solution") + '[requires]\nzlib = ">=1.77"\n' + COPY
    links = head("links", kind="solution") + '[requires.target]\nzlib = ">=1.77"\n' + PROGRAM
    links += '[action.run]\nargv = ["/bin/sh", "-c", "echo {} > $0", "{output}"]\n'
    source = "#include <zlib.h>\nint main(void) { return sizeof ZLIB_VERSION OWN; }\n"
    component(tool.folder / "parts/runs", runs)
    component(tool.folder / "parts/links", links, src__Makefile=MAKEFILE, src__greet_dot_c=source)
    for name in ("runs", "links"):
        tool("build", f"parts/{name}", "--with", "parts", "--full", "--out", f"{name}.crpkg")
    return {"PATH": f"{tool.folder}/opt/bin{os.pathsep}{os.environ['PATH']}"}


def origin(tool: Tool, name: str) -> str:
    record = json.loads((tool.prefix / f"solutions/{name}/current/realisation.json").read_text())
    (node,) = [node for node in record["nodes"] if node["name"] == "zlib"]
    return str(node["origin"])


def test_a_library_without_headers_serves_who_runs_with_it_alone(
    tool: Tool, env: dict[str, str]
) -> None:
    """SOL-04."""
    tool("install", "runs.crpkg", "--allow-unsigned", env=env)
    tool("install", "links.crpkg", "--allow-unsigned", env=env)
    assert (origin(tool, "runs"), origin(tool, "links")) == ("detected", "source")


def _chosen(tool: Tool, env: dict[str, str]) -> str:
    """Return what `why` tells of the library that serves."""
    said = tool("why", "zlib", "--in", "links", env=env).out.splitlines()
    return next(line for line in said if line.startswith("  * "))


def test_the_library_that_is_loaded_is_recorded_and_its_change_noticed(
    tool: Tool, env: dict[str, str]
) -> None:
    """DET-19, DET-27, GEN-07: not the header, which is first in the finding."""
    (tool.folder / "opt/include").mkdir()
    (tool.folder / "opt/include/zlib.h").write_text(HEADER)
    tool("install", "links.crpkg", "--allow-unsigned", env=env)
    assert origin(tool, "links") == "detected"
    record = (tool.prefix / "solutions/links/current/realisation.json").read_text()
    assert [file["path"] for node in json.loads(record)["nodes"] for file in node["files"]] == [
        f"{tool.folder}/opt/lib/libz.so.1"
    ]
    assert f" {tool.folder}/opt/include/zlib.h " in _chosen(tool, env)
    (program,) = (tool.prefix / "store").glob("*/files/bin/greet")
    image = read_image(str(program))
    assert image
    assert f"{tool.folder}/opt/lib" in image.runpath
    (tool.folder / "opt/include/zlib.h").write_text(HEADER + "\n")
    assert "changed" not in tool("run", "links", env=env).err
    library(tool.folder / "opt/lib", "int other(void) { return 2; }")
    said = tool("run", "links", env=env).err
    assert f"`{tool.folder}/opt/lib/libz.so.1` changed since the install" in said
    (tool.folder / "opt/lib/libz.so.1").unlink()
    assert "is not there" in tool("run", "links", code=7, env=env).err
