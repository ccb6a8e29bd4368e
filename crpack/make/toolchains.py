"""Toolchains: compilers and binutils for one target, chosen from the facts of a machine.

Rules (SPEC BLD-01…02):
- A compiler is what its target triple says, never what its name or folder says.
- C and C++ come from the same family, version, target and folder.
- `gcc` comes before `clang`; within a family the order of the facts (PATH) decides. A compiler
  for another platform is never chosen.
- Nothing fitting is a failure that says what was looked for, where, what was found instead and
  what to install.
"""

from __future__ import annotations

import os.path
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack.errors import BuildFailed
from crpack.make import cpu
from crpack.make.advice import CXX, install_command
from crpack.model import platforms
from crpack.model.platforms import Platform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crpack.model.facts import Facts, Found

FAMILIES = (("gcc", "g++"), ("clang", "clang++"))
_COMPILER = re.compile(
    r"(?P<before>.+-)?(?P<driver>gcc|g\+\+|clang|clang\+\+)(?P<after>-[0-9.]+)?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Toolchain:
    """Compilers and binutils for one target.

    Attributes:
        family: `gcc` or `clang`.
        version: of the compiler.
        target: the platform that it makes programs for.
        triple: as the compiler prints it.
        cc: path of the C compiler; `cxx` of the C++ compiler.
        ar: name or path of the archiver; `ranlib` and `strip` likewise.
        libc: name and version of the C library it links, such as `glibc 2.36`.
        flags: given to every call of either compiler.
        cpu_flags: the value of `{target.cpu_flags}`.
    """

    family: str
    version: str
    target: Platform
    triple: str
    cc: str
    cxx: str
    ar: str = "ar"
    ranlib: str = "ranlib"
    strip: str = "strip"
    libc: str = ""
    flags: tuple[str, ...] = ()
    cpu_flags: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.family} {self.version} for {self.triple}"


@dataclass(frozen=True, slots=True)
class Toolbox:
    """What the steps of a build may start.

    Attributes:
        toolchain: None where the recipe compiles nothing.
        tools: name and path of the other programs found, such as `make`.
        platform: the build platform; `os_release` is the text of its `/etc/os-release`.
        searched: the folders that were looked through.
        versions: name and version of each of `tools`.
    """

    toolchain: Toolchain | None = None
    tools: tuple[tuple[str, str], ...] = ()
    platform: Platform = platforms.ANY
    os_release: str = ""
    searched: tuple[str, ...] = ()
    versions: tuple[tuple[str, str], ...] = ()

    def has(self, name: str) -> bool:
        """Say whether a program was found."""
        return name in dict(self.tools)

    def compilers(self) -> Toolchain:
        """Return the toolchain (SPEC BLD-02).

        Raises:
            BuildFailed: there is none.
        """
        if self.toolchain is None:
            raise self._missing(CXX, CXX)
        return self.toolchain

    def path(self, name: str) -> str:
        """Return the path of a program (SPEC BLD-02).

        Raises:
            BuildFailed: it was not found.
        """
        tools = dict(self.tools)
        if name not in tools:
            raise self._missing(name, f"`{name}`")
        return tools[name]

    def _missing(self, tool: str, words: str) -> BuildFailed:
        return BuildFailed(
            f"this build needs {words}, which is not on this machine",
            why=[f"looked for {words} in {_folders(self.searched)}"],
            hint=install_command(tool, os_release=self.os_release, os=self.platform.os),
            rule="BLD-02",
        )


def choose(
    facts: Facts, target: Platform, *, os_release: str = "", searched: tuple[str, ...] = ()
) -> Toolchain:
    """Return the native toolchain for a target (SPEC BLD-01).

    Args:
        facts: of the build machine.
        target: the platform to compile for.
        os_release: text of `/etc/os-release`, for the advice.
        searched: the folders that detection looked through, for messages.

    Raises:
        BuildFailed: no fitting pair of C and C++ compilers; says what was looked for and found.
    """
    for c_name, cxx_name in FAMILIES:
        for c in _fitting(facts, c_name, target):
            for cxx in _fitting(facts, cxx_name, target):
                if _pair(c, cxx):
                    return _toolchain(facts, target, c_name, c, cxx)
    raise BuildFailed(
        f"this machine has no C and C++ compiler for `{target}`",
        why=_looked(facts, target, searched),
        hint=install_command(CXX, os_release=os_release, os=platforms.parse(facts.platform).os),
        rule="BLD-02",
    )


def is_compiler(found: Found) -> bool:
    """Say whether a file has the name of a compiler that a toolchain may have."""
    return _compiler(found) is not None


def _compiler(found: Found) -> re.Match[str] | None:
    return _COMPILER.fullmatch(os.path.basename(found.path))


def _fitting(facts: Facts, driver: str, target: Platform) -> Iterator[Found]:
    for found in facts.found:
        match = _compiler(found)
        if match and match["driver"] == driver and found.runnable and found.version:
            made_for = platforms.from_triple(found.target)
            if made_for is not None and _same(made_for, target, found.target):
                yield found


def _same(made_for: Platform, target: Platform, triple: str) -> bool:
    """Compare without floors; ARMv6 and ARMv7 share Debian's triple."""
    return triple == platforms.spelling(target, "gnu") or made_for.base == target.base


def _pair(c: Found, cxx: Found) -> bool:
    first, second = _compiler(c), _compiler(cxx)
    return (
        first is not None
        and second is not None
        and os.path.dirname(c.path) == os.path.dirname(cxx.path)
        and (c.version, c.target) == (cxx.version, cxx.target)
        and first["before"] == second["before"]
    )


def _toolchain(facts: Facts, target: Platform, family: str, c: Found, cxx: Found) -> Toolchain:
    known = dict(facts.capabilities)
    version = c.version or ""
    libc = next((f"{n[1:]} {known[n]}" for n in ("@glibc", "@musl") if n in known), target.abi)
    flags = cpu.flags(target, known.get("@cpu", ""), frozenset(facts.cpu.features), family, version)
    return Toolchain(
        family, version, target, c.target, c.path, cxx.path, libc=libc, cpu_flags=flags
    )


def _looked(facts: Facts, target: Platform, searched: tuple[str, ...]) -> Iterator[str]:
    triple = platforms.spelling(target, "gnu")
    pairs = ", then ".join(f"`{c}` with `{cxx}`" for c, cxx in FAMILIES)
    yield f"looked for {pairs}, for `{triple}`, in {_folders(searched)}"
    for found in facts.found:
        if _compiler(found):
            yield f"`{found.path}` is {_description(found)}"


def _description(found: Found) -> str:
    if not found.runnable:
        return "not a program of this machine"
    version = f"version {found.version}" if found.version else "of unknown version"
    return f"{version} for `{found.target or 'an unknown target'}`"


def _folders(searched: tuple[str, ...]) -> str:
    return (
        ", ".join(f"`{folder}`" for folder in searched) or "no folder: PATH names none that exists"
    )
