"""The driver `headers`: one folder of the source tree becomes `include/`; no program runs.

Rules (SPEC BLD-09): the files keep their paths below that folder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack.make import globs
from crpack.make.steps import Copy, Work

if TYPE_CHECKING:
    from crpack.make.steps import Task


def work(task: Task) -> Work:
    """Return the one copy (SPEC BLD-09).

    Raises:
        ManifestError: the folder is not inside the source tree.
    """
    folder = globs.check(task.build.headers.from_, where="build.headers.from")
    base = "/".join(part for part in (task.build.subdir, folder) if part)
    return Work(copies=(Copy(f"{base}/**", base, "include"),))
