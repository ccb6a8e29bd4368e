"""The driver `configure`: a configure script written by hand, as zlib's.

Rules (SPEC BLD-23):
- Such a script knows few options. It gets `--prefix=` (installed below `DESTDIR`) and what the
  recipe says; compilers stand in its environment, and `CHOST` where another platform is the target.
- It runs in the source tree, which is fresh for every build.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack.make.drivers import make
from crpack.make.drivers.variables import compilers
from crpack.make.steps import Work
from crpack.model import platforms

if TYPE_CHECKING:
    from crpack.make.steps import Task

WHERE = "build.configure"


def work(task: Task) -> Work:
    """Return the steps `configure`, `compile` and `install` (SPEC BLD-23).

    Raises:
        BuildFailed: there is no `make`, or no compiler.
        ManifestError: an unknown placeholder.
    """
    table = task.build.configure
    args = task.render_all(table.args, where=f"{WHERE}.args")
    host = {"CHOST": platforms.spelling(task.target, "gnu")} if task.cross else {}
    given = {name: task.render(text, where=f"{WHERE}.vars.{name}") for name, text in table.vars}
    env = tuple({**compilers(task), **host, **given}.items())
    return Work(
        steps=(
            task.step("configure", ("./configure", "--prefix=", *args), env=env),
            *make.compile_(task, table.targets, where=WHERE),
            *make.install(task, table.install, where=WHERE),
        )
    )
