"""The driver `copy`: files of the source tree become the result; no program runs.

Rules (SPEC BLD-09):
- Without rules the whole source tree is the result.
- A rule's `from` is a glob; what it takes keeps its path below the glob's leading folder without
  wildcards, and goes below `to`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack.make import globs
from crpack.make.steps import Copy, Work

if TYPE_CHECKING:
    from crpack.make.steps import Task
    from crpack.model.recipe import CopyRule

WHERE = "build.copy.files"


def work(task: Task) -> Work:
    """Return the copies (SPEC BLD-09).

    Raises:
        ManifestError: a path leaves its folder.
    """
    rules = task.build.copy.files
    if not rules:
        subdir = task.build.subdir
        return Work(copies=(Copy(f"{subdir}/**" if subdir else "**", subdir, ""),))
    return Work(copies=tuple(_copy(rule, task.build.subdir) for rule in rules))


def _copy(rule: CopyRule, subdir: str) -> Copy:
    glob = globs.check(rule.from_, where=f"{WHERE}.from")
    to = globs.check(rule.to, where=f"{WHERE}.to") if rule.to else ""
    glob = f"{subdir}/{glob}" if subdir else glob
    return Copy(glob, globs.fixed(glob), to)
