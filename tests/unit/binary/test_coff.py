"""Objects for Windows, and the members of its import libraries."""

from __future__ import annotations

import shutil
import struct
import subprocess
from typing import TYPE_CHECKING

import pytest

from crpack.binary.reader import read_all
from tests.unit.binary.samples import ar, reading

if TYPE_CHECKING:
    from pathlib import Path

BIG = bytes.fromhex("c7a1bad1eebaa94baf20faf66aa4dcb8")


def coff(machine: int, *, sections: int = 1, optional: int = 0, name: bytes = b".text") -> bytes:
    head = struct.pack("<HHIIIHH", machine, sections, 0, 0, 0, optional, 0)
    return head + name.ljust(40, b"\0")


def member(machine: int, *, version: int = 0) -> bytes:
    names = b"f\0l.dll\0"
    return struct.pack("<HHHHIIHH", 0, 0xFFFF, version, machine, 0, len(names), 0, 0) + names


@pytest.mark.parametrize(
    ("data", "arch"),
    [
        (coff(0x8664), "x86_64"),
        (coff(0xAA64), "aarch64"),
        (coff(0x14C), "x86"),
        (member(0x8664), "x86_64"),
        (struct.pack("<HHHHI", 0, 0xFFFF, 2, 0x8664, 0) + BIG + b"\0" * 40, "x86_64"),
    ],
    ids=["x86_64", "arm64", "x86", "import", "big"],
)
def test_an_object_tells_its_machine(data: bytes, arch: str) -> None:
    """AUD-01."""
    (found,) = read_all(reading(data))
    assert (found.format, found.kind, found.os, found.arch) == ("pe", "object", "windows", arch)


@pytest.mark.parametrize(
    "data",
    [
        coff(0x8664, optional=240),
        coff(0x8664, sections=0),
        coff(0x8664, name=b"\xff\xfe"),
        coff(0x1234),
        coff(0x8664)[:19],
        member(0x8664, version=1),
        b"\0\0\xff\xff" + b"\0" * 60,
        b"d\x86 is the first line of a text, which goes on and on and on and on and on",
    ],
)
def test_what_begins_like_an_object_and_is_none_is_no_image(data: bytes) -> None:
    """AUD-06."""
    assert read_all(reading(data)) == ()


def test_an_import_library_is_a_static_library_for_windows() -> None:
    """AUD-01."""
    (found,) = read_all(reading(ar(("l.dll", member(0x8664)), ("l.dll", member(0x8664)))))
    assert (found.kind, found.platform) == ("archive", "windows-x86_64")


def test_real_objects_and_import_libraries_are_read(tmp_path: Path) -> None:
    """AUD-01."""
    gcc = shutil.which("x86_64-w64-mingw32-gcc")
    if gcc is None:
        pytest.skip("no mingw gcc")
    (tmp_path / "l.c").write_text("int f(void) { return 1; }\n")
    subprocess.run([gcc, "-c", "l.c"], cwd=tmp_path, check=True)
    implib = "-Wl,--out-implib,l.dll.a"
    subprocess.run([gcc, "-shared", "l.o", "-o", "l.dll", implib], cwd=tmp_path, check=True)
    for name, kind in (("l.o", "object"), ("l.dll", "shared"), ("l.dll.a", "archive")):
        (found,) = read_all(reading((tmp_path / name).read_bytes()))
        assert (found.kind, found.os, found.arch) == (kind, "windows", "x86_64"), name
