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

from tests.tools.flagship import MODEL, NETWORK, WEIGHTS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

SIDES = (96, 128)


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
    assert json.loads((NETWORK / "model.json").read_text()) == described


def test_the_categories_are_those_of_the_data_set(dataset: Path) -> None:
    described = json.loads((NETWORK / "model.json").read_text())["categories"]
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


@pytest.mark.parametrize("side", SIDES)
def test_each_input_has_its_weights_and_description(
    ssd_shapes: Any, model_module: Callable[[str], Any], side: int
) -> None:
    architecture, _ = ssd_shapes.read_model(str(MODEL / f"{side}" / "weights.bin"))
    assert architecture == ssd_shapes.mobilenet_shapes(side)
    described = model_module("describe").description(architecture)
    assert json.loads((MODEL / f"{side}" / "model.json").read_text()) == described


@pytest.mark.parametrize("side", SIDES)
def test_the_shipped_onnx_file_is_what_the_exporter_writes(side: int, tmp_path: Path) -> None:
    folder = MODEL / f"{side}"
    argv = [sys.executable, "-B", str(MODEL / "export_onnx.py"), str(folder / "weights.bin")]
    subprocess.run([*argv, str(tmp_path / "ssd.onnx")], check=True)
    model, shipped = onnx.load(str(tmp_path / "ssd.onnx")), onnx.load(str(folder / "ssd.onnx"))
    assert (model.ir_version, model.opset_import[0].version) == (9, 17)
    assert model.graph == shipped.graph


def in_order_of_tflite(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """Weights as LiteRT has them: outputs first, but last where each channel is by itself."""
    if array.ndim == 4:
        return np.ascontiguousarray(array.transpose(3, 0, 1, 2))
    return np.ascontiguousarray(array.T) if array.ndim == 2 else array


@pytest.mark.parametrize("side", SIDES)
def test_the_shipped_litert_file_has_all_weights(ssd_shapes: Any, side: int) -> None:
    """A converter has been seen that leaves them out: such a file runs, and finds nothing."""
    _, arrays = ssd_shapes.read_model(str(MODEL / f"{side}" / "weights.bin"))
    file = (MODEL / f"{side}" / "ssd.tflite").read_bytes()
    assert file[4:8] == b"TFL3"
    missing = [a.shape for a in arrays if in_order_of_tflite(a).astype("<f4").tobytes() not in file]
    assert missing == []


def as_integers(array: NDArray[np.float32], axis: int) -> NDArray[np.int8]:
    """Weights as 8-bit integers with one scale for each output channel."""
    others = tuple(one for one in range(array.ndim) if one != axis)
    scales = np.abs(array).max(axis=others, keepdims=True) / np.float32(127)
    integers: NDArray[np.int8] = np.clip(np.rint(array / scales), -127, 127).astype(np.int8)
    return integers


@pytest.mark.parametrize("side", SIDES)
def test_the_int8_onnx_file_has_the_same_weights(ssd_shapes: Any, side: int) -> None:
    folder = MODEL / f"{side}"
    _, arrays = ssd_shapes.read_model(str(folder / "weights.bin"))
    model = onnx.load(str(folder / "ssd-int8.onnx"))
    integers = [
        onnx.numpy_helper.to_array(tensor)
        for tensor in model.graph.initializer
        if tensor.name.endswith(".w_quantized")
    ]
    convolutions = [array for array in arrays if array.ndim > 1]
    assert len(integers) == len(convolutions)
    for array, found in zip(convolutions, integers, strict=True):
        outputs_first = np.moveaxis(array, -1, 0)
        wanted = as_integers(outputs_first, 0)
        if array.ndim == 4:
            wanted = wanted.transpose(0, 3, 1, 2)
        assert np.abs(found.reshape(wanted.shape).astype(int) - wanted).max() <= 1


@pytest.mark.parametrize("side", SIDES)
def test_the_int8_litert_file_has_the_same_weights(ssd_shapes: Any, side: int) -> None:
    """The largest weight of a channel is 127 or -127, so the sign pattern is the weights' own."""
    _, arrays = ssd_shapes.read_model(str(MODEL / f"{side}" / "weights.bin"))
    file = (MODEL / f"{side}" / "ssd-int8.tflite").read_bytes()
    stem = as_integers(in_order_of_tflite(arrays[0]), 0)
    last = as_integers(in_order_of_tflite(arrays[-2]), 0)
    assert file[4:8] == b"TFL3"
    assert stem.tobytes() in file
    assert last.tobytes() in file


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
