from __future__ import annotations

from crpack.cli import benchmark
from crpack.model.results import Metric
from crpack.ops.benchmarks import Done
from crpack.ops.exploring import Explored, Tried
from tests.unit.model.test_results import WHOLE


def tried(engine: str, state: str, **more: object) -> Tried:
    metrics = (
        Metric("latency", "latency", "ms", "lower", "1.25"),
        Metric("map", "quality", "1", "higher", "0.9"),
        Metric("throughput", "throughput", "1/s", "higher", "800"),
    )
    done = Done("a" * 64, "/out/x.json", "", "/runs", (), WHOLE, ())
    point = (("engine", engine), ("threads", "1"))
    if state in ("failed", "left out"):
        return Tried(point, state, **{"metrics": metrics, **more})  # type: ignore[arg-type]
    return Tried(point, state, metrics=metrics, done=done, **more)  # type: ignore[arg-type]


def test_what_was_explored_is_shown_best_first() -> None:
    """BEN-09, BEN-11: then what was beaten, and why others do not count."""
    found = Explored(
        "shapes",
        (
            tried("crash", "failed", metrics=(), why=("ended with exit status 134", "last line")),
            tried("small", "left out", images=8),
            tried("slow", "beaten"),
            tried("quick", "best"),
        ),
        8,
        ("latency", "map"),
    )
    lines = benchmark._explored(found)
    assert lines[0] == "shapes: 4 points of 8"
    rows = [line.split() for line in lines[2:7]]
    assert rows[0] == ["engine", "threads", "latency", "map", "throughput"]
    assert rows[1] == ["*", "quick", "1", "1.25", "ms", "0.9", "800", "/s", "best"]
    assert [row[0] for row in rows[2:]] == ["slow", "small", "crash"]
    assert rows[3][-2:] == ["left", "out"]
    assert "  left out: beaten on 8 images, no result written" in lines
    assert rows[4] == ["crash", "1", "-", "-", "-", "failed"]
    assert "  crash 1: last line" in lines
    assert max(map(len, lines)) <= 80


def test_a_wide_table_loses_its_last_columns_and_not_its_states() -> None:
    """BEN-11."""
    names = tuple(f"objective_number_{n}" for n in range(6))
    lines = benchmark._explored(Explored("shapes", (tried("a", "best"),), 1, ("latency", *names)))
    assert max(map(len, lines[2:4])) <= 80
    assert lines[3].endswith("best")
    assert "latency" in lines[2]
