"""CPU time an image of ssd-native beside onnxruntime on one thread, in interleaved rounds.

`python tests/bench/engine_speed.py PROGRAM DATASET [IMAGES]`: a compiled ssd-native and the folder
of a data set. ssd-native resizes inside its figure; onnxruntime is given resized images.
"""

from __future__ import annotations

import importlib
import re
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.tools.flagship import MODEL, WEIGHTS, Native, frame

ROUNDS = 7
REPORT = re.compile(rb"resize and network ([0-9.]+)")


def native_milliseconds(native: Native, frames: bytes) -> float:
    """Of the program's own clock."""
    found = REPORT.search(native.run(frames, "--timing", "--threshold", "0.3").stderr)
    if found is None:
        raise SystemExit("the program reported no time")
    return float(found[1])


def session_milliseconds(session: Any, inputs: list[Any]) -> float:
    """Of this process's clock."""
    start = time.process_time()
    for image in inputs:
        session.run(None, {"image": image})
    return (time.process_time() - start) * 1000 / len(inputs)


def main(program: str, dataset: str, count: int) -> None:
    """Measure both and print medians, minima and their ratios."""
    sys.path.insert(0, str(MODEL))
    shapes: Any = importlib.import_module("ssd_shapes")
    export: Any = importlib.import_module("export_onnx").export
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        export(*shapes.read_model(str(WEIGHTS))).SerializeToString(),
        options,
        providers=["CPUExecutionProvider"],
    )
    files = sorted(Path(dataset, "images").iterdir())[:count]
    images = [np.asarray(Image.open(file)) for file in files]
    inputs = [shapes.resize(image, 128)[None] for image in images]
    frames = b"".join(map(frame, images))
    native = Native(Path(program))
    session_milliseconds(session, inputs)  # warm
    rounds = [
        (native_milliseconds(native, frames), session_milliseconds(session, inputs))
        for _ in range(ROUNDS)
    ]
    for name, pick in (("median", statistics.median), ("least", min)):
        ours, theirs = (pick(column) for column in zip(*rounds, strict=True))
        sys.stdout.write(
            f"{name}: ssd-native {ours:.3f} ms, onnxruntime {theirs:.3f} ms, "
            f"ratio {ours / theirs:.2f}\n"
        )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 300)
