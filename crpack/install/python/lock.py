"""Locking wheels: from what components ask for to one wheel a distribution, by digest.

Rules (SPEC PYE-04):
- Wheels only. `uv pip compile` or `pip install --dry-run --report` chooses them, with the index
  that the user has configured, for one interpreter. crpack never reads an index.
- What they answer is parsed here, purely. Warnings do not matter, only the answer does.
- The address of a wheel stands beside the lock, never in it, unless the requirement itself was an
  address.
- Offline, the choice is made among the wheels of crpack's own cache.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from crpack import disk
from crpack.errors import CrpackError, FetchError, NoSolution
from crpack.fetch.transport import shown
from crpack.install.python import tools
from crpack.install.python.tags import rank
from crpack.model.lock import Wheel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crpack.fetch.transport import Transport
    from crpack.install.python.tools import Interpreter, Tool
    from crpack.install.python.wheels import WheelCache

_SHA256 = re.compile(r"[0-9a-f]{64}")
_OFFLINE_HINT = "run once without `--offline`"
_NETWORK = re.compile(
    r"connection|retrying|timed out|unreachable|resolve host|dns error", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Located:
    """A wheel and the address that it can be fetched from now."""

    wheel: Wheel
    url: str


def lock_wheels(
    requires: Sequence[str],
    interpreter: Interpreter,
    *,
    tool: Tool,
    cache: WheelCache,
    transport: Transport,
    folder: str,
    environ: Mapping[str, str],
) -> tuple[Located, ...]:
    """Return the wheels that satisfy requirements on an interpreter, sorted by name (PYE-04).

    Args:
        requires: PEP 508 requirements, without markers.
        interpreter: for which the wheels must be.
        tool: `uv` or `pip`.
        cache: where offline choices come from, and sizes where known.
        transport: tells the sizes that the tool does not; says whether crpack is offline.
        folder: a private folder for the tool.
        environ: the user's environment, for the tool's own configuration.

    Raises:
        NoSolution: no wheels satisfy the requirements.
        FetchError: the index cannot be reached, or crpack is offline and its cache is short.
    """
    if not requires:
        return ()
    for line in requires:
        if "${" in line:  # pip and uv would put a variable's value there
            raise NoSolution(f"the requirement `{line}` asks for a variable of the environment")
    asked = os.path.join(folder, "requirements.txt")
    disk.write_file(asked, ["".join(f"{line}\n" for line in requires).encode()])
    argv = [*_command(tool, interpreter), asked]
    if transport.offline:
        argv += ["--no-index", "--find-links", _gather(cache, folder)]
        outcome = tools.call(argv, folder, tools.closed_environment(environ))
    else:
        outcome = tools.call(argv, folder, tools.own_environment(environ))
    if outcome.code != 0:
        raise _failed(tools.reasons(outcome), outcome.stderr, offline=transport.offline)
    located = from_pylock(outcome.stdout) if tool.kind == "uv" else from_report(outcome.stdout)
    sized = [_sized(one, cache, transport) for one in located]
    return tuple(sorted(sized, key=lambda one: one.wheel.name))


def _command(tool: Tool, interpreter: Interpreter) -> tuple[str, ...]:
    """Return the command up to the file of requirements."""
    binary = ("--quiet", "--only-binary", ":all:")
    python = ("--python", interpreter.path)
    if tool.kind == "uv":
        return (*tool.argv, "pip", "compile", *python, *binary, "--format", "pylock.toml")
    report = ("--dry-run", "--ignore-installed", "--no-user", "--report", "-", "--requirement")
    return (*tool.argv, *python, "install", *binary, *report)


def _gather(cache: WheelCache, folder: str) -> str:
    """Make a folder of links to all wheels of the cache, for a tool to choose from."""
    gathered = os.path.join(folder, "cached")
    disk.make_folders(gathered)
    for path in {os.path.basename(path): path for path in cache.files()}.values():
        disk.make_link(os.path.join(gathered, os.path.basename(path)), path)
    return gathered


def _failed(why: list[str], stderr: bytes, *, offline: bool) -> CrpackError:
    if offline:
        return FetchError(
            "the Python packages are not all in the cache, and crpack is offline",
            why=why,
            hint=_OFFLINE_HINT,
        )
    if _NETWORK.search(stderr.decode("utf-8", "replace")):
        return FetchError("the Python index cannot be reached", why=why, hint="check the network")
    return NoSolution(
        "no wheels satisfy what the components ask of Python",
        why=why,
        hint="try another Python version, or another index in the configuration of pip or uv",
    )


def from_report(data: bytes) -> tuple[Located, ...]:
    """Return the wheels in pip's installation report (version 1).

    Raises:
        FetchError: it is not such a report, or holds something that is not a wheel.
    """
    try:
        items = json.loads(data)["install"]
        return tuple(_from_item(item) for item in items)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _not_understood("pip", error) from error


def _from_item(item: Any) -> Located:
    info = item["download_info"]
    metadata = item["metadata"]
    sha256 = info["archive_info"]["hashes"]["sha256"]
    wheel = _wheel(metadata["name"], metadata["version"], info["url"], sha256, 0)
    return _located(wheel, info["url"], direct=bool(item["is_direct"]))


def from_pylock(data: bytes) -> tuple[Located, ...]:
    """Return the wheels in a `pylock.toml` (PEP 751) as uv writes it for one platform.

    Raises:
        FetchError: it is not such a lock, or a package has no wheel.
    """
    try:
        packages = tomllib.loads(data.decode("utf-8")).get("packages", [])
        return tuple(_from_package(package) for package in packages)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _not_understood("uv", error) from error


def _from_package(package: Any) -> Located:
    direct = "archive" in package
    files = [package["archive"]] if direct else package["wheels"]
    file = min(files, key=lambda file: rank(_filename(_address(file))))
    url = _address(file)
    sha256 = file["hashes"]["sha256"]
    wheel = _wheel(package["name"], package["version"], url, sha256, file.get("size", 0))
    return _located(wheel, url, direct=direct)


def _address(file: Any) -> str:
    url = file.get("url") or file["path"]
    if not isinstance(url, str):
        raise TypeError("an address is no text")
    return url


def _located(wheel: Wheel, url: str, *, direct: bool) -> Located:
    return Located(replace(wheel, url=shown(url)) if direct else wheel, url)


def _wheel(name: str, version: str, url: str, sha256: str, size: int) -> Wheel:
    filename = _filename(url)
    if not _SHA256.fullmatch(sha256) or not isinstance(size, int):
        raise ValueError(f"the digest of `{filename}` is not one")
    plain = re.sub(r"[-_.]+", "-", name).lower()  # PEP 503
    return Wheel(plain, str(version), filename, sha256, size)


def _filename(url: str) -> str:
    filename = os.path.basename(unquote(urlsplit(url).path))
    if not filename.endswith(".whl"):
        raise ValueError(f"`{filename}` is not a wheel")
    return filename


def _not_understood(tool: str, error: Exception) -> FetchError:
    why = [f"{type(error).__name__}: {error}"[:300]]
    return FetchError(f"the answer of `{tool}` was not understood", why=why)


def _sized(located: Located, cache: WheelCache, transport: Transport) -> Located:
    """Fill in the size of a wheel where the tool did not say it; 0 stays where nobody knows."""
    wheel = located.wheel
    if wheel.size:
        return located
    path = cache.path(wheel) if cache.has(wheel) else located.url
    try:
        size = max(0, transport.size(path))
    except FetchError:
        size = 0
    return Located(replace(wheel, size=size), located.url)
