"""`doctor`, `shell` and `cache`, as people use them."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from crpack import disk
from tests.flow.tool import Tool, component, head

if TYPE_CHECKING:
    from tests.flow.index_room import Room

KIT = """
[[source]]
kind = "local"
path = "own"
[build]
driver = "copy"
platform = "any"
[exports]
bin = ["bin"]
[exports.env]
KIT_AT = "{prefix}"
"""
USE = """
[requires]
kit = ">=1"
[[source]]
kind = "inline"
path = "readme"
text = "use"
[build]
driver = "copy"
platform = "any"
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Tool:
    """Somebody who installed a solution with one program, `kit_tool`, without a compiler."""
    tool = Tool(tmp_path_factory.mktemp("made")).with_key()
    parts = tool.folder / "parts"
    kit = component(parts / "kit", head("kit") + KIT, own__bin__kit_tool="#!/bin/sh\necho kit $1\n")
    (kit / "own/bin/kit_tool").chmod(0o755)
    component(parts / "use", head("use", kind="solution") + USE)
    tool("build", "parts/use", "--with", "parts", "--full", "--out", "use.crpkg")
    tool("install", "use.crpkg")
    return tool


@pytest.fixture
def used(made: Tool, tmp_path: Path) -> Tool:
    """A copy of it, to change."""
    shutil.copytree(made.home, tmp_path / "home", symlinks=True)
    return Tool(tmp_path)


def findings(tool: Tool, code: int = 0, env: dict[str, str] | None = None) -> dict[str, Any]:
    done = tool("doctor", "--json", code=code, env=env).json
    every = done["error"]["data"]["findings"] if code else done["data"]
    assert all(bool(one["hint"]) or one["state"] == "ok" for one in every)
    return {one["name"]: one for one in every}


def test_a_doctor_finds_nothing_wrong_with_what_is_well(used: Tool) -> None:
    """CLI-09: one line a thing, nothing changed."""
    before = sorted(str(path) for path in used.prefix.rglob("*"))
    found = findings(used)
    assert not [one for one in found.values() if one["state"] == "fail"]
    assert found["installed"]["said"] == "1 solution, sound"
    assert found["leftovers"]["state"] == "ok"
    assert sorted(str(path) for path in used.prefix.rglob("*")) == before
    out = used("doctor").out
    assert out.startswith("ok    crpack")


def test_a_doctor_names_what_is_damaged_and_how_to_repair_it(used: Tool) -> None:
    """CLI-09: a fault hides no other; exit 7."""
    (kit,) = (used.prefix / "store").glob("*/files/bin")
    shutil.move(kit.parents[1], used.folder / "away")
    (used.home / "config/trust.json").write_text("{")
    found = findings(used, code=7)
    assert found["use"]["state"] == "fail"
    assert "the files of `kit`" in found["use"]["said"]
    assert "crpack install --reinstall" in found["use"]["hint"]
    assert found["trust"]["state"] == "fail"
    assert found["platform"]["state"] == "ok"
    assert used("doctor", code=7).out.count("fail") == 2


def test_a_doctor_counts_what_interrupted_commands_left(used: Tool) -> None:
    """CLI-09, CLI-10: what a living process holds is none of it; `cache gc` takes it away."""
    (used.prefix / "stage/dead").mkdir()
    (used.prefix / "trash/x").mkdir()
    living = disk.make_stage(str(used.prefix / "stage"))
    try:
        said = findings(used)["leftovers"]
        assert (said["state"], said["said"]) == ("warn", "1 interrupted stage and 1 item of trash")
        planned = used("cache", "gc", "--dry-run", "--json").json["data"]
        assert {Path(item["path"]).name for item in planned["items"]} == {"dead", "x"}
        assert (used.prefix / "stage/dead").exists()
        used("cache", "gc")
        assert os.listdir(used.prefix / "stage") == [Path(living.path).name]
        assert not os.listdir(used.prefix / "trash")
    finally:
        living.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_doctor_tells_of_a_prefix_that_cannot_be_written(used: Tool) -> None:
    """CLI-09."""
    used.prefix.chmod(0o555)
    assert findings(used)["prefix"]["state"] == "warn"


def test_a_doctor_tells_of_a_prefix_that_cannot_be_made(tool: Tool) -> None:
    """CLI-09."""
    (tool.folder / "file").write_text("")
    found = findings(tool, code=7, env={"CRPACK_PREFIX": str(tool.folder / "file/below")})
    assert found["prefix"]["state"] == "fail"


def test_a_command_runs_in_the_environment_of_a_solution(used: Tool) -> None:
    """CLI-08: its programs come first, the user's own environment stays, its exit code passes."""
    done = used("shell", "use", "--", "kit_tool", "--help")
    assert done.out == "kit --help\n"
    said = used("shell", "use", "--", "env", env={"MINE": "a b", "PATH": os.environ["PATH"]}).out
    values = dict(line.split("=", 1) for line in said.splitlines())
    assert values["MINE"] == "a b"
    assert values["CRPACK_SHELL"] == "use"
    assert values["KIT_AT"].endswith("/root/kit")
    assert values["PATH"].endswith(os.environ["PATH"])
    used("shell", "use", "--", "sh", "-c", "exit 9", code=9)
    used("shell", "use", "--", "nothing-of-that-name", code=125)
    used("shell", "other", "--", "true", code=1)
    used("shell", "use", "--json", "--", "true", code=2)
    shell = used("shell", "use", env={"SHELL": "/bin/sh", "PATH": os.environ["PATH"]},
                 text="kit_tool $CRPACK_SHELL; exit 4", code=4)  # fmt: skip
    assert shell.out == "kit use\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_what_is_printed_can_be_evaluated(used: Tool, shell: str) -> None:
    """CLI-08: whatever is in a value."""
    if not shutil.which(shell):
        pytest.skip(f"no {shell} here")
    odd = used.folder / 'it\'s \\ $(x) "y"\ta\nb\x1b[31mc\x7f\udcff é'
    shutil.copytree(used.prefix, odd, symlinks=True)
    words = ("shell", "use", "--print", "--shell", shell, "--prefix", odd)
    script = used(*words).out
    (used.folder / "script").write_text(script)
    wanted = {one["name"]: one["value"] for one in used(*words, "--json").json["data"]}
    command = f". ./script; {shlex_env()}"
    env = {"PATH": os.environ["PATH"], "HOME": str(used.folder)}
    done = subprocess.run([shell, "-c", command], cwd=used.folder, capture_output=True, text=True,
                          env=env, check=True)  # fmt: skip
    values = json.loads(done.stdout)
    assert {name: values[name] for name in wanted} == wanted


def shlex_env() -> str:
    """Return a command that tells its environment as JSON."""
    code = "import os, json; print(json.dumps(dict(os.environ)))"
    return shlex.join([sys.executable, "-c", code])


def test_a_shell_keeps_its_generation(used: Tool) -> None:
    """CLI-08, GEN-08: also when the solution is removed meanwhile."""
    environ = {**os.environ, "CRPACK_HOME": str(used.home)}
    words = [sys.executable, "-m", "crpack", "shell", "use", "--", "sh", "-c",
             "echo ready; read word; kit_tool $word"]  # fmt: skip
    with subprocess.Popen(words, cwd=used.folder, env=environ, text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as shell:  # fmt: skip
        assert shell.stdout
        assert shell.stdout.readline() == "ready\n"
        used("remove", "use")
        out, _ = shell.communicate("still", timeout=120)
    assert out == "kit still\n"
    used("cache", "gc")
    assert not os.listdir(used.prefix / "store")


def test_a_cache_is_measured_pruned_and_cleared(used: Tool) -> None:
    """CLI-10: what a solution came from stays until all is cleared."""
    cache = used.home / "cache"
    assert used("cache", "dir").out.strip() == str(cache)
    (identity,) = [one["identity"] for one in used("list", "--json").json["data"]]
    for name in (identity, "0" * 64):
        path = cache / "archives" / f"{name}.crpkg"
        path.parent.mkdir(exist_ok=True)
        path.write_text("x" * 1000)
    (cache / "parts").mkdir(exist_ok=True)
    (cache / "parts/cut").write_text("y" * 10)
    (cache / "index" / ("1" * 64)).mkdir(parents=True)
    sizes = {Path(one["path"]).name: one for one in used("cache", "size", "--json").json["data"]}
    assert (sizes["archives"]["files"], sizes["archives"]["bytes"]) == (2, 2000)
    planned = used("cache", "prune", "--dry-run", "--json").json["data"]
    gone = [
        cache / "archives" / f"{'0' * 64}.crpkg",
        cache / "parts/cut",
        cache / "index" / ("1" * 64),
    ]
    assert {item["path"] for item in planned["items"]} == set(map(str, gone))
    assert all(path.exists() for path in gone)
    used("cache", "prune")
    assert not any(path.exists() for path in gone)
    assert (cache / "archives" / f"{identity}.crpkg").exists()
    used("cache", "clean")
    assert [path.name for path in cache.iterdir() if path.is_file() or any(path.iterdir())] == []
    used("verify", "use")


def test_where_a_lock_is_damaged_nothing_that_it_may_name_is_pruned(used: Tool) -> None:
    """CLI-10: nobody knows what it needs."""
    (lock,) = used.prefix.glob("solutions/use/gen/1/crpack.lock")
    lock.chmod(0o644)
    lock.write_text("x")
    spare = used.home / "cache/archives" / f"{'0' * 64}.crpkg"
    spare.parent.mkdir(exist_ok=True)
    spare.write_text("x")
    (used.home / "cache/parts").mkdir(exist_ok=True)
    (used.home / "cache/parts/cut").write_text("y")
    assert "kept archives and wheels" in used("cache", "prune").err
    assert spare.exists()
    assert not (used.home / "cache/parts/cut").exists()


def test_what_a_running_command_uses_stays_in_the_cache(used: Tool) -> None:
    """CLI-10: a part that is filled, a stage that is held, and what has no lock of its own."""
    cache = used.home / "cache"
    for name in ("archives/a.crpkg", "parts/filled"):
        (cache / name).parent.mkdir(exist_ok=True)
        (cache / name).write_text("x")
    part = disk.open_part(str(cache / "parts/filled"))
    stage = disk.make_stage(str(cache / "stage"))
    assert part
    with part:
        done = used("cache", "clean", "--json").json
        assert any("archives" in text for text in done["warnings"])
        assert (cache / "archives/a.crpkg").exists()
        assert (cache / "parts/filled").exists()
        assert Path(stage.path).exists()
    stage.close()
    used("cache", "clean")
    assert not (cache / "archives").exists()
    assert not (cache / "parts/filled").exists()


def test_a_cache_action_that_is_none_is_refused(tool: Tool) -> None:
    assert "`clean`" in tool("cache", "clear", code=2).err
    tool("cache", code=2)


def test_a_doctor_tells_of_an_index_that_cannot_be_read(lab: Room, tmp_path: Path) -> None:
    """CLI-09: by what was read last; no network connection is opened."""
    room = lab.copy(tmp_path / "owner")
    user = room.user(tmp_path / "user")
    (name,) = [one for one in findings(user) if one.startswith("index ")]
    assert findings(user)[name]["state"] == "ok"
    for path in room.index.glob("metadata/*"):
        path.unlink()
    assert findings(user, code=7)[name]["state"] == "fail"
