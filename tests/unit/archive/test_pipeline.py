from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from crpack.archive import pipeline

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.mark.parametrize("threads", [0, 1, 2, 5])
def test_results_come_in_order(threads: int) -> None:
    assert list(pipeline.ordered(lambda n: n * n, range(100), threads)) == [
        n * n for n in range(100)
    ]


@pytest.mark.parametrize("threads", [1, 3])
def test_few_items_are_held_at_once(threads: int) -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    results = pipeline.ordered(str, items(), threads)
    ahead = [len(taken) - done for done, _ in enumerate(results)]
    assert max(ahead) <= 2 * threads + 1


@pytest.mark.parametrize("threads", [1, 2])
def test_a_failure_comes_out_and_no_thread_stays(threads: int) -> None:
    before = threading.active_count()

    def work(number: int) -> int:
        if number == 7:
            raise ValueError
        return number

    found: list[int] = []
    with pytest.raises(ValueError):  # noqa: PT012
        for result in pipeline.ordered(work, range(100), threads):
            found.append(result)  # noqa: PERF402
    assert found == list(range(7))
    assert threading.active_count() == before


def test_a_reader_that_stops_leaves_no_thread() -> None:
    before = threading.active_count()
    results = pipeline.ordered(lambda n: n, range(100), 2)
    assert next(results) == 0
    results.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before
