"""The driver `make`: a makefile with an `install` target.

Rules (SPEC BLD-07, BLD-08):
- CC, CXX, AR and RANLIB stand on the command line, where they win over the makefile's own.
- The flags that make a build reproducible ride on CC and CXX: CFLAGS in the environment would
  silence every `CFLAGS ?= -O2` of a makefile.
- Installed with `DESTDIR={out}` and an empty `PREFIX`, one job at a time.
- The step runs in the source tree, which is fresh for every build.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from crpack.make.steps import Work, prefix_maps
from crpack.model.placeholders import render, render_all

if TYPE_CHECKING:
    from crpack.make.steps import Task

WHERE = "build.make"


def work(task: Task) -> Work:
    """Return the steps `compile` and `install` (SPEC BLD-07).

    Raises:
        BuildFailed: there is no `make`, or no compiler.
        ManifestError: an unknown placeholder.
    """
    table = task.build.make
    values = dict(task.values)
    targets = render_all(table.targets, values, where=f"{WHERE}.targets")
    install = render_all(table.install, values, where=f"{WHERE}.install")
    program, variables = task.toolbox.path("make"), _variables(task)
    steps = [task.step("compile", (program, f"-j{task.jobs}", *variables, *targets))]
    if install:
        folder = f"DESTDIR={_for_make(task.folders.out)}"
        steps.append(task.step("install", (program, *variables, "PREFIX=", folder, *install)))
    return Work(steps=tuple(steps))


def _variables(task: Task) -> tuple[str, ...]:
    chain = task.toolbox.compilers()
    flags = (*chain.flags, *prefix_maps(task.folders))
    own = {
        "CC": " ".join((shlex.quote(chain.cc), *flags)),
        "CXX": " ".join((shlex.quote(chain.cxx), *flags)),
        "AR": shlex.quote(chain.ar),
        "RANLIB": shlex.quote(chain.ranlib),
    }
    values = {name: _for_make(value) for name, value in task.values}
    given = {
        name: render(text, values, where=f"{WHERE}.vars.{name}")
        for name, text in task.build.make.vars
    }
    own = {name: _for_make(value) for name, value in own.items()}
    return tuple(f"{name}={value}" for name, value in {**own, **given}.items())


def _for_make(text: str) -> str:
    """Return a text that make expands to itself."""
    return text.replace("$", "$$")
