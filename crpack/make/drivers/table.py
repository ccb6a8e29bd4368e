"""The table of drivers: one row for each, and what the row says of it.

Rules: a driver is a module of this package, a row here, and its table in `Build` of
`model/recipe`. Whoever asks what a driver does asks this table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from crpack.make.drivers import cmake, copy, headers, make, script
from crpack.make.steps import Task, Work


@dataclass(frozen=True, slots=True)
class Driver:
    """One driver.

    Attributes:
        work: from a task to steps, files and copies.
        runs: it starts programs; else its result is the same on every platform.
        compiles: it always needs a compiler.
        tools: programs that shape its result, whose versions enter the build key (SPEC KEY-07).
    """

    work: Callable[[Task], Work]
    runs: bool = False
    compiles: bool = False
    tools: tuple[str, ...] = ()


DRIVERS = {
    "make": Driver(make.work, runs=True, compiles=True),
    "cmake": Driver(cmake.work, runs=True, compiles=True, tools=("cmake",)),
    "copy": Driver(copy.work),
    "headers": Driver(headers.work),
    "script": Driver(script.work, runs=True),
}
