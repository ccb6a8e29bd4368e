"""Where things stand below a prefix: the one place that spells it.

Rules (SPEC GEN-01, STO-01, PYE-06):
- Pure: names are joined, nothing is looked at.
- Links of a generation are relative, so that a prefix may be moved.
"""

from __future__ import annotations

import os

from crpack.model import names

RECORD = "generation.json"
LOCK = "crpack.lock"
RECIPE = "recipe.json"
REALISATION = "realisation.json"

_UP = "../../../.."  # from a generation's folder to the prefix


def solutions(prefix: str) -> str:
    """Return the folder that holds all solutions."""
    return os.path.join(prefix, "solutions")


def solution(prefix: str, name: str) -> str:
    """Return the folder of one solution."""
    return os.path.join(solutions(prefix), names.folder(name))


def current(prefix: str, name: str) -> str:
    """Return the link that names a solution's current generation."""
    return os.path.join(solution(prefix, name), "current")


def generations(prefix: str, name: str) -> str:
    """Return the folder of a solution's generations."""
    return os.path.join(solution(prefix, name), "gen")


def generation(prefix: str, name: str, number: int) -> str:
    """Return the folder of a generation."""
    return os.path.join(generations(prefix, name), str(number))


def to_generation(number: int) -> str:
    """Return where `current` points to."""
    return f"gen/{number}"


def to_tree(tree: str) -> str:
    """Return where a link in a generation's `root` points to."""
    return f"{_UP}/../store/{tree}/files"


def to_environment(digest: str) -> str:
    """Return where a generation's `env` points to."""
    return f"{_UP}/envs/{digest}"


def store(prefix: str) -> str:
    """Return the folder of trees."""
    return os.path.join(prefix, "store")


def environments(prefix: str) -> str:
    """Return the folder of Python environments."""
    return os.path.join(prefix, "envs")


def environment(prefix: str, digest: str) -> str:
    """Return the folder of a Python environment."""
    return os.path.join(environments(prefix), digest)


def complete(prefix: str, digest: str) -> str:
    """Return the record that makes a Python environment valid."""
    return os.path.join(environment(prefix, digest), "complete")


def built(prefix: str) -> str:
    """Return the folder of the results of builds."""
    return os.path.join(prefix, "built")


def runs(prefix: str) -> str:
    """Return the folder of runs."""
    return os.path.join(prefix, "runs")


def results(prefix: str) -> str:
    """Return the folder of the records of benchmarks."""
    return os.path.join(prefix, "results")


def stages(prefix: str) -> str:
    """Return the folder of stages."""
    return os.path.join(prefix, "stage")


def trash(prefix: str) -> str:
    """Return the folder of what is to be deleted."""
    return os.path.join(prefix, "trash")


def locks(prefix: str) -> str:
    """Return the folder of lock files."""
    return os.path.join(prefix, "locks")
