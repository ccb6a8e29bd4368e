"""Platforms: where a result runs, and how every other tool spells it.

Rules (SPEC PLT-01…):
- A platform is `os-arch[-abi][floor]`, such as `linux-x86_64-gnu2.28` or `wasi-wasm32`;
  `any` is the platform of results that run everywhere.
- The floor is the oldest glibc, macOS or Android API that the result asks for. It follows the
  ABI (`gnu2.28`), or stands alone where there is no ABI (`macos-arm64-11.0`).
- CPU level and features are capabilities, never part of a platform.
- One frozen table maps each platform, floor aside, to the spellings of other tools.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from crpack.errors import UsageError

Column = Literal["gnu", "zig", "rust", "conda", "wheel", "debian", "meson", "cmake"]


@dataclass(frozen=True, slots=True)
class Platform:
    """Where a result runs.

    Attributes:
        os: `linux`, `macos`, `windows`, `android`, `wasi`, or `any`.
        arch: `x86_64`, `aarch64`, `arm64` (macOS), `armv7`, `armv6`, `riscv64`, `wasm32`; empty
            for `any`.
        abi: `gnu`, `musl`, `mingw`, or empty.
        floor: oldest glibc, macOS version or Android API level; empty when not stated.
    """

    os: str
    arch: str = ""
    abi: str = ""
    floor: str = ""

    def __str__(self) -> str:
        tail = self.abi + self.floor
        return "-".join(part for part in (self.os, self.arch, tail) if part)

    @property
    def base(self) -> Platform:
        """The same platform without its floor."""
        return replace(self, floor="")

    def accepts(self, result: Platform) -> bool:
        """Say whether a result made for `result` can run here (SPEC PLT-04).

        A result without a floor asks for nothing; a machine whose floor is unknown offers nothing.
        """
        if result == ANY:
            return True
        if result.base != self.base:
            return False
        return not result.floor or (bool(self.floor) and _key(result.floor) <= _key(self.floor))


ANY = Platform("any")


@dataclass(frozen=True, slots=True)
class _Row:
    gnu: str
    zig: str
    rust: str
    conda: str
    wheel: str
    debian: str
    meson: str
    cmake: str


# An empty cell: the tool has no word for the platform. `{v}` stands for the floor.
_TABLE: dict[Platform, _Row] = {
    Platform("linux", "x86_64", "gnu"): _Row(
        "x86_64-linux-gnu",
        "x86_64-linux-gnu",
        "x86_64-unknown-linux-gnu",
        "linux-64",
        "manylinux_{v}_x86_64",
        "amd64",
        "x86_64",
        "x86_64",
    ),
    Platform("linux", "x86_64", "musl"): _Row(
        "x86_64-linux-musl",
        "x86_64-linux-musl",
        "x86_64-unknown-linux-musl",
        "",
        "musllinux_1_2_x86_64",
        "musl-linux-amd64",
        "x86_64",
        "x86_64",
    ),
    Platform("linux", "aarch64", "gnu"): _Row(
        "aarch64-linux-gnu",
        "aarch64-linux-gnu",
        "aarch64-unknown-linux-gnu",
        "linux-aarch64",
        "manylinux_{v}_aarch64",
        "arm64",
        "aarch64",
        "aarch64",
    ),
    Platform("linux", "aarch64", "musl"): _Row(
        "aarch64-linux-musl",
        "aarch64-linux-musl",
        "aarch64-unknown-linux-musl",
        "",
        "musllinux_1_2_aarch64",
        "musl-linux-arm64",
        "aarch64",
        "aarch64",
    ),
    Platform("linux", "armv7", "gnu"): _Row(
        "arm-linux-gnueabihf",
        "arm-linux-gnueabihf",
        "armv7-unknown-linux-gnueabihf",
        "linux-armv7l",
        "manylinux_{v}_armv7l",
        "armhf",
        "arm",
        "armv7l",
    ),
    Platform("linux", "armv7", "musl"): _Row(
        "arm-linux-musleabihf",
        "arm-linux-musleabihf",
        "armv7-unknown-linux-musleabihf",
        "",
        "musllinux_1_2_armv7l",
        "musl-linux-armhf",
        "arm",
        "armv7l",
    ),
    Platform("linux", "armv6", "gnu"): _Row(
        "arm-linux-gnueabihf",
        "arm-linux-gnueabihf",
        "arm-unknown-linux-gnueabihf",
        "linux-armv6l",
        "linux_armv6l",
        "",
        "arm",
        "armv6l",
    ),
    Platform("linux", "riscv64", "gnu"): _Row(
        "riscv64-linux-gnu",
        "riscv64-linux-gnu",
        "riscv64gc-unknown-linux-gnu",
        "linux-riscv64",
        "manylinux_{v}_riscv64",
        "riscv64",
        "riscv64",
        "riscv64",
    ),
    Platform("linux", "riscv64", "musl"): _Row(
        "riscv64-linux-musl",
        "riscv64-linux-musl",
        "riscv64gc-unknown-linux-musl",
        "",
        "musllinux_1_2_riscv64",
        "musl-linux-riscv64",
        "riscv64",
        "riscv64",
    ),
    Platform("macos", "arm64"): _Row(
        "aarch64-apple-darwin",
        "aarch64-macos",
        "aarch64-apple-darwin",
        "osx-arm64",
        "macosx_{v}_arm64",
        "",
        "aarch64",
        "arm64",
    ),
    Platform("macos", "x86_64"): _Row(
        "x86_64-apple-darwin",
        "x86_64-macos",
        "x86_64-apple-darwin",
        "osx-64",
        "macosx_{v}_x86_64",
        "",
        "x86_64",
        "x86_64",
    ),
    Platform("windows", "x86_64", "mingw"): _Row(
        "x86_64-w64-mingw32",
        "x86_64-windows-gnu",
        "x86_64-pc-windows-gnu",
        "win-64",
        "win_amd64",
        "",
        "x86_64",
        "AMD64",
    ),
    Platform("android", "aarch64"): _Row(
        "aarch64-linux-android{v}",
        "aarch64-linux-android",
        "aarch64-linux-android",
        "",
        "android_{v}_arm64_v8a",
        "",
        "aarch64",
        "aarch64",
    ),
    Platform("wasi", "wasm32"): _Row(
        "wasm32-wasi",
        "wasm32-wasi",
        "wasm32-wasip1",
        "wasi-wasm32",
        "",
        "",
        "wasm32",
        "wasm32",
    ),
}

_TAIL = re.compile(r"(?P<abi>[a-z]*)(?P<floor>[0-9]+(?:\.[0-9]+)*)?", re.ASCII)


def known() -> tuple[Platform, ...]:
    """Return every platform of the table, without floors."""
    return tuple(_TABLE)


def parse(text: str) -> Platform:
    """Read a platform's name (SPEC PLT-01).

    Raises:
        UsageError: the name is not in the table.
    """
    if text == "any":
        return ANY
    os_name, _, rest = text.partition("-")
    arch, _, tail = rest.partition("-")
    match = _TAIL.fullmatch(tail)
    if match and len(text) <= 64:
        platform = Platform(os_name, arch, match["abi"], match["floor"] or "")
        if platform.base in _TABLE and str(platform) == text:
            return platform
    raise UsageError(
        f"`{text[:64]}` is not a platform",
        why=["known are " + ", ".join(f"`{name}`" for name in _TABLE) + ", and `any`"],
        hint="a floor may follow, as in `linux-x86_64-gnu2.28` or `macos-arm64-11.0`",
        rule="PLT-01",
    )


def spelling(platform: Platform, column: Column) -> str:
    """Return another tool's name for a platform; empty when it has none (SPEC PLT-03)."""
    if platform.base not in _TABLE:
        return ""
    cell: str = getattr(_TABLE[platform.base], column)
    separator = "_" if column == "wheel" else ""
    floor = platform.floor.replace(".", separator) if separator else platform.floor
    if "{v}" in cell and not floor and column == "wheel":
        return ""
    if column == "zig" and platform.floor and (platform.abi == "gnu" or platform.os == "macos"):
        return f"{cell}.{platform.floor}"
    return cell.replace("{v}", floor)


def from_triple(triple: str) -> Platform | None:
    """Return the platform that a compiler's target triple names, or None (SPEC PLT-03).

    The vendor is ignored (`x86_64-pc-linux-gnu`) and `linux` alone means glibc, as Fedora and SUSE
    write it (`x86_64-redhat-linux`); Debian's `arm-linux-gnueabihf` is ARMv7, and
    `armv6-rpi-linux-gnueabihf` is not.
    """
    arch, _, system = triple.partition("-")
    system = re.sub(r"^(?!linux|apple|w64)\w+-", "", system)
    system = "linux-gnu" if system == "linux" else system
    system = re.sub(r"(darwin|android)[0-9.]+$", r"\1", system)
    system = "wasi" if system == "wasip1" else system
    if arch in ("armv6", "armv6l") and system == "linux-gnueabihf":
        return Platform("linux", "armv6", "gnu")
    folded = f"{_TRIPLE_ARCH.get(arch, arch)}-{system}"
    return next((p for p, row in _TABLE.items() if row.gnu.replace("{v}", "") == folded), None)


_TRIPLE_ARCH = {"amd64": "x86_64", "arm64": "aarch64", "armv7l": "arm", "armv7": "arm"}


def _key(version: str) -> tuple[int, ...]:
    parts = [int(part) for part in version.split(".")]
    while parts and parts[-1] == 0:  # `11.0` is `11`
        parts.pop()
    return tuple(parts)
