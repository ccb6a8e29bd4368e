"""Target: another machine that wheels are chosen for, as uv and pip are told of it.

Rules (SPEC PYE-09, PEP 425, PEP 508, PEP 600, PEP 656):
- It is a platform and a minor version of CPython. Nothing of it runs here.
- Its tags are those of every floor up to the platform's own, the newest first. Where the floor is
  not known, only wheels that state none fit.
- uv has words for few platforms and floors; the closest one below is taken. Where it has none,
  pip chooses, which takes tags.
- pip asks the markers of a dependency of the machine that it runs on; so crpack asks them of the
  target once more, in the environment that stands here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from crpack.install.python.tags import LEGACY
from crpack.model.platforms import Platform, spelling

_LIBC = re.compile(r"(manylinux|musllinux)_([0-9]+)_([0-9]+)_(\w+)")
_OLDEST, _NEWEST = 5, 99  # of glibc 2: 2.5 is that of `manylinux1`
_UV_GLIBC = (*range(40, 30, -1), 28, 17)
_SYSTEMS = {
    "linux": ("posix", "linux", "Linux"),
    "android": ("posix", "android", "Android"),
    "macos": ("posix", "darwin", "Darwin"),
    "windows": ("nt", "win32", "Windows"),
    "wasi": ("posix", "wasi", "WASI"),
}


@dataclass(frozen=True, slots=True)
class Target:
    """Another machine: its platform, and the minor version of its CPython, such as `3.11`."""

    platform: Platform
    version: str

    def __str__(self) -> str:
        return f"Python {self.version} on `{self.platform}`"

    @property
    def tags(self) -> tuple[str, ...]:
        """Platform tags, the preferred one first."""
        cell = spelling(self._floored(), "wheel")
        match = _LIBC.fullmatch(cell)
        if match is None:
            return (cell or "any",)
        kind, major, newest, arch = match[1], int(match[2]), int(match[3]), match[4]
        if kind == "musllinux":
            found = [f"musllinux_{major}_{minor}" for minor in range(min(newest, _NEWEST), -1, -1)]
        else:
            found = _manylinux(newest) if major == 2 else []
        return tuple(f"{one}_{arch}" for one in (*found, "linux"))

    @property
    def abi(self) -> str:
        """The tag of CPython's own ABI, such as `cp311`."""
        return "cp" + self.version.replace(".", "")

    @property
    def uv(self) -> str:
        """The word of `uv pip compile --python-platform`; empty where uv has none."""
        platform, floor = self.platform, self._floor
        if platform.os == "macos":
            return spelling(platform.base, "rust") if platform.floor else ""
        if platform.os != "linux" or platform.arch not in ("x86_64", "aarch64"):
            return ""
        if platform.abi == "musl":  # uv means 1.2
            return spelling(platform.base, "rust") if floor >= (1, 2) else ""
        known = next((minor for minor in _UV_GLIBC if (2, minor) <= floor), 0)
        return f"{platform.arch}-manylinux_2_{known}" if known else ""

    @property
    def variables(self) -> tuple[tuple[str, str], ...]:
        """What uv is told of the target in its environment."""
        macos = self.platform.os == "macos"
        return (("MACOSX_DEPLOYMENT_TARGET", self.platform.floor),) if macos else ()

    @property
    def environment(self) -> tuple[tuple[str, str], ...]:
        """The environment that markers are asked of (PEP 508), without `extra`."""
        os_name, sys_platform, system = _SYSTEMS.get(self.platform.os, ("", "", ""))
        return (
            ("implementation_name", "cpython"),
            ("implementation_version", f"{self.version}.0"),
            ("os_name", os_name),
            ("platform_machine", spelling(self.platform, "cmake")),
            ("platform_python_implementation", "CPython"),
            ("platform_release", ""),
            ("platform_system", system),
            ("platform_version", ""),
            ("python_full_version", f"{self.version}.0"),
            ("python_version", self.version),
            ("sys_platform", sys_platform),
        )

    @property
    def _floor(self) -> tuple[int, int]:
        """The floor as two numbers; musl is 1.2 where it is not stated, as in the table."""
        unknown = "1.2" if self.platform.abi == "musl" else "0"
        major, minor, *_ = [*(self.platform.floor or unknown).split("."), "0"]
        return int(major), int(minor)

    def _floored(self) -> Platform:
        """Return the platform with a floor in the form that tags have."""
        if self.platform.os == "android":
            return self.platform
        return replace(self.platform, floor="{}.{}".format(*self._floor))


def _manylinux(newest: int) -> list[str]:
    legacy = {floor: name for name, floor in LEGACY.items()}
    found = []
    for minor in range(min(newest, _NEWEST), _OLDEST - 1, -1):
        found.append(f"manylinux_2_{minor}")
        found += [legacy[2, minor]] if (2, minor) in legacy else []
    return found
