"""Toolchains for other targets: what is chosen, what is refused and why, what zig is behind."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from crpack.errors import BuildFailed
from crpack.make import emulators, equipment
from crpack.make.toolchains import choice
from crpack.model import platforms
from crpack.model.facts import Cpu, Facts, Found
from crpack.model.recipe import Build
from tests.unit.make.room import LINUX

if TYPE_CHECKING:
    from pathlib import Path

    from crpack.make.toolchains.chain import Toolchain

DEBIAN = "ID=debian\n"
ARM = "arm-linux-gnueabihf"
ARM64 = "aarch64-linux-gnu"


def found(
    path: str,
    version: str | None = "12.2.0",
    target: str = "",
    *,
    name: str = "",
    platform: str = "",
) -> Found:
    own = name or path.rpartition("/")[2]
    return Found(own, version, path=path, target=target, platform=platform)


def gcc(triple: str, folder: str = "/usr/bin", *, ar: bool = True) -> tuple[Found, ...]:
    """A cross gcc with its binutils; the probe lists each under the name without a prefix."""
    before = f"{folder}/{triple}-"
    own = (
        found(f"{before}gcc", target=triple, name="gcc"),
        found(f"{before}g++", target=triple, name="g++"),
    )
    return (*own, found(f"{before}ar", "2.40", name="ar")) if ar else own


def libc(triple: str, platform: str, version: str = "2.36") -> tuple[Found, ...]:
    root = f"/usr/{triple}"
    return (
        found(f"{root}/lib/libc.so.6", None, name="glibc", platform=f"{platform}2.17"),
        found(f"{root}/include/features.h", version, name="glibc"),
    )


ZIG = found("/opt/zig/zig", "0.17.1")
CLANG = (
    found("/usr/bin/clang", "14.0.6", "x86_64-pc-linux-gnu"),
    found("/usr/bin/clang++", "14.0.6", "x86_64-pc-linux-gnu"),
    found("/usr/bin/llvm-ar", "14.0.6"),
)


def facts(*things: Found) -> Facts:
    known = (("@cpu", "x86-64-v3"), ("@glibc", "2.36"))
    return Facts(str(LINUX), known, Cpu(features=("avx2", "neon")), things)


def choose(target: str, *things: Found) -> Toolchain:
    return choice.choose(facts(*things), platforms.parse(target), os_release=DEBIAN)


def test_an_installed_gcc_comes_before_zig_and_brings_its_own_binutils() -> None:
    """BLD-01, BLD-04."""
    chain = choose("linux-aarch64-gnu", ZIG, *gcc(ARM64), *libc(ARM64, "linux-aarch64-gnu"))
    assert (chain.family, chain.triple, chain.cross) == ("gcc", ARM64, True)
    names = (chain.ar, chain.ranlib, chain.strip, chain.nm)
    assert names == tuple(f"/usr/bin/{ARM64}-{tool}" for tool in ("ar", "ranlib", "strip", "nm"))
    assert (chain.libc, chain.sysroot) == ("glibc 2.36", f"/usr/{ARM64}")
    assert chain.cpu_flags == ("-march=armv8-a",)  # not what this machine's processor has


def test_a_compiler_whose_library_is_newer_than_the_floor_comes_last() -> None:
    """BLD-01."""
    cross = (*gcc(ARM64), *libc(ARM64, "linux-aarch64-gnu"))
    assert choose("linux-aarch64-gnu2.28", *cross, ZIG).family == "zig"
    assert choose("linux-aarch64-gnu2.28", *cross).family == "gcc"
    assert choose("linux-aarch64-gnu2.36", *cross, ZIG).family == "gcc"
    assert choose("linux-aarch64-gnu", *gcc(ARM64), ZIG).family == "zig"  # it has no library


def test_the_name_of_a_folder_says_nothing_of_its_library() -> None:
    """BLD-01."""
    lying = libc(ARM64, "linux-armv7-gnu")
    assert choose("linux-aarch64-gnu", *gcc(ARM64), *lying).sysroot == ""


def test_a_gcc_for_another_target_is_refused_whatever_it_is_called() -> None:
    """BLD-01."""
    before = f"/usr/bin/{ARM64}-"
    liar = (
        found(f"{before}gcc", target="riscv64-linux-gnu", name="gcc"),
        found(f"{before}g++", target="riscv64-linux-gnu", name="g++"),
        found(f"{before}ar", "2.40", name="ar"),
    )
    with pytest.raises(BuildFailed) as failure:
        choose("linux-aarch64-gnu", *liar)
    both = f"`{before}gcc`, `{before}g++` are version 12.2.0 for `riscv64-linux-gnu`"
    assert failure.value.why[1:] == (both,)
    mixed = (liar[0], found(f"{before}g++", target=ARM64, name="g++"), liar[2])
    with pytest.raises(BuildFailed):
        choose("linux-riscv64-gnu", *mixed)


def test_debians_gcc_for_arm_is_refused_for_armv6_with_the_reason() -> None:
    """BLD-01, BLD-02."""
    armhf = (*gcc(ARM), *libc(ARM, "linux-armv7-gnu"))
    assert choose("linux-armv7-gnu", *armhf).family == "gcc"
    assert choose("linux-armv6-gnu", *armhf, ZIG).family == "zig"
    with pytest.raises(BuildFailed) as failure:
        choose("linux-armv6-gnu", *armhf)
    assert any("start files are `armv7` code" in why for why in failure.value.why)
    assert failure.value.hint == "run `pip install ziglang`"
    own = gcc("armv6-rpi-linux-gnueabihf", "/opt/x/bin")
    assert choose("linux-armv6-gnu", *own).triple == "armv6-rpi-linux-gnueabihf"


def test_a_cross_compiler_without_its_binutils_is_none() -> None:
    """BLD-01, BLD-02."""
    with pytest.raises(BuildFailed) as failure:
        choose("linux-aarch64-gnu", *gcc(ARM64, ar=False), found("/usr/bin/ar", "2.40"))
    assert "without its partner or its binutils" in failure.value.why[1]
    assert failure.value.hint == (
        "run `sudo apt install gcc-aarch64-linux-gnu g++-aarch64-linux-gnu`, "
        "or `pip install ziglang`"
    )


@pytest.mark.parametrize(
    ("target", "os_release", "hint"),
    [
        ("windows-x86_64-mingw", DEBIAN,
         ("run `sudo apt install gcc-mingw-w64-x86-64-posix g++-mingw-w64-x86-64-posix`, "
         "or `pip install ziglang`")),
        ("windows-x86_64-mingw", "ID=fedora",
         "run `sudo dnf install mingw64-gcc mingw64-gcc-c++`, or `pip install ziglang`"),
        ("linux-riscv64-gnu", "ID=fedora", "run `pip install ziglang`"),
        ("macos-arm64-11.0", DEBIAN, "run `pip install ziglang`"),
        ("android-aarch64-24", DEBIAN,
         "install Android's NDK, and name its folder in `ANDROID_NDK_ROOT`"),
        ("linux-x86_64-gnu", DEBIAN, "run `sudo apt install gcc g++`"),
    ],
)  # fmt: skip
def test_the_advice_fits_target_and_distribution(target: str, os_release: str, hint: str) -> None:
    """BLD-02."""
    with pytest.raises(BuildFailed) as failure:
        choice.choose(facts(), platforms.parse(target), os_release=os_release)
    assert failure.value.hint == hint


def test_a_mingw_without_threads_is_refused() -> None:
    """BLD-01."""
    triple = "x86_64-w64-mingw32"
    posix = gcc(triple)
    win32 = tuple(replace(one, notes=(("threads", "win32"),)) for one in posix)
    assert choose("windows-x86_64-mingw", *posix).libc == "mingw"
    with pytest.raises(BuildFailed):
        choose("windows-x86_64-mingw", posix[0], win32[1], posix[2])
    with pytest.raises(BuildFailed) as failure:
        choose("windows-x86_64-mingw", *win32)
    assert any("without the threads of C++" in why for why in failure.value.why)


def test_clang_serves_another_target_only_with_its_library_and_binutils() -> None:
    """BLD-01."""
    library = libc(ARM64, "linux-aarch64-gnu")
    archiver = found(f"/usr/bin/{ARM64}-ar", "2.40", name="ar")
    chain = choose("linux-aarch64-gnu", *CLANG, *library, archiver)
    assert (chain.family, chain.flags) == ("clang", (f"--target={ARM64}",))
    for part in ((*CLANG, *library), (*CLANG, archiver)):
        with pytest.raises(BuildFailed):
            choose("linux-aarch64-gnu", *part)


def test_clang_makes_webassembly_with_llvms_binutils() -> None:
    """BLD-01."""
    own = found("/var/lib/dpkg/info/wasi-libc.list", "0.0", name="wasi-libc")
    chain = choose("wasi-wasm32", *CLANG, own)
    assert (chain.family, chain.triple, chain.ar) == ("clang", "wasm32-wasi", "/usr/bin/llvm-ar")
    with pytest.raises(BuildFailed):
        choose("wasi-wasm32", *CLANG)


def ndk(root: Path, *, host: str = "linux-x86_64") -> tuple[Found, ...]:
    own = f"{root}/toolchains/llvm/prebuilt/{host}/AndroidVersion.txt"
    return (
        found(f"{root}/source.properties", "25.2.9519653", name="android-ndk"),
        found(own, None, name="android-ndk"),
    )


def test_an_ndk_has_a_compiler_for_each_api_level(tmp_path: Path) -> None:
    """BLD-01. A stub: no NDK was ever run."""
    chain = choose("android-aarch64-28", *ndk(tmp_path), ZIG)
    own = f"{tmp_path}/toolchains/llvm/prebuilt/linux-x86_64"
    assert (chain.family, chain.triple, chain.libc) == (
        "ndk",
        "aarch64-linux-android28",
        "bionic 28",
    )
    assert chain.cxx == f"{own}/bin/aarch64-linux-android28-clang++"
    assert (chain.strip, chain.sysroot) == (f"{own}/bin/llvm-strip", f"{own}/sysroot")
    assert choose("android-aarch64", *ndk(tmp_path)).triple == "aarch64-linux-android24"
    with pytest.raises(BuildFailed):
        choose("android-aarch64", *ndk(tmp_path, host="darwin-x86_64"), ZIG)


def test_the_key_of_wrappers_does_not_know_where_zig_is() -> None:
    """BLD-30, KEY-03."""
    one = choose("linux-aarch64-gnu2.28", ZIG)
    other = choose("linux-aarch64-gnu2.28", replace(ZIG, path="/home/me/zig"))
    newer = choose("linux-aarch64-gnu2.31", ZIG)
    assert one.wrappers_sha256 == other.wrappers_sha256 != newer.wrappers_sha256
    assert one.wrappers[0].text != other.wrappers[0].text
    assert one.at("/b/tools").cc == "/b/tools/crpack-cc"
    assert choose("linux-x86_64-gnu2.36", *_native()).wrappers_sha256 == ""


def _native() -> tuple[Found, ...]:
    return (
        found("/usr/bin/gcc", target="x86_64-linux-gnu"),
        found("/usr/bin/g++", target="x86_64-linux-gnu"),
    )


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("linux-aarch64-gnu", "target=aarch64-linux-gnu.2.28\ncpu=generic\n"),
        ("linux-armv6-gnu2.31", "target=arm-linux-gnueabihf.2.31\ncpu=arm1176jzf_s\n"),
        ("linux-armv7-musl", "target=arm-linux-musleabihf\ncpu=generic+v7a-neon-d32\n"),
        ("linux-riscv64-gnu", "target=riscv64-linux-gnu.2.28\ncpu=baseline_rv64\n"),
        ("macos-arm64", "target=aarch64-macos.11.0\ncpu=apple_m1\n"),
        ("windows-x86_64-mingw", "target=x86_64-windows-gnu\ncpu=x86_64\n"),
        ("wasi-wasm32", "target=wasm32-wasi\ncpu=generic\n"),
    ],
)
def test_zig_is_told_target_floor_and_least_processor(target: str, words: str) -> None:
    """BLD-30."""
    chain = choose(target, ZIG)
    assert words in chain.wrappers[0].text
    assert chain.folders == ("/opt/zig/zig", "/opt/zig")


@pytest.fixture
def fake(tmp_path: Path) -> Path:
    """Wrappers around a zig that prints what it is called with, a word a line."""
    zig = tmp_path / "a zig" / "zig"
    zig.parent.mkdir()
    zig.write_text('#!/bin/sh\nfor word do echo "<$word>"; done; echo "end"\n')
    zig.chmod(0o755)
    tools = tmp_path / "tools"
    tools.mkdir()
    chain = choose("linux-aarch64-gnu2.28", replace(ZIG, path=str(zig)))
    for one in chain.wrappers:
        (tools / one.name).write_text(one.text)
        (tools / one.name).chmod(0o755)
    return tools


def called(tools: Path, *words: str, tool: str = "cc") -> list[list[str]]:
    """Return the words of each call of zig."""
    env = {"HOME": str(tools), "PATH": "/usr/bin:/bin"}
    argv = [f"{tools}/crpack-{tool}", *words]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=True)
    calls = done.stdout.split("end\n")[:-1]
    return [[word[1:-1] for word in call.splitlines()] for call in calls]


def test_each_of_several_sources_becomes_an_object(fake: Path) -> None:
    """BLD-30."""
    calls = called(fake, "-c", "a.c", "-DX=b c", "sub/b c.c", "-include", "pre.c", "-I", "d.c")
    assert [call[-1] for call in calls] == ["a.c", "sub/b c.c"]
    for call in calls:
        assert call[:3] == ["cc", "-target", "aarch64-linux-gnu.2.28"]
        assert call[call.index("-include") + 1] == "pre.c"
        assert "-DX=b c" in call
    assert len(called(fake, "-c", "a.c", "b.c", "-o", "both.o")) == 1
    assert len(called(fake, "a.c", "b.c")) == 1


def test_known_issues_of_zig_are_put_right(fake: Path) -> None:
    """BLD-30."""
    (link,) = called(
        fake, "a.o", "-shared", "-Wl,-Bsymbolic-functions", "-Wl,-h,l.so", "-o", "l.so"
    )
    assert {"-s", "-Wl,--undefined-version", "-Wl,-soname,l.so"} <= {*link}
    assert "-Wl,-Bsymbolic-functions" not in link
    (compiled,) = called(fake, "-c", "-march=armv8-a+crc", "-mtune=generic", "a.c")
    assert "-mcpu=generic+crc" in compiled
    assert not {"-s", "-mtune=generic", "-march=armv8-a+crc"} & {*compiled}
    (debug,) = called(fake, "-g", "-ggdb3", "a.c")  # it would hold the folder of the build
    assert "-s" in debug
    assert not {"-g", "-ggdb3"} & {*debug}
    (asked,) = called(fake, "-print-multi-os-directory")
    assert asked[:3] == ["cc", "-target", "aarch64-linux-gnu"]
    (version,) = called(fake, "-v")
    assert version[2] == "aarch64-linux-gnu"
    (macros,) = called(fake, "-dM", "-E", "-")  # as Meson asks
    assert macros[:4] == ["cc", "-target", "aarch64-linux-gnu", "-mcpu=generic"]
    (piped,) = called(fake, "-x", "c", "-", "-o", "a")  # keeps its floor
    assert piped[2] == "aarch64-linux-gnu.2.28"
    (verbose,) = called(fake, "-v", "a.o", "-o", "a")  # another target would build it all again
    assert verbose[2] == "aarch64-linux-gnu.2.28"
    asked_linker = subprocess.run(
        [f"{fake}/crpack-cc", "-Wl,--version"], capture_output=True, check=True
    )
    assert asked_linker.stdout.startswith(b"LLD ")  # as Meson knows it
    assert called(fake, "rcs", "l.a", "a.o", tool="ar") == [["ar", "rcs", "l.a", "a.o"]]


QEMU = found("/usr/bin/qemu-aarch64", "7.2")
QEMU_ARM = found("/usr/bin/qemu-arm", "7.2")


def emulator(target: str, *things: Found) -> emulators.Emulator:
    return emulators.find(facts(*things), platforms.parse(target), os_release=DEBIAN)


def test_an_emulator_loads_the_targets_own_library() -> None:
    """BLD-31."""
    one = emulator("linux-aarch64-gnu2.28", QEMU, *libc(ARM64, "linux-aarch64-gnu"))
    assert one.argv == ("/usr/bin/qemu-aarch64", "-L", f"/usr/{ARM64}")
    assert one.env == (("QEMU_LD_PREFIX", f"/usr/{ARM64}"),)
    assert emulator("linux-aarch64-musl", QEMU).argv == ("/usr/bin/qemu-aarch64",)
    armv6 = emulator("linux-armv6-gnu", QEMU_ARM, *libc(ARM, "linux-armv7-gnu"))
    assert armv6.argv == ("/usr/bin/qemu-arm", "-L", f"/usr/{ARM}")


def test_what_runs_here_needs_no_emulator() -> None:
    """BLD-31."""
    for target in ("linux-x86_64-gnu2.17", "linux-x86_64-musl", "any"):
        assert emulator(target) == emulators.NATIVE


@pytest.mark.parametrize(
    ("target", "things", "missing"),
    [
        ("linux-aarch64-gnu", (QEMU,),
         "`linux-aarch64-gnu` was found: run `sudo apt install libc6-arm64-cross`"),
        ("linux-aarch64-gnu", libc(ARM64, "linux-aarch64-gnu"),
         ("`qemu-aarch64`, which runs programs for `linux-aarch64-gnu`, was not found: "
         "run `sudo apt install qemu-user`")),
        ("windows-x86_64-mingw", (), "was not found: run `sudo apt install wine`"),
        ("wasi-wasm32", (), "was not found: run `sudo apt install nodejs`"),
        ("macos-arm64", (), "nothing runs programs for `macos-arm64` on `linux-x86_64-gnu`"),
        ("android-aarch64", (QEMU,), "nothing runs programs for `android-aarch64`"),
    ],
)  # fmt: skip
def test_without_an_emulator_the_reason_says_what_would_run_it(
    target: str, things: tuple[Found, ...], missing: str
) -> None:
    """BLD-31."""
    one = emulator(target, *things)
    assert missing in one.missing
    assert one.argv == ()


def test_evidence_of_an_emulator_is_no_program() -> None:
    """BLD-31."""
    listed = found("/var/lib/dpkg/info/wine.list", None, name="wine")
    assert emulator("windows-x86_64-mingw", listed).missing
    unasked = found("/usr/lib/wine/wine64", None, name="wine")
    assert emulator("windows-x86_64-mingw", unasked).argv == ("/usr/lib/wine/wine64",)


def test_node_runs_webassembly_by_a_file_of_its_own() -> None:
    """BLD-31."""
    one = emulator("wasi-wasm32", found("/usr/bin/node", "20.20.2")).at("/b/tools")
    assert one.argv == ("/usr/bin/node", "--no-warnings", "/b/tools/crpack-wasi.mjs")
    assert not one.files[0].executable


def test_a_build_for_another_target_is_equipped_with_both() -> None:
    """BLD-01, BLD-31."""
    things = (*gcc(ARM64), *libc(ARM64, "linux-aarch64-gnu"), QEMU, found("/usr/bin/make", "4.3"))
    box = equipment.equip(Build("make"), facts(*things), platforms.parse("linux-aarch64-gnu"))
    assert box.compilers().cross
    assert box.emulator.name == "qemu-aarch64"
    assert box.platform == LINUX
    assert box.path("make") == "/usr/bin/make"
