"""Compilers that are installed: gcc and clang, paired with their binutils.

Rules (SPEC BLD-01):
- A compiler is what its target triple says, never what its name or folder says.
- C and C++ come from one family, version, target and folder, with the same name parts.
- The binutils of a cross compiler stand beside it and are called like it; LLVM's serve clang.
- Debian's triple for 32-bit ARM stands for ARMv7. On an ARMv6 machine its own compiler has that
  triple too; elsewhere it makes programs that an ARMv6 processor cannot run, and is refused.
- A clang for another target than its own needs that target's C library, detected.
"""

from __future__ import annotations

import os.path
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack.make import cpu, sysroots
from crpack.make.toolchains.chain import Toolchain
from crpack.model import platforms
from crpack.model.facts import Found

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crpack.model.facts import Facts
    from crpack.model.platforms import Platform

FAMILIES = (("gcc", "g++"), ("clang", "clang++"))
_COMPILER = re.compile(
    r"(?P<before>.+-)?(?P<driver>gcc|g\+\+|clang|clang\+\+)(?:-[0-9.]+)?(?:-posix|-win32)?",
    re.ASCII,
)
_LLVM_AR = re.compile(r"llvm-ar(?P<after>-[0-9]+)?", re.ASCII)
_WASI_LIBC = "wasi-libc"  # name of the component whose probe finds it


@dataclass(frozen=True, slots=True)
class _Pair:
    """A C and a C++ compiler that belong together; `family` is the name of the C compiler."""

    family: str
    c: Found
    cxx: Found

    @property
    def version(self) -> str:
        return self.c.version or ""


@dataclass(frozen=True, slots=True)
class _Binutils:
    ar: str
    ranlib: str
    strip: str
    nm: str


def is_compiler(found: Found) -> bool:
    """Say whether a file has the name of a compiler that a toolchain may have."""
    return _compiler(found) is not None


def toolchains(facts: Facts, target: Platform) -> Iterator[Toolchain]:
    """Yield the toolchains for a target, the preferred first: gcc, clang, clang with a sysroot.

    Args:
        facts: of the build machine.
        target: the platform to compile for.
    """
    here = platforms.parse(facts.platform)
    for family, partner in FAMILIES:
        for pair in _pairs(facts, family, partner):
            if not (why_not(pair.c, target, here) or why_not(pair.cxx, target, here)):
                made = _native if here.base == target.base else _cross
                yield from made(facts, target, pair)
    if here.base != target.base:
        for pair in _pairs(facts, *FAMILIES[1]):
            if platforms.from_triple(pair.c.target) != target.base:
                yield from _retargeted(facts, target, pair)


def why_not(found: Found, target: Platform, here: Platform) -> str:
    """Return why a compiler does not compile for a target; empty when it does (SPEC BLD-01)."""
    if not found.runnable:
        return "not a program of this machine"
    version = f"version {found.version}" if found.version else "of unknown version"
    described = f"{version} for `{found.target or 'an unknown target'}`"
    made_for = platforms.from_triple(found.target)
    if not found.version or made_for is None:
        return described
    if _threads(found) == "win32":
        return f"{described}, without the threads of C++ (a variant with `-posix` has them)"
    shared = found.target == platforms.spelling(target, "gnu")
    if shared and made_for.arch != target.arch and here.base != target.base:
        return f"{described}: its C library and start files are `{made_for.arch}` code"
    return "" if shared or made_for.base == target.base else described


def _pairs(facts: Facts, family: str, partner: str) -> Iterator[_Pair]:
    for c in _named(facts, family):
        for cxx in _named(facts, partner):
            if _belong(c, cxx):
                yield _Pair(family, c, cxx)
                break


def _named(facts: Facts, driver: str) -> Iterator[Found]:
    for found in facts.found:
        match = _compiler(found)
        if match and match["driver"] == driver and found.runnable and found.version:
            yield found


def _compiler(found: Found) -> re.Match[str] | None:
    return _COMPILER.fullmatch(os.path.basename(found.path))


def _belong(c: Found, cxx: Found) -> bool:
    first, second = _compiler(c), _compiler(cxx)
    return (
        first is not None
        and second is not None
        and os.path.dirname(c.path) == os.path.dirname(cxx.path)
        and (c.version, c.target) == (cxx.version, cxx.target)
        and first["before"] == second["before"]
        and _threads(c) == _threads(cxx)
    )


def _threads(found: Found) -> str:
    """Return which threads a mingw has; `win32` is without those of C++11."""
    return dict(found.notes).get("threads", "")


def _native(facts: Facts, target: Platform, pair: _Pair) -> Iterator[Toolchain]:
    known = dict(facts.capabilities)
    libc = next((f"{n[1:]} {known[n]}" for n in ("@glibc", "@musl") if n in known), target.abi)
    features = frozenset(facts.cpu.features)
    yield Toolchain(
        pair.family,
        pair.version,
        target,
        pair.c.target,
        pair.c.path,
        pair.cxx.path,
        libc=libc,
        cpu_flags=cpu.flags(target, known.get("@cpu", ""), features, pair.family, pair.version),
    )


def _cross(facts: Facts, target: Platform, pair: _Pair) -> Iterator[Toolchain]:
    binutils = _beside(facts, pair)
    if binutils:
        yield _foreign(facts, target, pair, binutils)


def _retargeted(facts: Facts, target: Platform, pair: _Pair) -> Iterator[Toolchain]:
    """Yield a clang of another target with the C library of this one.

    It takes the target's binutils where it links with them, LLVM's for WebAssembly.
    """
    triple = platforms.spelling(target, "gnu")
    flag = f"--target={triple}"
    if target.os == "linux" and target.arch != "armv6":
        found = sysroots.find(facts, target)
        binutils = _prefixed(facts, "/usr/bin", f"{triple}-")
        if found and binutils:
            yield _foreign(facts, target, pair, binutils, flags=(flag,))
    if target.os == "wasi" and any(one.runnable for one in facts.all(_WASI_LIBC)):
        llvm = _llvm(facts, pair)
        if llvm:
            yield _foreign(facts, target, pair, llvm, flags=(flag,))


def _foreign(
    facts: Facts,
    target: Platform,
    pair: _Pair,
    binutils: _Binutils,
    *,
    flags: tuple[str, ...] = (),
) -> Toolchain:
    prefix = os.path.dirname(os.path.dirname(pair.c.path))
    own = sysroots.find(facts, target, near=prefix if prefix != "/usr" else "")
    return Toolchain(
        pair.family,
        pair.version,
        target,
        platforms.spelling(target, "gnu") if flags else pair.c.target,
        pair.c.path,
        pair.cxx.path,
        ar=binutils.ar,
        ranlib=binutils.ranlib,
        strip=binutils.strip,
        nm=binutils.nm,
        libc=_libc(facts, target, own),
        flags=flags,
        cpu_flags=cpu.flags(target, "", frozenset(), pair.family, pair.version),
        sysroot=own.root if own else "",
        cross=True,
    )


def _libc(facts: Facts, target: Platform, own: sysroots.Sysroot | None) -> str:
    if own:
        return f"glibc {own.version}".strip()
    if target.os == "wasi":
        version = next((one.version for one in facts.all(_WASI_LIBC) if one.version), "")
        return f"wasi-libc {version}".strip()
    return target.abi if target.os == "windows" else ""


def _beside(facts: Facts, pair: _Pair) -> _Binutils | None:
    """Return the binutils that stand beside a cross compiler and are called like it."""
    match = _compiler(pair.c)
    before = (match["before"] if match else None) or ""
    own = _prefixed(facts, os.path.dirname(pair.c.path), before)
    return own or (_llvm(facts, pair) if pair.family == "clang" else None)


def _prefixed(facts: Facts, folder: str, before: str) -> _Binutils | None:
    if f"{folder}/{before}ar" not in {one.path for one in facts.all("ar") if one.runnable}:
        return None
    return _Binutils(*(f"{folder}/{before}{tool}" for tool in ("ar", "ranlib", "strip", "nm")))


def _llvm(facts: Facts, pair: _Pair) -> _Binutils | None:
    """Return LLVM's binutils, those in the folder of the compiler first."""
    folder = os.path.dirname(pair.c.path)
    found = [one.path for one in facts.all("llvm-ar") if one.runnable and one.version]
    for path in sorted(found, key=lambda path: os.path.dirname(path) != folder):
        match = _LLVM_AR.fullmatch(os.path.basename(path))
        if match:
            at, after = os.path.dirname(path), match["after"] or ""
            tools = ("llvm-ar", "llvm-ranlib", "llvm-strip", "llvm-nm")
            return _Binutils(*(f"{at}/{tool}{after}" for tool in tools))
    return None
