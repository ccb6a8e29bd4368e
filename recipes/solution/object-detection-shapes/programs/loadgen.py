"""MLPerf LoadGen asks; its logs stay in a folder, and its verdict is passed on.

SingleStream: one image a query, the next when the last is answered. Offline: all at once, which the
system takes in batches. LoadGen ends no run before its least time and number of images, and calls
one that ended too soon INVALID: so the rate is measured first, and it is told what to expect.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import statistics
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from faults import UserError
from systems import cut

if TYPE_CHECKING:
    from collections.abc import Callable

    from systems import System

LOGS = "loadgen"
SUMMARY = "mlperf_log_summary.txt"
CALIBRATION_NS = 200_000_000
MARGIN = 1.3  # more images than the measured rate asks for, so that the least time is reached


@dataclass(slots=True)
class Timed:
    """What happened between the first query and the last answer; times in nanoseconds."""

    latencies: list[int] = field(default_factory=list)
    images: int = 0
    wall: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What LoadGen says: `reported` is its own result, ns (SingleStream) or images a second."""

    valid: bool
    reason: str
    reported: float


def is_here() -> bool:
    """Whether LoadGen is installed."""
    try:
        importlib.metadata.version("mlcommons-loadgen")
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def version() -> str:
    """The name of the harness for records."""
    return f"loadgen {importlib.metadata.version('mlcommons-loadgen')}"


def rate(system: System, count: int, batch: int) -> float:
    """Images a second, from the median of some queries: what disturbs a few makes it no smaller."""
    begin, spent = time.perf_counter_ns(), list[int]()
    while time.perf_counter_ns() - begin < CALIBRATION_NS:
        spent += [system.run(query) // len(query) for query in cut(range(count), batch)]
    return 1e9 / max(1, statistics.median(spent))


def settings(request: dict[str, Any], count: int, per_second: float) -> Any:
    """LoadGen's settings of a request."""
    import mlperf_loadgen as lg

    found = lg.TestSettings()
    found.mode = lg.TestMode.PerformanceOnly
    found.scenario = getattr(lg.TestScenario, request["scenario"])
    found.min_duration_ms = round(1000 * request["seconds"])
    found.min_query_count = 1 if request["scenario"] == "Offline" else request["repeats"] * count
    found.offline_expected_qps = max(
        per_second * MARGIN, request["repeats"] * count / max(request["seconds"], 0.001)
    )
    found.single_stream_expected_latency_ns = round(1e9 / per_second)
    for name in ("qsl_rng_seed", "sample_index_rng_seed", "schedule_rng_seed"):
        setattr(found, name, request["seed"])
    return found


def logs() -> Any:
    """Settings of the logs: their folder, and nothing on the terminal."""
    import mlperf_loadgen as lg

    os.makedirs(LOGS, exist_ok=True)
    found = lg.LogSettings()
    found.log_output.outdir = LOGS
    found.log_output.copy_summary_to_stdout = False
    found.enable_trace = False
    return found


def drive(system: System, request: dict[str, Any], count: int) -> tuple[Timed, Verdict]:
    """Have LoadGen ask a system.

    Raises:
        UserError: the system ended, or LoadGen left no summary.
    """
    import mlperf_loadgen as lg

    timed = Timed()
    faults: list[Exception] = []

    def issue(samples: list[Any]) -> None:
        begin = time.perf_counter_ns()
        try:
            for query in cut([sample.index for sample in samples], request["batch"]):
                timed.latencies.append(system.run(query))
        except Exception as fault:  # noqa: BLE001 - none may pass through LoadGen
            faults.append(fault)
        timed.images += len(samples)
        timed.wall += time.perf_counter_ns() - begin
        lg.QuerySamplesComplete([lg.QuerySampleResponse(one.id, 0, 0) for one in samples])

    per_second = rate(system, count, request["batch"])
    with Construct(issue, count) as (sut, qsl):
        lg.StartTestWithLogSettings(sut, qsl, settings(request, count, per_second), logs())
    if faults:
        raise faults[0]
    return timed, judge(os.path.join(LOGS, SUMMARY))


class Construct:
    """LoadGen's handles of the system and of its images, all of which are in memory already."""

    def __init__(self, issue: Callable[[list[Any]], None], count: int) -> None:
        self.issue, self.count = issue, count

    def __enter__(self) -> tuple[Any, Any]:
        import mlperf_loadgen as lg

        self.sut = lg.ConstructSUT(self.issue, lambda: None)
        self.qsl = lg.ConstructQSL(self.count, self.count, lambda _: None, lambda _: None)
        return self.sut, self.qsl

    def __exit__(self, *_: object) -> None:
        import mlperf_loadgen as lg

        lg.DestroyQSL(self.qsl)
        lg.DestroySUT(self.sut)


def judge(path: str) -> Verdict:
    """What a summary says.

    Raises:
        UserError: there is none, or it has no result.
    """
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except OSError as error:
        raise UserError(f"LoadGen left no summary `{path}`") from error
    result = re.search(r"^Result is : (VALID|INVALID)$", text, re.MULTILINE)
    value = re.search(
        r"^(?:90.0th percentile latency \(ns\)|Samples per second) *: ([0-9.e+]+)$",
        text,
        re.MULTILINE,
    )
    if result is None or value is None:
        raise UserError(f"LoadGen's summary `{path}` has no result")
    reasons = re.findall(r"^ *\* (.+)$", text, re.MULTILINE)
    failed = re.findall(r"^ *(.+ satisfied) *: NO$", text, re.MULTILINE)
    valid = result[1] == "VALID"
    why = "; ".join(["LoadGen calls it INVALID", *(f"{one}: NO" for one in failed), *reasons])
    return Verdict(valid, "" if valid else why[:300], float(value[1]))
