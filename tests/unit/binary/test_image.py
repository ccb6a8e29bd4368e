"""What the readers say of small images of every kind."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from crpack.binary.reader import read, read_all
from crpack.errors import FormatError
from tests.unit.binary import samples
from tests.unit.binary.samples import Elf, reading

if TYPE_CHECKING:
    from crpack.binary.image import Image


def one(data: bytes) -> Image:
    found = read(reading(data))
    assert found is not None
    return found


def test_an_elf_program_of_glibc() -> None:
    data = Elf(
        interpreter="/lib64/ld-linux-x86-64.so.2",
        needed=("libstdc++.so.6", "libc.so.6"),
        runpath="$ORIGIN/../lib:/opt/lib",
        versions=(
            ("libc.so.6", ("GLIBC_2.2.5", "GLIBC_2.34", "GLIBC_2.9", "GLIBC_PRIVATE")),
            ("libstdc++.so.6", ("GLIBCXX_3.4.9", "GLIBCXX_3.4.26", "CXXABI_1.3")),
        ),
        pie=True,
    ).build()
    found = one(data)
    assert (found.kind, found.os, found.arch, found.abi) == ("exe", "linux", "x86_64", "gnu")
    assert (found.max_glibc, found.max_glibcxx) == ("2.34", "3.4.26")
    assert found.needed == ("libstdc++.so.6", "libc.so.6")
    assert found.runpath == ("$ORIGIN/../lib", "/opt/lib")
    assert found.interpreter == "/lib64/ld-linux-x86-64.so.2"
    assert found.platform == "linux-x86_64-gnu2.34"


@pytest.mark.parametrize(
    ("elf", "platform"),
    [
        (Elf(machine=183, needed=("libc.so.6",)), "linux-aarch64-gnu"),
        (Elf(machine=183, interpreter="/lib/ld-musl-aarch64.so.1"), "linux-aarch64-musl"),
        (Elf(machine=62, needed=("libc.musl-x86_64.so.1",)), "linux-x86_64-musl"),
        (Elf(machine=183, interpreter="/system/bin/linker64"), "android-aarch64"),
        (Elf(machine=183, needed=("libc.so", "libdl.so")), "android-aarch64"),
        (Elf(machine=243, flags=5, needed=("libc.so.6",)), "linux-riscv64-gnu"),
        (Elf(machine=62), "linux-x86_64"),  # static: the file does not tell its C library
        (Elf(machine=62, bits=32), "linux-x32"),
        (Elf(machine=3, bits=32), "linux-x86"),
        (Elf(machine=21), "linux-ppc64le"),
        (Elf(machine=22, order=">"), "linux-s390x"),
        (Elf(machine=62, osabi=9), "freebsd-x86_64"),
        (Elf(machine=9999), "linux-elf-9999"),
    ],
)
def test_the_platform_is_what_the_file_tells(elf: Elf, platform: str) -> None:
    assert one(elf.build()).platform == platform


@pytest.mark.parametrize(
    ("flags", "attributes", "arch", "float_abi"),
    [
        (0x05000400, samples.arm_attributes((6, 10), (28, 1), name="7-A"), "armv7", "hard"),
        (0x05000400, samples.arm_attributes((6, 7), (28, 1), name="6KZ"), "armv6", "hard"),
        (0x05000200, samples.arm_attributes((6, 6)), "armv6", "soft"),
        (0x05000000, samples.arm_attributes((6, 14), (28, 1)), "armv7", "hard"),
        (0x05000000, samples.arm_attributes((6, 10)), "armv7", "soft"),
        (0x05000400, b"", "arm", "hard"),
        (0x05000000, b"", "arm", ""),
        (0x05000400, b"A\xff\xff\xff\xffnonsense\0\x01", "arm", "hard"),
    ],
    ids=["debian", "raspbian", "armel6", "v8 in 32 bits", "armel7", "bare", "old", "nonsense"],
)
def test_arm_tells_its_architecture_by_attributes_only(
    flags: int, attributes: bytes, arch: str, float_abi: str
) -> None:
    """Debian's and Raspbian's armhf share a triple and are not the same (reference trap 1)."""
    found = one(Elf(bits=32, machine=40, flags=flags, attributes=attributes).build())
    assert (found.arch, found.float_abi, found.bits) == (arch, float_abi, 32)


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("order", ["<", ">"])
def test_both_sizes_and_orders_are_read_alike(bits: int, order: str) -> None:
    elf = Elf(
        bits=bits,
        order=order,
        soname="libx.so.1",
        needed=("liby.so",),
        rpath="/old",
        versions=(("libc.so.6", ("GLIBC_2.17",)),),
    )
    found = one(elf.build())
    assert (found.soname, found.needed, found.runpath) == ("libx.so.1", ("liby.so",), ("/old",))
    assert (found.kind, found.bits, found.max_glibc) == ("shared", bits, "2.17")
    assert found.endian == ("little" if order == "<" else "big")


def test_a_library_that_is_also_a_program_stays_a_library() -> None:
    """As libc.so.6, which has an interpreter."""
    elf = Elf(interpreter="/lib64/ld-linux-x86-64.so.2", soname="libc.so.6")
    assert one(elf.build()).kind == "shared"
    assert one(Elf(kind=2).build()).kind == "exe"
    assert one(Elf(kind=1).build()).kind == "object"
    assert one(Elf(kind=4).build()).kind == "core"


def test_mach_o_of_one_machine() -> None:
    data = samples.macho(
        0x0100000C,
        kind=6,
        commands=(
            samples.load_command(0xD, 0, 0, 0, text="@rpath/libx.dylib"),
            samples.load_command(0xC, 0, 0, 0, text="/usr/lib/libSystem.B.dylib"),
            samples.load_command(0x80000018, 0, 0, 0, text="/usr/lib/libweak.dylib"),
            samples.load_command(0x8000001C, text="@loader_path/../lib"),
            samples.load_command(0x32, 1, 0x000B0000, 0x000E0100, 0),
        ),
    )
    found = one(data)
    assert (found.os, found.arch, found.kind, found.min_os) == ("macos", "arm64", "shared", "11.0")
    assert found.soname == "@rpath/libx.dylib"
    assert found.needed == ("/usr/lib/libSystem.B.dylib", "/usr/lib/libweak.dylib")
    assert found.runpath == ("@loader_path/../lib",)
    assert found.platform == "macos-arm64-11.0"


def test_mach_o_of_several_machines() -> None:
    old = samples.load_command(0x24, 0x000A0D01, 0)
    x86, arm = samples.macho(0x01000007, commands=(old,)), samples.macho(0x0100000C)
    for wide in (False, True):
        found = read_all(reading(samples.fat((0x01000007, x86), (0x0100000C, arm), wide=wide)))
        assert [part.arch for part in found] == ["x86_64", "arm64"]
        assert found[0].min_os == "10.13.1"


def test_older_mach_o_is_read_too() -> None:
    data = samples.macho(7, bits=32, order=">", commands=())
    found = one(data)
    assert (found.arch, found.bits, found.endian) == ("x86", 32, "big")


def test_a_java_class_is_no_image() -> None:
    """It begins like a Mach-O file for several machines; its version stands where they count."""
    assert read(reading(b"\xca\xfe\xba\xbe" + struct.pack(">HH", 0, 61) + b"\0" * 64)) is None


@pytest.mark.parametrize(
    ("machine", "wide", "arch"),
    [(0x8664, True, "x86_64"), (0xAA64, True, "aarch64"), (0x14C, False, "x86")],
)
def test_pe_programs(machine: int, wide: bool, arch: str) -> None:  # noqa: FBT001
    found = one(samples.pe(machine, wide=wide, imports=("KERNEL32.dll", "msvcrt.dll")))
    assert (found.os, found.arch, found.kind) == ("windows", arch, "exe")
    assert found.needed == ("KERNEL32.dll", "msvcrt.dll")
    assert found.abi == "mingw"
    assert found.bits == (64 if wide else 32)


def test_a_dll_says_so_and_a_dos_program_is_no_image() -> None:
    found = one(samples.pe(0x8664, dll=True, imports=("VCRUNTIME140.dll",)))
    assert (found.kind, found.abi) == ("shared", "")
    assert one(samples.pe(0x8664)).needed == ()
    assert read(reading(b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0x40) + b"\0" * 8)) is None


def test_webassembly_modules() -> None:
    wasi = (2, b"\x01\x16wasi_snapshot_preview1\x07fd_read\x00\x00")
    found = one(samples.wasm((1, b"\0" * 200), wasi))
    assert (found.os, found.arch, found.kind, found.platform) == (
        "wasi",
        "wasm32",
        "exe",
        "wasi-wasm32",
    )
    assert one(samples.wasm()).os == ""
    assert one(samples.wasm((0, b"\x07linking\x02"))).kind == "object"


def test_a_static_library_has_the_machine_of_its_members() -> None:
    member = Elf(machine=183, kind=1).build()
    for name in ("x.o/", "#1/4"):
        body = b"x.o\0" + member if name == "#1/4" else member
        found = one(samples.ar(("/", b"symbols"), (name, body)))
        assert (found.kind, found.arch) == ("archive", "aarch64")
    assert read(reading(samples.ar(("/", b"symbols")))) is None
    assert read(reading(samples.ar())) is None


def test_an_archive_in_an_archive_is_not_followed() -> None:
    inner = samples.ar(("x.o/", Elf().build()))
    assert read(reading(samples.ar(("inner.a/", inner)))) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x7fEL",
        b"#!/bin/sh\n",
        b"/* GNU ld script */\nGROUP ( /lib/libc.so.6 )\n",
        b"INPUT(-ltinfo)\n",
        b"\0" * 100,
        b"!<thin>\n",
    ],
    ids=["empty", "cut", "script", "linker script", "input", "zeros", "thin archive"],
)
def test_what_is_no_image_is_no_fault(data: bytes) -> None:
    """Linker scripts stand where libraries are looked for (reference trap 6)."""
    assert read(reading(data)) is None


@pytest.mark.parametrize("data", [b"\x7fELF" + b"\0" * 60, b"\x7fELF", b"MZ", b"!<arch>\nx"])
def test_a_broken_image_is_a_format_error(data: bytes) -> None:
    with pytest.raises(FormatError):
        read(reading(data))


def test_every_cut_of_an_image_is_refused_or_read() -> None:
    data = Elf(needed=("libc.so.6",), versions=(("libc.so.6", ("GLIBC_2.17",)),)).build()
    refused = 0
    for size in range(4, len(data)):
        try:
            read(reading(data[:size]))
        except FormatError:
            refused += 1
    assert refused > len(data) // 2


def test_endless_version_tables_end() -> None:
    """Tables that point to themselves, or claim billions of entries."""
    data = bytearray(Elf(versions=(("libc.so.6", ("GLIBC_2.17", "GLIBC_2.18")),)).build())
    row = data.index(struct.pack("<HH", 1, 2))
    data[row + 2 : row + 4] = b"\xff\xff"
    struct.pack_into("<I", data, row + 16 + 12, 0)
    assert one(bytes(data)).max_glibc == "2.17"
    struct.pack_into("<I", data, row + 16 + 12, 2**32 - 1)
    with pytest.raises(FormatError):
        read(reading(bytes(data)))
