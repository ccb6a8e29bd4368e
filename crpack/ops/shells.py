"""The verb `shell`: a shell, or one command, with the environment of an installed solution.

Rules (SPEC CLI-08):
- The user's own environment stays; what the solution's components export comes before it.
- The shell holds the generation, so that neither an update nor a clean-up takes it away.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from crpack.errors import RunFailed
from crpack.install import generations
from crpack.ops import elsewhere, executors, surroundings
from crpack.process.become import become

if TYPE_CHECKING:
    from crpack.install.generations import Generation
    from crpack.session import Session


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of the environment."""

    name: str
    value: str


def variables(session: Session, name: str) -> tuple[Variable, ...]:
    """Return what the environment of a solution has beside the user's, sorted by name.

    Raises:
        InstallError: it is not installed.
        RunFailed: it is for another platform.
    """
    generation, held = generations.hold(session.prefix, name)
    with held:
        return _variables(generation)


def start(session: Session, name: str, command: tuple[str, ...]) -> NoReturn:
    """Go on as the user's shell, or as a command, in the environment of a solution.

    Raises:
        InstallError: it is not installed.
        RunFailed: it is for another platform, or the program cannot be started.
    """
    generation, held = generations.hold(session.prefix, name)
    with held:
        env = {**os.environ, **{one.name: one.value for one in _variables(generation)}}
        held.keep()
        become(command or (os.environ.get("SHELL") or "/bin/sh",), env)


def _variables(generation: Generation) -> tuple[Variable, ...]:
    if not elsewhere.is_here(generation.record.platform):
        raise executors.not_here(generation, RunFailed)
    found = surroundings.beside(generation, os.environ)
    return tuple(Variable(key, found[key]) for key in sorted(found))
