"""The model component: its files agree with one another, and its training program runs."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest

from tests.tools.flagship import MODEL, WEIGHTS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_the_weights_are_small() -> None:
    assert WEIGHTS.stat().st_size < 1_000_000


def test_the_file_holds_the_shipped_architecture(ssd_shapes: Any, tmp_path: Path) -> None:
    architecture, arrays = ssd_shapes.read_model(str(WEIGHTS))
    assert architecture == ssd_shapes.mobilenet_shapes()
    assert sum(array.size for array in arrays) == 158_168
    assert ssd_shapes.anchor_boxes(architecture).shape == (1344, 4)
    ssd_shapes.write_model(str(tmp_path / "again"), architecture, arrays)
    assert (tmp_path / "again").read_bytes() == WEIGHTS.read_bytes()


def test_the_description_is_that_of_the_weights(
    ssd_shapes: Any, model_module: Callable[[str], Any]
) -> None:
    architecture, _ = ssd_shapes.read_model(str(WEIGHTS))
    described = model_module("describe").description(architecture)
    assert json.loads((MODEL / "model.json").read_text()) == described


def test_the_categories_are_those_of_the_data_set(dataset: Path) -> None:
    described = json.loads((MODEL / "model.json").read_text())["categories"]
    assert described == json.loads((dataset / "annotations.json").read_text())["categories"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tflite\nend\n", "not an ssd-f32 file"),
        ("ssd-f32 1\ninput 8 8 3\n", "no `end`"),
        ("ssd-f32 1\npool 2\nend\n", "unknown header line `pool 2`"),
    ],
)
def test_a_wrong_header_is_told(ssd_shapes: Any, text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ssd_shapes.parse_header(text)


def test_the_onnx_file_is_the_network(tmp_path: Path) -> None:
    argv = [sys.executable, "-B", str(MODEL / "export_onnx.py"), str(WEIGHTS)]
    subprocess.run([*argv, str(tmp_path / "ssd.onnx")], check=True)
    model = onnx.load(str(tmp_path / "ssd.onnx"))
    assert (model.ir_version, model.opset_import[0].version) == (9, 17)
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    stem = onnx.numpy_helper.to_array(weights["layer0.w"])
    flat = np.frombuffer(WEIGHTS.read_bytes(), "<f4", 432, 576).reshape(3, 3, 3, 16)
    assert np.array_equal(stem, flat.transpose(3, 2, 0, 1))


@pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="needs torch, which only training uses"
)
def test_twenty_steps_of_training_make_a_network(
    generator: Path, ssd_shapes: Any, tmp_path: Path
) -> None:
    raw, out = tmp_path / "raw", tmp_path / "weights.bin"
    subprocess.run([generator, "--count", "96", "--first", "0", "--raw", raw], check=True)
    argv = [sys.executable, "-B", str(MODEL / "train" / "train.py"), "--data", str(raw)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    log = subprocess.run(
        [*argv, "--steps", "20", "--out", str(out)],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
    ).stdout.splitlines()
    architecture, arrays = ssd_shapes.read_model(str(out))
    assert architecture == ssd_shapes.mobilenet_shapes()
    assert all(np.isfinite(array).all() for array in arrays)
    first, last = (float(line.split()[3]) for line in (log[0], log[-1]))
    assert last < first
