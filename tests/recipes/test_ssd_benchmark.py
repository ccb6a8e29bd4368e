"""ssd-native as a benchmark: its own loop, and queries that another program asks."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.tools.flagship import WEIGHTS, Native, frame

if TYPE_CHECKING:
    from pathlib import Path

FRAMES = b"".join(frame(np.full((5, 7, 3), value, np.uint8)) for value in (0, 90, 255))
PLAN = ("--count", "3", "--warmup", "1", "--repeats", "4")


def benchmark(native: Native, data: bytes, *words: str) -> subprocess.CompletedProcess[bytes]:
    argv = [str(native.program), "benchmark", "--weights", str(WEIGHTS), *words]
    return subprocess.run(argv, input=data, capture_output=True, check=False)


def answer(native: Native, *words: str) -> dict[str, Any]:
    done = benchmark(native, FRAMES, *words)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_every_query_has_its_time(native: Native) -> None:
    found = answer(native, *PLAN)
    assert found["images"] == len(found["latencies_ns"]) == 12
    assert min(found["latencies_ns"]) > 0
    assert sum(found["latencies_ns"]) <= found["wall_ns"]
    assert found["load_ns"] > 0
    assert found["model_bytes"] == WEIGHTS.stat().st_size
    assert (found["harness"], found["valid"]) == ("native", True)


def test_the_whole_process_takes_less_than_ten_megabytes(native: Native) -> None:
    assert 1_000_000 < answer(native, *PLAN)["peak_bytes"] < 10_000_000


def test_offline_cuts_all_images_into_batches(native: Native) -> None:
    found = answer(native, *PLAN, "--scenario", "Offline", "--batch", "2")
    assert (found["images"], len(found["latencies_ns"])) == (12, 8)


def test_fewer_frames_than_asked_for_are_all_that_is_run(native: Native) -> None:
    assert answer(native, "--count", "9", "--repeats", "1")["images"] == 3


def test_queries_are_answered_one_by_one(native: Native) -> None:
    done = benchmark(native, FRAMES + b"0\n2 1 0\n", "--count", "3", "--queries")
    ready, *times = done.stdout.splitlines()
    assert (done.returncode, len(ready.split()), len(times)) == (0, 3, 2)
    assert all(int(time) > 0 for time in [*ready.split(), *times])


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (b"3\n", "names an image that there is not"),
        (b"x\n", "names an image that there is not"),
        (b"0,1\n", "does not end with its line"),
        (b"0", "does not end with its line"),
    ],
)
def test_a_bad_query_is_one_sentence(sanitized: Native, query: bytes, words: str) -> None:
    done = benchmark(sanitized, FRAMES + query, "--count", "3", "--queries")
    assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)
    assert words in done.stderr.decode()


@pytest.mark.parametrize(
    "words",
    [
        ("--batch", "2"),
        ("--batch", "0"),
        ("--scenario", "Server"),
        ("--repeats", "1.5"),
        ("--repeats", "1000000", "--count", "1000"),
        ("--annotations", "x"),
        ("--what",),
    ],
)
def test_a_plan_that_cannot_be_is_one_sentence(native: Native, words: tuple[str, ...]) -> None:
    done = benchmark(native, b"", *words)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)


def test_no_images_are_a_fault(native: Native, tmp_path: Path) -> None:
    done = benchmark(native, b"", *PLAN)
    assert (done.returncode, b"there are no images" in done.stderr) == (1, True)


def test_images_of_a_data_set_are_measured_without_another_program(
    sanitized: Native, codecs: str, dataset: Path, tmp_path: Path
) -> None:
    if codecs == "none":
        pytest.skip("needs libpng and libjpeg")
    argv = [str(sanitized.program), "benchmark", "--model", str(WEIGHTS.parent), "--annotations"]
    argv += [str(dataset / "annotations.json"), "--output", str(tmp_path / "out"), "--count", "2"]
    argv += ["--repeats", "1", str(dataset / "images")]
    subprocess.run(argv, check=True)
    found = json.loads((tmp_path / "out").read_text())
    assert found["images"] == 2
    assert found["prepare_ns"] > 0
