"""Becoming another program, in a child."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys
from crpack.errors import RunFailed
from crpack.process.become import become
try:
    become(sys.argv[1:], {"PATH": "/usr/bin:/bin", "A": "b c"})
except RunFailed as error:
    print(error.what, error.why)
"""


def said(*argv: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-c", CODE, *argv]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def test_the_process_goes_on_as_the_program() -> None:
    """CLI-08: its exit code is that of the program, its environment what was given."""
    done = said("sh", "-c", 'echo "$A $1"; exit 9', "-", "x y")
    assert (done.returncode, done.stdout) == (9, "b c x y\n")


def test_a_closed_pipe_ends_the_program_as_in_a_shell() -> None:
    """CLI-08: Python ignores SIGPIPE; what it becomes does not."""
    done = said("sh", "-c", "kill -PIPE $$; echo alive")
    assert (done.returncode, done.stdout) == (-13, "")


def test_a_program_that_cannot_be_started_is_told() -> None:
    done = said("no-such-program")
    assert "`no-such-program` cannot be started" in done.stdout
