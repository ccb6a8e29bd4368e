"""How to install a missing build tool on this machine.

Rules (SPEC BLD-02):
- The machine's distribution is told by the text of `/etc/os-release` (os-release(5)): `ID` first,
  then the words of `ID_LIKE`. macOS has no such file.
- The answer is one command that a person can paste; for an unknown system it is a sentence.
"""

from __future__ import annotations

from dataclasses import dataclass

CXX = "a C and C++ compiler"


@dataclass(frozen=True, slots=True)
class _Manager:
    """One package manager: its command, who uses it, and packages named unlike their tool."""

    command: str
    systems: tuple[str, ...]
    packages: tuple[tuple[str, str], ...]


_MANAGERS = (
    _Manager(
        "sudo apt install",
        ("debian", "ubuntu", "raspbian"),
        ((CXX, "gcc g++"), ("ninja", "ninja-build"), ("python", "python3")),
    ),
    _Manager(
        "sudo dnf install",
        ("fedora", "rhel", "centos", "amzn"),
        (
            (CXX, "gcc gcc-c++"),
            ("ninja", "ninja-build"),
            ("pkg-config", "pkgconf-pkg-config"),
            ("python", "python3"),
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


def _words(os_release: str) -> tuple[str, ...]:
    fields = dict(line.split("=", 1) for line in os_release.splitlines() if "=" in line)
    text = f"{fields.get('ID', '')} {fields.get('ID_LIKE', '')}"
    return tuple(text.replace('"', " ").replace("'", " ").lower().split())
