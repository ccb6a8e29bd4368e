"""Action `benchmark`: how long the network takes, image by image or in batches.

`benchmark.py INPUT OUTPUT PROGRAM MODEL DATASET`: two JSON files, ssd-native, the folders of the
model and of the data set. Images are decoded and resized before the clock starts, boxes are made
after it has stopped; what each of these takes is told beside the latencies.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from typing import Any

import loadgen
from faults import UserError, run
from library import Library, load
from loadgen import Timed
from settings import Settings, settle
from systems import Child, System, cut, open_system

TIMED = "resized pixels in memory to the scores and offsets of all anchors"


def check(request: dict[str, Any]) -> None:
    """Refuse what no harness can do.

    Raises:
        UserError: with the reason.
    """
    if request["scenario"] == "SingleStream" and request["batch"] != 1:
        raise UserError("a query of SingleStream is one image; set `scenario=Offline` for batches")
    if request["harness"] == "loadgen" and not loadgen.is_here():
        raise UserError(
            "LoadGen is not installed: install this solution with `--option loadgen=true`"
        )


def rounds(system: System, request: dict[str, Any], count: int) -> Timed:
    """The images again and again, in another order each time."""
    generator = random.Random(request["seed"])  # noqa: S311 - an order, no secret
    order, timed = list(range(count)), Timed()
    for _ in range(request["repeats"]):
        generator.shuffle(order)
        queries = cut(order, request["batch"])
        begin = time.perf_counter_ns()
        timed.latencies += [system.run(query) for query in queries]
        timed.wall += time.perf_counter_ns() - begin
        timed.images += count
    return timed


def in_child(settings: Settings, request: dict[str, Any], library: Library) -> dict[str, Any]:
    """What ssd-native measures by its own clock, without a pipe between.

    Raises:
        UserError: it ended.
    """
    from detector import frame

    argv = [settings.program, "benchmark", "--weights", settings.file]
    argv += ["--count", str(request["images"])]
    for name in ("warmup", "repeats", "batch", "scenario", "seed"):
        argv += [f"--{name}", str(request[name])]
    frames = b"".join(map(frame, library.images))
    try:
        done = subprocess.run(argv, input=frames, stdout=subprocess.PIPE, check=False)
    except OSError as error:
        raise UserError(f"cannot start `{settings.program}`: {error.strerror}") from error
    if done.returncode != 0:
        raise UserError(f"ssd-native ended with status {done.returncode}")
    answer: dict[str, Any] = json.loads(done.stdout)
    prepare_ns = library.decode_ns + answer["prepare_ns"]
    return answer | {"engine": Child.name, "reason": "", "prepare_ns": prepare_ns}


def measure(settings: Settings, request: dict[str, Any], library: Library) -> dict[str, Any]:
    """The answer of a system that is asked from here or by LoadGen."""
    system, count = open_system(settings, library), request["images"]
    try:
        for query in (cut(range(count), request["batch"]) * request["warmup"])[: request["warmup"]]:
            system.run(query)
        answer: dict[str, Any] = {"harness": "native", "valid": True, "reason": ""}
        if request["harness"] == "native":
            timed = rounds(system, request, count)
        else:
            timed, verdict = loadgen.drive(system, request, count)
            answer |= {"harness": loadgen.version(), "files": loadgen.LOGS}
            answer |= {"valid": verdict.valid, "reason": verdict.reason}
            answer |= {"reported": verdict.reported}
        answer |= {"images": timed.images, "wall_ns": timed.wall, "load_ns": system.load_ns}
        answer |= {"prepare_ns": system.prepare_ns, "boxes_ns": system.boxes_ns}
        answer |= {"latencies_ns": timed.latencies, "engine": system.name}
        if peak := system.peak_bytes():
            answer["peak_bytes"] = peak
        return answer
    finally:
        system.close()


def benchmark(request: dict[str, Any], settings: Settings, dataset: str) -> dict[str, Any]:
    """The answer to a request."""
    check(request)
    library = load(dataset, request["images"], settings.side)
    if request["harness"] == "auto":
        request["harness"] = "loadgen" if loadgen.is_here() else "native"
    alone = settings.backend == "native" and request["harness"] == "native"
    answer = (in_child if alone else measure)(settings, request, library)
    return answer | {"timed": TIMED, "model_bytes": os.path.getsize(settings.file)}


def main() -> None:
    """Read the request, write the answer."""
    request_file, answer_file, program, model, dataset = sys.argv[1:]
    with open(request_file, encoding="utf-8") as file:
        request = json.load(file)
    answer = benchmark(request, settle(request, program, model), dataset)
    with open(answer_file, "w", encoding="utf-8") as file:
        json.dump(answer, file)


if __name__ == "__main__":
    run(main)
