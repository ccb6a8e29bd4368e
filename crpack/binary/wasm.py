"""WebAssembly modules (W3C core specification, binary format 1; tool conventions: linking)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack.binary.image import Image, Kind
from crpack.binary.view import View
from crpack.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crpack.binary.view import ReadAt

MAX_SECTIONS = 1024  # sections looked at
MAX_IMPORTS_BYTES = 64 * 1024  # bytes of the import section searched for WASI

_CUSTOM, _IMPORT = 0, 2
_OBJECT = b"\x07linking"  # name of the section that only object files have


def read(read_at: ReadAt) -> Image:
    """Return what a module's sections say.

    Raises:
        FormatError: a section is cut, or has a size that is no number.
    """
    kind: Kind = "exe"
    system = ""
    for name, at, size in _sections(View(read_at)):
        if name == _CUSTOM and read_at(at, len(_OBJECT)) == _OBJECT:
            kind = "object"
        if name == _IMPORT and b"wasi_" in read_at(at, min(size, MAX_IMPORTS_BYTES)):
            system = "wasi"
    return Image(format="wasm", kind=kind, os=system, arch="wasm32", bits=32)


def _sections(view: View) -> Iterator[tuple[int, int, int]]:
    """Yield identity, start and size of each section."""
    at = 8
    for _ in range(MAX_SECTIONS):
        head = view.read_at(at, 6)
        if not head:
            return
        size, length = _number(head[1:])
        at += 1 + length
        if size:
            view.bytes(at + size - 1, 1)
        yield head[0], at, size
        at += size


def _number(data: bytes) -> tuple[int, int]:
    """Return an unsigned LEB128 number of at most 32 bits and its length."""
    value = 0
    for index, byte in enumerate(data):
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return value, index + 1
    raise FormatError("a section of a WebAssembly module has a size without an end")
