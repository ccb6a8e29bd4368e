"""The engines of the solution: they agree, what is not offered is told, and speed is measured."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.tools.flagship import MODEL, RECIPES, SOLUTION, Native

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROGRAMS = SOLUTION / "programs"
NATIVE = {"backend": "native", "precision": "fp32", "input_size": "128", "threads": 1}
ONNX = NATIVE | {"backend": "onnxruntime"}
PLAN = {
    "scenario": "SingleStream",
    "harness": "native",
    "images": 4,
    "batch": 1,
    "warmup": 1,
    "repeats": 3,
    "seconds": 0.0,
    "seed": 7,
}


@dataclass(frozen=True, slots=True)
class Programs:
    """The programs of the solution with a compiled ssd-native, and a data set."""

    native: Native
    dataset: Path
    folder: Path
    model: Path = MODEL

    def call(self, name: str, request: dict[str, Any]) -> subprocess.CompletedProcess[str]:
        """Run one on a request."""
        (self.folder / "in.json").write_text(json.dumps(request))
        argv = [sys.executable, "-B", str(PROGRAMS / name), "in.json", "out.json"]
        argv += [str(self.native.program), str(self.model)]
        argv += [str(self.dataset)] if name != "detect.py" else []
        environment = {"OPENBLAS_NUM_THREADS": "1"}
        return subprocess.run(
            argv, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )

    def answer(self, name: str, request: dict[str, Any]) -> dict[str, Any]:
        """The answer of a run that succeeds."""
        done = self.call(name, request)
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads((self.folder / "out.json").read_text())
        return found

    def fault(self, name: str, request: dict[str, Any]) -> str:
        """What one that fails says."""
        done = self.call(name, request)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("error: ")
        assert done.stderr.count("\n") == 1
        return done.stderr


@pytest.fixture
def programs(native: Native, dataset: Path, tmp_path: Path) -> Programs:
    (tmp_path / "run").mkdir()
    return Programs(native, dataset, tmp_path / "run")


@pytest.fixture
def some(dataset: Path, tmp_path: Path) -> Path:
    """A folder with some images of the data set."""
    (tmp_path / "some").mkdir()
    for file in sorted((dataset / "images").iterdir())[:5]:
        (tmp_path / "some" / file.name).symlink_to(file)
    return tmp_path / "some"


@pytest.mark.parametrize("side", ["96", "128"])
def test_onnxruntime_finds_what_the_native_engine_finds(
    programs: Programs, some: Path, side: str
) -> None:
    """Engine, resizing, boxes and suppression are others, the objects are the same."""
    asked = {"image": str(some), "threshold": 0.1, "max_detections": 20, "input_size": side}
    ours, theirs = (
        programs.answer("detect.py", engine | asked)["detections"] for engine in (NATIVE, ONNX)
    )
    assert len(ours) == len(theirs) > 5
    for one, other in zip(ours, theirs, strict=True):
        assert one["category"] == other["category"]
        assert one["score"] == pytest.approx(other["score"], abs=1e-4)
        assert one["bbox"] == pytest.approx(other["bbox"], abs=0.05)


def test_int8_finds_the_sure_objects_too(programs: Programs, some: Path) -> None:
    asked = {"image": str(some), "threshold": 0.6, "max_detections": 20}
    whole, small = (
        programs.answer("detect.py", ONNX | {"precision": precision} | asked)["detections"]
        for precision in ("fp32", "int8")
    )
    of_file = [{(one["file_name"], one["category"]) for one in found} for found in (whole, small)]
    assert len(of_file[0] ^ of_file[1]) <= 1
    assert [one["score"] for one in whole] != [one["score"] for one in small]


@pytest.mark.parametrize("engine", [NATIVE, ONNX, ONNX | {"precision": "int8", "threads": 2}])
def test_every_query_has_its_time(programs: Programs, engine: dict[str, Any]) -> None:
    answer = programs.answer("benchmark.py", PLAN | engine)
    assert answer["images"] == len(answer["latencies_ns"]) == 12
    assert 0 < sum(answer["latencies_ns"]) <= answer["wall_ns"]
    assert min(answer[name] for name in ("load_ns", "prepare_ns", "boxes_ns", "model_bytes")) > 0
    assert (answer["harness"], answer["valid"]) == ("native", True)
    assert answer["engine"].split()[0] == {"native": "ssd-native"}.get(
        engine["backend"], engine["backend"]
    )


@pytest.mark.parametrize("engine", [NATIVE, ONNX])
def test_offline_runs_batches(programs: Programs, engine: dict[str, Any]) -> None:
    plan = PLAN | {"scenario": "Offline", "batch": 3}
    answer = programs.answer("benchmark.py", plan | engine)
    assert (answer["images"], len(answer["latencies_ns"])) == (12, 6)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"precision": "int8"}, "`native` computes in fp32 only"),
        ({"threads": 2}, "`native` computes on one thread only"),
        ({"batch": 2}, "a query of SingleStream is one image"),
        ({"images": 151}, "the data set has 150 images, not 151"),
        ({"input_size": "160"}, "there is no file"),
    ],
)
def test_what_is_not_offered_is_told(
    programs: Programs, request_: dict[str, Any], words: str
) -> None:
    assert words in programs.fault("benchmark.py", PLAN | NATIVE | request_)


@pytest.mark.skipif(
    importlib.util.find_spec("ai_edge_litert") is not None, reason="LiteRT is installed here"
)
def test_an_engine_that_is_not_installed_is_told(programs: Programs) -> None:
    told = programs.fault("benchmark.py", PLAN | NATIVE | {"backend": "tflite"})
    assert "`ai-edge-litert` is not installed: install this solution with `--option" in told


@pytest.mark.skipif(
    importlib.util.find_spec("mlperf_loadgen") is not None, reason="LoadGen is installed here"
)
def test_loadgen_is_asked_for_and_not_there(programs: Programs) -> None:
    told = programs.fault("benchmark.py", PLAN | NATIVE | {"harness": "loadgen"})
    assert "LoadGen is not installed" in told


def test_an_engine_that_ends_is_told(programs: Programs, tmp_path: Path) -> None:
    wrong = Programs(Native(tmp_path / "missing"), programs.dataset, programs.folder)
    assert "cannot start" in wrong.fault("benchmark.py", PLAN | NATIVE)
    (tmp_path / "crash").write_text("#!/bin/sh\nkill -SEGV $$\n")
    (tmp_path / "crash").chmod(0o755)
    wrong = Programs(Native(tmp_path / "crash"), programs.dataset, programs.folder)
    assert "ssd-native ended with status -11" in wrong.fault("benchmark.py", PLAN | NATIVE)


def damaged(data: bytes, folder: Path) -> Path:
    """A model whose ONNX file holds other bytes."""
    shutil.copytree(MODEL / "128", folder / "128")
    shutil.copy(MODEL / "ssd_shapes.py", folder)
    (folder / "128" / "ssd.onnx").write_bytes(data)
    return folder


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "cannot be read"),
        ((MODEL / "128" / "ssd.onnx").read_bytes()[:5000], "cannot be read"),
        ((MODEL / "96" / "ssd.onnx").read_bytes(), "is another model: it does not take `image`"),
    ],
    ids=["empty", "short", "other"],
)
def test_a_model_of_another_contract_is_told(
    programs: Programs, tmp_path: Path, data: bytes, words: str
) -> None:
    model = damaged(data, tmp_path / "model")
    wrong = Programs(programs.native, programs.dataset, programs.folder, model)
    assert words in wrong.fault("benchmark.py", PLAN | ONNX)


VALID = """
Scenario : SingleStream
Mode     : PerformanceOnly
90.0th percentile latency (ns) : 295373
Result is : VALID
  Min duration satisfied : Yes
"""
INVALID = """
Scenario : Offline
Samples per second: 2631.32
Result is : INVALID
  Min duration satisfied : NO
  Min queries satisfied : Yes
Recommendations:
 * Increase expected QPS so the loadgen pre-generates a larger (coalesced) query.
"""


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    """Import a module of the programs by name, and leave nothing behind."""
    monkeypatch.syspath_prepend(str(MODEL))
    monkeypatch.syspath_prepend(str(PROGRAMS))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if str(RECIPES) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture
def judge(module: Callable[[str], Any], tmp_path: Path) -> Callable[[str], Any]:
    """Judge the text of a summary of LoadGen."""

    def judge(text: str) -> Any:
        (tmp_path / "summary").write_text(text)
        return module("loadgen").judge(str(tmp_path / "summary"))

    return judge


def test_a_batch_is_what_its_images_are(module: Callable[[str], Any]) -> None:
    engine = module("engines").open_engine(module("settings").settle(ONNX, "", str(MODEL)))
    pixels = np.random.default_rng(7).integers(0, 256, (3, 128, 128, 3)).astype(np.uint8)
    together = engine.run(pixels)
    for place in range(len(pixels)):
        for whole, alone in zip(together, engine.run(pixels[place : place + 1]), strict=True):
            assert np.abs(whole[place] - alone[0]).max() < 1e-4


def test_an_engine_of_the_machine_serves_where_the_environment_has_none(
    module: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "far_engine.py").write_text("here = 1\n")
    info = tmp_path / "far_engine-2.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: far-engine\nVersion: 2.5\n")
    (info / "RECORD").write_text("far_engine.py,sha256=abc,9\n")
    monkeypatch.setattr("site.getsitepackages", lambda _: [str(tmp_path)])
    monkeypatch.setattr(sys, "path", list(sys.path))
    found, name = module("engines").find_module("far_engine", "far-engine")
    digest = hashlib.sha256((info / "RECORD").read_bytes()).hexdigest()
    assert found.here == 1
    assert name == f"far-engine 2.5 of the machine, sha256 of its RECORD {digest}"
    (info / "RECORD").unlink()
    assert module("engines").record("far-engine") == "unknown"
    assert sys.path[-1] == str(tmp_path)


def test_a_verdict_of_loadgen_is_passed_on(judge: Callable[[str], Any]) -> None:
    good, bad = judge(VALID), judge(INVALID)
    assert (good.valid, good.reason, good.reported) == (True, "", 295373.0)
    assert (bad.valid, bad.reported) == (False, 2631.32)
    assert bad.reason == (
        "LoadGen calls it INVALID; Min duration satisfied: NO; Increase expected QPS so the "
        "loadgen pre-generates a larger (coalesced) query."
    )


def test_a_summary_without_a_result_is_a_fault(judge: Callable[[str], Any]) -> None:
    with pytest.raises(Exception, match="has no result"):
        judge("no valid results\n")
