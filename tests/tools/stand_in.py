"""Stand-ins of programs, written in Python: a first line of a script takes no path with a space."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def write(path: Path, source: str) -> None:
    """Write a program that runs Python source with this interpreter."""
    code = path.with_name(f"{path.name}.py")
    code.write_text(source, encoding="utf-8")
    words = shlex.join([sys.executable, str(code)])
    path.write_text(f'#!/bin/sh\nexec {words} "$@"\n', encoding="utf-8")
    path.chmod(0o755)
