"""What zig makes once for each target: its C and C++ libraries, kept for later builds.

Rules (SPEC BLD-32):
- zig builds the libraries of a target when they are first needed, which takes a minute. crpack
  has it do so before any recipe runs, in a folder that no recipe reaches.
- A build gets a copy of its own: what one recipe does to it, no other sees.
- What is kept belongs to one version of zig and one set of wrappers, and may be lost at any time.
"""

from __future__ import annotations

import hashlib
import os
import signal
from dataclasses import replace
from typing import TYPE_CHECKING

from crpack import disk
from crpack.errors import RunFailed
from crpack.make import result
from crpack.make.runner import BUILD_LIMITS
from crpack.make.steps import Copy
from crpack.process.environment import clean
from crpack.process.run import run

if TYPE_CHECKING:
    from collections.abc import Callable

    from crpack.make.toolchains.chain import Toolchain
    from crpack.process.sandbox import Sandbox

CACHE = ".cache/zig"  # below HOME: where the wrappers have zig keep what it makes
_C = '#include <stdio.h>\nint main(void) { return puts("") < 0; }\n'
_CXX = "#include <iostream>\nint main() { std::cout << 1; }\n"
_EVERYTHING = (Copy("**", "", ""),)


def warm(
    chain: Toolchain,
    *,
    kept: str,
    room: str,
    walls: Sandbox,
    tell: Callable[[], None] = lambda: None,
) -> str:
    """Return the folder of what zig made for a target; empty where it could not (SPEC BLD-32).

    Args:
        chain: with wrappers.
        kept: folder of what is kept, for all targets.
        room: folder to make it in, of this build; must not exist, and is removed.
        walls: around the compilers; the room is added.
        tell: called once, where it has to be made.

    Raises:
        InstallError: the disk refused.
    """
    place = f"{kept}/{_key(chain)}"
    if os.path.isdir(place):
        return place
    disk.make_folders(kept)
    with disk.lock(f"{place}.lock"):  # of two builds at once the second takes what the first made
        if os.path.isdir(place):
            return place
        tell()
        disk.sweep(f"{kept}/stages")
        try:
            if not _make(chain, room, walls):
                return ""
            stage = disk.make_stage(f"{kept}/stages")
            try:
                made = f"{stage.path}/made"
                disk.make_folders(made)
                result.copy(_EVERYTHING, f"{room}/home/{CACHE}", made)
                disk.rename(made, place)
            finally:
                stage.close()
        finally:
            disk.remove_tree(room)
    return place


def _key(chain: Toolchain) -> str:
    said = f"{chain.family}\0{chain.version}\0{chain.wrappers_sha256}"
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def _make(chain: Toolchain, room: str, walls: Sandbox) -> bool:
    """Have both compilers link a program and a shared library; say whether it is worth keeping.

    It is where C can be linked, and nothing was stopped halfway. A compiler that cannot even be
    started fails the build itself, which says so.
    """
    folders = {name: f"{room}/{name}" for name in ("tools", "home", "tmp", "work")}
    for folder in folders.values():
        disk.make_folders(folder)
    disk.make_folders(f"{folders['home']}/{CACHE}")
    for one in chain.wrappers:
        mode = 0o755 if one.executable else 0o644
        disk.write_file(f"{folders['tools']}/{one.name}", [one.text.encode()], mode)
    for name, text in (("one.c", _C), ("one.cpp", _CXX)):
        disk.write_file(f"{folders['work']}/{name}", [text.encode()])
    if walls.user is not None:
        disk.give_tree(room, *walls.user)
    own = chain.at(folders["tools"])
    env = clean({}, home=folders["home"], tmp=folders["tmp"])
    walls = replace(walls.reading(*chain.folders), writable=(room,))
    try:
        codes = [
            run(
                (compiler, *chain.flags, *kind, source, "-o", "made"),
                cwd=folders["work"],
                env=env,
                limits=BUILD_LIMITS,
                sandbox=walls,
            ).code
            for compiler, source in ((own.cc, "one.c"), (own.cxx, "one.cpp"))
            for kind in (("-O2",), ("-O2", "-shared", "-fPIC"))
        ]
    except RunFailed:
        return False
    return codes[0] == 0 and -signal.SIGKILL not in codes
