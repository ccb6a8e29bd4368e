"""Exactness: the wheels of a lock are those that signed recipes ask for, no more and no less.

Rules (SPEC PYE-10):
- What asks is the signed requirements, then the dependencies that the wheels' own metadata state,
  with the markers of this machine, or of the one that the lock was made for. A distribution
  stands once, and runs on that Python.
- Each requirement of what is installed is met. Each wheel is needed by something that the lock
  has; one that nothing asks for would run whenever the environment's interpreter starts.
Pure: metadata and requirements in, a refusal or nothing out.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from crpack.errors import TrustError, UsageError
from crpack.install.python.closure import closure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crpack.model.distribution import Distribution

    Environment = tuple[tuple[str, str], ...]


def check(
    found: Sequence[Distribution],
    *,
    own: Sequence[str],
    every: Sequence[str],
    machines: Sequence[Environment],
) -> None:
    """Refuse wheels that are not exactly what is asked for.

    Args:
        found: what the wheels say of themselves.
        own: what the recipes of the solution ask for.
        every: what all recipes of the lock ask for.
        machines: environments that markers may be asked of (PEP 508): this machine's, then the
            one that the lock states, which may differ in the last part of Python's version.

    Raises:
        TrustError: one is twice there; or for no machine are they exact.
    """
    for name, count in Counter(one.name for one in found).items():
        if count > 1:
            raise _refused(f"it has {count} wheels of `{name}`")
    problems = [_problem(found, own, every, dict(machine)) for machine in machines]
    if all(problems):
        raise _refused(problems[0])


def _problem(
    found: Sequence[Distribution],
    own: Sequence[str],
    every: Sequence[str],
    machine: dict[str, str],
) -> str:
    """Return why wheels are not exactly what is asked for on a machine; empty if they are."""
    python, environment = machine["python_full_version"], tuple(machine.items())
    for one in found:
        if not one.runs_on(python):
            return f"`{one.name}` is for Python {one.python[:64]}, not for {python}"
    try:
        needed = closure(own, found, environment)
        known = closure(every, found, environment).names
    except UsageError as error:
        return error.what
    left = sorted({one.name for one in found} - known)
    if needed.lacking:
        return f"it lacks `{needed.lacking[0][:128]}`"
    return f"nothing asks for {', '.join(f'`{name[:64]}`' for name in left[:5])}" if left else ""


def _refused(why: str) -> TrustError:
    return TrustError(
        "the Python wheels of the lock are not those that its components ask for",
        why=[why],
        hint="lock again: `crpack lock`; of a bundle, ask who made it for a new one",
        rule="PYE-10",
    )
