"""`crpack detect` on hostile and ordinary machines, the whole command."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.flow.tool import Tool, component, head

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def usual_umask() -> object:
    before = os.umask(0o022)
    yield
    os.umask(before)


class Machine:
    """The command with a PATH of its own. What a program answered is in the cache."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.tool = Tool(folder).with_key()
        shutil.rmtree(self.tool.home / "cache", ignore_errors=True)  # what the tool lends
        self.env = {"PATH": str(self.bin), "CRPACK_SANDBOX": "none"}

    def program(self, name: str, script: str) -> Path:
        file = self.bin / name
        file.write_text(f"#!/bin/sh\n{script}")
        file.chmod(0o755)
        return file

    def settle(self) -> None:
        """Wait until what was made is old enough to be kept."""
        time.sleep(2.1)

    def answered(self, text: str) -> bool:
        """Say whether a program's answer, told or kept, was ever seen."""
        known = (self.tool.home / "cache").glob("detect*.json")
        return any(text in file.read_text() for file in known)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_an_archives_own_probe_starts_no_program(machine: Machine) -> None:
    """PRB-12: neither when it is made nor installed nor looked at, nor afterwards."""
    machine.program("planted", "echo planted 1.0\n")
    probe = '[[probe]]\nkind = "exec"\nnames = ["planted"]\nversion = \'(?P<version>.*)\'\n'
    source = '[[source]]\nkind = "local"\npath = "main.py"\n[build]\ndriver = "copy"\n'
    toml = head("sample", kind="solution") + source + probe
    folder = component(machine.folder / "sample", toml, main_dot_py="pass\n")
    env = {**machine.env, "PATH": f"{machine.bin}:{os.environ['PATH']}"}
    built = machine.folder / "s.crpkg"
    machine.tool("build", folder, "--key", "test", "--out", built, env=env)
    machine.tool("info", built, env=env)
    machine.tool("install", built, env=env)
    assert "planted" not in machine.tool("detect", env=env).out
    assert not machine.answered("planted")


def test_no_exec_and_dry_run_start_no_program(machine: Machine) -> None:
    """DET-05, DET-15."""
    machine.program("make", "echo GNU Make 4.3\n")
    planned = machine.tool("detect", "make", "--dry-run", env=machine.env)
    assert f"would ask {machine.bin}/make --version" in planned.out
    done = machine.tool("--json", "detect", "make", "--no-exec", env=machine.env)
    (found,) = done.json["data"]["found"]
    assert (found["path"], found["version"]) == (f"{machine.bin}/make", None)
    assert not machine.answered("4.3")
    machine.settle()
    machine.tool("detect", "make", env=machine.env)
    assert machine.answered("4.3")


def test_facts_are_saved_as_they_are_told(machine: Machine) -> None:
    machine.program("make", "echo GNU Make 4.3\n")
    file = machine.folder / "facts.json"
    done = machine.tool("--json", "detect", "make", "--save", file, env=machine.env)
    assert '"version":"4.3"' in file.read_text()
    assert done.json["data"]["found"][0]["version"] == "4.3"


def test_what_is_no_finding_is_told_with_its_reason(machine: Machine) -> None:
    """DET-16: to programs in the answer, to people in a line each, all of them with `-v`."""
    make = machine.program("make", "echo not found; exit 127\n")
    told = machine.tool("--json", "detect", "make", "ninja", env=machine.env).json["data"]
    (refused,) = [one for one in told["refused"] if one["path"] == str(make)]
    assert refused["name"] == "make"
    assert refused["why"] == "it ended with status 127: `not found`"
    said = machine.tool("detect", "make", env=machine.env).err
    assert f"`{make}` does not count as `make`: {refused['why']}" in said
    for number in range(5):
        (make.parent / f"python3.{90 + number}").mkdir()
    said = machine.tool("detect", "make", "python", env=machine.env).err
    assert said.count("does not count as") == 3
    assert "nor do 3 more programs" in said
    said = machine.tool("detect", "make", "python", "-v", env=machine.env).err
    assert said.count("it is a folder, and no program") == 5


def test_a_component_is_asked_for_by_its_name_or_that_of_a_program(machine: Machine) -> None:
    machine.program("make", "echo GNU Make 4.3\n")
    machine.program("gmake", "echo GNU Make 4.4\n")
    for words in (("make",), ("make", "git")):
        done = machine.tool("detect", *words, env=machine.env)
        assert re.search(r"make +4\.3", done.out)
    assert "not found: git" in done.err
    done = machine.tool("detect", "maek", code=2, env=machine.env)
    assert "did you mean `make`?" in done.err


@pytest.mark.parametrize("planted", [".", "here"])
def test_a_compiler_planted_in_the_working_folder_is_not_run(
    machine: Machine, planted: str
) -> None:
    """DET-01: whatever PATH says of the folder that one is in."""
    here = machine.folder / "here"
    here.mkdir()
    tool = machine.program("gcc", "echo 'gcc (GCC) 12.2.0'\n")
    shutil.copy2(tool, here / "gcc")
    tool.unlink()
    cwd = here if planted == "." else machine.folder
    done = machine.tool("detect", "gcc", cwd=cwd, env={**machine.env, "PATH": f"{planted}::"})
    assert "not found: gcc" in done.err
    assert not machine.answered("12.2.0")


@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("strace"), reason="no strace here")
def test_a_second_run_starts_no_program_and_reads_no_recipe(machine: Machine) -> None:
    """DET-17: as the kernel sees it."""
    machine.program("make", "echo GNU Make 4.3\n")
    env = {**machine.env, "PATH": f"{machine.bin}:/usr/bin:/bin"}
    machine.settle()
    first = machine.tool("--json", "detect", env=env)
    log = machine.tool.home / "strace.log"  # beside `bin` it would be seen
    environ = {"CRPACK_HOME": str(machine.tool.home), "HOME": str(machine.folder), **env}
    again = subprocess.run(
        ["strace", "-f", "-qq", "-e", "trace=execve,openat", "-o", str(log),
         sys.executable, "-m", "crpack", "--json", "detect"],
        env=environ, capture_output=True, text=True, check=True, cwd=machine.folder,
    )  # fmt: skip
    calls = log.read_text(errors="replace")
    assert calls.count("execve(") == 1
    assert "/recipes/software/gcc" not in calls
    assert "openat" in calls
    assert "4.3" in first.out
    assert first.json["data"]["found"] == json.loads(again.stdout)["data"]["found"]
