"""A small solution with a benchmark: its program answers what the tests tell it to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.flow.tool import component, head

if TYPE_CHECKING:
    from pathlib import Path

    from tests.flow.tool import Tool

RECIPE = """
[[source]]
kind = "local"
path = "main.py"
[[source]]
kind = "local"
path = "golden.json"
[build]
driver = "copy"
[action.benchmark]
argv = ["{python}", "{self}/main.py", "benchmark", "{input}", "{output}"]
[action.benchmark.params]
engine = { type = "enum", values = ["fast", "exact", "wrong", "crash", "idle"], default = "fast" }
threads = { type = "int", default = 1, range = [1, 4] }
images = { type = "int", default = 40 }
repeats = { type = "int", default = 30 }
scenario = { type = "enum", values = ["SingleStream", "Offline"], default = "SingleStream" }
note = { type = "string", default = "" }
picture = { type = "path" }
warmup = { type = "int", default = 2 }
[action.benchmark.outputs]
latencies_ns = { type = "array", required = true }
images = { type = "int" }
wall_ns = { type = "int" }
load_ns = { type = "int" }
peak_bytes = { type = "int" }
model_bytes = { type = "int" }
harness = { type = "string" }
valid = { type = "bool" }
reason = { type = "string" }
[action.run]
argv = ["{python}", "{self}/main.py", "run", "{input}", "{output}"]
[action.run.params]
engine = { type = "enum", values = ["fast", "exact", "wrong", "crash", "idle"], default = "fast" }
label = { type = "string", default = "" }
[action.run.outputs]
found = { type = "array" }
count = { type = "int" }
[action.validate]
argv = ["{python}", "{self}/main.py", "validate", "{input}", "{output}"]
[action.validate.params]
engine = { type = "enum", values = ["fast", "exact", "wrong", "crash", "idle"], default = "fast" }
[action.validate.outputs]
score = { type = "float" }
[[constraint]]
match = { engine = "idle" }
only = { threads = [1, 4] }
[metrics.score]
reference = 0.5
tolerance = 0.01
[[golden]]
action = "run"
input = { label = "square" }
[golden.expect]
count = { value = 2 }
found = { file = "golden.json", tolerance = 0.001 }
"""

GOLDEN = '[{"label": "square", "score": 0.75}, {"label": "circle", "score": 0.5}]\n'

MAIN = """\
import json, os, sys, time
verb, given, answer = sys.argv[1], json.load(open(sys.argv[2])), {}
engine = given.get("engine")
if engine == "crash" and verb == "benchmark":
    print("loading weights"); print("illegal tensor", file=sys.stderr); sys.stderr.flush()
    os.abort()
micro = {"fast": 100, "exact": 300, "wrong": 50, "idle": 100}.get(engine, 100)
if verb == "benchmark":
    micro = micro // given["threads"] + 20
    count = given["images"] if given["scenario"] == "Offline" else given["repeats"]
    begun = time.perf_counter_ns()
    laps = []
    for place in range(count):
        one = time.perf_counter_ns()
        while time.perf_counter_ns() - one < micro * 1000:
            pass
        laps.append(time.perf_counter_ns() - one)
    wall = time.perf_counter_ns() - begun
    answer = {"latencies_ns": laps, "images": count, "wall_ns": wall, "load_ns": 1500000,
        "model_bytes": 1000 if engine == "fast" else 4000, "harness": "native",
        "valid": engine != "idle", "reason": given["note"]}
if verb == "validate":
    answer = {"score": {"exact": 0.51, "wrong": 0.1}.get(engine, 0.5)}
if verb == "run":
    square = {"label": given["label"], "score": 0.7504 if engine != "wrong" else 0.5}
    answer = {"found": [square, {"label": "circle", "score": 0.5}], "count": 2}
text = given.get("note", "")
if text.startswith("{"):  # a hostile answer
    open(sys.argv[3], "w").write(text)
else:
    json.dump(answer, open(sys.argv[3], "w"))
"""


def installed(tool: Tool, **changes: str) -> Path:
    """Build and install the solution `timed`; changes replace texts of its recipe."""
    recipe = head("timed", kind="solution") + RECIPE
    for old, new in changes.items():
        recipe = recipe.replace(old, new)
    made = component(tool.folder / "parts/timed", recipe, main_dot_py=MAIN, golden_dot_json=GOLDEN)
    tool("build", made, "--full", "--out", "timed.crpkg")
    tool("install", "timed.crpkg")
    return made
