"""Time an image of ssd-native beside onnxruntime on one thread, in interleaved rounds.

`python tests/bench/engine_speed.py PROGRAM DATASET [IMAGES]`: a compiled ssd-native and the folder
of a data set. Both times lead from a resized image to scores and offsets. Also told: the most
memory of ssd-native's process.
"""

from __future__ import annotations

import importlib
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.tools.flagship import MODEL, NETWORK, WEIGHTS, frame

ROUNDS = 7


def native_round(program: str, frames: bytes, count: int) -> dict[str, Any]:
    """What the program measures by its own clock."""
    argv = [program, "benchmark", "--weights", str(WEIGHTS), "--repeats", "1"]
    argv += ["--count", str(count)]
    done = subprocess.run(argv, input=frames, stdout=subprocess.PIPE, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def session_round(session: Any, inputs: list[Any]) -> list[int]:
    """Nanoseconds of each image."""
    found = []
    for image in inputs:
        start = time.perf_counter_ns()
        session.run(None, {"image": image})
        found.append(time.perf_counter_ns() - start)
    return found


def main(program: str, dataset: str, count: int) -> None:
    """Measure both and print medians, minima and their ratios."""
    sys.path.insert(0, str(MODEL))
    shapes: Any = importlib.import_module("ssd_shapes")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        str(NETWORK / "ssd.onnx"), options, providers=["CPUExecutionProvider"]
    )
    files = sorted(Path(dataset, "images").iterdir())[:count]
    images = [np.asarray(Image.open(file).convert("RGB")) for file in files]
    inputs = [shapes.resize(image, 128)[None] for image in images]
    frames = b"".join(map(frame, images))
    session_round(session, inputs)  # warm
    ours, theirs, peak = [], [], 0
    for _ in range(ROUNDS):
        answer = native_round(program, frames, len(images))
        ours += answer["latencies_ns"]
        peak = max(peak, answer.get("peak_bytes", 0))
        theirs += session_round(session, inputs)
    for name, pick in (("median", statistics.median), ("least", min)):
        mine, other = pick(ours) / 1e6, pick(theirs) / 1e6
        sys.stdout.write(
            f"{name}: ssd-native {mine:.3f} ms, onnxruntime {other:.3f} ms, "
            f"ratio {mine / other:.2f}\n"
        )
    sys.stdout.write(f"memory of ssd-native with {len(images)} images: {peak / 1e6:.1f} MB\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 50)
