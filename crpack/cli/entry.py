"""The program `crpack`, as installers start it: without arguments."""

from __future__ import annotations

import sys

from crpack.cli.main import main as run


def main() -> int:
    """Run the process's own command line and return its exit code."""
    return run(sys.argv[1:])
