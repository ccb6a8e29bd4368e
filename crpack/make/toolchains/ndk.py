"""Android's NDK: a clang for each API level, with its own C library and binutils.

Rules (SPEC BLD-01):
- The NDK has no name on PATH: it is the folder that its own file tells, as detected.
- The floor of the target is the API level; the compilers of each level have names of their own.
"""

from __future__ import annotations

import os.path
from typing import TYPE_CHECKING

from crpack.make import cpu
from crpack.make.toolchains.chain import Toolchain
from crpack.model import platforms
from crpack.model.platforms import Platform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crpack.model.facts import Facts

_API = "24"  # where the target states none: Android 7.0
_HOSTS = {("linux", "x86_64"): "linux-x86_64", ("macos", ""): "darwin-x86_64"}
_PROPERTIES = "source.properties"


def toolchains(facts: Facts, target: Platform) -> Iterator[Toolchain]:
    """Yield the toolchains of every NDK found whose programs run on the build machine.

    Args:
        facts: of the build machine.
        target: the platform to compile for.
    """
    here = platforms.parse(facts.platform)
    host = _HOSTS.get((here.os, "" if here.os == "macos" else here.arch), "")
    if target.os != "android" or not host:
        return
    files = {one.path for one in facts.all("android-ndk")}
    api = Platform(target.os, target.arch, target.abi, target.floor or _API)
    triple = platforms.spelling(api, "gnu")
    for one in facts.all("android-ndk"):
        root, name = os.path.split(one.path)
        own = f"{root}/toolchains/llvm/prebuilt/{host}"
        if name != _PROPERTIES or not one.version or f"{own}/AndroidVersion.txt" not in files:
            continue
        yield Toolchain(
            "ndk",
            one.version,
            target,
            triple,
            f"{own}/bin/{triple}-clang",
            f"{own}/bin/{triple}-clang++",
            ar=f"{own}/bin/llvm-ar",
            ranlib=f"{own}/bin/llvm-ranlib",
            strip=f"{own}/bin/llvm-strip",
            nm=f"{own}/bin/llvm-nm",
            libc=f"bionic {api.floor}",
            cpu_flags=cpu.flags(target, "", frozenset(), "clang", ""),
            sysroot=f"{own}/sysroot",
            folders=(root,),
            cross=True,
        )
