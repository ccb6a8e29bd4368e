"""How the programs of this solution fail: one sentence on stderr and exit status 1."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class UserError(Exception):
    """Something the user can understand and mend; the text is one sentence."""


def shown(text: str) -> str:
    """Return a text as one line of a terminal: file names may hold line ends and worse."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def run(program: Callable[[], None]) -> None:
    """Run a program; a fault becomes its sentence, Ctrl-C an exit status."""
    try:
        program()
    except UserError as fault:
        print(f"error: {shown(str(fault))}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
