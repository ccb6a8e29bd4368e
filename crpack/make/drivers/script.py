"""The driver `script`: programs named one by one, each an argv.

Rules (SPEC BLD-11):
- Steps run in order in the source tree; the first that fails ends the build.
- Arguments are rendered and passed as they are: no shell, no expansion.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack.make.steps import Work
from crpack.model.placeholders import render_all

if TYPE_CHECKING:
    from crpack.make.steps import Task

WHERE = "build.script.steps"


def work(task: Task) -> Work:
    """Return the steps (SPEC BLD-11).

    Raises:
        ManifestError: an unknown placeholder.
    """
    values = dict(task.values)
    return Work(
        steps=tuple(
            task.step(f"script {number}", render_all(argv, values, where=f"{WHERE}.{number - 1}"))
            for number, argv in enumerate(task.build.script.steps, 1)
        )
    )
