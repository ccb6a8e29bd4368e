"""Real files, read by this reader and by others."""

from __future__ import annotations

import glob
import io
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from typing import TYPE_CHECKING

import pytest
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection
from elftools.elf.segments import InterpSegment

from crpack.binary.reader import read
from tests.unit.binary.samples import reading

if TYPE_CHECKING:
    from crpack.binary.image import Image

PURE = sysconfig.get_paths()["purelib"]
LIBRARIES = sorted(glob.glob(f"{PURE}/**/*.so*", recursive=True))[::11][:60]
PROGRAMS = [
    path
    for path in (os.path.realpath(sys.executable), "/bin/ls", "/usr/bin/gcc", "/usr/bin/cmake")
    if os.path.exists(path)
]
ELF_FILES = [*PROGRAMS, *LIBRARIES]
PE_FILES = sorted(glob.glob(f"{PURE}/**/*.exe", recursive=True))


def contents(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def ours(path: str) -> Image:
    found = read(reading(contents(path)))
    assert found is not None
    return found


def highest(names: set[str], library: str) -> str:
    found = [name.partition("_")[2] for name in names if re.fullmatch(rf"{library}_[\d.]+", name)]
    numbers = sorted(tuple(map(int, version.split("."))) for version in found)
    return ".".join(map(str, numbers[-1])) if numbers else ""


@pytest.mark.skipif(sys.platform != "linux", reason="ELF is Linux's")
def test_elf_files_are_read_as_pyelftools_reads_them() -> None:
    assert ELF_FILES
    for path in ELF_FILES:
        found = ours(path)
        theirs = ELFFile(io.BytesIO(contents(path)))
        needed, runpath, soname = [], "", ""
        versions: set[str] = set()
        for section in theirs.iter_sections():
            if isinstance(section, DynamicSection):
                for tag in section.iter_tags():
                    name = tag.entry.d_tag
                    text = getattr(tag, name[3:].lower(), "")
                    if name == "DT_NEEDED":
                        needed.append(text)
                    runpath = text if name in ("DT_RUNPATH", "DT_RPATH") else runpath
                    soname = text if name == "DT_SONAME" else soname
            elif isinstance(section, GNUVerNeedSection):
                versions |= {one.name for _, ones in section.iter_versions() for one in ones}
        interpreter = "".join(
            segment.get_interp_name()
            for segment in theirs.iter_segments()
            if isinstance(segment, InterpSegment)
        )
        assert (found.bits, found.endian == "little") == (theirs.elfclass, theirs.little_endian)
        assert (found.needed, found.soname) == (tuple(needed), soname), path
        assert ":".join(found.runpath) == runpath, path
        assert found.interpreter == interpreter, path
        assert found.max_glibc == highest(versions, "GLIBC"), path
        assert found.max_glibcxx == highest(versions, "GLIBCXX"), path


@pytest.mark.skipif(not shutil.which("readelf"), reason="readelf is not here")
def test_elf_files_are_read_as_readelf_reads_them() -> None:
    for path in ELF_FILES[:8]:
        found = ours(path)
        done = subprocess.run(["readelf", "-hdVW", path], capture_output=True, check=True)
        text = done.stdout.decode()
        assert tuple(re.findall(r"\(NEEDED\).*\[(.*)\]", text)) == found.needed
        asked = {name for line in re.findall(r"Name: (\S+)", text) for name in [line]}
        assert found.max_glibc == highest(asked, "GLIBC")
        kind = re.search(r"Type:\s+(\w+)", text)
        assert kind
        assert {"exe": "EXEC DYN", "shared": "DYN"}[found.kind].count(kind[1])


@pytest.mark.skipif(not PE_FILES, reason="no PE file is installed here")
def test_pe_files_of_installed_distributions_are_read() -> None:
    expected = {"arm64": "aarch64", "arm": "aarch64", "64": "x86_64", "32": "x86"}
    for path in PE_FILES:
        found = ours(path)
        name = os.path.basename(path)
        key = next(
            key for key in expected if key in name.replace("cli.", "32").replace("gui.", "32")
        )
        assert (found.format, found.os, found.kind) == ("pe", "windows", "exe")
        assert found.arch == expected[key], path
        assert "KERNEL32.dll" in found.needed
