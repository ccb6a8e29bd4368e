"""The driver `python`: one wheel of the source tree, in the result's folder `wheels`.

Rules (SPEC BLD-25):
- The detected interpreter's pip calls the project's build backend; nothing is downloaded, so the
  backend must be there beside it.
- A wheel with compiled parts is made for this platform only: its configuration is that of the
  interpreter. For others there are ready-made wheels, by tag.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack.errors import BuildFailed
from crpack.make.drivers.variables import compilers
from crpack.make.steps import Work

if TYPE_CHECKING:
    from crpack.make.steps import Task

WHERE = "build.python"
FOLDER = "wheels"
_OPTIONS = (
    "--no-deps",
    "--no-index",
    "--no-build-isolation",
    "--no-cache-dir",
    "--disable-pip-version-check",
)


def work(task: Task) -> Work:
    """Return the step `wheel` (SPEC BLD-25).

    Raises:
        BuildFailed: there is no `python`, or the wheel is for another platform.
        ManifestError: an unknown placeholder.
    """
    if task.cross:
        raise BuildFailed(
            f"a Python wheel for `{task.target}` cannot be made on `{task.toolbox.platform}`",
            why=["its build takes compiler and settings from the interpreter that runs it"],
            hint="let `[python] requires` name a wheel made for that platform, or build it there",
            rule="BLD-25",
        )
    python = task.toolbox.path("python")
    settings = (
        f"--config-settings={name}={task.render(text, where=f'{WHERE}.settings.{name}')}"
        for name, text in task.build.python.settings
    )
    folder = f"--wheel-dir={task.folders.out}/{FOLDER}"
    argv = (python, "-m", "pip", "wheel", *_OPTIONS, folder, *settings, task.cwd)
    env = tuple(compilers(task).items()) if task.toolbox.toolchain else ()
    return Work(steps=(task.step("wheel", argv, env=env),))
