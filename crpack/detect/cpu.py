"""The processor, from the texts that the system gives: pure functions.

Rules (SPEC DET-12):
- Features keep the names of `/proc/cpuinfo`. Where cores differ, only what all of them have counts.
- x86-64 levels are the four of the psABI; ARM's are the architecture versions whose mandatory
  features are there. A level that is not known to be there is not named.
"""

from __future__ import annotations

import re

from crpack.model.facts import Cpu

# x86-64 psABI, "Micro-architecture levels", in the kernel's names (sse3 is pni, lzcnt is abm).
_X86_LEVELS = (
    ("x86-64-v2", {"cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"}),
    ("x86-64-v3", {"abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe", "xsave"}),
    ("x86-64-v4", {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}),
)
# Arm Architecture Reference Manual, features mandatory from a version on.
_ARM64_LEVELS = (
    ("armv8.1-a", {"atomics", "asimdrdm", "crc32"}),
    ("armv8.2-a", {"dcpop"}),
    ("armv8.3-a", {"fcma", "jscvt", "lrcpc"}),
    ("armv8.4-a", {"asimddp", "flagm", "ilrcpc", "uscat"}),
)
_RISCV_G = frozenset("imafd")
_LISTS = ("flags", "Features")  # x86 and s390; ARM
_NAMES = ("model name", "Model", "cpu model", "uarch", "Hardware")  # preferred first


def parse(cpuinfo: bytes) -> Cpu:
    """Return the processor that `/proc/cpuinfo` describes; `cores` counts the ones listed."""
    blocks = [_block(text) for text in cpuinfo.decode("utf-8", "replace").split("\n\n")]
    cores = [block for block in blocks if "processor" in block]
    features = [set(_features(block)) for block in cores]
    common = set.intersection(*features) if features else set()
    return Cpu(_model(blocks), tuple(sorted(common)), len(cores))


def level(arch: str, features: tuple[str, ...]) -> str:
    """Return the capability `@cpu` (SPEC DET-12).

    Args:
        arch: of the platform, such as `x86_64`.
        features: as `parse` gives them.
    """
    there = set(features)
    if arch == "x86_64":
        return _highest("x86-64-v1", _X86_LEVELS, there)
    if arch in ("aarch64", "arm64"):
        return _highest("armv8-a", _ARM64_LEVELS, there)
    if arch in ("armv7", "armv6"):
        return f"{arch}+neon" if "neon" in there else arch
    if arch == "riscv64":
        return "rv64gc" if there >= _RISCV_G | {"c"} else "rv64"
    return ""


def _highest(lowest: str, levels: tuple[tuple[str, set[str]], ...], there: set[str]) -> str:
    reached = lowest
    for name, wanted in levels:
        if not wanted <= there:
            break
        reached = name
    return reached


def _block(text: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in text.splitlines())
    return {key.strip(): value.strip() for key, sep, value in pairs if sep}


def _model(blocks: list[dict[str, str]]) -> str:
    """Return the first name there is; the board's name stands in a block of its own."""
    for name in _NAMES:
        for block in blocks:
            if block.get(name):
                return " ".join(block[name].split())[:200]
    return ""


def _features(block: dict[str, str]) -> list[str]:
    for name in _LISTS:
        if name in block:
            return [word for word in block[name].split() if len(word) <= 64]
    return _riscv(block.get("isa", "").lower())


def _riscv(isa: str) -> list[str]:
    """Return the extensions in `rv64imafdc_zicsr_zba`; `g` stands for `imafd`."""
    match = re.fullmatch(r"rv(?:32|64)([a-z]+)((?:_[a-z0-9]+)*)", isa)
    if match is None:
        return []
    single = match[1].replace("g", "imafd")
    cut = re.search(r"[szx]", single)  # older kernels glue `sxyz` to the letters
    return [*single[: cut.start() if cut else None], *match[2].split("_")[1:]]
