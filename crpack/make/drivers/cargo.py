"""The driver `cargo`: the programs of a Rust package, in the result's folder `bin`.

Rules (SPEC BLD-26):
- The target is always named, so that flags are for it alone and not for build scripts.
- Offline and locked: the crates stand in the source tree, and `Cargo.lock` names them.
- Linker, archiver, runner and the compilers of C parts are those of the toolchain.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from crpack.make.steps import ELF, Work
from crpack.model import platforms

if TYPE_CHECKING:
    from crpack.make.steps import Task

WHERE = "build.cargo"
_BETWEEN = "\x1f"  # flags in CARGO_ENCODED_RUSTFLAGS


def work(task: Task) -> Work:
    """Return the step `install` (SPEC BLD-26).

    Raises:
        BuildFailed: there is no `cargo`, no `rustc`, or no compiler to link with.
        ManifestError: an unknown placeholder.
    """
    table, triple = task.build.cargo, platforms.spelling(task.target, "rust")
    bins = task.render_all(table.bins, where=f"{WHERE}.bins")
    features = task.render_all(table.features, where=f"{WHERE}.features")
    argv = (
        task.toolbox.path("cargo"),
        "install",
        "--no-track",
        "--locked",
        "--offline",
        f"--path={task.cwd}",
        f"--root={task.folders.out}",
        f"--target={triple}",
        f"--target-dir={task.folders.build}/target",
        f"--jobs={task.jobs}",
        *(f"--bin={name}" for name in bins),
        *((f"--features={','.join(features)}",) if features else ()),
    )
    return Work(steps=(task.step("install", argv, env=_environment(task, triple)),))


def _environment(task: Task, triple: str) -> tuple[tuple[str, str], ...]:
    """Return cargo's variables, and those of the crates `cc` and `pkg-config`."""
    chain, known = task.toolbox.compilers(), dict(task.env)
    lower = triple.replace("-", "_")
    upper = f"CARGO_TARGET_{lower.upper()}"
    values = {
        "RUSTC": task.toolbox.path("rustc"),
        "CARGO_INCREMENTAL": "0",
        "CARGO_ENCODED_RUSTFLAGS": _BETWEEN.join(_flags(task)),
        f"{upper}_LINKER": chain.cc,
        f"{upper}_AR": chain.ar,
        f"CC_{lower}": chain.cc,
        f"CXX_{lower}": chain.cxx,
        f"AR_{lower}": chain.ar,
        f"CFLAGS_{lower}": shlex.join(task.flags),
        f"CXXFLAGS_{lower}": shlex.join(task.flags),
        f"PKG_CONFIG_LIBDIR_{lower}": known.get("PKG_CONFIG_LIBDIR", ""),
    }
    if task.cross:
        values["PKG_CONFIG_ALLOW_CROSS"] = "1"
    if task.cross and task.emulator:
        values[f"{upper}_RUNNER"] = shlex.join(task.emulator)
    return tuple(values.items())


def _flags(task: Task) -> tuple[str, ...]:
    """Return the flags of rustc: the folders of this build stay out of what it writes."""
    folders = (task.folders.source, task.folders.build)
    run_path = (f"-Wl,-rpath,{one}" for one in task.run_path) if task.target.os in ELF else ()
    linked = (*task.toolbox.compilers().flags, *task.link_flags, *run_path)
    return (
        *(f"--remap-path-prefix={folder}=." for folder in folders),
        *(f"-Clink-arg={flag}" for flag in linked),
    )
