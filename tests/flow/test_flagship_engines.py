"""The flagship with all engines and LoadGen, by its own commands, from the index of crpack.

Wheels of more than 100 MB are fetched: this belongs to the long sweep. What needs no such wheels is
tested with the programs themselves, in tests/recipes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.flow.tool import Tool

pytestmark = pytest.mark.slow
NAME = "object-detection-shapes"


def test_every_engine_is_measured_and_validated(tool: Tool) -> None:
    options = ("--option", "engines=all", "--option", "loadgen=true")
    tool("install", NAME, *options)
    space = "backend=*,precision=*,input_size=*"
    answer = tool(
        "benchmark", NAME, "--explore", space, "--repeats", "1", "--set", "seconds=0.2", "--json"
    ).json
    states = {" ".join(value for _, value in one["point"]): one for one in answer["data"]["tried"]}
    assert len(states) == 12
    for point, one in states.items():
        if point.startswith("native int8"):
            assert one["state"] == "refused"
            assert "`precision=int8` does not go with `backend=native`" in one["why"][0]
        elif one["done"] is not None:
            result = one["done"]["result"]
            assert result["validity"]["valid"], (point, result["validity"])
            assert result["provenance"]["harness"].startswith("loadgen ")
            logs = Path(one["done"]["logs"][0])
            assert "Result is : VALID" in (logs / "mlperf_log_summary.txt").read_text()
        else:
            assert one["state"] in {"beaten", "left out"}, (point, one["why"])


def test_offline_is_driven_by_loadgen_in_batches(tool: Tool) -> None:
    tool("install", NAME, "--option", "engines=tflite", "--option", "loadgen=true")
    settings = ("--set", "backend=tflite", "--set", "scenario=Offline", "--set", "batch=8")
    done = tool("run", NAME, "benchmark", *settings, "--set", "seconds=0.5", "--json")
    outputs = done.json["data"]["outputs"]
    assert outputs["harness"].startswith("loadgen ")
    assert outputs["images"] >= 8 * (len(outputs["latencies_ns"]) - 1)
    assert outputs["valid"] or outputs["reason"].startswith("LoadGen calls it INVALID")
