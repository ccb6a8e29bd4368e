"""The driver `make`: a makefile with an `install` target.

Rules (SPEC BLD-07, BLD-08):
- CC, CXX, AR, RANLIB, NM and STRIP stand on the command line, where they win over the makefile's
  own.
- Installed with `DESTDIR={out}` and an empty `PREFIX`, one job at a time; variables of the recipe
  come later, and win.
- The step runs in the source tree, which is fresh for every build.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack.make.drivers.variables import compilers, for_make
from crpack.make.steps import Work
from crpack.model.placeholders import render

if TYPE_CHECKING:
    from crpack.make.steps import Step, Task

WHERE = "build.make"


def work(task: Task) -> Work:
    """Return the steps `compile` and `install` (SPEC BLD-07).

    Raises:
        BuildFailed: there is no `make`, or no compiler.
        ManifestError: an unknown placeholder.
    """
    table, variables = task.build.make, _variables(task)
    return Work(
        steps=(
            *compile_(task, table.targets, where=WHERE, variables=variables),
            *install(task, table.install, where=WHERE, variables=("PREFIX=", *variables)),
        )
    )


def compile_(
    task: Task,
    targets: tuple[str, ...],
    *,
    where: str,
    variables: tuple[str, ...] = (),
    cwd: str = "",
) -> tuple[Step, ...]:
    """Return the steps `compile`: make with all jobs, once for each target (SPEC BLD-07).

    Automake's `all` calls make again, which would make the same files as other targets beside it.

    Raises:
        BuildFailed: there is no `make`.
        ManifestError: an unknown placeholder.
    """
    argv = (task.toolbox.path("make"), f"-j{task.jobs}", *variables)
    wanted = task.render_all(targets, where=f"{where}.targets")
    calls = [(*argv, target) for target in wanted] or [argv]
    return tuple(task.step("compile", call, cwd=cwd) for call in calls)


def install(
    task: Task,
    targets: tuple[str, ...],
    *,
    where: str,
    variables: tuple[str, ...] = (),
    cwd: str = "",
) -> tuple[Step, ...]:
    """Return the step `install`, one job at a time; none without a target (SPEC BLD-07).

    Raises:
        BuildFailed: there is no `make`.
        ManifestError: an unknown placeholder.
    """
    wanted = task.render_all(targets, where=f"{where}.install")
    if not wanted:
        return ()
    folder = f"DESTDIR={for_make(task.folders.out)}"
    make = task.toolbox.path("make")
    return (task.step("install", (make, folder, *variables, *wanted), cwd=cwd),)


def _variables(task: Task) -> tuple[str, ...]:
    values = {name: for_make(value) for name, value in task.values}
    given = {
        name: render(text, values, where=f"{WHERE}.vars.{name}")
        for name, text in task.build.make.vars
    }
    own = {name: for_make(value) for name, value in compilers(task).items()}
    return tuple(f"{name}={value}" for name, value in {**own, **given}.items())
