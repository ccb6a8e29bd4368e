"""Jobs that need one another: order, sharing, failures."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import TYPE_CHECKING

import pytest

from crpack.errors import BuildFailed, Interrupted, UsageError
from crpack.ops import graph
from crpack.process import stopping
from crpack.process.run import Limits, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DIAMOND: dict[str, tuple[str, ...]] = {
    "a": (), "b": ("a",), "c": ("a",), "d": ("b", "c"), "e": ()
}  # fmt: skip


def failing(*names: str, after: dict[str, str] | None = None) -> Callable[[str, int], str]:
    """Return work of which some fails, each once another job has begun."""
    begun = {name: threading.Event() for name in DIAMOND}

    def work(name: str, _: int) -> str:
        begun[name].set()
        if after and name in after:
            assert begun[after[name]].wait(10)
        if name in names:
            raise BuildFailed(f"{name} failed")
        return name

    return work


def test_jobs_come_after_what_they_need_and_else_as_they_are_given() -> None:
    assert graph.order(DIAMOND) == ("a", "b", "c", "d", "e")
    assert graph.order({"d": ("c",), "x": (), "c": ()}) == ("x", "c", "d")


def test_a_circle_is_told() -> None:
    with pytest.raises(UsageError, match="in a circle"):
        graph.order({"a": ("b",), "b": ("a",)})


@pytest.mark.parametrize("jobs", [1, 2, 9])
def test_what_a_job_gave_is_kept_before_anything_that_needs_it_begins(jobs: int) -> None:
    kept: dict[str, str] = {}
    threads = set()

    def work(name: str, _: int) -> str:
        assert set(DIAMOND[name]) <= set(kept)
        return name.upper()

    def keep(name: str, value: str) -> None:
        threads.add(threading.current_thread())
        kept[name] = value

    graph.run(DIAMOND, work, keep, jobs=jobs)
    assert kept == {name: name.upper() for name in DIAMOND}
    assert threads == {threading.current_thread()}


def test_jobs_that_do_not_need_one_another_run_at_once_and_share_the_processors() -> None:
    both = threading.Barrier(2)
    shares: dict[str, int] = {}

    def work(name: str, jobs: int) -> None:
        shares[name] = jobs
        if name in "bc":
            both.wait(60)

    graph.run({k: v for k, v in DIAMOND.items() if k != "e"}, work, lambda *_: None, jobs=8)
    assert shares == {"a": 8, "b": 4, "c": 4, "d": 8}


def test_no_more_run_at_once_than_there_are_processors() -> None:
    running, most, turn = 0, 0, threading.Lock()

    def work(_name: int, _: int) -> None:
        nonlocal running, most
        with turn:
            running += 1
            most = max(most, running)
        time.sleep(0.002)
        with turn:
            running -= 1

    graph.run(dict.fromkeys(range(20), ()), work, lambda *_: None, jobs=3)
    assert most <= 3


@pytest.mark.parametrize("jobs", [1, 2, 4])
@pytest.mark.parametrize("after", [{}, {"b": "c"}, {"c": "b"}, {"b": "e"}])
def test_the_first_failure_in_order_is_told_whatever_the_timing(
    jobs: int, after: dict[str, str]
) -> None:
    if jobs == 1 or (jobs == 2 and after == {"b": "e"}):
        after = {}  # nothing runs beside it
    kept: list[str] = []
    with pytest.raises(BuildFailed, match="b failed"):
        graph.run(DIAMOND, failing("b", "c", after=after), lambda n, _: kept.append(n), jobs=jobs)
    assert "a" in kept
    assert "d" not in kept


def test_what_stands_before_a_failed_job_is_still_tried() -> None:
    kept: list[str] = []
    with pytest.raises(BuildFailed, match="e failed"):
        graph.run(DIAMOND, failing("e"), lambda name, _: kept.append(name), jobs=2)
    assert sorted(kept) == ["a", "b", "c", "d"]


def test_a_fault_in_keeping_counts_like_one_in_working() -> None:
    def keep(name: str, _: str) -> None:
        if name == "b":
            raise BuildFailed("b cannot be kept")

    with pytest.raises(BuildFailed, match="b cannot be kept"):
        graph.run(DIAMOND, failing(), keep, jobs=2)


def sleep(begun: Path) -> int:
    """Run a program that tells that it began and would take minutes; return how it ended."""
    argv = ["sh", "-c", 'touch "$1"; exec sleep 600', "sh", str(begun)]
    return run(argv, cwd="/", env={"PATH": os.defpath}, limits=Limits()).code


def wait_for(*begun: Path) -> None:
    end = time.monotonic() + 120
    while not all(path.exists() for path in begun):
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_failure_ends_the_programs_of_what_stands_behind_it(tmp_path: Path) -> None:
    codes = []

    def work(name: str, _: int) -> None:
        if name == "first":
            wait_for(tmp_path / "second")
            raise BuildFailed("no")
        codes.append(sleep(tmp_path / name))

    begun = time.monotonic()
    with pytest.raises(BuildFailed, match="no"):
        graph.run({"first": (), "second": ()}, work, lambda *_: None, jobs=2)
    assert codes == [-signal.SIGKILL]
    assert time.monotonic() - begun < 300


def test_a_failure_ends_what_asks_whether_it_must_end() -> None:
    ended = []
    begun = threading.Event()

    def work(name: str, _: int) -> None:
        if name == "first":
            assert begun.wait(60)
            raise BuildFailed("no")
        begun.set()
        try:
            for _ in range(3000):
                stopping.check()
                time.sleep(0.01)
        except Interrupted:
            ended.append(name)
            raise

    stopping.check()  # where nothing can be stopped nothing ends
    with pytest.raises(BuildFailed, match="no"):
        graph.run({"first": (), "second": ()}, work, lambda *_: None, jobs=2)
    assert ended == ["second"]


def test_an_interruption_ends_all_programs(tmp_path: Path) -> None:
    codes = []

    def work(name: str, _: int) -> None:
        codes.append(sleep(tmp_path / name))

    def interrupt() -> None:
        wait_for(tmp_path / "a", tmp_path / "b")
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        graph.run({"a": (), "b": ()}, work, lambda *_: None, jobs=2)
    assert codes == [-signal.SIGKILL, -signal.SIGKILL]


def test_nothing_to_do_is_done() -> None:
    graph.run({}, failing(), lambda *_: None, jobs=2)
