"""Toolchains at work: programs for every target, made here and run by its emulator."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import ARMAttributesSection

from crpack.binary import reader
from crpack.detect import cache, machine, scan
from crpack.make import audit, emulators
from crpack.make.emulators import Emulator
from crpack.make.toolchains import choice
from crpack.make.toolchains.chain import Toolchain
from crpack.model import platforms
from crpack.model.facts import Facts
from crpack.ops import detection
from crpack.process.environment import clean

if TYPE_CHECKING:
    from crpack.binary.image import Image
    from crpack.make.toolchains.chain import Wrapper

C = '#include <stdio.h>\nint main(void) { puts("hello 42 b"); return 0; }\n'
CXX = """\
#include <atomic>
#include <filesystem>
#include <iostream>
#include <stdexcept>
#include <thread>

int main() {
  std::atomic<int> sum{0};
  std::thread worker([&] { sum = 41; });
  worker.join();
  try {
    throw std::runtime_error("one more");
  } catch (const std::exception &) {
    sum = sum + 1;
  }
  std::cout << "hello " << sum << " " << std::filesystem::path("/a/b").filename().string() << "\\n";
}
"""
# WebAssembly of today has neither threads nor exceptions.
PLAIN_CXX = """\
#include <iostream>
#include <numeric>
#include <vector>

int main() {
  const std::vector<int> some{20, 21, 1};
  std::cout << "hello " << std::accumulate(some.begin(), some.end(), 0) << " b\\n";
}
"""
WANTED = {
    "gcc", "clang", "binutils", "llvm", "glibc", "wasi-libc", "qemu-user", "wine", "node", "zig",
}  # fmt: skip
OF_FAMILY = {"gcc": ("gcc", "g++"), "clang": ("clang", "clang++"), "zig": ("zig",)}


@dataclass(frozen=True, slots=True)
class Bench:
    """A toolchain with its wrappers written, and what runs its programs."""

    chain: Toolchain
    emulator: Emulator
    env: dict[str, str]
    folder: Path

    def make(self, name: str, text: str, *flags: str) -> Path:
        """Compile one source as a recipe's step would, and return the program."""
        source, program = self.folder / name, self.folder / f"{name}.out"
        source.write_text(text)
        compiler = self.chain.cc if name.endswith(".c") else self.chain.cxx
        given = (*self.chain.flags, *self.chain.cpu_flags, *self.chain.link_flags, *flags)
        self.run(compiler, *given, "-O2", str(source), "-o", str(program))
        return program

    def start(self, program: Path) -> str:
        return self.run(*self.emulator.argv, str(program))

    def run(self, *argv: str) -> str:
        env = {**self.env, **dict(self.emulator.env)}
        done = subprocess.run(
            argv, cwd=self.folder, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def here() -> Facts:
    recipes = [one for one in detection.shipped() if one.package.name in WANTED]
    found = scan.scan(recipes, scan.Ground(os.environ)).found
    known = machine.gather(cache.Cache(b"", time.time_ns()))
    return replace(known, found=(*found, *detection.own_zig()))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


def bench(here: Facts, home: Path, folder: Path, family: str, target: str) -> Bench:
    """Return a family's toolchain for a target, ready; skips where the machine has none."""
    others = {name for key, names in OF_FAMILY.items() if key != family for name in names}
    some = replace(here, found=tuple(one for one in here.found if one.name not in others))
    platform = platforms.parse(target)
    try:
        chain = choice.choose(some, platform)
    except Exception as error:  # noqa: BLE001
        pytest.skip(f"no {family} for {target}: {error}")
    assert chain.family == family
    tools = folder / "tools of crpack"
    tools.mkdir()
    emulator = emulators.find(here, platform, chain)
    for one in (*chain.wrappers, *emulator.files):
        write(one, tools)
    env = clean({}, home=str(home), tmp=str(folder))
    return Bench(chain.at(str(tools)), emulator.at(str(tools)), env, folder)


def write(one: Wrapper, folder: Path) -> None:
    path = folder / one.name
    path.write_text(one.text)
    path.chmod(0o755 if one.executable else 0o644)


def images(program: Path) -> tuple[Image, ...]:
    data = program.read_bytes()
    return reader.read_all(lambda offset, size: data[offset : offset + size])


def fits(program: Path, target: str) -> None:
    found = images(program)
    assert found, f"{program.name} is no binary"
    for image in found:
        assert not audit.mismatch(image, platforms.parse(target)), image


def works(at: Bench, target: str, *, cxx: str = CXX) -> None:
    """Make and run C and C++17 programs, and see that they are for the target."""
    for name, text, flags in (("h.c", C, ()), ("h.cpp", cxx, ("-std=c++17", "-pthread"))):
        if name == "h.cpp" and not cxx:
            continue
        program = at.make(name, text, *(flags if cxx is CXX else flags[:1]))
        fits(program, target)
        if at.emulator.missing:
            continue
        assert at.start(program).strip() == "hello 42 b"


GCC = ("linux-aarch64-gnu", "linux-armv7-gnu", "linux-riscv64-gnu", "windows-x86_64-mingw")
ZIG = (
    "linux-x86_64-gnu2.17", "linux-x86_64-musl", "linux-aarch64-gnu2.28", "linux-aarch64-musl",
    "linux-armv7-gnu2.28", "linux-armv7-musl", "linux-armv6-gnu2.28", "linux-riscv64-gnu2.31",
    "linux-riscv64-musl", "windows-x86_64-mingw", "macos-arm64-11.0", "macos-x86_64-11.0",
)  # fmt: skip


@pytest.mark.parametrize("target", GCC[:3])
def test_gcc_of_another_target_makes_programs_that_its_emulator_runs(
    here: Facts, home: Path, tmp_path: Path, target: str
) -> None:
    """BLD-01, BLD-31."""
    cxx = CXX if target == GCC[0] else ""
    works(bench(here, home, tmp_path, "gcc", target), target, cxx=cxx)


@pytest.mark.slow
@pytest.mark.parametrize("target", GCC)
def test_gcc_of_another_target_makes_cxx(
    here: Facts, home: Path, tmp_path: Path, target: str
) -> None:
    """BLD-01, BLD-31."""
    at = bench(here, home, tmp_path, "gcc", target)
    if target.startswith("windows"):
        at = replace(at, chain=replace(at.chain, link_flags=("-static",)))
    works(at, target)


@pytest.mark.slow
@pytest.mark.parametrize("target", GCC[:3])
def test_clang_serves_a_target_whose_c_library_is_there(
    here: Facts, home: Path, tmp_path: Path, target: str
) -> None:
    """BLD-01, BLD-31."""
    works(bench(here, home, tmp_path, "clang", target), target)


def test_clang_makes_webassembly_that_node_runs(here: Facts, home: Path, tmp_path: Path) -> None:
    """BLD-01, BLD-31."""
    works(bench(here, home, tmp_path, "clang", "wasi-wasm32"), "wasi-wasm32", cxx=PLAIN_CXX)


@pytest.mark.slow
@pytest.mark.parametrize("target", ZIG)
def test_zig_makes_programs_for_every_target(
    here: Facts, home: Path, tmp_path: Path, target: str
) -> None:
    """BLD-01, BLD-30, BLD-31."""
    works(bench(here, home, tmp_path, "zig", target), target)


@pytest.mark.slow
def test_zig_makes_webassembly(here: Facts, home: Path, tmp_path: Path) -> None:
    """BLD-01, BLD-30, BLD-31."""
    works(bench(here, home, tmp_path, "zig", "wasi-wasm32"), "wasi-wasm32", cxx=PLAIN_CXX)


def test_a_gcc_for_armv7_makes_nothing_for_armv6(here: Facts, home: Path, tmp_path: Path) -> None:
    """AUD-02. pyelftools reads the same attributes."""
    at = bench(here, home, tmp_path, "gcc", "linux-armv7-gnu")
    program = at.make("h.c", C)
    with program.open("rb") as file:
        section = ELFFile(file).get_section_by_name(".ARM.attributes")
        assert isinstance(section, ARMAttributesSection)
        tags = {one.tag: one.value for one in section.subsections[0].subsubsections[0].attributes}
    assert tags["TAG_CPU_ARCH"] == 10  # ARMv7
    (image,) = images(program)
    assert image.arch == "armv7"
    assert "another machine" in audit.mismatch(image, platforms.parse("linux-armv6-gnu"))


def test_an_ndk_is_found_by_its_files(tmp_path: Path) -> None:
    """BLD-01, PRB-04. A stub tree: no NDK was ever run."""
    root = tmp_path / "ndk"
    own = root / "toolchains" / "llvm" / "prebuilt" / "linux-x86_64"
    own.mkdir(parents=True)
    properties = "Pkg.Desc = Android NDK\nPkg.Revision = 25.2.9519653\n"
    (root / "source.properties").write_text(properties)
    (own / "AndroidVersion.txt").write_text("14.0.7\n")
    recipes = [one for one in detection.shipped() if one.package.name == "android-ndk"]
    environ = {"PATH": "/nonexistent", "ANDROID_NDK_ROOT": str(root)}
    found = scan.scan(recipes, scan.Ground(environ), execute=False).found
    facts = Facts("linux-x86_64-gnu2.36", found=found)
    chain = choice.choose(facts, platforms.parse("android-aarch64-24"))
    assert (chain.family, chain.version) == ("ndk", "25.2.9519653")
    assert chain.cc == f"{own}/bin/aarch64-linux-android24-clang"
