"""The variables that tell makefiles and configure scripts their compilers.

Rules (SPEC BLD-07, BLD-08):
- All flags ride on CC and CXX: CFLAGS and LDFLAGS would silence those that a makefile has for
  itself, and a recipe that sets them would silence these.
- Values are quoted for a shell, which sees them all.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crpack.make.steps import Task


def compilers(task: Task) -> dict[str, str]:
    """Return CC, CXX, AR, RANLIB, NM and STRIP (SPEC BLD-07).

    Raises:
        BuildFailed: there is no compiler.
    """
    chain = task.toolbox.compilers()
    before = (task.launcher,) if task.launcher else ()
    flags = (*task.flags, *task.link_flags)
    return {
        "CC": shlex.join((*before, chain.cc, *flags)),
        "CXX": shlex.join((*before, chain.cxx, *flags)),
        "AR": shlex.quote(chain.ar),
        "RANLIB": shlex.quote(chain.ranlib),
        "NM": shlex.quote(chain.nm),
        "STRIP": shlex.quote(chain.strip),
    }


def for_make(text: str) -> str:
    """Return a text that make expands to itself."""
    return text.replace("$", "$$")
