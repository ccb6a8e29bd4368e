"""Work on many items in threads, with results in order and few items in memory.

Rules: results come in the order of the items whatever the number of threads, so two threads make
the same bytes as one. At most `2 * threads + 1` items are held at once. With one thread nothing
is started.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

T = TypeVar("T")
R = TypeVar("R")


def ordered(work: Callable[[T], R], items: Iterable[T], threads: int) -> Iterator[R]:
    """Yield `work(item)` for every item, in order.

    Args:
        work: called in any thread, for several items at once.
        items: taken one by one by the calling thread.
        threads: how many work; below 2 the calling thread does.
    """
    if threads < 2:
        yield from map(work, items)
        return
    from concurrent.futures import ThreadPoolExecutor

    running: deque[Future[R]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for item in items:
                running.append(pool.submit(work, item))
                if len(running) > 2 * threads:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
        finally:
            for future in running:
                future.cancel()
