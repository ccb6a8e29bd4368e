"""Python environments: made of locked wheels, shared by generations.

Rules (SPEC PYE-06, PYE-07):
- `envs/<digest>/` below the prefix, where the digest is that of the interpreter (what it says of
  itself, and where it is) and of the wheels. So the same needs give the same environment.
- An environment cannot be moved, so it is made in its place, under a lock of its own. It is valid
  from the moment that its record `complete` gets its name, and not before: what an interrupted
  command left is removed and made again.
- Wheels come from a cache of crpack only: no index, no network, no dependencies beyond the lock,
  every digest checked again by the tool that installs.
- Nothing of a wheel runs here. An interpreter that starts in an environment runs the `.pth` files
  that are there; so one call installs all wheels, and uv, which would start it once more to make
  byte code, makes none.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from crpack import disk
from crpack.errors import FetchError, InstallError
from crpack.install import layout
from crpack.install.python import tools
from crpack.install.transaction import Locks
from crpack.model import document

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crpack.install.python.tools import Interpreter, Tool
    from crpack.install.python.wheels import WheelCache
    from crpack.model.lock import Wheel


def digest_of(interpreter: Interpreter, wheels: Sequence[Wheel], *, vouched: bool = True) -> str:
    """Return the name of the environment of an interpreter and wheels (SPEC PYE-06).

    Wheels for which only the maker of a bundle vouches make an environment of their own.
    """
    return hashlib.sha256(_record(interpreter, wheels, vouched=vouched)).hexdigest()


def folder_of(prefix: str, digest: str) -> str:
    """Return the folder of an environment, whether or not it is there."""
    return layout.environment(prefix, digest)


def python_of(prefix: str, digest: str) -> str:
    """Return the path of an environment's interpreter."""
    return os.path.join(folder_of(prefix, digest), "bin", "python")


def is_complete(prefix: str, digest: str) -> bool:
    """Say whether an environment is there, whole, and its interpreter has not gone away."""
    record = layout.complete(prefix, digest)
    return os.path.isfile(record) and os.path.exists(python_of(prefix, digest))


def make(
    prefix: str,
    interpreter: Interpreter,
    wheels: Sequence[Wheel],
    *,
    cache: WheelCache,
    tool: Tool,
    folder: str,
    environ: Mapping[str, str],
    vouched: bool = True,
) -> str:
    """Make an environment, unless it is there, and return its digest (SPEC PYE-07).

    Args:
        prefix: where it goes.
        interpreter: that it is for.
        wheels: all that it shall hold; the cache has them.
        cache: of wheels.
        tool: `uv` or `pip`.
        folder: a private folder below the prefix.
        environ: the user's environment.
        vouched: somebody who is trusted vouches for the wheels.

    Raises:
        FetchError: a wheel is not in the cache.
        InstallError: the interpreter or the tool failed; no environment has changed.
    """
    digest = digest_of(interpreter, wheels, vouched=vouched)
    with Locks(prefix).environment(digest):
        if is_complete(prefix, digest):
            return digest
        place = folder_of(prefix, digest)
        disk.remove_tree(place)
        disk.make_folders(os.path.dirname(place))
        closed = tools.closed_environment(environ)
        _run([interpreter.path, "-I", "-m", "venv", "--without-pip", place], folder, closed)
        if wheels:
            python = python_of(prefix, digest)
            _run(_install(tool, python, _requirements(wheels, cache, folder)), folder, closed)
        disk.sync_tree(place)
        record = _record(interpreter, wheels, vouched=vouched)
        disk.atomic_write(layout.complete(prefix, digest), record, 0o444, scratch=folder)
    return digest


def _record(interpreter: Interpreter, wheels: Sequence[Wheel], *, vouched: bool) -> bytes:
    return document.encode(
        {
            "interpreter": interpreter.identity,
            "base": interpreter.base,
            "wheels": sorted(wheel.sha256 for wheel in wheels),
            **({} if vouched else {"unvouched": True}),
        }
    )


def _requirements(wheels: Sequence[Wheel], cache: WheelCache, folder: str) -> str:
    """Write exact requirements beside links to their wheels; return the folder."""
    found = os.path.join(folder, "wheels")
    disk.make_folders(found)
    lines = []
    for wheel in sorted(wheels, key=lambda wheel: wheel.name):
        if not cache.has(wheel):
            raise FetchError(f"the wheel `{wheel.filename}` is not in the cache")
        disk.make_link(os.path.join(found, wheel.filename), os.path.abspath(cache.path(wheel)))
        lines.append(f"{wheel.name}=={wheel.version} --hash=sha256:{wheel.sha256}\n")
    disk.write_file(os.path.join(found, "requirements.txt"), ["".join(lines).encode()])
    return found


def _install(tool: Tool, python: str, found: str) -> list[str]:
    options = ("--quiet", "--no-index", "--no-deps", "--require-hashes", "--find-links", found)
    wanted = ("--requirement", os.path.join(found, "requirements.txt"))
    own = ["--python", python, "install", "--no-cache-dir", "--no-warn-script-location"]
    if tool.kind == "uv":
        own = ["pip", "install", "--python", python, "--link-mode", "copy"]
    return [*tool.argv, *own, *options, *wanted]


def _run(argv: Sequence[str], folder: str, environ: Mapping[str, str]) -> None:
    outcome = tools.call(argv, folder, environ)
    if outcome.code != 0:
        raise InstallError(
            "the Python environment could not be made",
            why=[f"`{os.path.basename(argv[0])}` failed", *tools.reasons(outcome)],
            data={"changed": False},
        )
