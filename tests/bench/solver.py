"""The solver beside resolvo (of py-rattler) and plain resolvelib, on made-up problems.

`python tests/bench/solver.py [--resolvo PYTHON] [SHAPE…]`: PYTHON has py-rattler. Each solve runs
in a fresh process and reads the problem from files: crpack the shards of an index, each checked as
a client checks it; resolvo a channel's `repodata.json`. Told are milliseconds of CPU, the least of
three runs: of the call that solves, and of the whole process with its start and its reading; and
the ratios of both.
`lookup` is one request against an index of 20,000 names on disk, of which only some are read.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

Table = dict[str, dict[str, dict[str, str]]]
LIMIT = 60  # seconds of a run

OURS = """
import gc, json, sys, time
from pathlib import Path
gc.set_threshold(50_000)  # as the command line does
sys.path.insert(0, sys.argv[1])
from crpack.errors import Undecided
from crpack.index import entries
from crpack.model import platforms
from crpack.model.facts import Facts
from crpack.solve import solver
from crpack.solve.problem import Offer, Problem, Request, Unsolvable
made = {one.name: entries.decode(one.read_bytes(), one.name) for one in Path(sys.argv[2]).iterdir()}
here = "linux-x86_64-gnu2.36"
problem = Problem((Request("root"),), Facts(here), platforms.parse(here))
offer = lambda name: Offer("main", made.get(name))
start = time.process_time()
if sys.argv[3] == "resolvelib":
    from crpack.solve import provider
    from crpack.solve.pool import Pool
    pool = Pool(problem, work=1e18)
    pool.take({name: offer(name) for name in made})
    told = "gave up" if provider.propose(pool) is None else "sat"
else:
    run = solver.solve(problem)
    try:
        need = next(run)
        while True:
            need = run.send({name: offer(name) for name in need.names})
    except StopIteration:
        told = "sat"
    except Unsolvable:
        told = "unsat"
    except Undecided:
        told = "gave up"
print(json.dumps([told, time.process_time() - start, time.process_time()]))
"""
THEIRS = """
import asyncio, json, os, sys, time
from rattler import Channel, SparseRepoData, solve_with_sparse_repodata
from rattler.exceptions import SolverError
async def main():
    data = SparseRepoData(Channel("x"), "noarch", sys.argv[2])
    start = time.process_time()
    try:
        await solve_with_sparse_repodata(["root"], [data])
        told = "sat"
    except SolverError:
        told = "unsat"
    print(json.dumps([told, time.process_time() - start, time.process_time()]), flush=True)
    os._exit(0)  # version 0.28 ends with a fault of the memory otherwise
asyncio.run(main())
"""


def chain(length: int, versions: int) -> Table:
    """Each name needs the next one; the last needs what is not there."""
    last = {"end": ">=9"}
    table: Table = {"end": {"1": {}}}
    for place in range(length):
        needs = {f"p{place + 1}": ""} if place < length - 1 else last
        table[f"p{place}"] = {str(number): needs for number in range(1, versions + 1)}
    return table | {"root": {"1": {"p0": ""}}}


def lockstep(length: int, versions: int) -> Table:
    """Each version needs the same version of the next name; only the oldest end well."""
    table: Table = {"end": {"2": {}}}
    for place in range(length):
        rows = range(1, versions + 1)
        if place < length - 1:
            table[f"p{place}"] = {str(n): {f"p{place + 1}": f"=={n}"} for n in rows}
        else:
            table[f"p{place}"] = {str(n): {"end": "<2"} if n > 3 else {} for n in rows}
    return table | {"root": {"1": {"p0": ""}}}


def boto(versions: int) -> Table:
    """Two names go together, and all but the oldest want another version of a third one."""
    wanted = {n: ">=2" if n < 5 else "<2" for n in range(versions)}
    return {
        "root": {"1": {"boto": "", "url": ">=2"}},
        "boto": {f"1.{n}": {"core": f"==1.{n}", "url": w} for n, w in wanted.items()},
        "core": {f"1.{n}": {"url": w} for n, w in wanted.items()},
        "url": {"1.0": {}, "2.0": {}},
    }


def wide(names: int, versions: int) -> Table:
    """Many requirements of one component, loosely tied."""
    dice = random.Random(1)  # noqa: S311 - no secret
    table: Table = {"root": {"1": {f"w{n}": "" for n in range(names)}}}
    for name in range(names):
        table[f"w{name}"] = {
            str(n): {f"w{dice.randrange(names)}": f">={dice.randint(1, 3)}"}
            for n in range(1, versions + 1)
        }
    return table


def diamond(width: int, depth: int, versions: int) -> Table:
    """Layers, each name of which needs narrow ranges of two of the next layer."""
    dice = random.Random(3)  # noqa: S311 - no secret
    table: Table = {"root": {"1": {f"d0x{n}": "" for n in range(width)}}}
    for layer in range(depth):
        for name in range(width):
            rows: dict[str, dict[str, str]] = {}
            for number in range(1, versions + 1):
                needs = {}
                for other in dice.sample(range(width), 2) if layer < depth - 1 else ():
                    low = max(1, number - dice.randint(0, 2))
                    high = min(versions, low + dice.randint(0, 2))
                    needs[f"d{layer + 1}x{other}"] = f">={low},<={high}"
                rows[str(number)] = needs
            table[f"d{layer}x{name}"] = rows
    return table


def pigeonhole(holes: int) -> Table:
    """One pigeon more than holes."""
    table: Table = {"root": {"1": {f"p{n}": "" for n in range(1, holes + 2)}}}
    for hole in range(1, holes + 1):
        table[f"h{hole}"] = {str(n): {} for n in range(1, holes + 2)}
    for pigeon in range(1, holes + 2):
        rows = {str(hole): {f"h{hole}": f"=={pigeon}"} for hole in range(1, holes + 1)}
        table[f"p{pigeon}"] = rows
    return table


def satisfiability(variables: int, seed: int) -> Table:
    """Random 3-SAT where it is hardest: 4.2 clauses a variable."""
    dice = random.Random(seed)  # noqa: S311 - no secret
    table: Table = {f"x{n}": {"1": {}, "2": {}} for n in range(variables)}
    for clause in range(int(variables * 4.2)):
        some = enumerate(dice.sample(range(variables), 3), 1)
        table[f"c{clause}"] = {str(n): {f"x{x}": f"=={dice.randint(1, 2)}"} for n, x in some}
    clauses = int(variables * 4.2)
    return table | {"root": {"1": {f"c{n}": "" for n in range(clauses)}}}


SHAPES: dict[str, tuple[Any, ...]] = {
    "chain 6x8": (chain, 6, 8),
    "chain 30x30": (chain, 30, 30),
    "lockstep 10x100": (lockstep, 10, 100),
    "lockstep 30x300": (lockstep, 30, 300),
    "boto 200": (boto, 200),
    "boto 2000": (boto, 2000),
    "wide 500x20": (wide, 500, 20),
    "diamond 10x6x8": (diamond, 10, 6, 8),
    "diamond 20x10x10": (diamond, 20, 10, 10),
    "pigeonhole 6": (pigeonhole, 6),
    "pigeonhole 7": (pigeonhole, 7),
    "pigeonhole 8": (pigeonhole, 8),
    "3-SAT 20": (satisfiability, 20, 1),
    "3-SAT 40": (satisfiability, 40, 1),
    "3-SAT 60": (satisfiability, 60, 2),
}


def repodata(table: Table) -> dict[str, Any]:
    """Return a problem as a channel of conda states it."""
    packages = {}
    for name, rows in table.items():
        for version, needs in rows.items():
            file = f"{name}-{version}-0.tar.bz2"
            depends = [f"{other} {text}".strip() for other, text in needs.items()]
            packages[file] = {
                "name": name, "version": version, "build": "0", "build_number": 0,
                "depends": depends, "subdir": "noarch", "timestamp": 1,
            }  # fmt: skip
    return {"info": {"subdir": "noarch"}, "packages": packages, "packages.conda": {}}


def run(words: list[str]) -> tuple[str, float, float]:
    """Return verdict, milliseconds of the call and of the process: the least of three runs."""
    best = ("gave up", float("inf"), float("inf"))
    for _ in range(3):
        try:
            done = subprocess.run(words, capture_output=True, text=True, timeout=LIMIT, check=True)
        except subprocess.TimeoutExpired:
            return best
        told, call, whole = json.loads(done.stdout)
        best = (told, min(best[1], 1000 * call), min(best[2], 1000 * whole))
    return best


def bench(shapes: list[str], other: str) -> None:
    """Print a row a shape."""
    line = (
        f"{'shape':<18}{'verdict':<9}{'crpack':>16}{'resolvo':>16}{'ratios':>13}{'resolvelib':>18}"
    )
    sys.stdout.write(line + "\n")
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = f"{folder}/ours", f"{folder}/theirs.json"
        Path(ours).mkdir()
        for shape in shapes:
            make, *sizes = SHAPES[shape]
            table = make(*sizes)
            _save(ours, table)
            Path(theirs).write_text(json.dumps(repodata(table)), encoding="utf-8")
            mine = run([sys.executable, "-c", OURS, str(ROOT), ours, "crpack"])
            plain = run([sys.executable, "-c", OURS, str(ROOT), ours, "resolvelib"])
            row = f"{shape:<18}{mine[0]:<9}{_pair(mine)}"
            if other:
                his = run([other, "-c", THEIRS, "", theirs])
                assert "gave up" in (mine[0], his[0]) or mine[0] == his[0], shape
                row += f"{_pair(his)}{mine[1] / his[1]:7.1f} /{mine[2] / his[2]:4.1f}"
            told = f"{plain[1]:.0f} {plain[0]}" if plain[1] < float("inf") else "over the limit"
            sys.stdout.write(f"{row}{told:>18}\n")
            sys.stdout.flush()


def _save(folder: str, table: Table) -> None:
    """Write a problem as the shards of an index, each under its name."""
    from crpack.index import entries
    from tests.tools import metadata_index

    for old in Path(folder).iterdir():
        old.unlink()
    stated = {
        name: {version: {"depends": needs} for version, needs in rows.items()}
        for name, rows in table.items()
    }
    for shard in metadata_index.shards(stated):
        Path(folder, shard.name).write_bytes(entries.encode(shard))


def _pair(found: tuple[str, float, float]) -> str:
    return f"{found[1]:8.0f} /{found[2]:6.0f}"


def lookup(names: int = 20_000) -> None:
    """Lock one name of a large index on disk, by the command line."""
    from tests.tools import metadata_index

    dice = random.Random(5)  # noqa: S311 - no secret
    table = {
        f"n{number}": {
            f"{version}.0": {
                "depends": {
                    f"n{max(number // 2 - dice.randint(0, 9), 0)}": f">={dice.randint(1, 3)}"
                    for _ in range(3 if number else 0)
                }
            }
            for version in range(1, 6)
        }
        for number in range(names)
    }
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CRPACK_HOME"] = f"{folder}/home"
        index = Path(folder, "index")
        host = metadata_index.written(metadata_index.shards(table), checked=False)
        host.save(index)
        metadata_index.pin(index, host.fingerprint)
        words = [
            "lock",
            "--no-detect",
            "--offline",
            "--index",
            str(index),
            "--json",
            f"n{names - 1}",
        ]
        for _ in range(2):
            before = os.times()
            done = subprocess.run(
                [sys.executable, "-m", "crpack", *words],
                capture_output=True, text=True, cwd=folder, check=True,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )  # fmt: skip
            after = os.times()
        spent = after.children_user + after.children_system
        spent -= before.children_user + before.children_system
        picks = len(json.loads(done.stdout)["data"]["selected"])
        sys.stdout.write(f"lookup: {picks} of {names} names chosen, {1000 * spent:.0f} ms CPU\n")


def main(words: list[str]) -> None:
    """Run the shapes that are named, or all of them."""
    other = ""
    if words[:1] == ["--resolvo"]:
        other, words = words[1], words[2:]
    if shapes := [word for word in words or SHAPES if word in SHAPES]:
        bench(shapes, other)
    if not words or "lookup" in words:
        lookup()


if __name__ == "__main__":
    main(sys.argv[1:])
