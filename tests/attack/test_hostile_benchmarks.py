"""A benchmark whose program means harm: refused in one sentence, or measured as it stands."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from crpack.model import results
from tests.flow.tool import Tool, component, head

if TYPE_CHECKING:
    from pathlib import Path

RECIPE = """
[[source]]
kind = "local"
path = "main.py"
[build]
driver = "copy"
[action.benchmark]
argv = ["{python}", "{self}/main.py", "{input}", "{output}"]
[action.benchmark.params]
deed = { type = "string", default = "put()" }
warmup = { type = "int", default = 0 }
[action.benchmark.outputs]
latencies_ns = { type = "array", required = true }
images = { type = "int" }
wall_ns = { type = "int" }
harness = { type = "string" }
valid = { type = "bool" }
files = { type = "path" }
score = { type = "float" }
[metrics.score]
action = "benchmark"
reference = 0.5
tolerance = 0.01
"""
# The program does the deed that it is given.
MAIN = """\
import json, os, shutil, signal, sys, time
given, out = json.load(open(sys.argv[1])), sys.argv[2]
def put(**more):
    usual = {"latencies_ns": [1000] * 9, "images": 9, "wall_ns": 9000, "score": 0.5}
    json.dump({**usual, **more}, open(out, "w"))
exec(given["deed"])
"""


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Tool:
    """Give a command with the solution `evil` installed."""
    one = Tool(tmp_path_factory.mktemp("evil")).with_key()
    recipe = head("evil", kind="solution") + RECIPE
    made = component(one.folder / "evil", recipe, main_dot_py=MAIN)
    one("build", made, "--full", "--out", "evil.crpkg")
    one("install", "evil.crpkg")
    return one


def benched(tool: Tool, deed: str, code: int = 0) -> Any:
    """Return what a benchmark of that deed answers."""
    words = ("--repeats", "1", "--set", f"deed={deed}", "--json")
    done = tool("benchmark", "evil", *words, code=code).json
    return done["error"] if code else done["data"]


@pytest.mark.parametrize(
    ("deed", "sentence"),
    [
        ("put(latencies_ns=[float('nan')])", "`latencies_ns`"),
        ("put(latencies_ns=[-1])", "no measurement"),
        ("put(latencies_ns=[10**30])", "no measurement"),
        ("put(latencies_ns=[True])", "no measurement"),
        ("put(images=2**53 - 1, wall_ns=1)", "no measurement"),
        ("put(valid='yes')", "`valid`"),
        ("put(harness='\\ud800')", "`harness`"),
        ("put(files='/etc')", "no file of the run folder"),
        ("put(files='../..')", "no file of the run folder"),
        ("open(out, 'w').write('[' * 200000)", "did not answer JSON"),
        ("open(out, 'w').write('{\"images\": ' + '9' * 5000 + '}')", "did not answer JSON"),
        ("open(out, 'w').truncate(1 << 40)", "wrote no answer"),
        ("os.mkfifo(out)", "wrote no answer"),
        ("os.symlink('/etc/passwd', out)", "wrote no answer"),
        ("put(); open('run.json', 'w')", "no place for the record"),
        ("put(); os.symlink('/nowhere', 'run.json')", "no place for the record"),
        ("put(); shutil.rmtree(os.getcwd())", "wrote no answer|no place for the record"),
        ("os.kill(os.getpid(), 9)", "SIGKILL"),
    ],
)
def test_what_is_no_answer_is_refused(tool: Tool, deed: str, sentence: str) -> None:
    """BEN-01, ACT-04 to ACT-06: with exit code 7, and no result."""
    before = sorted(tool.prefix.glob("results/*.json"))
    error = benched(tool, deed, code=7)
    assert any(one in error["what"] for one in sentence.split("|"))
    assert sorted(tool.prefix.glob("results/*.json")) == before


def test_a_flood_of_messages_is_neither_kept_nor_waited_for(tool: Tool) -> None:
    """BEN-06: its last lines are told, and nothing in them moves a cursor."""
    deed = "sys.stderr.write('x' * 50_000_000 + chr(10) + chr(27) + '[2J'); sys.exit(3)"
    words = ("--repeats", "1", "--set", f"deed={deed}")
    done = tool("benchmark", "evil", *words, code=7)
    told = done.err[done.err.rindex("error:") :]
    assert "\\x1b[2J" in told
    assert "\x1b" not in told
    assert len(told) < 2000


def test_what_it_starts_does_not_outlive_it(tool: Tool, tmp_path: Path) -> None:
    """SBX-10: nor does the benchmark wait for it."""
    note = tmp_path / "pid"
    child = "(os.setsid(), time.sleep(600))"
    deed = f"pid = os.fork(); pid or {child}; put(); open({str(note)!r}, 'w').write(str(pid))"
    begun = time.monotonic()
    benched(tool, deed)
    assert time.monotonic() - begun < 300
    with pytest.raises(ProcessLookupError):
        os.kill(int(note.read_text()), 0)


def test_many_samples_become_a_histogram(tool: Tool) -> None:
    """RES-04: of a million queries."""
    made = benched(tool, "put(latencies_ns=list(range(1, 10**6 + 1)))")
    with open(made["path"], "rb") as file:
        found = results.decode(file.read(), name=made["id"])
    (samples,) = found.samples
    assert not samples.values
    assert sum(samples.counts) == 10**6


def test_texts_of_a_program_are_one_clean_line(tool: Tool, tmp_path: Path) -> None:
    """RES-05."""
    made = benched(tool, f"put(harness=chr(27) + '[2J<b>{tmp_path}' + chr(10) + 'x' * 10**6)")
    harness = made["result"]["provenance"]["harness"]
    assert harness.startswith(" [2J<b>[removed]")
    assert len(harness) <= 300
