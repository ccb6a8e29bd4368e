"""Building: crpack over the bare commands, a second build of a key, two cores over one.

Run with `make bench`. Times are of the wall and, beside them, of the processors, which other work
on the machine changes less; what is compared takes turns, so that a change of the machine's speed
touches all. The sources come from the mirror that the tests fill.
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
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from crpack.model import recipe_document
from tests.tools.source_mirror import Lacking, ready

ROOT = Path(__file__).resolve().parents[2]
SOFTWARE = ROOT / "recipes" / "software"
ROUNDS = 2
GOAL = 1.03

# What somebody types who makes the program without crpack, and tries it once.
BARE = """
set -e
tar xf "$SOURCE" --strip-components=1
cd programs
make -j"$JOBS" HAVE_ZLIB=0 HAVE_LZMA=0 HAVE_LZ4=0 zstd-release
make HAVE_ZLIB=0 HAVE_LZMA=0 HAVE_LZ4=0 PREFIX= DESTDIR="$PWD/out" install
out/bin/zstd -19 out/share/man/man1/zstd.1 -o manual.zst
out/bin/zstd -dc manual.zst
"""

# Four programs and libraries that need nothing of one another.
SEVERAL = ("libbz2", "liblz4", "lz4", "zlib")


@dataclass(frozen=True)
class Cost:
    """Seconds that a command and all that it started took: of the wall, of the processors."""

    wall: float
    cpu: float

    def over(self, other: Cost) -> Cost:
        """Return the ratios to another."""
        return Cost(self.wall / other.wall, self.cpu / other.cpu)

    def __str__(self) -> str:
        return f"{self.wall:.3f} of the wall, {self.cpu:.3f} of the processors"


def cost(argv: list[str], cwd: Path, **env: str) -> Cost:
    """Return what a command costs."""
    start, before = time.monotonic(), _processors()
    subprocess.run(
        argv, cwd=cwd, env={**os.environ, **env}, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, check=True,
    )  # fmt: skip
    return Cost(time.monotonic() - start, _processors() - before)


def _processors() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def median(costs: list[Cost]) -> Cost:
    """Return the medians."""
    return Cost(statistics.median(c.wall for c in costs), statistics.median(c.cpu for c in costs))


class Bench:
    """A folder for everything, and the mirror."""

    def __init__(self, folder: Path, mirror: Path) -> None:
        self.folder = folder
        self.env = {"CRPACK_SOURCE_MIRROR": str(mirror), "CRPACK_OFFLINE": "true"}
        self.platform = self._platform()
        zstd = recipe_document.open_json(_document("zstd"))
        digests = [one.sha256 for one in zstd.source[0].archives()]
        self.source = next(mirror / one for one in digests if (mirror / one).is_file())

    def _platform(self) -> str:
        program = "from crpack.ops import detection; print(detection.platform().base)"
        argv = [sys.executable, "-c", program]
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()

    def bare(self, jobs: int) -> Cost:
        """Make zstd by hand."""
        with tempfile.TemporaryDirectory(dir=self.folder) as place:
            env = {"SOURCE": str(self.source), "JOBS": str(jobs)}
            return cost(["sh", "-c", BARE], Path(place), **env)

    def crpack(self, home: Path, recipe: Path, jobs: int) -> Cost:
        """Pack a component with a payload for this machine."""
        argv = [
            *(
                sys.executable,
                "-m",
                "crpack",
                "-q",
                "build",
                "--unsigned",
                str(recipe),
                "--with",
                str(SOFTWARE),
            ),
            *("--platform", self.platform, "--out", str(self.folder / "made.crpkg")),
        ]
        env = {**self.env, "CRPACK_HOME": str(home), "CRPACK_JOBS": str(jobs)}
        return cost(argv, ROOT, **env)

    def fresh(self, recipe: Path, jobs: int) -> Cost:
        """Do the same in a home that knows the machine's compilers, and no build."""
        home = self.folder / "home"
        shutil.rmtree(home, ignore_errors=True)
        self.crpack(home, SOFTWARE / "fxdiv", jobs)
        return self.crpack(home, recipe, jobs)


def _document(name: str) -> bytes:
    return recipe_document.read((SOFTWARE / name / "crpack.toml").read_text(), file=name)


def together(folder: Path) -> Path:
    """Write a solution that needs several components."""
    needs = "".join(f'{name} = {{ external = "forbid" }}\n' for name in SEVERAL)
    folder.mkdir()
    (folder / "crpack.toml").write_text(
        '[package]\nname = "several"\nversion = "1.0"\nkind = "solution"\nsummary = "several"\n'
        f'license = "MIT"\n[requires]\n{needs}'
    )
    return folder


def main() -> None:
    """Measure the three; print one line each."""
    try:
        mirror = ready("zstd", "fxdiv", *SEVERAL)
    except Lacking as error:
        sys.stdout.write(f"builds are not measured: {error}\n")
        return
    cores = min(2, os.cpu_count() or 1)
    with tempfile.TemporaryDirectory() as place:
        bench = Bench(Path(place), mirror)
        over: list[Cost] = []
        again: list[Cost] = []
        for _ in range(ROUNDS):
            bare = bench.bare(cores)
            first = bench.fresh(SOFTWARE / "zstd", cores)
            over.append(first.over(bare))
            again.append(bench.crpack(Path(place) / "home", SOFTWARE / "zstd", cores).over(first))
        several = together(Path(place) / "several")
        one, two = bench.fresh(several, 1), bench.fresh(several, cores)
    load = os.getloadavg()[0]
    sys.stdout.write(f"zstd, packed by crpack over made by hand: {median(over)}  (goal {GOAL})\n")
    sys.stdout.write(f"the same key again over its first build: {median(again)}\n")
    efficiency = one.wall / (cores * two.wall)
    sys.stdout.write(
        f"{len(SEVERAL)} components on {cores} cores: parallel efficiency {efficiency:.2f}\n"
        f"the machine had a load of {load:.1f} at the end\n"
    )


if __name__ == "__main__":
    main()
