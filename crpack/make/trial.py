"""The test of a result: steps that are run here, or the reason why they are not.

Rules (SPEC BLD-17):
- A result for this platform runs as it is, one for another platform under an emulator that was
  found; only a program of the target platform is put under it, so a step may start `/bin/sh`.
- `needs = "emulator"` says that the test must be run: without any way to, the build fails.
- The result stands outside of the store here: libraries of dependencies are found by
  `LD_LIBRARY_PATH`. Programs of the result find their own libraries by themselves; test programs
  beside it are given them.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack.errors import BuildFailed, Fault, ManifestError
from crpack.make.steps import Step
from crpack.model import placeholders

if TYPE_CHECKING:
    from crpack.make.steps import Task
    from crpack.model.recipe import Test

_VALUES = (
    "option.",
    "dep.",
    "source",
    "build",
    "target.",
)  # placeholders of tests beside `self`, `python`


@dataclass(frozen=True, slots=True)
class Trial:
    """The test of a result: steps, or the reason why it is not run.

    `expect` is a regular expression searched in the last step's standard output; `timeout` is in
    seconds for each step.
    """

    steps: tuple[Step, ...] = ()
    expect: str = ""
    timeout: int = 60
    skipped: str = ""


def trial(test: Test | None, task: Task, *, libraries: tuple[str, ...], python: str) -> Trial:
    """Return the test of a task's result (SPEC BLD-17).

    Args:
        test: the recipe's `[test]` table.
        task: of the build.
        libraries: folders of the linked dependencies' libraries.
        python: interpreter of the generation; empty when there is none yet.

    Raises:
        BuildFailed: the test must be run and cannot be.
        ManifestError: a broken pattern, or an unknown placeholder.
    """
    if test is None or not test.steps:
        return Trial(skipped="the recipe has no test")
    _check_pattern(test.expect)
    words = [word for argv in test.steps for word in argv]
    if test.needs == "device":
        return Trial(skipped="the test needs the device")
    emulator = task.toolbox.emulator
    if emulator.missing and test.needs == "emulator":
        raise BuildFailed(
            f"the test of this result for `{task.target}` must be run, and cannot be",
            why=[emulator.missing],
            rule="BLD-17",
        )
    if emulator.missing:
        return Trial(skipped=emulator.missing)
    if "python" in placeholders.names(words) and not python:
        return Trial(skipped="the test needs the interpreter of an installed solution")
    values = {"self": task.folders.out, "python": python}
    values |= {name: text for name, text in task.values if name.startswith(_VALUES)}
    argvs = (
        placeholders.render_all(argv, values, where=f"test.steps.{number}")
        for number, argv in enumerate(test.steps)
    )
    steps = tuple(
        _step(f"test {number}", argv, task, libraries) for number, argv in enumerate(argvs, 1)
    )
    return Trial(steps, test.expect, test.timeout)


def _step(title: str, argv: tuple[str, ...], task: Task, libraries: tuple[str, ...]) -> Step:
    folders = task.folders
    beside = _below(argv[0], (folders.source, folders.build))
    if beside or _below(argv[0], (folders.out, *task.linked)):
        argv = (*task.toolbox.emulator.argv, *argv)
    env = dict(task.env)
    own = (f"{folders.out}/lib", f"{folders.out}/bin") if beside else ()
    env |= _search(task, (*own, *libraries))
    return Step(title, argv, folders.tmp, tuple(sorted(env.items())))


def _search(task: Task, folders: tuple[str, ...]) -> dict[str, str]:
    """Return the variable that names folders of libraries: to ld.so, or to wine (wine(1))."""
    if not folders:
        return {}
    if task.target.os == "windows":
        return {"WINEPATH": ";".join("Z:" + folder.replace("/", "\\") for folder in folders)}
    return {"LD_LIBRARY_PATH": os.pathsep.join(folders)}


def _below(path: str, folders: tuple[str, ...]) -> bool:
    return any(path.startswith(f"{folder}/") for folder in folders)


def _check_pattern(expect: str) -> None:
    try:
        re.compile(expect)
    except (re.error, RecursionError, OverflowError) as error:
        fault = Fault("test.expect", f"is not a regular expression: {error}")
        raise ManifestError("`test.expect` is not a regular expression", faults=[fault]) from error
