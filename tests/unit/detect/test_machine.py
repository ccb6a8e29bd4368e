"""The facts of a machine (DET-11)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import pytest

from crpack.binary.image import Image
from crpack.detect import machine, path
from crpack.detect.cache import Cache
from crpack.errors import DetectError
from crpack.model import facts, platforms


def own(arch: str, *, abi: str = "gnu", bits: int = 64, os_name: str = "linux") -> Image:
    return Image(format="elf", kind="exe", os=os_name, arch=arch, abi=abi, bits=bits)


@pytest.mark.parametrize(
    ("image", "libc", "version", "uname", "platform"),
    [
        (own("x86_64"), "glibc", "2.36", "x86_64", "linux-x86_64-gnu2.36"),
        # A 32-bit userland on a 64-bit kernel, and a container under emulation.
        (own("armv7", bits=32), "glibc", "2.36", "aarch64", "linux-armv7-gnu2.36"),
        (own("armv6", bits=32), "glibc", "2.36", "aarch64", "linux-armv6-gnu2.36"),
        (own("arm", bits=32), "glibc", "2.36", "armv7l", "linux-armv7-gnu2.36"),
        (own("aarch64"), "glibc", "2.31", "x86_64", "linux-aarch64-gnu2.31"),
        (own("riscv64"), "glibc", "2.36", "riscv64", "linux-riscv64-gnu2.36"),
        (own("x86_64", abi="musl"), "musl", "1.2.4", "x86_64", "linux-x86_64-musl"),
        (own("x86_64", abi=""), "glibc", "", "x86_64", "linux-x86_64-gnu"),
        (None, "macos", "14.2", "arm64", "macos-arm64-14.2"),
    ],
)
def test_the_platform_is_the_processs_own(
    image: Image | None, libc: str, version: str, uname: str, platform: str
) -> None:
    """DET-11."""
    assert str(machine.platform_of(image, libc, version, uname)) == platform


def test_a_platform_without_a_name_is_an_error() -> None:
    """DET-11."""
    with pytest.raises(DetectError) as caught:
        machine.platform_of(own("s390x"), "glibc", "2.36", "s390x")
    assert "`linux-s390x-gnu2.36`" in caught.value.what


def test_versions_of_c_libraries() -> None:
    assert machine.glibc_version("glibc 2.36") == "2.36"
    assert machine.glibc_version("uClibc 1.0") == machine.glibc_version("") == ""
    banner = b"musl libc (x86_64)\nVersion 1.2.3\nDynamic Program Loader\n"
    assert machine.musl_version(banner) == "1.2.3"
    assert machine.musl_version(b"Version 1.2.3") == ""


def test_memory_is_bounded_by_the_control_group() -> None:
    meminfo = b"MemTotal:        8000000 kB\nMemFree: 1 kB\n"
    assert machine.memory_bytes(meminfo, b"") == 8_192_000_000
    assert machine.memory_bytes(meminfo, b"max\n") == 8_192_000_000
    assert machine.memory_bytes(meminfo, b"1073741824\n") == 1 << 30
    assert machine.memory_bytes(b"", b"1073741824") == 0


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's own files")
def test_this_machine_is_described_as_others_describe_it() -> None:
    """DET-11, FCT-05."""
    found = machine.gather()
    platform = platforms.parse(found.platform)
    ldd = subprocess.run(["/usr/bin/getconf", "GNU_LIBC_VERSION"], capture_output=True, check=False)
    if ldd.returncode == 0:
        assert platform.floor == found.capability("@glibc") == ldd.stdout.decode().split()[1]
    assert found.cpu.cores == len(os.sched_getaffinity(0))
    assert (
        0
        < int(found.capability("@memory"))
        <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    )
    known = {"@glibc", "@glibcxx", "@musl", "@macos", "@cpu", "@memory", "@gpu", "@cuda"}
    assert {name for name, _ in found.capabilities} <= known
    there = {name for name, _ in found.capabilities}
    assert ("@gpu" in there) != ("@gpu" in dict(found.absent))
    assert ("@cuda" in there) != ("@cuda" in dict(found.absent))
    assert facts.from_json(facts.to_json(found)) == found


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's own files")
def test_a_program_asked_is_bounded_and_its_failure_is_an_empty_answer() -> None:
    assert machine._ask(("/no/such/loader",)) == b""
    assert machine._ask(("/bin/sh", "-c", "echo one; echo two >&2; exit 1")) == b"one\ntwo\n"


def test_a_program_that_told_a_version_is_not_asked_again() -> None:
    """DET-17: one that told none is."""
    kept = Cache(b"", 10**18)
    answers = iter([("", "it is broken"), ("12.4", ""), ("12.5", "")])
    told = [machine._once(kept, "cuda", lambda: next(answers)) for _ in range(4)]
    assert told == [("", "it is broken"), ("12.4", ""), ("12.4", ""), ("12.4", "")]
    assert machine._once(None, "cuda", lambda: next(answers)) == ("12.5", "")


def test_the_platform_is_that_of_the_facts() -> None:
    """DET-11."""
    assert str(machine.here()) == machine.gather().platform


def test_the_c_library_of_another_process_is_read_from_its_file() -> None:
    image = path.read_image(os.path.realpath(sys.executable))
    if sys.platform == "linux":
        assert image is not None
        assert image.os == "linux"
    assert path.read_image("/etc/passwd") is None
    assert path.read_image("/no/such/file") is None


def test_the_system_tells_its_name_where_it_has_one() -> None:
    text = machine.os_release()
    assert text == "" or "ID=" in text


def test_the_cxx_library_tells_what_it_offers() -> None:
    """DET-26."""
    library = (
        b"\x7fELF\0GLIBCXX_3.4\0GLIBCXX_3.4.9\0GLIBCXX_3.4.30\0GLIBCXX_TUNABLES\0CXXABI_1.3.13\0"
    )
    assert machine.glibcxx_version(library) == "3.4.30"
    assert machine.glibcxx_version(b"GLIBCXX_FORCE_NEW\0") == ""


def test_this_machine_offers_the_newest_version_that_its_cxx_library_defines() -> None:
    """DET-26: beside what binutils read of the file that the loader takes."""
    readelf, gcc = shutil.which("readelf"), shutil.which("g++")
    if not (readelf and gcc):
        pytest.skip("this machine has no readelf or no g++")
    file = subprocess.run(
        [gcc, "-print-file-name=libstdc++.so.6"], capture_output=True, text=True, check=True
    ).stdout.strip()
    said = subprocess.run([readelf, "-V", file], capture_output=True, text=True, check=True).stdout
    newest = max(re.findall(r"Name: GLIBCXX_([0-9.]+)", said), key=path.version_key)
    assert machine.gather().capability("@glibcxx") == newest
