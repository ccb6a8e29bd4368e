"""Mach-O headers, also of files for several machines (Apple, `mach-o/loader.h`, `fat.h`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack.binary.image import Image, Kind
from crpack.binary.view import View, from_offset
from crpack.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crpack.binary.view import ReadAt

MAX_PARTS = 32  # machines in one file; a Java class, of the same magic, counts 45 and more here
MAX_COMMANDS = 4096  # load commands looked at

_THIN = {
    b"\xcf\xfa\xed\xfe": ("<", 64),
    b"\xce\xfa\xed\xfe": ("<", 32),
    b"\xfe\xed\xfa\xcf": (">", 64),
    b"\xfe\xed\xfa\xce": (">", 32),
}
_FAT = {b"\xca\xfe\xba\xbe": ("IIIII", 20), b"\xca\xfe\xba\xbf": ("IIQQI", 32)}
MAGICS = frozenset({*_THIN, *_FAT})

_MACHINES = {7: "x86", 0x01000007: "x86_64", 12: "arm", 0x0100000C: "arm64"}
_KINDS: dict[int, Kind] = {1: "object", 2: "exe", 4: "core", 6: "shared", 8: "shared"}
_LOAD_DYLIB = frozenset({0xC, 0x80000018, 0x8000001F, 0x20})  # needed, weak, re-exported, lazy
_ID_DYLIB, _DYLINKER, _RPATH = 0xD, 0xE, 0x8000001C
_VERSION_MIN_MACOS, _BUILD_VERSION = 0x24, 0x32
_MACOS = 1  # platform of LC_BUILD_VERSION


def read(read_at: ReadAt) -> tuple[Image, ...]:
    """Return what the headers of each part say; empty for a Java class.

    Raises:
        FormatError: a header is cut, or points outside the file.
    """
    magic = read_at(0, 4)
    if magic in _THIN:
        return (_part(read_at),)
    layout, size = _FAT[magic]
    view = View(read_at, ">")
    (count,) = view.numbers(4, "I")
    if count > MAX_PARTS:
        return ()
    places = [view.numbers(8 + index * size, layout)[2] for index in range(count)]
    return tuple(_part(from_offset(read_at, place)) for place in places)


def _part(read_at: ReadAt) -> Image:
    magic = View(read_at).bytes(0, 4)
    if magic not in _THIN:
        raise FormatError("a part of a Mach-O file does not begin like one")
    order, bits = _THIN[magic]
    view = View(read_at, order)
    machine, _, kind, count, _, _ = view.numbers(4, "IIIIII")
    if kind not in _KINDS or count > MAX_COMMANDS:
        raise FormatError("a Mach-O file is of an unknown kind, or has too many load commands")
    commands = tuple(_commands(view, 32 if bits == 64 else 28, count))
    return Image(
        format="macho",
        kind=_KINDS[kind],
        os="macos",
        arch=_MACHINES.get(machine, f"macho-{machine}"),
        bits=bits,
        endian="little" if order == "<" else "big",
        interpreter=_first(view, commands, _DYLINKER),
        soname=_first(view, commands, _ID_DYLIB),
        needed=tuple(_text(view, at) for name, at in commands if name in _LOAD_DYLIB),
        runpath=tuple(_text(view, at) for name, at in commands if name == _RPATH),
        min_os=_min_os(view, commands),
    )


def _commands(view: View, at: int, count: int) -> Iterator[tuple[int, int]]:
    for _ in range(count):
        name, size = view.numbers(at, "II")
        if size < 8:
            raise FormatError("a Mach-O file has a load command without a size")
        yield name, at
        at += size


def _text(view: View, command: int) -> str:
    (offset,) = view.numbers(command + 8, "I")
    return view.text(command + offset)


def _first(view: View, commands: tuple[tuple[int, int], ...], wanted: int) -> str:
    return next((_text(view, at) for name, at in commands if name == wanted), "")


def _min_os(view: View, commands: tuple[tuple[int, int], ...]) -> str:
    for name, at in commands:
        if name == _BUILD_VERSION:
            platform, version = view.numbers(at + 8, "II")
            if platform == _MACOS:
                return _version(version)
        if name == _VERSION_MIN_MACOS:
            return _version(view.numbers(at + 8, "I")[0])
    return ""


def _version(number: int) -> str:
    """Return `11.0` for 0x000B0000; a third part only where it is not zero."""
    major, minor, patch = number >> 16, number >> 8 & 255, number & 255
    return f"{major}.{minor}.{patch}" if patch else f"{major}.{minor}"
