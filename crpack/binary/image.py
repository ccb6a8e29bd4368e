"""An image: what the headers of a program, library or object file say.

Rules (DESIGN 10; reference: the formats' own specifications, named in each reader):
- The first bytes decide on the format; a file of another kind (script, linker script, text) is
  no image, and no fault either.
- Words for systems and processors are those of platforms (SPEC PLT-01).
- Hostile bytes give `FormatError` or a value, with bounded work; nothing is ever loaded or run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from crpack.binary.view import ReadAt

Format = Literal["elf", "pe", "macho", "wasm"]
Kind = Literal["exe", "shared", "object", "core", "archive"]

MAX_PATHS = 16  # texts that `find_paths` returns
_CHUNK = 256 * 1024  # bytes searched at once
_AROUND = 512  # bytes of a text shown on either side of what was searched
_TEXT = re.compile(rb"[\x20-\x7e\x80-\xff]*")


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


def read(read_at: ReadAt) -> Image | None:
    """Return what a file's headers say; the first part where it has several.

    Args:
        read_at: gives up to `size` bytes from an offset.

    Raises:
        FormatError: the file begins like an image and is broken.
    """
    images = read_all(read_at)
    return images[0] if images else None


def read_all(read_at: ReadAt) -> tuple[Image, ...]:
    """Return what the headers of every part of a file say; empty when it is no image.

    Raises:
        FormatError: the file begins like an image and is broken.
    """
    from crpack.binary import archive, elf, macho, pe, wasm

    head = read_at(0, 8)
    if head[:4] == b"\x7fELF":
        return (elf.read(read_at),)
    if head[:4] in macho.MAGICS:
        return macho.read(read_at)
    if head[:2] == b"MZ":
        return pe.read(read_at)
    if head == b"\0asm\1\0\0\0":
        return (wasm.read(read_at),)
    if head == archive.MAGIC:
        return archive.read(read_at)
    return ()


def find_paths(read_at: ReadAt, needle: bytes) -> tuple[str, ...]:
    """Return the texts of a file that hold a path, each once, at most `MAX_PATHS`.

    Args:
        read_at: gives up to `size` bytes from an offset.
        needle: the path's bytes, such as the folder of a build; not empty.
    """
    found: dict[str, None] = {}
    start, before = 0, b""
    while piece := read_at(start, _CHUNK):
        data = before + piece
        at = data.find(needle)
        while at >= 0 and len(found) < MAX_PATHS:
            found[_around(data, at, len(needle))] = None
            at = data.find(needle, at + len(needle))
        start += len(piece)
        before = data[-(len(needle) - 1) :] if len(needle) > 1 else b""
    return tuple(found)


def _around(data: bytes, at: int, size: int) -> str:
    """Return the printable text around a place."""
    before = data[max(0, at - _AROUND) : at]
    head = _TEXT.match(before[::-1])
    tail = _TEXT.match(data, at, at + size + _AROUND)
    text = (head[0][::-1] if head else b"") + (tail[0] if tail else data[at : at + size])
    return text.decode("utf-8", "backslashreplace")
