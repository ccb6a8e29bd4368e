"""Jobs that need one another, several at a time.

Rules:
- The order of a graph is that of its keys, each after what it needs; nothing else decides it.
- Only the work runs in threads of its own. What it gives is kept by the calling thread, one at a
  time, before anything that needs it begins.
- The processors are shared among what can run; how many a job gets must not change its result.
- The failure that is raised is the first in order, as if all had run one after the other: what
  stands before a failed job is still tried, what stands after it is stopped or never begun.
- Ctrl-C, and any other exception of the calling thread, stops everything that runs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping
from typing import TYPE_CHECKING, Generic, TypeVar

from crpack.errors import UsageError
from crpack.process.stopping import Stop

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


def order(after: Mapping[K, Collection[K]]) -> tuple[K, ...]:
    """Return the jobs of a graph, each after what it needs, else as they are given.

    Args:
        after: for each job those that must be done before it; all of them are keys.

    Raises:
        UsageError: jobs need one another in a circle.
    """
    done: dict[K, None] = {}
    waiting = list(after)
    while waiting:
        ready = next((job for job in waiting if all(one in done for one in after[job])), None)
        if ready is None:
            circle = [f"`{job}`" for job in waiting]
            raise UsageError("components require one another in a circle", why=[", ".join(circle)])
        done[ready] = None
        waiting.remove(ready)
    return tuple(done)


def run(
    after: Mapping[K, Collection[K]],
    work: Callable[[K, int], V],
    keep: Callable[[K, V], None],
    *,
    jobs: int,
) -> None:
    """Do the jobs of a graph, several at a time where they do not need one another.

    Args:
        after: for each job those that must be done before it.
        work: does a job, in any thread, with so many processors; reads of others only what was
            kept. What it runs and fetches ends when it must stop (`process/stopping`).
        keep: takes what a job gave, in the calling thread.
        jobs: how many processors there are; at least 1.

    Raises:
        UsageError: jobs need one another in a circle.
        The first failure, in order, of `work` or `keep`.
    """
    _Crew(after, work, keep, jobs).run()


class _Crew(Generic[K, V]):
    """The jobs of one graph at work; all but `_do` happens in the calling thread."""

    def __init__(
        self,
        after: Mapping[K, Collection[K]],
        work: Callable[[K, int], V],
        keep: Callable[[K, V], None],
        jobs: int,
    ) -> None:
        self._after = after
        self._work = work
        self._keep = keep
        self._jobs = jobs
        self._order = order(after)
        self._done: set[K] = set()
        self._running: dict[Future[V], tuple[int, Stop]] = {}
        self._begun: set[int] = set()
        self._end = len(self._order)  # position of the first failure; nothing behind it counts
        self._failure: Exception | None = None

    def run(self) -> None:
        """Do all jobs; raise the first failure in order."""
        from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

        if not self._order:
            return
        with ThreadPoolExecutor(min(self._jobs, len(self._order))) as pool:
            try:
                self._begin(pool)
                while self._running:
                    wait(self._running, return_when=FIRST_COMPLETED)
                    for future in [one for one in self._running if one.done()]:
                        self._finish(future)
                    self._begin(pool)
            except BaseException:
                for _, stop in self._running.values():
                    stop.now()
                raise
        if self._failure is not None:
            raise self._failure

    def _begin(self, pool: Executor) -> None:
        """Begin what can be done now, as far as there are processors."""
        ready = [
            place
            for place, job in enumerate(self._order[: self._end])
            if place not in self._begun and self._done.issuperset(self._after[job])
        ]
        free = self._jobs - len(self._running)
        share = max(1, self._jobs // max(1, len(self._running) + len(ready)))
        for place in ready[:free]:
            self._begun.add(place)
            stop = Stop()
            future = pool.submit(self._do, self._order[place], share, stop)
            self._running[future] = (place, stop)

    def _do(self, job: K, share: int, stop: Stop) -> V:
        with stop.around():
            return self._work(job, share)

    def _finish(self, future: Future[V]) -> None:
        place, _ = self._running.pop(future)
        if place > self._end:
            return  # stopped, or not needed any more
        try:
            self._keep(self._order[place], future.result())
        except Exception as error:  # noqa: BLE001 - raised when all that stands before is done
            self._end, self._failure = place, error
            for later, stop in self._running.values():
                if later > place:
                    stop.now()
        else:
            self._done.add(self._order[place])
