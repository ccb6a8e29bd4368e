"""From argv to an exit code.

Rules:
- `--version` and `--help` read constants; nothing is imported for them.
- A verb's module is imported when that verb is asked for, and only that one.
- Every `CrpackError` becomes its message and its exit code, here and nowhere else.
- Ctrl-C ends with one line and 130; whatever was staged is deleted by the next command.
"""

from __future__ import annotations

import gc
import sys

from crpack import __version__
from crpack.cli.verbs import help_screen

_INTERRUPTED = 130  # exit code
_NEW_OBJECTS = 50_000  # until circles are looked for: a short life makes few, and much to look at


def main(argv: list[str]) -> int:
    """Run one command line and return its exit code."""
    if argv in (["--version"], ["-V"]) and _said(f"crpack {__version__}"):
        return 0
    if (not argv or argv in (["--help"], ["-h"])) and _said(help_screen()):
        return 0
    gc.set_threshold(_NEW_OBJECTS)
    try:
        from crpack.cli import dispatch

        return dispatch.run(argv or ["--help"])
    except KeyboardInterrupt:  # before or after the verb, whose own interruption tells more
        return _INTERRUPTED


def _said(text: str) -> bool:
    """Print a text; where the stream refuses it, the console finds out why."""
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except (OSError, AttributeError):
        return False
    return True
