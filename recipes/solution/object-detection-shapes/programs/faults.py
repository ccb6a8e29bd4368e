"""How the programs of this solution fail: one sentence on stderr and exit status 1."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class UserError(Exception):
    """Something the user can understand and mend; the text is one sentence."""


def run(program: Callable[[], None]) -> None:
    """Run a program; a fault becomes its sentence."""
    try:
        program()
    except UserError as fault:
        print(f"error: {fault}", file=sys.stderr)
        sys.exit(1)
