"""Matching a stranger's regular expression, which may take forever, in a process of its own.

Rules (SPEC SBX-13):
- Pattern and text go to an interpreter that does nothing else; its time and memory are limited.
- Only the last `MAX_TEXT` characters are looked at: what a program says at its end.
"""

from __future__ import annotations

import json
import sys

from crpack.errors import RunFailed
from crpack.process.run import Limits, run

MAX_TEXT = 64 * 1024  # characters, from the end
# CPU time, so that a busy machine changes no answer; the wall only ends what hangs.
LIMITS = Limits(wall_s=60.0, cpu_s=2, output_bytes=4096, memory_bytes=2**30)

_FOUND, _MISSED = b"found", b"missed"
_PROGRAM = """\
import json, re, sys
pattern, text = json.load(sys.stdin.buffer)
sys.stdout.write("found" if re.search(pattern, text, re.MULTILINE) else "missed")
"""


def search(pattern: str, text: str) -> bool:
    """Say whether a regular expression matches somewhere; `^` and `$` are the ends of lines.

    Raises:
        RunFailed: it took too much time or memory, or the pattern is broken.
    """
    if not pattern:
        return True
    outcome = run(
        (sys.executable, "-I", "-S", "-c", _PROGRAM),
        cwd="/",
        env={},
        limits=LIMITS,
        stdin=json.dumps([pattern, text[-MAX_TEXT:]]).encode(),
    )
    if outcome.code != 0 or outcome.stdout not in (_FOUND, _MISSED):
        why = f"it was not decided within {LIMITS.cpu_s} seconds and 1 GiB of memory"
        raise RunFailed(f"the pattern `{pattern[:200]}` cannot be matched", why=[why])
    return outcome.stdout == _FOUND
