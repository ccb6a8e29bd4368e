"""How to install a missing build tool on this machine.

Rules (SPEC BLD-02):
- The machine's distribution is told by the text of `/etc/os-release` (os-release(5)): `ID` first,
  then the words of `ID_LIKE`. macOS has no such file.
- The answer is one command that a person can paste; for an unknown system it is a sentence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crpack.model.platforms import Platform

CXX = "a C and C++ compiler"
_ZIG = "`pip install ziglang`"
_NDK = "install Android's NDK, and name its folder in `ANDROID_NDK_ROOT`"


@dataclass(frozen=True, slots=True)
class _Manager:
    """One package manager: its command, who uses it, and packages named unlike their tool."""

    command: str
    systems: tuple[str, ...]
    packages: tuple[tuple[str, str], ...]


_EMULATED = ("aarch64", "arm", "riscv64", "x86_64")
_MANAGERS = (
    _Manager(
        "sudo apt install",
        ("debian", "ubuntu", "raspbian"),
        (
            (CXX, "gcc g++"),
            ("ninja", "ninja-build"),
            ("node", "nodejs"),
            ("python", "python3"),
            *((f"qemu-{arch}", "qemu-user") for arch in _EMULATED),
        ),
    ),
    _Manager(
        "sudo dnf install",
        ("fedora", "rhel", "centos", "amzn"),
        (
            (CXX, "gcc gcc-c++"),
            ("ninja", "ninja-build"),
            ("node", "nodejs"),
            ("pkg-config", "pkgconf-pkg-config"),
            ("python", "python3"),
            *((f"qemu-{arch}", "qemu-user") for arch in _EMULATED),
        ),
    ),
    _Manager(
        "sudo apk add",
        ("alpine",),
        ((CXX, "build-base"), ("pkg-config", "pkgconf"), ("python", "python3")),
    ),
    _Manager("sudo pacman -S", ("arch",), ((CXX, "gcc"), ("pkg-config", "pkgconf"))),
    _Manager(
        "sudo zypper install",
        ("suse", "opensuse", "sles"),
        ((CXX, "gcc gcc-c++"), ("python", "python3")),
    ),
    _Manager("brew install", ("macos",), (("pkg-config", "pkgconf"),)),
)


# Debian's packages of cross compilers and of the C libraries that emulated programs load.
_DEBIAN = ("debian", "ubuntu")
_DEBIAN_LIBRARIES = {
    "linux-x86_64-gnu": "libc6-amd64-cross",
    "linux-aarch64-gnu": "libc6-arm64-cross",
    "linux-armv7-gnu": "libc6-armhf-cross",
    "linux-armv6-gnu": "libc6-armhf-cross",
    "linux-riscv64-gnu": "libc6-riscv64-cross",
}
_MINGW = "windows-x86_64-mingw"
_CROSS = (
    (_DEBIAN, "linux-x86_64-gnu", "gcc-x86-64-linux-gnu g++-x86-64-linux-gnu"),
    (_DEBIAN, "linux-aarch64-gnu", "gcc-aarch64-linux-gnu g++-aarch64-linux-gnu"),
    (_DEBIAN, "linux-armv7-gnu", "gcc-arm-linux-gnueabihf g++-arm-linux-gnueabihf"),
    (_DEBIAN, "linux-riscv64-gnu", "gcc-riscv64-linux-gnu g++-riscv64-linux-gnu"),
    (_DEBIAN, _MINGW, "gcc-mingw-w64-x86-64-posix g++-mingw-w64-x86-64-posix"),
    (("fedora",), _MINGW, "mingw64-gcc mingw64-gcc-c++"),
    (("arch",), _MINGW, "mingw-w64-gcc"),
    (
        _DEBIAN,
        "wasi-wasm32",
        "clang lld llvm wasi-libc libc++-dev-wasm32 libclang-rt-dev-wasm32",
    ),
)


def compilers(target: Platform, here: Platform, *, os_release: str) -> str:
    """Return how to get compilers for a target, as a sentence (SPEC BLD-02).

    Args:
        target: the platform to compile for.
        here: the build platform.
        os_release: text of `/etc/os-release`; empty when there is none.
    """
    if target.base == here.base:
        return install_command(CXX, os_release=os_release, os=here.os)
    if target.os == "android":
        return _NDK
    words = _words(os_release) if here.os == "linux" else ()
    for systems, name, packages in _CROSS:
        if name == str(target.base) and any(word in systems for word in words):
            return f"run `{_command(words)} {packages}`, or {_ZIG}"
    return f"run {_ZIG}"


def library(target: Platform, *, os_release: str) -> str:
    """Return how to get the C library of another target; empty where no way is known."""
    words = _words(os_release)
    package = _DEBIAN_LIBRARIES.get(str(target.base), "")
    known = package and any(word in _DEBIAN for word in words)
    return f"run `{_command(words)} {package}`" if known else ""


def listed(folders: Iterable[str]) -> str:
    """Return folders that were looked through, as a failure says them."""
    named = ", ".join(f"`{folder}`" for folder in folders)
    return named or "no folder: PATH names none that exists"


def install_command(tool: str, *, os_release: str, os: str = "linux") -> str:
    """Return the command that installs a tool, or a sentence where none is known (SPEC BLD-02).

    Args:
        tool: name of a build tool such as `make`, or `CXX`.
        os_release: text of `/etc/os-release`; empty when there is none.
        os: `os` of the build platform.
    """
    if os == "macos" and tool in (CXX, "make"):
        return "run `xcode-select --install`"
    words = ("macos",) if os == "macos" else _words(os_release)
    for word in words:
        for manager in _MANAGERS:
            if word in manager.systems:
                return f"run `{manager.command} {dict(manager.packages).get(tool, tool)}`"
    name = tool if tool == CXX else f"`{tool}`"
    return f"install {name} with the package manager of this system"


def _command(words: Iterable[str]) -> str:
    """Return the command that installs packages on a system that its words tell."""
    every = ((word, manager) for word in words for manager in _MANAGERS)
    return next(manager.command for word, manager in every if word in manager.systems)


def _words(os_release: str) -> tuple[str, ...]:
    fields = dict(line.split("=", 1) for line in os_release.splitlines() if "=" in line)
    text = f"{fields.get('ID', '')} {fields.get('ID_LIKE', '')}"
    return tuple(text.replace('"', " ").replace("'", " ").lower().split())
