"""Small images, put together byte by byte from the formats' specifications."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from crpack.binary.view import ReadAt

BASE = 0x10000  # where the samples are loaded


def reading(data: bytes) -> ReadAt:
    """Return the reading function of a sample."""
    return lambda offset, size: data[offset : offset + size]


@dataclass(frozen=True)
class Elf:
    """What an ELF sample shall say."""

    bits: int = 64
    order: str = "<"
    machine: int = 62
    flags: int = 0
    kind: int = 3
    osabi: int = 0
    interpreter: str = ""
    soname: str = ""
    needed: tuple[str, ...] = ()
    runpath: str = ""
    rpath: str = ""
    versions: tuple[tuple[str, tuple[str, ...]], ...] = ()
    pie: bool = False
    attributes: bytes = b""

    def build(self) -> bytes:
        """Return the file's bytes: header, four program headers, then everything they name."""
        word = "I" if self.bits == 32 else "Q"
        head_size, ph_size = (52, 32) if self.bits == 32 else (64, 56)
        body = bytearray()
        start = head_size + 3 * ph_size
        texts = bytearray(b"\0")

        def text(value: str) -> int:
            texts.extend(value.encode() + b"\0")
            return len(texts) - len(value) - 1

        def put(data: bytes) -> int:
            at = start + len(body)
            body.extend(data)
            return at

        def pack(layout: str, *values: int) -> bytes:
            return struct.pack(self.order + layout, *values)

        entries = [(1, text(name)) for name in self.needed]
        entries += [(14, text(self.soname))] if self.soname else []
        entries += [(29, text(self.runpath))] if self.runpath else []
        entries += [(15, text(self.rpath))] if self.rpath else []
        entries += [(0x6FFFFFFB, 0x08000000)] if self.pie else []
        needs = b""
        for number, (library, names) in enumerate(self.versions):
            last = number == len(self.versions) - 1
            size = 16 + 16 * len(names)
            needs += pack("HHIII", 1, len(names), text(library), 16, 0 if last else size)
            for index, name in enumerate(names):
                step = 16 if index < len(names) - 1 else 0
                needs += pack("IHHII", 0, 0, 2, text(name), step)
        if needs:
            entries += [(0x6FFFFFFE, BASE + put(needs)), (0x6FFFFFFF, len(self.versions))]
        interpreter = put(self.interpreter.encode() + b"\0")
        entries += [(5, BASE + put(bytes(texts))), (10, len(texts))]
        dynamic_bytes = b"".join(pack(word * 2, *entry) for entry in (*entries, (0, 0)))
        dynamic = put(dynamic_bytes)
        sections, count = self._sections(put) if self.attributes else (0, 0)
        total = start + len(body)
        programs = [(1, 0, BASE, total), (2, dynamic, BASE + dynamic, len(dynamic_bytes))]
        size = len(self.interpreter) + 1
        programs.append((3 if self.interpreter else 4, interpreter, BASE + interpreter, size))
        table = b"".join(self._program(*one) for one in programs)
        ident = b"\x7fELF" + bytes((self.bits // 32, 1 if self.order == "<" else 2, 1, self.osabi))
        section_size = 40 if self.bits == 32 else 64
        head = pack(
            f"HHI{word}{word}{word}IHHHHHH",
            *(self.kind, self.machine, 1, 0, head_size, sections, self.flags),
            *(head_size, ph_size, len(programs), section_size, count, 0),
        )
        return ident.ljust(16, b"\0") + head + table + bytes(body)

    def _program(self, kind: int, offset: int, address: int, size: int) -> bytes:
        if self.bits == 32:
            values = (kind, offset, address, address, size, size, 5, 4096)
            return struct.pack(self.order + "IIIIIIII", *values)
        values = (kind, 5, offset, address, address, size, size, 4096)
        return struct.pack(self.order + "IIQQQQQQ", *values)

    def _sections(self, put: Callable[[bytes], int]) -> tuple[int, int]:
        at = put(self.attributes)
        layout = "IIIIIIIIII" if self.bits == 32 else "IIQQQQIIQQ"
        rows = [(0,) * 10, (0, 0x70000003, 0, 0, at, len(self.attributes), 0, 0, 1, 0)]
        return put(b"".join(struct.pack(self.order + layout, *row) for row in rows)), 2


def arm_attributes(*tags: tuple[int, int], name: str = "") -> bytes:
    """Return the section `.ARM.attributes` with numeric tags, and a CPU's name before them."""
    body = (b"\x05" + name.encode() + b"\0") if name else b""
    body += b"".join(bytes(pair) for pair in tags)
    scope = b"\x01" + struct.pack("<I", len(body) + 5) + body
    vendor = b"aeabi\0" + scope
    return b"A" + struct.pack("<I", len(vendor) + 4) + vendor


def macho(
    machine: int,
    *,
    kind: int = 2,
    order: str = "<",
    commands: tuple[bytes, ...] = (),
    bits: int = 64,
) -> bytes:
    """Return a Mach-O file without content."""
    magic = 0xFEEDFACF if bits == 64 else 0xFEEDFACE
    size = sum(map(len, commands))
    head = struct.pack(order + "IIIIIII", magic, machine, 0, kind, len(commands), size, 0)
    return head + (b"\0" * 4 if bits == 64 else b"") + b"".join(commands)


def load_command(number: int, *values: int, text: str = "", order: str = "<") -> bytes:
    """Return a load command with integers, and a text behind them that the first points to."""
    offset = 8 + 4 * len(values) + (4 if text else 0)
    data = struct.pack(f"{order}{len(values)}I", *values)
    if text:
        data = struct.pack(order + "I", offset) + data + text.encode() + b"\0"
    data += b"\0" * (-len(data) % 8)
    return struct.pack(order + "II", number, 8 + len(data)) + data


def fat(*parts: tuple[int, bytes], wide: bool = False) -> bytes:
    """Return a Mach-O file for several machines."""
    rows, body = b"", b""
    start = 4096
    for machine, data in parts:
        at = start + len(body)
        layout = ">IIQQII" if wide else ">IIIII"
        values = (machine, 0, at, len(data), 12, 0) if wide else (machine, 0, at, len(data), 12)
        rows += struct.pack(layout, *values)
        body += data.ljust(4096, b"\0")
    head = struct.pack(">II", 0xCAFEBABF if wide else 0xCAFEBABE, len(parts)) + rows
    return head.ljust(start, b"\0") + body


def pe(
    machine: int, *, dll: bool = False, wide: bool = True, imports: tuple[str, ...] = ()
) -> bytes:
    """Return a PE file whose one section holds the import directory."""
    optional = 240 if wide else 224
    section_at, raw, address = 0x80 + 24 + optional, 0x400, 0x1000
    table_size = 20 * (len(imports) + 1)
    names, rows = b"", b""
    for name in imports:
        at = address + table_size + len(names)
        rows += struct.pack("<IIIII", address, 0, 0, at, address)
        names += name.encode() + b"\0"
    content = rows + b"\0" * 20 + names
    magic, first = (0x20B, 112) if wide else (0x10B, 96)
    directories = struct.pack("<I", 16) + struct.pack("<II", 0, 0)
    directories += struct.pack("<II", address if imports else 0, table_size)
    option = struct.pack("<H", magic).ljust(first - 4, b"\0") + directories
    characteristics = 0x2022 if dll else 0x22
    coff = struct.pack("<HHIIIHH", machine, 1, 0, 0, 0, optional, characteristics)
    section = b".idata\0\0" + struct.pack("<IIII", len(content), address, len(content), raw)
    data = b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0x80)
    data = data.ljust(0x80, b"\0") + b"PE\0\0" + coff + option.ljust(optional, b"\0")
    assert len(data) == section_at
    return (data + section.ljust(40, b"\0")).ljust(raw, b"\0") + content


def ar(*members: tuple[str, bytes]) -> bytes:
    """Return a static library."""
    data = b"!<arch>\n"
    for name, body in members:
        head = f"{name:<16}{0:<12}{0:<6}{0:<6}{644:<8}{len(body):<10}`\n"
        data += head.encode() + body + b"\n" * (len(body) % 2)
    return data


def wasm(*sections: tuple[int, bytes]) -> bytes:
    """Return a WebAssembly module."""
    data = b"\0asm\1\0\0\0"
    for number, body in sections:
        size, length = b"", len(body)
        while length >= 0x80:
            size += bytes((length & 0x7F | 0x80,))
            length >>= 7
        data += bytes((number,)) + size + bytes((length,)) + body
    return data
