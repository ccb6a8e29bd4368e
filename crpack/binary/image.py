"""An image: what the headers of a program, library or object file say.

Rules:
- Words for systems and processors are those of platforms (SPEC PLT-01).
- What a file does not tell is empty, never guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Format = Literal["elf", "pe", "macho", "wasm"]
Kind = Literal["exe", "shared", "object", "core", "archive"]


@dataclass(frozen=True, slots=True)
class Image:
    """The headers of one file, or of one part of a file for several machines.

    Attributes:
        format: of the container.
        kind: what the file is for; `archive` is one machine of a static library's members.
        os: `linux`, `android`, `macos`, `windows`, `wasi`; empty when the file does not tell.
        arch: such as `x86_64`, `aarch64`, `armv7`, `arm64` (macOS), or `elf-NNN` when unknown.
        abi: `gnu`, `musl`, `mingw`, or empty when the file does not tell.
        bits: 32 or 64.
        endian: `little` or `big`.
        float_abi: of ARM and RISC-V: `hard`, `soft`, or empty.
        interpreter: path of the loader that the program asks for.
        soname: the library's own name.
        needed: names of libraries, in file order.
        runpath: folders where they are looked for, in file order.
        max_glibc: highest `GLIBC_` version asked for, such as `2.34`.
        max_glibcxx: highest `GLIBCXX_` version asked for, such as `3.4.26`.
        min_os: oldest macOS the file is made for.
    """

    format: Format
    kind: Kind
    os: str
    arch: str
    abi: str = ""
    bits: int = 64
    endian: Literal["little", "big"] = "little"
    float_abi: str = ""
    interpreter: str = ""
    soname: str = ""
    needed: tuple[str, ...] = ()
    runpath: tuple[str, ...] = ()
    max_glibc: str = ""
    max_glibcxx: str = ""
    min_os: str = ""

    @property
    def platform(self) -> str:
        """The platform in the words of SPEC PLT-01, its floor as measured; parts may be missing."""
        floor = self.min_os if self.os == "macos" else self.max_glibc if self.abi == "gnu" else ""
        return "-".join(part for part in (self.os, self.arch, self.abi + floor) if part)
