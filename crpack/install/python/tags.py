"""Wheel tags: which of several wheels of one version serves an interpreter best.

Rules (SPEC PYE-04, PEP 425, PEP 600):
- The tool that chose has dropped the wheels that do not fit, so only their order is asked here.
- One made for the interpreter comes before one for its stable ABI (the newest first), that
  before one with a platform only, and that before one for any platform.
- Between platforms the one with the newest floor comes first, as `pip` has it.
"""

from __future__ import annotations

import re

Rank = tuple[int, int, int, tuple[int, int]]

# PEP 600 names the older kinds of `manylinux` by their glibc.
LEGACY = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}
_FLOOR = re.compile(r"_([0-9]{1,4})_([0-9]{1,4})_")
_CPYTHON = re.compile(r"cp3([0-9]{1,3})")


def rank(filename: str) -> Rank:
    """Return what wheels are sorted by, the best first.

    Raises:
        ValueError: the file name has not the form of PEP 427.
    """
    parts = filename.removesuffix(".whl").split("-")
    if len(parts) not in (5, 6):
        raise ValueError(f"`{filename}` is not the name of a wheel")
    python, abi, platform = parts[-3:]
    minor = max((int(match[1]) for match in _CPYTHON.finditer(python)), default=0)
    floor = max((_floor(one) for one in platform.split(".")), default=(0, 0))
    return int(platform == "any"), _distance(abi, minor), -minor, (-floor[0], -floor[1])


def _distance(abi: str, minor: int) -> int:
    """Return how far an ABI is from the interpreter's own: native, stable, none."""
    if abi == "none":
        return 2 if minor else 3
    return 1 if "abi3" in abi.split(".") else 0


def _floor(platform: str) -> tuple[int, int]:
    match = _FLOOR.search(platform)
    if match:
        return int(match[1]), int(match[2])
    return LEGACY.get(platform.partition("_")[0], (0, 0))
