"""Choosing compilers from facts: what they are, not what they are called."""

from __future__ import annotations

from dataclasses import replace

import pytest

from crpack.errors import BuildFailed
from crpack.make import advice, cpu, equipment
from crpack.make.toolbox import Toolbox
from crpack.make.toolchains import choice
from crpack.model import platforms
from crpack.model.facts import Cpu, Facts, Found
from crpack.model.recipe import Build, ScriptTable
from tests.unit.make.room import LINUX

NATIVE = "x86_64-linux-gnu"
DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n'


def found(path: str, version: str | None = "12.2.0", target: str = NATIVE) -> Found:
    return Found(path.rpartition("/")[2], version, path=path, target=target)


def facts(*paths: Found, level: str = "x86-64-v3") -> Facts:
    known = (("@cpu", level), ("@glibc", "2.36"))
    return Facts(str(LINUX), known, Cpu(), paths)


def pair(folder: str, version: str = "12.2.0", target: str = NATIVE) -> tuple[Found, Found]:
    return found(f"{folder}/gcc", version, target), found(f"{folder}/g++", version, target)


def test_the_native_gcc_is_chosen_whatever_stands_before_it() -> None:
    """BLD-01."""
    cross = pair("/usr/bin", target="aarch64-linux-gnu")
    clang = (found("/usr/bin/clang", "14.0.6"), found("/usr/bin/clang++", "14.0.6"))
    chosen = choice.choose(facts(*cross, *clang, *pair("/opt/bin", "13.1.0")), LINUX)
    assert (chosen.family, chosen.version) == ("gcc", "13.1.0")
    assert (chosen.cc, chosen.cxx) == ("/opt/bin/gcc", "/opt/bin/g++")
    assert chosen.libc == "glibc 2.36"
    assert chosen.cpu_flags == ("-march=x86-64-v3",)


def test_clang_serves_where_there_is_no_gcc() -> None:
    """BLD-01."""
    clang = (found("/usr/bin/clang", "14.0.6"), found("/usr/bin/clang++", "14.0.6"))
    assert choice.choose(facts(*clang), LINUX).family == "clang"


def test_the_first_on_path_wins() -> None:
    """BLD-01."""
    machine = facts(*pair("/usr/local/bin", "14.1.0"), *pair("/usr/bin"))
    assert choice.choose(machine, LINUX).version == "14.1.0"


def test_c_and_cxx_never_come_from_two_places_or_versions() -> None:
    """BLD-01."""
    apart = (found("/usr/bin/gcc"), found("/opt/bin/g++"))
    skewed = (found("/a/gcc", "12.2.0"), found("/a/g++", "11.1.0"))
    mixed = (found("/b/gcc"), found("/b/x86_64-linux-gnu-g++"))
    with pytest.raises(BuildFailed):
        choice.choose(facts(*apart, *skewed, *mixed), LINUX)
    chosen = choice.choose(facts(*apart, *pair("/c")), LINUX)
    assert chosen.cc == "/c/gcc"


def test_a_suffixed_pair_is_a_pair() -> None:
    """BLD-01."""
    machine = facts(found("/usr/bin/gcc-12"), found("/usr/bin/g++-12"))
    assert choice.choose(machine, LINUX).cxx == "/usr/bin/g++-12"


@pytest.mark.parametrize(
    "triple", ["x86_64-pc-linux-gnu", "x86_64-redhat-linux", "x86_64-suse-linux", NATIVE]
)
def test_the_vendor_of_a_triple_does_not_matter(triple: str) -> None:
    """BLD-01."""
    assert choice.choose(facts(*pair("/usr/bin", target=triple)), LINUX).triple == triple


def test_the_gcc_of_an_armv6_machine_is_for_armv6() -> None:
    """BLD-01."""
    target = platforms.parse("linux-armv6-gnu")
    own = pair("/usr/bin", target="arm-linux-gnueabihf")
    assert choice.choose(replace(facts(*own), platform=str(target)), target).target == target


def test_without_a_compiler_the_failure_says_what_where_and_how() -> None:
    """BLD-02."""
    cross = found("/usr/bin/aarch64-linux-gnu-gcc", target="aarch64-linux-gnu")
    with pytest.raises(BuildFailed) as failure:
        choice.choose(
            facts(cross, found("/usr/bin/gcc"), found("/opt/clang", None)),
            LINUX,
            os_release=DEBIAN,
            searched=("/usr/local/bin", "/usr/bin"),
        )
    error = failure.value
    assert error.exit_code == 6
    assert error.what == f"this machine has no C and C++ compiler for `{LINUX}`"
    assert error.why[0].startswith("looked for `gcc` with `g++`, then `clang` with `clang++`")
    assert "then `zig`, for `x86_64-linux-gnu`, in `/usr/local/bin`, `/usr/bin`" in error.why[0]
    assert error.why[1:] == (
        "`/usr/bin/aarch64-linux-gnu-gcc` is version 12.2.0 for `aarch64-linux-gnu`",
        "`/usr/bin/gcc` is version 12.2.0 for this target, without its partner or its binutils",
        "`/opt/clang` is of unknown version for `x86_64-linux-gnu`",
    )
    assert error.hint == "run `sudo apt install gcc g++`"


@pytest.mark.parametrize(
    ("tool", "os_release", "system", "command"),
    [
        ("make", "ID=fedora\n", "linux", "run `sudo dnf install make`"),
        ("ninja", 'ID="ubuntu"\nID_LIKE=debian', "linux", "run `sudo apt install ninja-build`"),
        (advice.CXX, "ID=manjaro\nID_LIKE=arch", "linux", "run `sudo pacman -S gcc`"),
        (advice.CXX, "ID=alpine", "linux", "run `sudo apk add build-base`"),
        ("pkg-config", 'ID="opensuse-leap"\nID_LIKE="suse opensuse"', "linux",
         "run `sudo zypper install pkg-config`"),
        ("cmake", "", "macos", "run `brew install cmake`"),
        (advice.CXX, "", "macos", "run `xcode-select --install`"),
        ("make", "", "linux", "install `make` with the package manager of this system"),
        (advice.CXX, "ID=unheard", "linux",
         "install a C and C++ compiler with the package manager of this system"),
    ],
)  # fmt: skip
def test_the_advice_fits_the_distribution(
    tool: str, os_release: str, system: str, command: str
) -> None:
    """BLD-02."""
    assert advice.install_command(tool, os_release=os_release, os=system) == command


def test_a_tool_that_is_missing_is_named_with_its_package() -> None:
    """BLD-02."""
    box = Toolbox(None, (("make", "/usr/bin/make"),), LINUX, DEBIAN, ("/bin",))
    assert box.path("make") == "/usr/bin/make"
    with pytest.raises(BuildFailed, match="needs `cmake`") as failure:
        box.path("cmake")
    assert failure.value.why == ("looked for `cmake` in `/bin`",)
    assert failure.value.hint == "run `sudo apt install cmake`"


def test_only_a_build_that_compiles_needs_a_compiler() -> None:
    """BLD-02."""
    plain = Build("script", script=ScriptTable((("/bin/true",),)))
    compiling = Build("script", script=ScriptTable((("{tool.cxx}", "a.cpp"),)))
    for build in (plain, Build("copy"), Build("headers")):
        assert equipment.equip(build, facts(), LINUX).toolchain is None
    for build in (compiling, Build("make"), Build("cmake")):
        with pytest.raises(BuildFailed):
            equipment.equip(build, facts(), LINUX)


def test_tools_are_the_first_runnable_of_each_name() -> None:
    """BLD-02."""
    broken = Found("make", "4.3", path="/a/make", runnable=False)
    box = equipment.equip(
        Build("copy"),
        facts(broken, found("/b/make"), found("/c/make"), *pair("/usr/bin")),
        LINUX,
    )
    assert box.tools == (("make", "/b/make"),)


@pytest.mark.parametrize(
    ("platform", "level", "features", "compiler", "flags"),
    [
        ("linux-x86_64-gnu", "x86-64-v4", "", "gcc 12.2.0", "-march=x86-64-v4"),
        ("linux-x86_64-gnu", "", "", "gcc 12.2.0", "-march=x86-64"),
        ("linux-x86_64-gnu", "x86-64-v2", "", "gcc 10.2",
         "-march=x86-64 -mcx16 -msahf -mpopcnt -msse4.2"),
        ("linux-x86_64-gnu", "x86-64-v2", "", "clang 14", "-march=x86-64-v2"),
        ("linux-aarch64-gnu", "", "asimd", "gcc 12", "-march=armv8-a"),
        ("linux-aarch64-gnu", "", "asimddp asimdhp asimdrdm atomics", "gcc 12",
         "-march=armv8.2-a+fp16+dotprod"),
        ("linux-armv7-gnu", "", "neon vfpv4", "gcc 12",
         "-march=armv7-a -mfpu=neon-vfpv4 -mfloat-abi=hard"),
        ("linux-armv7-gnu", "", "", "gcc 12", "-march=armv7-a -mfpu=vfpv3-d16 -mfloat-abi=hard"),
        ("linux-armv6-gnu", "", "", "gcc 12", "-march=armv6 -mfpu=vfp -mfloat-abi=hard"),
        ("macos-arm64-11.0", "", "", "clang 15", "-mcpu=apple-m1"),
        ("wasi-wasm32", "", "", "clang 15", ""),
    ],
)  # fmt: skip
def test_cpu_flags_name_a_level(
    platform: str, level: str, features: str, compiler: str, flags: str
) -> None:
    """BLD-04."""
    family, version = compiler.split()
    target = platforms.parse(platform)
    given = cpu.flags(target, level, frozenset(features.split()), family, version)
    assert " ".join(given) == flags
