"""What goes wrong around an installation, and how a user gets out of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.flow.tool import SOLUTION, Tool, component, head, program

if TYPE_CHECKING:
    from pathlib import Path

COPIED = """
[[source]]
kind = "inline"
path = "share/text"
text = "{version}"
[build]
driver = "copy"
"""


FAILING = """
[requires]
greet = ">=1"
text = ">=1"
[[source]]
kind = "inline"
path = "Makefile"
text = "all:"
[build]
driver = "make"
[outputs]
exe = ["bin/missing"]
"""


def archive(tool: Tool, version: str, name: str = "demo", *flags: str) -> Path:
    """Build an archive of a solution that is one file."""
    folder = tool.folder / f"{name}-{version}"
    component(folder, head(name, version, "solution") + COPIED.format(version=version))
    path = tool.folder / f"{name}-{version}.crpkg"
    tool("build", folder, "--full", "--out", path, *flags)
    return path


def current(tool: Tool, name: str = "demo") -> Path:
    """Return the folder of the current generation."""
    return (tool.prefix / "solutions" / name / "current").resolve()


def damage(tool: Tool) -> None:
    """Overwrite the record of the current generation."""
    record = current(tool) / "generation.json"
    record.chmod(0o644)
    record.write_text("{")


def test_a_damaged_generation_is_told_and_can_be_repaired_in_every_way(tool: Tool) -> None:
    """GEN-02, GEN-05."""
    one, two = archive(tool, "1.0"), archive(tool, "2.0")
    tool("install", archive(tool, "1.0", "other"))
    tool("install", one)
    tool("install", two)
    damage(tool)
    listed = {item["name"]: item for item in tool("list", "--json").json["data"]}
    assert "generation.json` is damaged" in listed["demo"]["damage"]
    assert listed["other"]["version"] == "1.0"
    assert "is damaged" in tool("info", "demo", code=1).err
    assert "is damaged" in tool("verify", "demo", code=7).err
    assert "now damaged" in tool("install", two, "--dry-run").out
    assert tool("install", two, "--json").json["data"][0]["generation"] == 3
    tool("verify", "demo")
    damage(tool)
    assert tool("install", two, "--reinstall", "--json").json["data"][0]["generation"] == 4
    damage(tool)
    back = tool("update", "demo", "--rollback", "--json").json["data"]
    assert (back["version"], back["restored"]) == ("1.0", 1)
    tool("verify", "demo", "other")
    damage(tool)
    assert "- demo damaged" in tool("remove", "demo").out
    tool("verify", "other")


def test_a_damaged_document_of_the_current_generation_is_made_again(tool: Tool) -> None:
    path = archive(tool, "1.0")
    tool("install", path)
    (current(tool) / "crpack.lock").unlink()
    assert "`crpack.lock` is not as it was written" in tool("verify", "demo", code=7).err
    assert tool("install", path, "--json").json["data"][0]["generation"] == 2
    tool("verify", "demo")


def test_two_installs_at_once_make_one_generation(tool: Tool) -> None:
    """GEN-04: whichever is second finds that the first made the same."""
    program(tool.folder / "parts/greet")
    component(tool.folder / "parts/sample", head("sample", "1.0", "solution") + SOLUTION,
              main_dot_py="")  # fmt: skip
    path = tool.folder / "sample.crpkg"
    tool("build", "parts/sample", "--with", "parts", "--full", "--out", path)
    env = {**os.environ, "CRPACK_HOME": str(tool.home), "HOME": str(tool.folder)}
    argv = [sys.executable, "-m", "crpack", "install", str(path), "--json"]
    both = [
        subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    said = [json.loads(one.communicate(timeout=300)[0]) for one in both]
    assert [one.returncode for one in both] == [0, 0]
    assert sorted(one["data"][0]["changed"] for one in said) == [False, True]
    assert {one["data"][0]["generation"] for one in said} == {1}
    assert len(list((tool.prefix / "solutions/sample/gen").iterdir())) == 1
    assert list((tool.prefix / "stage").iterdir()) == []
    tool("verify", "sample")


def test_what_nobody_signed_is_remembered_as_such(tool: Tool) -> None:
    """SIG-10."""
    path = archive(tool, "1.0", "demo", "--unsigned")
    done = tool("install", "-q", "--allow-unsigned", path)
    assert "warning: `demo` is not signed" in done.err
    assert json.loads((current(tool) / "generation.json").read_text())["unsigned"] == ["demo"]
    assert "unsigned = true" in (current(tool) / "crpack.lock").read_text()
    assert "nobody vouches for it" in tool("info", "demo").out
    assert tool("list").out.rstrip().endswith("unsigned")
    assert tool("list", "--json").json["data"][0]["unsigned"] == ["demo"]
    again = tool("install", "--allow-unsigned", path, "--json").json["data"][0]
    assert (again["changed"], again["unsigned"]) == (False, ["demo"])
    refused = tool("verify", path, code=4)
    assert "--allow-unsigned" not in refused.err
    assert "`--no-trust`" in refused.err
    tool("verify", path, "--no-trust")
    component(tool.folder / "demo-1.0", head("demo", "1.0", "solution") + COPIED)
    tool("build", tool.folder / "demo-1.0", "--full", "--out", "signed.crpkg")
    tool("install", "signed.crpkg")
    assert tool("list", "--json").json["data"][0]["unsigned"] == []


def test_a_failed_install_keeps_what_was_built_and_nothing_else(tool: Tool) -> None:
    """STO-17: the next attempt begins with it."""
    program(tool.folder / "parts/greet")
    component(
        tool.folder / "parts/text",
        head("text", "1.0", "dataset") + COPIED.format(version="1"),
    )
    component(tool.folder / "parts/last", head("last", "1.0", "solution") + FAILING)
    tool("build", "parts/last", "--with", "parts", "--full", "--out", "last.crpkg")
    done = tool("install", "last.crpkg", code=6)
    assert done.err.count("nothing was changed") == 1
    trees = [path.name for path in (tool.prefix / "store").iterdir()]
    records = [json.loads(path.read_text()) for path in (tool.prefix / "built").iterdir()]
    assert [record["tree"] for record in records] == trees
    assert list((tool.prefix / "stage").iterdir()) == []
    tool("install", "last.crpkg", code=6)
    assert len(list((tool.home / "state/logs").glob("greet-*"))) == 1


def test_nothing_was_changed_is_one_line_and_one_field(tool: Tool) -> None:
    (tool.folder / "text.crpkg").write_text("not an archive")
    done = tool("install", "text.crpkg", code=4)
    assert done.err.rstrip().splitlines()[-1] == "nothing was changed"
    assert done.err.count("nothing was changed") == 1
    error = tool("install", "text.crpkg", "--json", code=4).json["error"]
    assert error["data"]["changed"] is False
    assert not any("changed" in why for why in error["why"])


def test_an_update_by_name_tells_the_way_back(tool: Tool) -> None:
    tool("install", archive(tool, "1.0"))
    done = tool("update", "demo", code=3)
    assert "there is no `demo`" in done.err
    assert "`crpack update demo --rollback`" in done.err


def test_a_file_in_place_of_the_prefix_is_refused_by_each_verb(tool: Tool) -> None:
    (tool.folder / "file").touch()
    for words in (("list",), ("info", "demo"), ("run", "demo"), ("remove", "demo")):
        done = tool(*words, "--prefix", tool.folder / "file", code=1)
        assert "is not a folder" in done.err


@pytest.mark.parametrize("place", ["/dev/stdin", "ftp://h.invalid/a.crpkg", "./pipe"])
def test_a_place_that_no_archive_can_be_read_from(tool: Tool, place: str) -> None:
    os.mkfifo(tool.folder / "pipe")
    done = tool("install", place, code=2)
    wanted = "not an address that crpack opens" if "://" in place else "is a pipe or device"
    assert f"`{place}`" in done.err
    assert wanted in done.err
    assert "hint: " in done.err


def test_the_same_altered_byte_is_refused_alike_by_each_verb(tool: Tool) -> None:
    """CLI-05."""
    path = archive(tool, "1.0")
    data = path.read_bytes()
    for at in range(40, len(data), max(1, len(data) // 5)):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        tool("install", path, code=4)
        tool("verify", path, code=4)
        tool("verify", "--no-trust", path, code=4)


def test_the_numbers_of_a_summary_fit_their_nouns(tool: Tool) -> None:
    path = archive(tool, "1.0")
    tool("install", path)
    assert "ok demo 1.0: 1 file\n" in tool("verify", "demo").out
    assert "1 file," in tool("info", path).out
    assert "freed 1 tree and 0 Python environments" in tool("remove", "demo").out
