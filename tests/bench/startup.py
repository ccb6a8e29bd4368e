"""Start-up: CPU time of crpack's cheap commands as ratios to the bare interpreter.

Run with `make bench`. Commands take turns, so that a change of the machine's speed touches all.
The goals hold for a launcher that imports nothing of its own (uv's). The one that pip writes, at
least up to 24, imports `re` first: that alone takes `--version` beyond 1.6x, and is none of ours.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile

ROUNDS = 31
NAME = "object-detection-shapes"
GOALS = {"--version": 1.5, "--help": 3.0, "list": 4.5, f"install {NAME}": 4.5}


def cpu_seconds(argv: list[str], env: dict[str, str]) -> float:
    """Return user and system seconds of one run of a program."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(argv, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Install the flagship once, then measure; print one line a command."""
    program = os.path.join(os.path.dirname(sys.executable), "crpack")
    bare = [sys.executable, "-c", "pass"]
    with tempfile.TemporaryDirectory() as home:
        env = {**os.environ, "CRPACK_HOME": home}
        subprocess.run([program, "-q", "install", NAME], env=env, check=True, stdout=sys.stderr)
        times: dict[str, list[float]] = {word: [] for word in ("bare", *GOALS)}
        for _ in range(ROUNDS):
            times["bare"].append(cpu_seconds(bare, env))
            for word in GOALS:
                times[word].append(cpu_seconds([program, *word.split()], env))
    base = statistics.median(times["bare"])
    sys.stdout.write(f"bare interpreter: {1000 * base:.1f} ms CPU, median of {ROUNDS}\n")
    for word, goal in GOALS.items():
        ratio = statistics.median(times[word]) / base
        sys.stdout.write(f"crpack {word:<31} {ratio:.2f}x  (goal {goal}x)\n")


if __name__ == "__main__":
    main()
