"""The choice of a toolchain: from the facts of a machine, for one target.

Rules (SPEC BLD-01, BLD-02):
- An installed `gcc` comes before `clang`, both before Android's NDK and zig; within a family the
  order of the facts (PATH) decides. A compiler for another platform is never chosen.
- One whose C library is newer than the target's floor, or not known, comes after all others.
- Nothing fitting is a failure that says what was looked for, where, what was found instead and
  what to install.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from crpack.errors import BuildFailed
from crpack.make import advice
from crpack.make.cpu import numbers
from crpack.make.toolchains import installed, ndk, zig
from crpack.model import platforms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crpack.make.toolchains.chain import Toolchain
    from crpack.model.facts import Facts
    from crpack.model.platforms import Platform


def choose(
    facts: Facts, target: Platform, *, os_release: str = "", searched: tuple[str, ...] = ()
) -> Toolchain:
    """Return the toolchain for a target (SPEC BLD-01).

    Args:
        facts: of the build machine.
        target: the platform to compile for.
        os_release: text of `/etc/os-release`, for the advice.
        searched: the folders that detection looked through, for messages.

    Raises:
        BuildFailed: no fitting pair of C and C++ compilers; says what was looked for and found.
    """
    late = None
    for one in chain.from_iterable(made(facts, target) for made in _FAMILIES):
        if _keeps_floor(one):
            return one
        late = late or one
    if late is not None:
        return late
    here = platforms.parse(facts.platform)
    raise BuildFailed(
        f"this machine has no C and C++ compiler for `{target}`",
        why=_looked(facts, target, here, searched),
        hint=advice.compilers(target, here, os_release=os_release),
        rule="BLD-02",
    )


_FAMILIES = (installed.toolchains, ndk.toolchains, zig.toolchains)


def _keeps_floor(one: Toolchain) -> bool:
    """Say whether what it links is known to be no newer than the target's floor."""
    name, _, version = one.libc.partition(" ")
    if one.target.abi != "gnu" or (not one.cross and name != "glibc"):
        return True
    if not version:
        return False
    return not one.target.floor or numbers(version) <= numbers(one.target.floor)


def _looked(
    facts: Facts, target: Platform, here: Platform, searched: tuple[str, ...]
) -> Iterator[str]:
    triple = platforms.spelling(target, "gnu")
    pairs = [f"`{c}` with `{cxx}`" for c, cxx in installed.FAMILIES]
    pairs += ["Android's NDK"] if target.os == "android" else ["`zig`"]
    words = ", then ".join(pairs)
    yield f"looked for {words}, for `{triple}`, in {advice.listed(searched)}"
    refused: dict[str, list[str]] = {}
    for found in facts.found:
        if installed.is_compiler(found):
            reason = installed.why_not(found, target, here) or _alone(found.version)
            refused.setdefault(reason, []).append(f"`{found.path}`")
    for reason, paths in refused.items():
        yield f"{', '.join(paths)} {'are' if len(paths) > 1 else 'is'} {reason}"


def _alone(version: str | None) -> str:
    return f"version {version} for this target, without its partner or its binutils"
