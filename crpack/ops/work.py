"""The verb `run`: an action of an installed solution.

Rules: a run holds its generation, so that an update or a clean-up cannot take it away meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack.errors import RunFailed
from crpack.install import generations
from crpack.ops import acting, executors

if TYPE_CHECKING:
    from crpack.ops.acting import Ran, Request, RunPlan
    from crpack.session import Session


def plan(session: Session, request: Request) -> RunPlan:
    """Return what a run would start."""
    generation, held = generations.hold(session.prefix, request.name)
    with held:
        executor = executors.choose(session, generation, request, RunFailed)
        return acting.plan(generation, request, executor)


def run(session: Session, request: Request) -> Ran:
    """Run an action of an installed solution.

    Raises:
        InstallError: it is not installed.
        UsageError: no such action or executor, or an input does not fit.
        RunFailed: the program cannot be started, or did not end in time.
        CheckFailed: its answer is not what it declares.
    """
    generation, held = generations.hold(session.prefix, request.name)
    with held:
        executor = executors.choose(session, generation, request, RunFailed)
        return acting.act(session, request, generation, executor)
