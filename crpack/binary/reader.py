"""Reading the headers of a file of any format.

Rules:
- The first bytes decide on the format; a file of another kind (script, linker script, text) is
  no image, and no fault either.
- Hostile bytes give `FormatError` or a value, with bounded work; nothing is ever loaded or run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack.binary import archive, coff, elf, macho, pe, wasm

if TYPE_CHECKING:
    from crpack.binary.image import Image
    from crpack.binary.view import ReadAt


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
        return archive.read(read_at, read_all)
    return coff.read(read_at)
