"""Results as a benchmark writes them, made up: for the tests of what reads results."""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace
from typing import TYPE_CHECKING

from crpack.model import dates, lock, results
from crpack.model.lock import Lock, LockedIndex
from crpack.model.results import (
    Check,
    Machine,
    Metric,
    Part,
    Provenance,
    Result,
    Samples,
    Software,
    State,
    Validity,
)
from crpack.work import measures

if TYPE_CHECKING:
    from pathlib import Path

LOCK = lock.encode(
    Lock(
        request=("object-detection-shapes",),
        request_hash="0" * 64,
        index=(LockedIndex("crpack", "0" * 64, "0" * 64),),
    )
)
LOCK_DIGEST = hashlib.sha256(LOCK).hexdigest()

_MACHINES = (
    Machine("linux-x86_64-gnu2.36", "Linux 6.1", "Made-up CPU 9000", "3", 2, 8 << 30),
    Machine("linux-aarch64-gnu2.36", "Linux 6.1", "Small Board A72", "", 4, 4 << 30),
)


def digest(text: str) -> str:
    """Return a digest that stands for a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def latency(median: float, spread: float = 0.04) -> Metric:
    """Return a latency in milliseconds, its interval a share of it."""
    tails = (
        ("p50", f"{median:.4f}"),
        ("p90", f"{median * 1.2:.4f}"),
        ("p99", f"{median * 1.6:.4f}"),
    )
    low, high = f"{median * (1 - spread):.4f}", f"{median * (1 + spread):.4f}"
    return Metric("latency", "latency", "ms", "lower", f"{median:.4f}", 500, low, high, tails)


def timed(median: float) -> tuple[Metric, Samples]:
    """Return a latency in milliseconds with the hundred samples of one repeat that it is of.

    Its interval is from 0.96 to 1.04 of the median, and its mean not above that.
    """
    shares = [0.75 + 0.21 * place / 39 for place in range(40)]
    shares += [0.964 + 0.004 * place for place in range(10)]
    shares += [1 + 0.004 * place for place in range(39)]
    shares += [1.2] * 9 + [1.6] * 2
    values = tuple(round(median * share * 1e6) for share in shares)
    return measures.latency([values]), Samples("latency", "ns", values, repeats=(100,))


def number(name: str, kind: str, unit: str, value: float, *, higher: bool = True) -> Metric:
    """Return a metric of one number."""
    return Metric(name, kind, unit, "higher" if higher else "lower", f"{value:.4f}")


def sample(place: int = 0) -> Result:
    """Return one result of many: backends, precisions, threads and machines take turns."""
    backend = ("native", "onnxruntime", "tflite")[place % 3]
    precision = ("fp32", "int8")[place // 3 % 2]
    threads = (1, 2, 4)[place // 6 % 3]
    board = place // 18 % 2
    base = {"native": 7.5, "onnxruntime": 3.1, "tflite": 4.4}[backend]
    wobble = 1 + 0.03 * math.sin(place * 12.9898)
    speed = (
        base * (0.55 if precision == "int8" else 1) / threads**0.7 * (5.5 if board else 1) * wobble
    )
    quality = 0.9012 - (0.021 if precision == "int8" else 0) + 0.002 * math.sin(place // 18)
    memory = {"native": 9.1e6, "onnxruntime": 61e6, "tflite": 24e6}[backend]
    check = Check("map", f"{quality:.4f}", "0.9", "0.05", "higher", passed=True)
    started = dates.utc(1_793_500_000 + 61 * place)
    taken, samples = timed(speed)
    return Result(
        software=Software("object-detection-shapes", "1.0.0", 0, digest("archive"), LOCK_DIGEST,
                          digest(backend), (("images", "50"),)),
        action="benchmark",
        scenario="SingleStream",
        params=(("backend", backend), ("precision", precision), ("threads", str(threads))),
        parts=(
            Part(backend, "1.2.0", "software", "detected"),
            Part("shapes-dataset", "1.0.0", "dataset", "binary", digest("dataset")),
            Part("ssd-mobilenet-shapes", "1.0.0", "model", "binary", digest("model")),
        ),
        machine=_MACHINES[board],
        before=State("0.21", "performance", "2400", "0", "6000000000"),
        after=State("0.93", "performance", "2400", "0", "5900000000"),
        metrics=(
            taken,
            number("map", "quality", "1", quality),
            number("peak-memory", "memory", "By", memory, higher=False),
            number("throughput", "throughput", "1/s", 1000 / speed),
        ),
        validity=Validity(True, checks=(check,)),
        provenance=Provenance(started, 61_000, "0.1.0", "loadgen 6.0.17"),
        samples=(samples,),
    )  # fmt: skip


def invalid(result: Result, reason: str = "map 0.31 is below 0.85") -> Result:
    """Return a result whose validation failed."""
    failed = [replace(one, reference="2", passed=False) for one in result.validity.checks]
    return replace(result, validity=Validity(False, (reason,), (), tuple(failed)))


def with_metrics(result: Result, *metrics: Metric) -> Result:
    """Return a result with some metrics replaced or added."""
    named = {one.name: one for one in (*result.metrics, *metrics)}
    return replace(result, metrics=tuple(named[name] for name in sorted(named)))


def with_latency(result: Result, median: float) -> Result:
    """Return a result that measured another latency, with its samples and throughput."""
    taken, samples = timed(median)
    rate = number("throughput", "throughput", "1/s", 1000 / median)
    return replace(with_metrics(result, taken, rate), samples=(samples,))


def store(folder: Path, *every: Result) -> list[Path]:
    """Write results as `crpack benchmark` does, and return their files."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for one in every:
        data = results.encode(one)
        paths.append(folder / f"{results.identity(data)}.json")
        paths[-1].write_bytes(data)
    return paths


def store_lock(folder: Path) -> None:
    """Write the lock that the results name beside them."""
    (folder / "locks").mkdir(parents=True, exist_ok=True)
    (folder / "locks" / f"{LOCK_DIGEST}.lock").write_bytes(LOCK)


MARKUP = '<img src=x onerror="window.pwned=1"></script><script>window.pwned=1</script>&amp;\''


def hostile() -> Result:
    """Return a valid result with markup in every text that takes one."""
    result = sample()
    named = tuple((name, MARKUP) for name, _ in result.params)
    return replace(
        result,
        software=replace(result.software, version=MARKUP, options=(("images", MARKUP),)),
        scenario=MARKUP,
        params=(*named, (MARKUP, "=cmd|' /C calc'!A1")),
        parts=tuple(replace(part, version=MARKUP) for part in result.parts),
        machine=Machine(MARKUP, MARKUP, MARKUP, MARKUP, 2, 1, (MARKUP,), MARKUP),
        before=State(*[MARKUP] * len(State.__slots__)),
        after=State(*[MARKUP] * len(State.__slots__)),
        metrics=tuple(
            one if one.kind == "latency" else replace(one, unit=MARKUP) for one in result.metrics
        ),
        validity=replace(result.validity, notes=(MARKUP,)),
        provenance=replace(result.provenance, crpack=MARKUP, harness=MARKUP, source=MARKUP),
        settings=((MARKUP, MARKUP),),
    )
