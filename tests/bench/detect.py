"""Detection: the shipped probes cold and warm, beside `conan profile detect`.

Run with `make bench`. Cold is a home without a cache, warm a run after one. Told are CPU and wall
seconds of the command with all that it starts, and CPU seconds of a warm scan without start-up.
Another detector is run where its program is on PATH, and else told as not run: it looks for one
compiler only, so the numbers are no race.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROUNDS_COLD = 5
ROUNDS_WARM = 21
SETTLED_S = 2.5  # what changed just now is not kept (SPEC DET-07)
GOALS = "goals: cold 2.5 s of CPU, warm 0.010 s of CPU beyond start-up"


def measure(argv: list[str], env: dict[str, str]) -> tuple[float, float]:
    """Return CPU and wall seconds of one run of a program and all that it starts."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(argv, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu: float = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, wall


def told(name: str, runs: list[tuple[float, float]]) -> float:
    """Print the medians of some runs; return that of CPU seconds."""
    cpu = statistics.median(run[0] for run in runs)
    wall = statistics.median(run[1] for run in runs)
    sys.stdout.write(f"{name:<34} {cpu:.3f} s CPU  {wall:.3f} s wall  (median of {len(runs)})\n")
    return cpu


def in_process(env: dict[str, str]) -> float:
    """Return CPU seconds of a warm scan by itself, its imports done."""
    code = (
        "import time\n"
        "from crpack.ops import detection\n"
        "from types import SimpleNamespace\n"
        "session = SimpleNamespace(cached=lambda name: HOME + '/cache/' + name)\n"
        "start = time.process_time()\n"
        "detection.facts(session)\n"
        "print(time.process_time() - start)\n"
    ).replace("HOME", repr(env["CRPACK_HOME"]))
    argv = [sys.executable, "-c", code]
    done = subprocess.run(argv, env=env, capture_output=True, check=True)
    return float(done.stdout)


def other(name: str, argv: list[str]) -> None:
    """Measure another detector in an empty home, or say that it was not run."""
    program = shutil.which(argv[0])
    if program is None:
        sys.stdout.write(f"{name:<34} not run: `{argv[0]}` is not on PATH\n")
        return
    runs = []
    for _ in range(ROUNDS_COLD):
        with tempfile.TemporaryDirectory() as home:
            env = {**os.environ, "HOME": home, "CONAN_HOME": home}
            runs.append(measure([program, *argv[1:]], env))
    told(name, runs)


def main() -> None:
    """Measure, and print one line a case."""
    detect = [sys.executable, "-m", "crpack", "detect"]
    cold, warm, scans = [], [], []
    for _ in range(ROUNDS_COLD):
        with tempfile.TemporaryDirectory() as home:
            env = {**os.environ, "CRPACK_HOME": home}
            cold.append(measure(detect, env))
    with tempfile.TemporaryDirectory() as home:
        env = {**os.environ, "CRPACK_HOME": home}
        while not os.path.exists(f"{home}/cache/detected.json"):
            time.sleep(SETTLED_S)
            measure(detect, env)
        for _ in range(ROUNDS_WARM):
            warm.append(measure(detect, env))
            scans.append(in_process(env))
    told("crpack detect, cold", cold)
    told("crpack detect, warm", warm)
    by_itself = statistics.median(scans)
    sys.stdout.write(f"{'the warm scan by itself':<34} {by_itself:.4f} s CPU\n{GOALS}\n")
    other("conan profile detect", ["conan", "profile", "detect"])
    sys.stdout.write(f"{'ck detect':<34} not run: it needs a folder of CK entries\n")


if __name__ == "__main__":
    main()
