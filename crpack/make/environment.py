"""The environment of the steps of one build, and its form for the build key.

Rules (SPEC BLD-08, KEY-04):
- It is built from nothing: fixed values, the build's own folders, and what the dependencies
  export. Nothing of the user's environment is in it.
- `LD_RUN_PATH` tells GNU ld where results look for libraries: no shell and no make ever sees its
  `$` (SPEC BLD-21).
- What only helps to build here (emulators, caches) is added later and is not in the key.
"""

from __future__ import annotations

import os.path
from dataclasses import replace
from typing import TYPE_CHECKING

from crpack.make.dependencies import below, run_path
from crpack.make.drivers.table import DRIVERS
from crpack.make.steps import ELF, Folders
from crpack.make.toolbox import Toolbox
from crpack.model import placeholders
from crpack.process import environment, installation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crpack.make.dependencies import Deps
    from crpack.make.toolchains.chain import Toolchain
    from crpack.model.platforms import Platform
    from crpack.model.recipe import Build

ON_PATH = ("cmake", "make", "ninja", "pkg-config", "autoconf", "automake", "libtool", "m4")
_SYMBOLIC = Folders("{source}", "{build}", "{out}", "{home}", "{tmp}")


def of_steps(
    build: Build, toolbox: Toolbox, target: Platform, deps: Deps, folders: Folders
) -> tuple[tuple[str, str], ...]:
    """Return the whole environment of the steps of a build (SPEC BLD-08), sorted."""
    exported = {
        name: placeholders.render(text, {"prefix": dep.path}, where="exports.env")
        for _, dep in deps
        for name, text in dep.exports.env
    }
    linked = [dep for _, dep in deps if dep.linked]
    search = {
        "CPATH": below(linked, "include"),
        "LIBRARY_PATH": below(linked, "lib"),
        "PKG_CONFIG_LIBDIR": below(linked, "pkgconfig"),
    }
    looked = run_path(target, deps)
    driver = DRIVERS[build.driver]
    if target.os in ELF and (driver.by_variable or (driver.runs and len(looked) > 1)):
        search["LD_RUN_PATH"] = looked
    keep = {name: os.pathsep.join(paths) for name, paths in search.items()}
    tools = tuple(dep for _, dep in deps if not dep.linked)
    path = (*below(tools, "bin"), *environment.SYSTEM_PATH, *_tool_folders(toolbox))
    own = (installation.user_base(one) for one in started(toolbox, (*ON_PATH, "meson")))
    if base := next(filter(None, own), ""):
        keep["PYTHONUSERBASE"] = base
    fixed = environment.clean(keep, home=folders.home, tmp=folders.tmp, path=path)
    return tuple(sorted({**exported, **fixed}.items()))


def symbolic(
    build: Build, toolbox: Toolbox, target: Platform, deps: Deps
) -> tuple[tuple[str, str], ...]:
    """Return the environment as it enters the build key: no folder of this machine."""
    named = tuple((name, replace(dep, path=f"{{dep.{name}}}")) for name, dep in deps)
    nowhere = Toolbox(platform=toolbox.platform)
    return of_steps(build, nowhere, target, named, _SYMBOLIC)


def caching(folder: str, folders: Folders, chain: Toolchain | None) -> dict[str, str]:
    """Return the variables of ccache: builds in other folders share what was made (ccache(1)).

    A compiler is known by its content; one behind a wrapper, which stays the same when the
    compiler is updated, by its version and what the wrapper says.
    """
    check = "content"
    if chain is not None and chain.wrappers:
        check = f"string:{chain} {chain.wrappers_sha256}"
    return {
        "CCACHE_DIR": folder,
        "CCACHE_BASEDIR": os.path.commonpath(folders.all()),
        "CCACHE_NOHASHDIR": "1",
        "CCACHE_COMPILERCHECK": check,
    }


def _tool_folders(toolbox: Toolbox) -> tuple[str, ...]:
    """Return the folders of build tools outside of the system's, each once, in order.

    Of other programs only those that a recipe names by `{tool.NAME}` are used.
    """
    folders = dict.fromkeys(os.path.dirname(path) for path in started(toolbox, ON_PATH))
    return tuple(folder for folder in folders if folder not in environment.SYSTEM_PATH)


def started(toolbox: Toolbox, names: Iterable[str]) -> tuple[str, ...]:
    """Return the paths of the compilers and of the tools with these names."""
    chain = toolbox.toolchain
    compilers = (chain.cc, chain.cxx) if chain else ()
    found = (*compilers, *(path for name, path in toolbox.tools if name in names))
    return tuple(path for path in found if os.path.isabs(path))
