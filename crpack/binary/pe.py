"""PE headers (Microsoft, "PE Format": COFF header, optional header, import directory)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack.binary.coff import MACHINES
from crpack.binary.image import Image
from crpack.binary.view import View
from crpack.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crpack.binary.view import ReadAt

MAX_SECTIONS = 96  # the loader's own limit
MAX_IMPORTS = 1024  # libraries looked at

_DLL = 0x2000  # of the characteristics
_MINGW = ("msvcrt.dll", "libgcc_s", "libstdc++", "libwinpthread")


def read(read_at: ReadAt) -> tuple[Image, ...]:
    """Return what a PE file's headers say; empty for a DOS program.

    Raises:
        FormatError: a header is cut, or points outside the file.
    """
    view = View(read_at)
    (start,) = view.numbers(0x3C, "I")
    if read_at(start, 4) != b"PE\0\0":
        return ()
    machine, sections, _, _, _, size, characteristics = view.numbers(start + 4, "HHIIIHH")
    (magic,) = view.numbers(start + 24, "H")
    if magic not in (0x10B, 0x20B) or sections > MAX_SECTIONS:
        raise FormatError("a PE file has no optional header, or too many sections")
    needed = tuple(_imports(view, start, magic, sections, size))
    return (
        Image(
            format="pe",
            kind="shared" if characteristics & _DLL else "exe",
            os="windows",
            arch=MACHINES.get(machine, f"pe-{machine:#x}"),
            abi="mingw" if any(n.lower().startswith(_MINGW) for n in needed) else "",
            bits=64 if magic == 0x20B else 32,
            needed=needed,
        ),
    )


def _imports(view: View, start: int, magic: int, sections: int, size: int) -> Iterator[str]:
    base = start + 24
    count_at, first = (108, 112) if magic == 0x20B else (92, 96)
    (directories,) = view.numbers(base + count_at, "I")
    if directories < 2:
        return
    (address,) = view.numbers(base + first + 8, "I")
    if not address:
        return
    table = view.rows(base + size + 8, "IIII", sections, 40) if sections else []
    at = _offset(table, address)
    for index in range(MAX_IMPORTS):
        _, _, _, name, thunk = view.numbers(at + index * 20, "IIIII")
        if not name or not thunk:
            return
        yield view.text(_offset(table, name))


def _offset(table: list[tuple[int, ...]], address: int) -> int:
    """Return where an address stands in the file."""
    for size, start, raw_size, raw in table:
        if start <= address < start + max(size, raw_size):
            return raw + address - start
    raise FormatError("a PE file points to an address in none of its sections")
