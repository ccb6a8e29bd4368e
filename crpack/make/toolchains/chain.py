"""The toolchain: compilers and binutils for one target, as a value.

Rules (SPEC BLD-01, BLD-30):
- A toolchain whose programs need arguments of their own brings wrappers: one file for each, so
  that a makefile or a configure script sees one path. The build writes them before its first step.
- What a wrapper says, not where its compiler stands, enters the build key.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from crpack.model.platforms import Platform

PARTS = ("cc", "cxx", "ar", "ranlib", "strip", "nm")  # what a step may name as `{tool.NAME}`


@dataclass(frozen=True, slots=True)
class Wrapper:
    """A generated file beside a build, as a rule a program.

    Attributes:
        name: file name.
        text: of the file; the same wherever it is written.
        executable: it is started by its path.
        means: the same text without a path of this machine, for the build key; empty: the text.
    """

    name: str
    text: str
    executable: bool = True
    means: str = ""


@dataclass(frozen=True, slots=True)
class Toolchain:
    """Compilers and binutils for one target.

    Attributes:
        family: `gcc`, `clang`, `zig` or `ndk`.
        version: of the compiler.
        target: the platform that it makes programs for, with the floor that was asked for.
        triple: as the compiler prints it, or GNU's name of the target.
        cc: path of the C compiler; `cxx` of the C++ compiler. Path, or name of a wrapper.
        ar: path or name of the archiver; `ranlib`, `strip` and `nm` likewise.
        libc: name and version of the C library it links, such as `glibc 2.36`.
        flags: given to every call of either compiler, compiling and linking.
        cpu_flags: the value of `{target.cpu_flags}`.
        link_flags: given when programs and shared libraries are linked.
        sysroot: folder that has the target's `lib` and `include`; empty for none.
        wrappers: written before the first step of a build.
        folders: what the compilers read beside their own installation.
        cross: programs for the target are not programs of the build platform.
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
    nm: str = "nm"
    libc: str = ""
    flags: tuple[str, ...] = ()
    cpu_flags: tuple[str, ...] = ()
    link_flags: tuple[str, ...] = ()
    sysroot: str = ""
    wrappers: tuple[Wrapper, ...] = ()
    folders: tuple[str, ...] = ()
    cross: bool = False

    def __str__(self) -> str:
        return f"{self.family} {self.version} for {self.triple}"

    def at(self, folder: str) -> Toolchain:
        """Return the same toolchain with its wrappers named by their paths in a folder."""
        own = {one.name for one in self.wrappers}

        def path(name: str) -> str:
            return f"{folder}/{name}" if name in own else name

        return replace(
            self,
            cc=path(self.cc),
            cxx=path(self.cxx),
            ar=path(self.ar),
            ranlib=path(self.ranlib),
            strip=path(self.strip),
            nm=path(self.nm),
        )

    @property
    def wrappers_sha256(self) -> str:
        """Digest of what the wrappers say (SPEC KEY-01); empty when there are none."""
        if not self.wrappers:
            return ""
        said = "\0".join(f"{one.name}\0{one.means or one.text}" for one in self.wrappers)
        return hashlib.sha256(said.encode()).hexdigest()
