"""The device owner's road: install, list, run, validate, update, roll back, remove."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.flow.tool import Tool, program, solution


def rebuilt(tool: Tool, version: str, *, word: str = "hello", score: str = "0.5") -> Path:
    program(tool.folder / "parts/greet", word)
    solution(tool.folder / "parts/sample", score, version)
    path = tool.folder / f"sample-{version}.crpkg"
    tool("build", "parts/sample", "--with", "parts", "--full", "--out", path)
    return path


def test_an_archive_is_compiled_here_installed_and_run(tool: Tool, sample: Path) -> None:
    """CLI-06: of a lone archive nobody knows whether it is the newest."""
    done = tool("install", sample)
    assert "+ greet 1.0 (source)" in done.out
    assert "+ sample 1.0 (binary)" in done.out
    assert "freshness unknown" in done.out
    assert tool("list").out.split()[:2] == ["sample", "1.0"]
    assert json.loads(tool("run", "sample", "--set", "times=2").out)["said"] == "hello hello"
    assert "valid: sample 1.0" in tool("validate", "sample").out


def test_a_dry_run_tells_the_plan_and_changes_nothing(tool: Tool, sample: Path) -> None:
    plan = tool("install", sample, "--dry-run")
    assert "build  greet 1.0" in plan.out
    assert "unpack sample 1.0" in plan.out
    assert "nothing was changed" in plan.err
    assert not tool.prefix.exists()


def test_what_is_installed_already_is_left_alone(tool: Tool, sample: Path) -> None:
    """CLI-06: the answer is a list, also for one."""
    tool("install", sample)
    again = tool("install", sample)
    assert "nothing was changed" in again.out
    said = tool("install", sample, "--json").json["data"]
    assert [(one["name"], one["changed"]) for one in said] == [("sample", False)]
    assert tool("list", "--json").json["data"][0]["generation"] == 1


def test_a_second_build_of_the_same_key_costs_nothing(tool: Tool, sample: Path) -> None:
    tool("install", sample)
    tool("install", rebuilt(tool, "1.1"))  # another solution, the same program
    logs = list((tool.home / "state/logs").glob("greet-*"))
    assert len(logs) == 1
    assert tool("list", "--parts", "--json").json["data"][0]["version"] == "1.1"


def test_an_update_replaces_and_a_rollback_brings_back(tool: Tool, sample: Path) -> None:
    tool("install", sample)
    tool("update", rebuilt(tool, "2.0", word="hallo"))
    assert json.loads(tool("run", "sample").out)["said"] == "hallo"
    back = tool("update", "sample", "--rollback")
    assert "back at 1.0" in back.out
    assert json.loads(tool("run", "sample").out)["said"] == "hello"
    assert tool("list", "--json").json["data"][0]["generation"] == 3
    forth = tool("update", "sample", "--rollback", "2", "--dry-run")
    assert "generation 2" in forth.out
    assert tool("list", "--json").json["data"][0]["generation"] == 3


def test_an_update_of_what_is_not_installed_is_refused(tool: Tool, sample: Path) -> None:
    done = tool("update", sample, code=1)
    assert "`sample` is not installed" in done.err
    assert "nothing was changed" in done.err
    tool("update", "sample", "--rollback", code=1)


def test_a_removed_solution_leaves_nothing_in_the_store(tool: Tool, sample: Path) -> None:
    tool("install", sample)
    assert "would remove sample" in tool("remove", "sample", "--dry-run").out
    assert "- sample 1.0" in tool("remove", "sample").out
    assert tool("list", "--json").json["data"] == []
    assert list((tool.prefix / "store").iterdir()) == []
    assert list((tool.prefix / "stage").iterdir()) == []
    tool("remove", "sample", code=1)


def test_removing_checks_every_name_before_the_first(tool: Tool, sample: Path) -> None:
    tool("install", sample)
    tool("remove", "sample", "smaple", code=1)
    assert tool("list", "--json").json["data"][0]["name"] == "sample"


def test_a_changed_file_of_an_installation_is_found(tool: Tool, sample: Path) -> None:
    tool("install", sample)
    (main,) = (tool.prefix / "solutions/sample/current/root/sample").resolve().glob("main.py")
    main.chmod(0o644)
    main.write_text("print('changed')")
    for verb in ("verify", "validate"):
        done = tool(verb, "sample", code=7)
        assert "`main.py` is modified" in done.err
    tool("install", "--reinstall", sample)
    tool("verify", "sample")
    tool("validate", "sample")


def test_accuracy_below_tolerance_is_exit_7(tool: Tool) -> None:
    tool("install", rebuilt(tool, "1.0", score="0.4"))
    done = tool("validate", "sample", code=7)
    assert "score = 0.4" in done.err
    tool("install", rebuilt(tool, "1.1", score="0.49"))
    tool("validate", "sample")
    tool("install", rebuilt(tool, "1.2", score="float('nan')"))
    tool("validate", "sample", code=7)


def test_a_bundle_of_one_file_needs_no_other_place(tool: Tool, sample: Path) -> None:
    shutil.rmtree(tool.folder / "parts")
    away = tool.folder / "a folder ü"
    away.mkdir()
    moved = Path(shutil.move(sample, away / "s.crpkg"))
    tool("install", moved, "--offline", "--prefix", away / "prefix with space")
    done = tool("run", "sample", "--prefix", away / "prefix with space")
    assert json.loads(done.out)["said"] == "hello"


def test_an_archive_is_installed_from_a_url(tool: Tool, sample: Path) -> None:
    done = tool("install", sample.as_uri(), "--json")
    assert done.json["ok"]
    assert done.json["data"][0]["generation"] == 1


def test_a_thin_copy_of_the_closure_is_not_enough_without_an_index(tool: Tool) -> None:
    program(tool.folder / "parts/greet")
    solution(tool.folder / "parts/sample")
    tool("build", "parts/sample", "--with", "parts", "--out", "thin.crpkg")
    done = tool("install", "thin.crpkg", code=3)
    assert "thin copy" in done.err
    assert "--full" in done.err


def test_a_run_leaves_a_record_that_names_the_software(tool: Tool, sample: Path) -> None:
    tool("install", sample)
    tool("run", "sample", "--out", "run")
    record = json.loads((tool.folder / "run/run.json").read_text())
    generation = json.loads((tool.prefix / "solutions/sample/current/generation.json").read_text())
    assert record["realisation"] == generation["realisation"]
    assert record["code"] == 0
    assert str(tool.folder) not in json.dumps(record)
    assert os.uname().nodename not in json.dumps(record["argv"])
    tool("run", "sample", "--out", "run", code=2)  # ACT-04: a run folder is fresh


def test_the_input_of_an_action_is_json_or_single_settings(tool: Tool, sample: Path) -> None:
    tool("install", sample)
    piped = tool("run", "sample", "--input", "-", text='{"times": 3}')
    assert json.loads(piped.out)["said"] == "hello hello hello"
    both = tool("run", "sample", "--input", "-", "--set", "times=1", text='{"times": 3}')
    assert json.loads(both.out)["said"] == "hello"
    assert "within 1 and 9" in tool("run", "sample", "--set", "times=10", code=2).err
    assert "did you mean `times`" in tool("run", "sample", "--set", "time=1", code=2).err
    assert "no action" in tool("run", "sample", "rnu", code=2).err
    assert "not JSON" in tool("run", "sample", "--input", "-", code=2, text="{").err
    assert "no file" in tool("run", "sample", "--set", "image=nowhere.png", code=2).err


@pytest.mark.slow
def test_a_byte_altered_in_a_member_that_is_not_needed_is_refused(tool: Tool, sample: Path) -> None:
    """ARC-17."""
    tool("install", sample)
    data = bytearray(sample.read_bytes())
    for place in range(40, len(data), max(1, len(data) // 40)):
        bad = data.copy()
        bad[place] ^= 1
        sample.write_bytes(bad)
        tool("install", sample, code=4)
