"""Compiler flags for a machine's CPU level.

Rules (SPEC BLD-04):
- Flags name a level or an architecture; `native` is never among them, so that the same build key
  means the same code.
- x86-64 levels are those of the psABI. Compilers too old for their names get the instruction
  sets one by one.
- A feature that is not known to be there is not used.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from crpack.errors import Fault, ManifestError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crpack.model.platforms import Platform

_NATIVE = re.compile(r"-m(?:arch|cpu|tune)[= ]native\b")
_LEVEL = re.compile(r"x86-64-v([234])")
_KNOWS_LEVELS = {"gcc": (11,), "clang": (12,)}
_X86_SETS = (
    ("-mcx16", "-msahf", "-mpopcnt", "-msse4.2"),
    ("-mavx2", "-mbmi", "-mbmi2", "-mf16c", "-mfma", "-mlzcnt", "-mmovbe"),
    ("-mavx512f", "-mavx512bw", "-mavx512cd", "-mavx512dq", "-mavx512vl"),
)
_ARM64_82 = frozenset({"atomics", "asimdrdm", "asimdhp", "asimddp"})


def flags(
    target: Platform, level: str, features: frozenset[str], family: str, version: str
) -> tuple[str, ...]:
    """Return the flags for `{target.cpu_flags}` (SPEC BLD-04, psABI levels).

    Args:
        target: the platform that the code is for.
        level: the capability `@cpu`, such as `x86-64-v3`; empty when not known.
        features: names as in `/proc/cpuinfo`.
        family: `gcc` or `clang`.
        version: of the compiler, dotted numbers.
    """
    if target.arch == "x86_64":
        return _x86(level, family, version)
    if target.arch == "aarch64":
        newer = features >= _ARM64_82
        return ("-march=armv8.2-a+fp16+dotprod",) if newer else ("-march=armv8-a",)
    if target.arch == "armv7":
        fpu = "neon" if "neon" in features else "vfpv3-d16"
        fpu = "neon-vfpv4" if features >= {"neon", "vfpv4"} else fpu
        return ("-march=armv7-a", f"-mfpu={fpu}", "-mfloat-abi=hard")
    fixed = {
        "armv6": ("-march=armv6", "-mfpu=vfp", "-mfloat-abi=hard"),
        "arm64": ("-mcpu=apple-m1",),
        "riscv64": ("-march=rv64gc",),
    }
    return fixed.get(target.arch, ())


def refuse_native(texts: Iterable[str], *, where: str) -> None:
    """Refuse `-march=native` and its like in rendered texts (SPEC BLD-05).

    Raises:
        ManifestError: one of the texts asks for the CPU that happens to compile.
    """
    for text in texts:
        found = _NATIVE.search(text)
        if found:
            message = f"`{found[0]}` makes a result that only this CPU is known to run"
            fault = Fault(where, message, hint="write `{target.cpu_flags}` instead")
            raise ManifestError(f"`{where}` uses `{found[0]}`", faults=[fault])


def _x86(level: str, family: str, version: str) -> tuple[str, ...]:
    match = _LEVEL.fullmatch(level)
    if match is None:
        return ("-march=x86-64",)
    if numbers(version) >= _KNOWS_LEVELS.get(family, (0,)):
        return (f"-march={level}",)
    sets = _X86_SETS[: int(match[1]) - 1]
    return ("-march=x86-64", *(flag for group in sets for flag in group))


def numbers(version: str) -> tuple[int, ...]:
    """Return the leading dotted numbers of a version."""
    match = re.match(r"[0-9]{1,9}(?:\.[0-9]{1,9})*", version, re.ASCII)
    return tuple(int(part) for part in match[0].split(".")) if match else ()
