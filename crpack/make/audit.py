"""The audit: what the binaries of a result are, and what they need.

Rules (SPEC AUD-01…06):
- Every ELF, PE and Mach-O file and static library is read. One for another system, machine, float
  ABI or C library than the target's fails the build, and so does any in a result for `any`.
- Floors are measured: the newest version that any file asks for, never what a toolchain promises.
  One above the target's own floor fails the build.
- A library that is asked for and is neither in the result, nor of a dependency made by crpack,
  nor a floor of the platform, makes the result not portable.
- An absolute run path, or a folder of the build named inside any file, makes it not relocatable.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack.binary import reader
from crpack.errors import BuildFailed, FormatError
from crpack.make.cpu import numbers
from crpack.model.platforms import ANY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crpack.binary.image import Image
    from crpack.model.platforms import Platform
    from crpack.model.tree import Entry

# Libraries that belong to the platform itself, by system and C library.
_FLOORS = {
    ("linux", "gnu"): (
        r"lib(c|m|mvec|dl|pthread|rt|util|resolv|anl|gcc_s|stdc\+\+)\.so\.[0-9]+"
        r"|ld-linux[a-z0-9-]*\.so\.[0-9]+|ld64\.so\.[0-9]+"
    ),
    ("linux", "musl"): r"libc\.(so|musl-.*)|ld-musl-.*|lib(gcc_s|stdc\+\+)\.so\.[0-9]+",
    ("macos", ""): r"/usr/lib/.*|/System/Library/.*",
    ("android", ""): r"lib(c|m|dl|log|android|z)\.so",
    ("windows", "mingw"): (
        r"(?i)(api-ms-win-.*|advapi32|bcrypt|bcryptprimitives|cfgmgr32|comctl32|comdlg32|crypt32"
        r"|dbghelp|dnsapi|dwmapi|gdi32|imm32|iphlpapi|kernel32|mpr|msimg32|mswsock|msvcrt|ncrypt"
        r"|netapi32|ntdll|ole32|oleaut32|opengl32|pdh|powrprof|psapi|rpcrt4|secur32|setupapi"
        r"|shell32|shlwapi|ucrtbase|user32|userenv|uxtheme|version|winhttp|wininet|winmm|wintrust"
        r"|ws2_32|wsock32)\.dll|winspool\.drv"
    ),
}
_RUNS_ON = {"armv7": ("armv7", "armv6", "armv5", "arm"), "armv6": ("armv6", "armv5")}
_FLOOR_OF = {"gnu": "glibc", "macos": "macos"}  # by ABI or system: the name of the measured floor
_RELATIVE = ("$ORIGIN", "${ORIGIN}", "@loader_path", "@executable_path", "@rpath")


@dataclass(frozen=True, slots=True)
class Binary:
    """One binary of a result: `platform` as measured, what it asks for and where it looks."""

    path: str
    kind: str
    platform: str
    needed: tuple[str, ...] = ()
    runpath: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Audit:
    """What the binaries of a result need.

    Attributes:
        binaries: sorted by path.
        floors: measured, such as `("glibc", "2.34")`; sorted by name.
        externals: libraries of this machine that no floor and no component gives.
        absolute: binaries with an absolute run path or library, with that path.
        leaks: files that name a folder of the build.
    """

    binaries: tuple[Binary, ...] = ()
    floors: tuple[tuple[str, str], ...] = ()
    externals: tuple[str, ...] = ()
    absolute: tuple[tuple[str, str], ...] = ()
    leaks: tuple[str, ...] = ()

    @property
    def portable(self) -> bool:
        """Nothing of this machine is needed beyond the platform's floors (SPEC AUD-04)."""
        return not self.externals

    @property
    def relocatable(self) -> bool:
        """The result works in any folder (SPEC AUD-05)."""
        return not self.absolute and not self.leaks


def audit(
    folder: str,
    entries: tuple[Entry, ...],
    target: Platform,
    *,
    provided: frozenset[str] = frozenset(),
    leaks: tuple[str, ...] = (),
) -> Audit:
    """Return what the binaries of a result need (SPEC AUD-01…05).

    Args:
        folder: where the result stands.
        entries: its tree.
        target: the platform that it was made for.
        provided: file names of the libraries of dependencies made by crpack.
        leaks: files that name a folder of the build, from `result.read`.

    Raises:
        BuildFailed: a binary is for another machine; all such files are named.
    """
    found = [
        (entry.path, images)
        for entry in entries
        if entry.kind == "file" and (images := _images(f"{folder}/{entry.path}", entry, target))
    ]
    _refuse_wrong(found, target)
    every = [one for _, images in found for one in images]
    inside = {os.path.basename(entry.path) for entry in entries if entry.kind != "dir"}
    known = inside | provided | {one.soname for one in every}
    floor = re.compile(_FLOORS.get((target.os, target.abi), "(?!)"))
    return Audit(
        binaries=tuple(_binary(path, images[0]) for path, images in found),
        floors=_floors(every),
        externals=tuple(
            sorted(
                {
                    name
                    for one in every
                    for name in one.needed
                    if os.path.basename(name) not in known and not floor.fullmatch(name)
                }
            )
        ),
        absolute=tuple(
            (path, place) for path, images in found for place in _absolute(images, floor)
        ),
        leaks=leaks,
    )


def mismatch(one: Image, target: Platform) -> str:
    """Return why an image cannot be part of a result for a target; empty when it can (AUD-02)."""
    if target == ANY:
        return "the recipe says that its result is the same on `any` platform"
    if one.os != target.os and not _any_system(one, target):
        return f"it is for another system than `{target.os}`"
    if one.arch not in _RUNS_ON.get(target.arch, (target.arch,)):
        return f"it is for another machine than `{target.arch}`"
    linked = one.kind in ("exe", "shared")
    if linked and one.float_abi in ("soft", "single"):
        return "it passes floating-point numbers in another way"
    if one.abi and one.abi != target.abi:
        return f"it asks for another C library than `{target.abi}`"
    return ""


def _any_system(one: Image, target: Platform) -> bool:
    """Say whether a file that does not tell its system can be for this one (SPEC AUD-02).

    Objects for Android are like those for Linux; WebAssembly tells only what it imports.
    """
    return (one.os, target.os) == ("linux", "android") or (one.format, one.os) == ("wasm", "")


def _images(path: str, entry: Entry, target: Platform) -> tuple[Image, ...]:
    """Return the images in a file; none when it is something else, or broken.

    No loader takes a broken file either; and two letters make a text look like a PE file.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            images = reader.read_all(lambda offset, size: os.pread(fd, size, offset))
        finally:
            os.close(fd)
    except FormatError:
        return ()
    except OSError as error:
        raise BuildFailed("the result of the build cannot be read", why=[str(error)]) from error
    return tuple(one for one in images if not _is_data(one, entry, target))


def _is_data(one: Image, entry: Entry, target: Platform) -> bool:
    """Say whether a WebAssembly module is what a program of another system loads (SPEC AUD-06)."""
    program = entry.executable or target.os == "wasi" or one.kind != "exe"
    return one.format == "wasm" and not program


def _refuse_wrong(found: Iterable[tuple[str, tuple[Image, ...]]], target: Platform) -> None:
    """Of a static library every member must be right, of other files for several machines one."""
    wrong = []
    for path, images in found:
        reasons = [(one, reason) for one in images if (reason := mismatch(one, target))]
        if reasons and (len(reasons) == len(images) or images[0].kind == "archive"):
            one, reason = reasons[0]
            wrong.append(f"`{path}` is for `{one.platform}`: {reason}")
    if wrong:
        raise BuildFailed(
            f"the build made binaries that are not for `{target}`",
            why=wrong,
            hint="let the recipe use the compilers it is given, as `{tool.cc}` and `{tool.cxx}`",
            rule="AUD-01",
        )


def refuse_newer(audited: Audit, target: Platform) -> None:
    """Refuse a result that asks for a newer C library or system than its target (SPEC AUD-08).

    Raises:
        BuildFailed: a measured floor is above the target's.
    """
    name = _FLOOR_OF.get(target.abi or target.os, "")
    measured = dict(audited.floors).get(name, "")
    if target.floor and numbers(measured) > numbers(target.floor):
        raise BuildFailed(
            f"the build made binaries that are too new for `{target}`",
            why=[f"they ask for {name} {measured}"],
            hint="zig makes what such a platform runs: run `pip install ziglang`",
            rule="AUD-08",
        )


def _binary(path: str, one: Image) -> Binary:
    return Binary(path, one.kind, one.platform, one.needed, one.runpath)


def _floors(images: Iterable[Image]) -> tuple[tuple[str, str], ...]:
    highest: dict[str, str] = {}
    for one in images:
        measured = (
            ("glibc", one.max_glibc),
            ("glibcxx", one.max_glibcxx),
            ("macos", one.min_os),
        )
        for name, version in measured:
            if version and numbers(version) > numbers(highest.get(name, "")):
                highest[name] = version
    return tuple(sorted(highest.items()))


def _absolute(images: Iterable[Image], floor: re.Pattern[str]) -> Iterator[str]:
    for one in images:
        yield from (place for place in one.runpath if not place.startswith(_RELATIVE))
        yield from (
            name for name in one.needed if name.startswith("/") and not floor.fullmatch(name)
        )
