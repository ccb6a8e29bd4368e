"""ELF headers (System V gABI; symbol versions: the GNU extensions of LSB 5, chapter 10).

Rules:
- Dynamic entries are read through the program headers, as the loader does; section headers are
  used for ARM attributes only, and a file without them is no fault.
- Loops follow at most a fixed number of entries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack.binary import arm
from crpack.binary.image import Image, Kind
from crpack.binary.view import View
from crpack.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crpack.binary.view import ReadAt

MAX_HEADERS = 4096  # program or section headers looked at
MAX_DYNAMIC = 8192  # dynamic entries looked at
MAX_VERSIONS = 8192  # version needs looked at
MAX_NOTES = 4096  # bytes of a segment of notes looked at

_MACHINES = {
    3: "x86",
    8: "mips",
    20: "ppc",
    21: "ppc64",
    22: "s390x",
    40: "arm",
    62: "x86_64",
    183: "aarch64",
    243: "riscv",
    258: "loongarch",
}
_KINDS: dict[int, Kind] = {1: "object", 2: "exe", 3: "shared", 4: "core"}
_LOAD, _DYNAMIC, _INTERP, _NOTE = 1, 2, 3, 4  # program headers
_NEEDED, _STRTAB, _SONAME, _RPATH, _RUNPATH = 1, 5, 14, 15, 29  # dynamic entries
_FLAGS_1, _VERNEED, _VERNEEDNUM = 0x6FFFFFFB, 0x6FFFFFFE, 0x6FFFFFFF
_PIE = 0x08000000  # of DT_FLAGS_1
_ARM_ATTRIBUTES = 0x70000003  # section type
_OSES = {0: "linux", 3: "linux", 9: "freebsd", 12: "openbsd", 2: "netbsd", 6: "solaris"}

_Segment = tuple[int, int, int, int]  # type, offset, address, size in the file


class _File:
    """The parts of one ELF file that the rest reads from."""

    __slots__ = ("bits", "flags", "kind", "machine", "osabi", "sections", "segments", "view")

    def __init__(self, read_at: ReadAt) -> None:
        ident = View(read_at).bytes(0, 16)
        if ident[4] not in (1, 2) or ident[5] not in (1, 2):
            raise FormatError("an ELF file is neither 32 nor 64 bits, or of no byte order")
        self.bits = 32 * ident[4]
        self.view = View(read_at, "<" if ident[5] == 1 else ">")
        self.osabi = ident[7]
        word = "I" if self.bits == 32 else "Q"
        head = self.view.numbers(16, f"HHI{word}{word}{word}IHHHHHH")
        self.kind, self.machine = head[0], head[1]
        self.flags = head[6]
        self.segments = tuple(self._segments(head[4], head[8], head[9]))
        self.sections = (head[5], head[10], head[11])

    def _segments(self, offset: int, size: int, count: int) -> Iterator[_Segment]:
        if not offset or not count:
            return
        layout = "IIIIII" if self.bits == 32 else "IIQQQQ"
        if count > MAX_HEADERS or size < (32 if self.bits == 32 else 56):
            raise FormatError("an ELF file has program headers of a wrong size or number")
        for fields in self.view.rows(offset, layout, count, size):
            if self.bits == 32:
                yield fields[0], fields[1], fields[2], fields[4]
            else:
                yield fields[0], fields[2], fields[3], fields[5]

    def offset_of(self, address: int) -> int:
        """Return where an address of the loaded program stands in the file."""
        for kind, offset, start, size in self.segments:
            if kind == _LOAD and start <= address < start + size:
                return offset + address - start
        raise FormatError("an ELF file points to an address that it does not load")


def read(read_at: ReadAt) -> Image:
    """Return what an ELF file's headers say.

    Raises:
        FormatError: a header is cut, or points outside the file.
    """
    file = _File(read_at)
    interpreter = _interpreter(file)
    entries = tuple(_dynamic(file))
    texts = _Texts(file, entries)
    needed = texts.all(_NEEDED)
    soname = "".join(texts.all(_SONAME)[:1])
    glibc, glibcxx = _versions(file, entries, texts)
    arch, float_abi = _machine(file)
    system = _os(file, interpreter, needed)
    return Image(
        format="elf",
        kind=_kind(file, entries, interpreter, soname),
        os=system,
        arch=arch,
        abi="" if system == "android" else _abi(interpreter, needed, glibc, soname),
        bits=file.bits,
        endian="little" if file.view.order == "<" else "big",
        float_abi=float_abi,
        interpreter=interpreter,
        soname=soname,
        needed=needed,
        runpath=_folders(texts.all(_RUNPATH) or texts.all(_RPATH)),
        max_glibc=glibc,
        max_glibcxx=glibcxx,
    )


class _Texts:
    """The texts that dynamic entries point to."""

    __slots__ = ("entries", "file", "table")

    def __init__(self, file: _File, entries: tuple[tuple[int, int], ...]) -> None:
        self.file = file
        self.entries = entries
        address = dict(entries).get(_STRTAB)
        self.table = -1 if address is None else file.offset_of(address)

    def at(self, offset: int) -> str:
        if self.table < 0:
            raise FormatError("an ELF file names texts and has no table of them")
        return self.file.view.text(self.table + offset)

    def all(self, tag: int) -> tuple[str, ...]:
        return tuple(self.at(value) for name, value in self.entries if name == tag)


def _interpreter(file: _File) -> str:
    for kind, offset, _, _ in file.segments:
        if kind == _INTERP:
            return file.view.text(offset)
    return ""


def _dynamic(file: _File) -> Iterator[tuple[int, int]]:
    layout, step = ("II", 8) if file.bits == 32 else ("QQ", 16)
    for kind, offset, _, size in file.segments:
        if kind == _DYNAMIC:
            for tag, value in file.view.rows(offset, layout, min(size // step, MAX_DYNAMIC)):
                if tag == 0:
                    return
                yield tag, value


def _versions(file: _File, entries: tuple[tuple[int, int], ...], texts: _Texts) -> tuple[str, str]:
    """Return the highest versions of glibc's and libstdc++'s symbols that are asked for."""
    known = dict(entries)
    highest: dict[str, tuple[int, ...]] = {}
    if _VERNEED in known:
        start = file.offset_of(known[_VERNEED])
        for name in _version_names(file, start, known.get(_VERNEEDNUM, 0), texts):
            library, _, version = name.partition("_")
            parts = version.split(".")
            if library in ("GLIBC", "GLIBCXX") and all(p.isdecimal() and len(p) < 6 for p in parts):
                number = tuple(int(part) for part in parts)
                highest[library] = max(highest.get(library, ()), number)
    glibc, glibcxx = (highest.get(library, ()) for library in ("GLIBC", "GLIBCXX"))
    return ".".join(map(str, glibc)), ".".join(map(str, glibcxx))


def _version_names(file: _File, at: int, count: int, texts: _Texts) -> Iterator[str]:
    left = MAX_VERSIONS
    for _ in range(min(count, MAX_VERSIONS)):
        _, names, _, first, following = file.view.numbers(at, "HHIII")
        place = at + first
        for _ in range(names):
            left -= 1
            if left < 0:
                raise FormatError(f"an ELF file needs more than {MAX_VERSIONS} versions")
            _, _, _, name, step = file.view.numbers(place, "IHHII")
            yield texts.at(name)
            if not step:
                break
            place += step
        if not following:
            return
        at += following


def _kind(file: _File, entries: tuple[tuple[int, int], ...], interpreter: str, soname: str) -> Kind:
    kind = _KINDS.get(file.kind)
    if kind is None:
        raise FormatError(f"an ELF file is of the unknown type {file.kind}")
    if kind == "shared" and (dict(entries).get(_FLAGS_1, 0) & _PIE or (interpreter and not soname)):
        return "exe"
    return kind


def _os(file: _File, interpreter: str, needed: tuple[str, ...]) -> str:
    if interpreter.startswith(("/system/bin/linker", "/apex/")) or (
        "libc.so" in needed and "libdl.so" in needed
    ):
        return "android"
    for kind, offset, _, size in file.segments:
        if kind == _NOTE and b"\0Android\0" in b"\0" + file.view.read_at(
            offset, min(size, MAX_NOTES)
        ):
            return "android"
    return _OSES.get(file.osabi, "")


def _abi(interpreter: str, needed: tuple[str, ...], glibc: str, soname: str) -> str:
    if "/ld-musl-" in interpreter or any(n.startswith("libc.musl-") for n in needed):
        return "musl"
    if "libc.so" in needed:  # glibc and the BSDs have a number behind it
        return "musl"
    if glibc or "libc.so.6" in (*needed, soname) or "/ld-linux" in interpreter:
        return "gnu"
    return ""


def _folders(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(folder for value in values for folder in value.split(":") if folder)


def _machine(file: _File) -> tuple[str, str]:
    """Return the processor and its floating-point ABI."""
    arch = _MACHINES.get(file.machine, f"elf-{file.machine}")
    if arch == "arm":
        return arm.describe(file.flags, _arm_attributes(file))
    if arch == "riscv":
        return f"riscv{file.bits}", {0: "soft", 4: "hard"}.get(file.flags & 6, "single")
    if arch == "x86_64" and file.bits == 32:
        return "x32", ""
    if arch == "ppc64" and file.view.order == "<":
        return "ppc64le", ""
    if arch == "loongarch":
        return f"loongarch{file.bits}", ""
    return arch, ""


def _arm_attributes(file: _File) -> bytes:
    offset, size, count = file.sections
    layout, least = ("IIIIII", 40) if file.bits == 32 else ("IIQQQQ", 64)
    if not offset or count > MAX_HEADERS or size < least:
        return b""
    for _, kind, _, _, place, length in file.view.rows(offset, layout, count, size):
        if kind == _ARM_ATTRIBUTES:
            return file.view.bytes(place, min(length, arm.MAX_ATTRIBUTES))
    return b""
