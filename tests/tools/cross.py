"""`make cross`: real libraries for other machines, made here, tested by emulation, as a table.

Usage: cross.py [--targets A,B] [--components X,Y] [--out FOLDER]

- Each component is packed for each platform by the command `crpack build`, in a home of its own,
  with sources from the mirror that `source_mirror.py` fills.
- A cell has the seconds, what became of the test, and the floors that were measured. `failed`
  is followed by its sentence below the table, and makes the exit status 1.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.tools.source_mirror import PACKAGES, Lacking, lacking, ready

ROOT = Path(__file__).resolve().parents[2]
SOFTWARE = ROOT / "recipes" / "software"

# The first three have compilers of Debian; the last has none but zig.
TARGETS = ("linux-aarch64-gnu", "linux-armv7-gnu", "linux-riscv64-gnu", "linux-armv6-gnu")
COMPONENTS = tuple(sorted(PACKAGES))


@dataclass(frozen=True)
class Cell:
    """How one component was made for one platform; `fault` is empty where it was."""

    seconds: float
    test: str = ""
    floors: str = ""
    fault: str = ""

    def __str__(self) -> str:
        state = "failed" if self.fault else f"{self.test} {self.floors}".strip()
        return f"{self.seconds:.0f} s {state}"


class Yard:
    """A home of crpack, and the folder that archives are written to."""

    def __init__(self, folder: Path, out: Path, mirror: Path) -> None:
        self.out = out
        self._env = {
            **os.environ,
            "CRPACK_HOME": str(folder),
            "CRPACK_SOURCE_MIRROR": str(mirror),
            "CRPACK_OFFLINE": "true",
            "PYTHONPATH": str(ROOT),
        }
        out.mkdir(parents=True, exist_ok=True)

    def make(self, component: str, target: str) -> Cell:
        """Pack one component for one platform."""
        path = self.out / f"{component}-{target}.crpkg"
        argv = [
            *(
                sys.executable,
                "-m",
                "crpack",
                "--json",
                "build",
                "--unsigned",
                str(SOFTWARE / component),
            ),
            *("--with", str(SOFTWARE), "--platform", target, "--out", str(path)),
        ]
        start = time.monotonic()
        done = subprocess.run(argv, env=self._env, capture_output=True, text=True, check=False)
        seconds = time.monotonic() - start
        try:
            answer: dict[str, Any] = json.loads(done.stdout)
        except ValueError:
            return Cell(seconds, fault=done.stderr.strip()[-300:])
        if not answer["ok"]:
            error = answer["error"]
            return Cell(seconds, fault=": ".join([error["what"], *error["why"][:2]]))
        return _cell(seconds, component, answer["data"])


def _cell(seconds: float, component: str, data: dict[str, Any]) -> Cell:
    tests = [one for one in data["tests"] if one["name"] == component]
    status = tests[0]["status"] if tests else "not run"
    fault = tests[0]["reason"] if tests and status != "passed" else ""
    floors = " ".join(
        f"{name} {version}" for one in data["payloads"] for name, version in _pairs(one["floors"])
    )
    return Cell(seconds, status, floors, fault and f"the test was not run: {fault}")


def _pairs(floors: Any) -> list[tuple[str, str]]:
    return list(floors.items()) if isinstance(floors, dict) else [tuple(one) for one in floors]


def table(cells: dict[tuple[str, str], Cell], targets: tuple[str, ...]) -> str:
    """Return the cells as a table for people."""
    names = sorted({name for name, _ in cells})
    rows = [["", *targets], *([name, *(str(cells[name, t]) for t in targets)] for name in names)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def main(words: list[str]) -> int:
    """Make the set and print the table; return the exit status."""
    parser = argparse.ArgumentParser(description="real libraries for other machines")
    parser.add_argument("--targets", default=",".join(TARGETS))
    parser.add_argument("--components", default=",".join(COMPONENTS))
    parser.add_argument("--out", default="")
    given = parser.parse_args(words)
    targets, names = tuple(given.targets.split(",")), tuple(given.components.split(","))
    mirror = mirrored(names)
    names = tuple(name for name in names if not lacking(mirror, name))
    with tempfile.TemporaryDirectory() as folder:
        yard = Yard(Path(folder) / "home", Path(given.out or f"{folder}/out"), mirror)
        cells = {}
        for name in names:
            for target in targets:
                cells[name, target] = cell = yard.make(name, target)
                sys.stderr.write(f"{name} for {target}: {cell} {cell.fault}\n")
    sys.stdout.write(table(cells, targets) + "\n")
    faults = [(key, cell.fault) for key, cell in cells.items() if cell.fault]
    for (name, target), fault in faults:
        sys.stdout.write(f"{name} for {target}: {fault}\n")
    return 1 if faults or not cells else 0


def mirrored(names: tuple[str, ...]) -> Path:
    """Return the mirror, with as much of the sources as can be had."""
    try:
        return ready(*names)
    except Lacking as error:
        sys.stderr.write(f"{error}\n")
        return ready()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
