"""`benchmark` as people and programs use it, on a small solution that does as it is told."""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import crpack
from crpack.model import results
from crpack.model.privacy import MARK
from tests.flow.measured import RECIPE, installed
from tests.flow.tool import Tool


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Tool:
    """Give a command with the solution `timed` installed, which no test changes."""
    one = Tool(tmp_path_factory.mktemp("measured")).with_key()
    installed(one)
    return one


def benched(tool: Tool, *words: str | Path, code: int = 0) -> Any:
    """Return what one quick benchmark answers."""
    done = tool("benchmark", "timed", "--repeats", "1", "--json", *words, code=code)
    return done.json["data"] if code == 0 else done.json["error"]


def test_a_benchmark_is_shown_and_written(tool: Tool) -> None:
    """BEN-01 to BEN-06, BEN-11, RES-01, RES-08."""
    out = tool.folder / "mine"
    done = tool("benchmark", "timed", "--repeats", "2", "--out", out)
    lines = [line for line in done.out.splitlines() if str(out) not in line]
    assert max(map(len, lines)) <= 80
    for word in (
        "latency     p50",
        "p90",
        "p99",
        "throughput",
        "load",
        "CPU time",
        "memory",
        "energy",
        "score       0.5",
        "n = 60",
        "valid · native · local",
    ):
        assert word in done.out, word
    (path,) = out.glob("*.json")
    data = path.read_bytes()
    found = results.decode(data, name=path.stem)
    assert path.stem in done.out
    assert found.validity.valid
    assert [one.name for one in found.validity.checks] == ["score", "golden-1"]
    assert dict(found.params)["engine"] == "fast"
    assert found.provenance.repeats == 2
    assert len(found.samples[0].values) == 60
    assert found.before.affinity
    (lock,) = (out / "locks").glob("*.lock")
    assert lock.stem == found.software.lock == hashlib.sha256(lock.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("engine", "reasons"),
    [
        ("idle", ["native calls its run invalid: too few queries"]),
        ("wrong", ["score = 0.1 (reference 0.5 ± 0.01, higher is better)",
                   "golden run 1 of `run`: `found`: [0].score is 0.5, not 0.75 ± 0.001"]),
    ],
)  # fmt: skip
def test_what_does_not_count_is_invalid_and_kept(
    tool: Tool, engine: str, reasons: list[str]
) -> None:
    """BEN-06, MET-03: all reasons, not the first alone; the result is written all the same."""
    note = "too few queries" if engine == "idle" else ""
    error = benched(tool, "--set", f"engine={engine}", "--set", f"note={note}", code=7)
    assert error["what"] == "the result of `timed` is INVALID"
    assert error["why"] == reasons
    written = error["data"]["result"]
    found = results.decode(Path(written["path"]).read_bytes(), name=written["id"])
    assert not found.validity.valid


@pytest.mark.parametrize(
    "answer",
    ['{"latencies_ns": [1]', '{"latencies_ns": [0.5]}', '{"images": 1}'],
)
def test_what_is_no_measurement_is_refused(answer: str, tool: Tool) -> None:
    """BEN-01, ACT-05: in one sentence, and no result is written."""
    before = sorted(tool.prefix.glob("results/*.json"))
    assert benched(tool, "--set", f"note={answer}", code=7)["code"] == "check-failed"
    assert sorted(tool.prefix.glob("results/*.json")) == before


def test_an_engine_that_crashes_tells_its_status_and_last_lines(tool: Tool) -> None:
    """BEN-06: and gives no result."""
    before = sorted(tool.prefix.glob("results/*.json"))
    error = benched(tool, "--set", "engine=crash", code=7)
    assert error["what"].endswith("ended with exit status 134 (SIGABRT)")
    assert error["why"][-1] == "illegal tensor"
    assert sorted(tool.prefix.glob("results/*.json")) == before


@pytest.mark.parametrize(
    "words",
    [
        ["--set", "engine=fats"],
        ["--set", "engine=idle", "--set", "threads=2"],
        ["--repeats", "0"],
        ["--explore", "engine=fats"],
        ["--explore", "engine=*", "--limit", "0"],
        ["--explore", "engine=*", "--replay", "123456"],
        ["--replay", "0" * 64],
        ["--out", "timed.crpkg"],
        ["run"],
    ],
)
def test_what_does_not_fit_is_refused_before_anything_runs(tool: Tool, words: list[str]) -> None:
    """BEN-01, BEN-07."""
    runs = sorted(tool.prefix.glob("runs/*"))
    error = tool("benchmark", "timed", *words, "--json", code=2).json["error"]
    assert error["code"] == "usage"
    assert sorted(tool.prefix.glob("runs/*")) == runs


def test_python_measures_as_the_command_does(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    """BEN-01: inputs may come as one document."""
    monkeypatch.setenv("CRPACK_HOME", str(tool.home))
    done = crpack.load("timed").benchmark({"engine": "exact", "repeats": 4}, repeats=1)
    assert done.result.validity.valid
    assert dict(done.result.params)["engine"] == "exact"
    assert len(done.result.samples[0].values) == 4


def test_a_dry_run_measures_nothing(tool: Tool) -> None:
    """CLI-01."""
    runs = sorted(tool.prefix.glob("runs/*"))
    done = tool("benchmark", "timed", "--dry-run")
    assert [line.split()[2] for line in done.out.splitlines()] == ["benchmark", "validate", "run"]
    done = tool("benchmark", "timed", "--explore", "engine=*,threads=1,2", "--dry-run")
    assert len(done.out.splitlines()) == 10
    assert sorted(tool.prefix.glob("runs/*")) == runs


def test_a_result_names_nobody(tool: Tool) -> None:
    """RES-05: whatever the program says, and whatever is set."""
    user, host, home = getpass.getuser(), socket.gethostname(), os.path.expanduser("~")
    words = f"ann@{host}: {tool.folder}/x.png, {home}, 10.1.2.3, ann@example.org, https://h/p"
    picture = tool.folder / "secret-holiday.png"
    picture.write_bytes(b"picture")
    data = benched(
        tool, "--set", f"note={words}", "--set", f"picture={picture}", "--set", "repeats=3"
    )
    written = Path(data["path"]).read_text()
    for word in (str(tool.folder), "10.1.2.3", "example.org", "https", "secret", str(tool.prefix)):
        assert word not in written, word
    for word in {user, host} - {"root", "localhost"}:
        assert len(word) < 2 or f"@{word}" not in written
    found = results.decode(written.encode())
    assert MARK in dict(found.params)["note"]
    digest = hashlib.sha256(b"picture").hexdigest()
    assert dict(found.params)["picture"] == f"sha256:{digest}"
    assert any(MARK in note for note in found.validity.notes)


def test_exploring_shows_the_best_and_writes_results(tool: Tool) -> None:
    """BEN-07, BEN-09: a point that fails does not end the others."""
    out = tool.folder / "space"
    words = ("--explore", "engine=*,threads=4", "--repeats", "2", "--set", "repeats=8")
    data = tool("benchmark", "timed", *words, "--out", out, "--json").json["data"]
    states = {tuple(text for _, text in one["point"]): one["state"] for one in data["tried"]}
    assert states["exact", "4"] == "best"  # the most accurate
    assert states["fast", "4"] == "best"  # the fastest that counts
    assert states["wrong", "4"] == states["idle", "4"] == "INVALID"
    assert states["crash", "4"] == "failed"
    assert data["size"] == 5
    assert set(data["objectives"]) >= {"latency", "score", "model_size"}
    assert len(list(out.glob("*.json"))) == 3
    (folder,) = {one["done"]["folder"] for one in data["tried"] if one["done"]}
    inputs = [json.loads(path.read_text()) for path in sorted(Path(folder).glob("*/input.json"))]
    turns = ["fast", "exact", "crash", "idle", "fast", "exact", "idle"]
    assert [one["engine"] for one in inputs] == turns  # BEN-02


def test_values_that_do_not_go_together_are_told_and_not_tried(tool: Tool) -> None:
    """RCP-15, BEN-07: and only what no point mends ends the whole."""
    error = benched(tool, "--set", "engine=idle", "--set", "threads=2", code=2)
    assert error["what"] == "`threads=2` does not go with `engine=idle`"
    assert error["hint"] == "set `threads=1` or `threads=4`, or another `engine`"
    words = ("--set", "threads=2", "--repeats", "1", "--set", "repeats=3")
    space = ("--explore", "engine=idle,fast")
    data = tool("benchmark", "timed", *words, *space, "--json").json["data"]
    assert [one["state"] for one in data["tried"]] == ["refused", "best"]
    assert data["tried"][0]["why"] == [error["what"]]
    tool("benchmark", "timed", *words, "--explore", "engine=idle", code=2)


def test_a_large_space_is_drawn_from_and_halved(tool: Tool) -> None:
    """BEN-07, BEN-08: on fewer images first."""
    space = "engine=fast,exact,threads=1,2,3,4,warmup=0,2"
    words = ("--explore", space, "--limit", "13", "--seed", "3")
    more = ("--repeats", "1", "--set", "repeats=4", "--set", "images=16")
    data = tool("benchmark", "timed", *words, *more, "--json").json["data"]
    assert len(data["tried"]) == 13
    assert data["size"] == 16
    left = [one for one in data["tried"] if one["state"] == "left out"]
    assert left
    assert {one["images"] for one in left} == {8}
    assert all(one["done"] is None for one in left)


def test_when_no_point_counts_that_is_a_failure(tool: Tool) -> None:
    """BEN-07."""
    words = ("--explore", "engine=wrong,crash", "--repeats", "1")
    error = tool("benchmark", "timed", *words, "--json", code=7).json["error"]
    assert any("SIGABRT" in one for one in error["why"])
    assert any("score = 0.1" in one for one in error["why"])


@pytest.fixture(scope="module")
def signed(tool: Tool) -> Path:
    """Give a signed result, one of whose params is a file that it does not name."""
    (tool.folder / "a.png").write_bytes(b"a")
    words = ("--set", "engine=exact", "--set", "repeats=9", "--set", "picture=a.png")
    return Path(benched(tool, *words, "--sign", "test")["path"])


def test_a_result_is_made_again(tool: Tool, signed: Path) -> None:
    """BEN-10: with its own params and repeats; the new one names the old one."""
    given = ("--set", "picture=a.png")
    done = tool("benchmark", "--replay", signed.stem[:12], *given, code=(0, 7))
    assert "score" in done.out
    said = [
        line.split(":")[0].strip() for line in done.out.splitlines() if signed.stem[:12] in line
    ]
    assert said[0] in ("confirmed", "NOT CONFIRMED", "NOT DECIDED")  # whatever else runs here
    (name,) = [line.split()[1] for line in done.out.splitlines() if "  result " in line]
    made = results.decode(signed.with_name(f"{name}.json").read_bytes())
    assert made.provenance.replicates == signed.stem
    assert made.params == results.decode(signed.read_bytes()).params
    keyid = tool("trust", "list", "--json").json["data"]["keys"][0]["keyid"]
    assert f"signed by {keyid}" in done.out


def test_a_value_that_was_removed_must_be_given(tool: Tool, signed: Path) -> None:
    """BEN-10, RES-05."""
    error = tool("benchmark", "--replay", signed, "--json", code=2).json["error"]
    assert "`--set picture=VALUE`" in error["hint"]


def test_a_result_does_not_say_which_file_is_read(tool: Tool, signed: Path) -> None:
    """BEN-10: a made-up one would have it sent to wherever it is measured."""
    (tool.folder / "made").mkdir(exist_ok=True)
    (tool.folder / "private").write_text("mine")
    was = results.decode(signed.read_bytes())
    params = {**dict(was.params), "picture": str(tool.folder / "private")}
    data = results.encode(replace(was, params=tuple(params.items())))
    path = tool.folder / f"made/{results.identity(data)}.json"
    path.write_bytes(data)
    answer = tool("benchmark", "--replay", path, "--json", code=2).json
    assert "`--set picture=VALUE`" in answer["error"]["hint"]
    (told,) = answer["warnings"]
    assert f"`locks/{was.software.lock[:12]}….lock` is not beside it" in told


def test_a_result_that_is_faster_than_its_samples_is_refused(tool: Tool, signed: Path) -> None:
    """RES-09: before anything is measured."""
    was = results.decode(signed.read_bytes())
    fast = [replace(one, value="0.01") if one.name == "latency" else one for one in was.metrics]
    data = results.encode(replace(was, metrics=tuple(fast)))
    path = tool.folder / f"made/{results.identity(data)}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    error = tool("benchmark", "--replay", path, "--json", code=4).json["error"]
    assert "`latency` says value 0.01, its samples give" in error["what"]


def test_a_result_that_was_edited_is_refused(tool: Tool, signed: Path) -> None:
    """RES-01, RES-07: under its own name, under none, and under that of what it says now."""
    data = signed.read_bytes()
    other = data.replace(b'"0.51"', b'"0.52"')
    (tool.folder / "edited").mkdir()
    for name, what in (
        (signed.stem, "it was edited"),
        ("mine", "a result is named by its sha256, so that nobody can edit it unseen"),
        (results.identity(other), "the signature of the result does not fit its record"),
    ):
        path = tool.folder / "edited" / f"{name}.json"
        path.write_bytes(other)
        beside = signed.with_name(f"{signed.stem}.sig.json").read_bytes()
        path.with_name(f"{name}.sig.json").write_bytes(beside)
        error = tool("benchmark", "--replay", path, "--json", code=4).json["error"]
        assert error["what"].endswith(what)


def test_other_software_is_no_replay(tmp_path: Path) -> None:
    """BEN-10: nor is a damaged installation measured at all."""
    tool = Tool(tmp_path).with_key()
    made = installed(tool)
    first = benched(tool, "--set", "repeats=3")
    (made / "main.py").write_text((made / "main.py").read_text() + "\n# another\n")
    tool("build", made, "--full", "--out", "timed.crpkg")
    tool("install", "timed.crpkg")
    error = tool("benchmark", "--replay", first["path"], "--json", code=1).json["error"]
    assert error["data"]["rule"] == "BEN-10"
    assert any("`timed` 1.0 has other files" in why for why in error["why"])
    assert "crpack install --frozen --lock" in error["hint"]
    assert Path(error["hint"].split("--lock ")[1].rstrip("`")).is_file()
    (file,) = tool.prefix.glob("solutions/timed/current/root/timed/main.py")
    os.chmod(file, 0o644)
    file.write_text("tampered")
    error = benched(tool, code=7)
    assert any("`main.py` is modified" in why for why in error["why"])
    tool("remove", "timed")
    error = tool("benchmark", "--replay", first["path"], "--json", code=1).json["error"]
    assert error["what"] == "`timed` is not installed"
    assert "crpack install --frozen --lock" in error["hint"]


def test_validate_tells_all_that_failed(tool: Tool) -> None:
    """MET-03, GLD-03: golden runs and metrics, with exit code 7."""
    out = tool("validate", "timed").out
    assert "ok   golden run 1 of `run`" in out
    error = tool("validate", "timed", "--set", "engine=wrong", "--json", code=7).json["error"]
    assert len(error["why"]) == 2
    assert error["why"][0].startswith("score = 0.1")
    assert error["why"][1].startswith("golden run 1 of `run`: `found`: [0].score")


def test_a_solution_without_checks_has_no_valid_speed(tmp_path: Path) -> None:
    """BEN-02, BEN-06, RES-06: without a param `warmup` one more start is not counted."""
    tool = Tool(tmp_path).with_key()
    golden = "[[golden]]" + RECIPE.partition("[[golden]]")[2]
    warmup = 'warmup = { type = "int", default = 2 }\n'
    installed(
        tool, **{golden: "", warmup: "", "[metrics.score]\nreference = 0.5\ntolerance = 0.01\n": ""}
    )
    error = benched(tool, "--set", "repeats=3", code=7)
    assert error["why"] == [
        "the solution declares no metric and no golden run: nothing was validated"
    ]
    done = error["data"]["result"]
    assert done["result"]["provenance"]["repeats"] == 1
    assert len(os.listdir(done["folder"])) == 2
