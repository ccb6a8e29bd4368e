"""The C libraries of other targets on a machine: what cross compilers link, and emulators load.

Rules (SPEC BLD-01, BLD-31):
- A C library is for the platform that its own file tells, never what its folder says.
- Its version is that of the headers beside it.
"""

from __future__ import annotations

import os.path
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack.model.platforms import Platform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crpack.make.toolchains.chain import Toolchain
    from crpack.model.facts import Facts

LIBRARY = "glibc"  # name of the component whose probes find them
_FILE = "libc.so.6"
_HEADER = "include/features.h"
_FLOOR = ".0123456789"  # what the library itself asks for, behind its platform


@dataclass(frozen=True, slots=True)
class Sysroot:
    """One C library: its folder, which has `lib`, and its version, empty where not known."""

    root: str
    version: str


def find(facts: Facts, target: Platform, *, near: str = "") -> Sysroot | None:
    """Return the C library for a target; one below the folder `near` first."""
    every = tuple(_all(facts, target))
    inside = (one for one in every if near and f"{one.root}/".startswith(f"{near}/"))
    return next(inside, next(iter(every), None))


def root(facts: Facts, target: Platform, chain: Toolchain | None) -> str:
    """Return the folder of the C library that programs for a target load; empty for none."""
    if chain is not None and chain.sysroot:
        return chain.sysroot
    newer = Platform("linux", "armv7", "gnu")  # emulated, an ARMv6 program can load its library
    found = find(facts, target) or (find(facts, newer) if target.arch == "armv6" else None)
    return found.root if found else ""


def _all(facts: Facts, target: Platform) -> Iterator[Sysroot]:
    headers = {one.path: one.version or "" for one in facts.all(LIBRARY)}
    for one in facts.all(LIBRARY):
        folder, name = os.path.split(one.path)
        if name != _FILE or one.platform.rstrip(_FLOOR) != str(target.base):
            continue
        root = os.path.dirname(folder)
        versions = (headers.get(f"{root}/{part}{_HEADER}", "") for part in ("", "usr/"))
        yield Sysroot(root, next(filter(None, versions), ""))
