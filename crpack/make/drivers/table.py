"""The table of drivers: one row for each, and what the row says of it.

Rules:
- A driver is a module of this package, a row here, and its table in `Build` of `model/recipe`.
  Whoever asks what a driver does asks this table.
- Who changes a driver so that it makes another result of the same recipe counts its revision up:
  else what an older crpack made would be taken for it (SPEC KEY-07).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from crpack.make.drivers import (
    autotools,
    cargo,
    cmake,
    configure,
    copy,
    headers,
    make,
    meson,
    python,
    script,
)
from crpack.make.steps import Task, Work


@dataclass(frozen=True, slots=True)
class Driver:
    """One driver.

    Attributes:
        work: from a task to steps, files and copies.
        runs: it starts programs; else its result is the same on every platform.
        compiles: it always needs a compiler.
        pure: except where its result is the same on every platform.
        tools: programs that shape its result where they are there, whose versions enter the build
            key (SPEC KEY-07): without pkg-config, configure scripts find less.
        revision: of what it does; in the build key from the second on.
        by_variable: its linker is told the run path by `LD_RUN_PATH` (SPEC BLD-21).
    """

    work: Callable[[Task], Work]
    runs: bool = False
    compiles: bool = False
    pure: bool = False
    tools: tuple[str, ...] = ()
    by_variable: bool = False
    revision: int = 1


DRIVERS = {
    "make": Driver(make.work, runs=True, compiles=True, by_variable=True),
    "cmake": Driver(cmake.work, runs=True, compiles=True, tools=("cmake", "pkg-config")),
    "copy": Driver(copy.work),
    "headers": Driver(headers.work),
    "script": Driver(script.work, runs=True),
    "autotools": Driver(
        autotools.work, runs=True, compiles=True, tools=("pkg-config",), by_variable=True
    ),
    "configure": Driver(
        configure.work, runs=True, compiles=True, tools=("pkg-config",), by_variable=True
    ),
    "meson": Driver(
        meson.work, runs=True, compiles=True, tools=("meson", "pkg-config"), revision=2
    ),
    "python": Driver(python.work, runs=True, compiles=True, pure=True, tools=("python",)),
    "cargo": Driver(cargo.work, runs=True, compiles=True, tools=("cargo", "rustc")),
}
