"""The verb `doctor`: one look at all that crpack needs, with what to do where something is wrong.

Rules (SPEC CLI-09):
- Each thing is looked at by itself: a fault in one hides no other.
- Nothing is changed, and no network connection is opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack.errors import CrpackError
from crpack.ops import holdings, machinery
from crpack.ops.finding import Finding, of_error
from crpack.ops.progress import News, Tell, silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from crpack.session import Session

_CHECKS: tuple[tuple[str, Callable[[Session], Iterator[Finding]]], ...] = (
    ("crpack", machinery.interpreter),
    ("platform", machinery.platform),
    ("clock", machinery.clock),
    ("folders", holdings.homes),
    ("prefix", holdings.prefix),
    ("installed", holdings.installed),
    ("leftovers", holdings.leftovers),
    ("trust", holdings.trust),
    ("sandbox", machinery.walls),
    ("compilers", machinery.compilers),
    ("Python packages", machinery.packages),
    ("detection", machinery.found),
)


def examine(session: Session, tell: Tell = silent) -> tuple[Finding, ...]:
    """Return what was found, in the order in which it is looked at."""
    found: list[Finding] = []
    tell(News("Detecting", "this machine"))
    for name, look in _CHECKS:
        try:
            found += look(session)
        except (CrpackError, OSError) as error:
            failed = error if isinstance(error, CrpackError) else CrpackError(str(error))
            found.append(of_error(name, failed))
    return tuple(found)
