"""Locking wheels: from what components ask for to one wheel a distribution, by digest.

Rules (SPEC PYE-04):
- Wheels only. `uv pip compile` or `pip install --dry-run --report` chooses them, with the index
  that the user has configured, for one interpreter. crpack never reads an index.
- For another machine, the same tools are told its platform and Python (SPEC PYE-09); of pip's
  answer, what the target lacks is asked for again until nothing is lacking.
- What they answer is parsed here, purely. Warnings do not matter, only the answer does.
- The address of a wheel stands beside the lock, never in it. A wheel that is asked for by an
  address, not by its name, is refused: it would not come from the user's index.
- Offline, the choice is made among the wheels of crpack's own cache, which came from that index.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from crpack import disk
from crpack.errors import FetchError, NoSolution, UsageError
from crpack.fetch.addresses import shown
from crpack.install.python.closure import closure, distributions
from crpack.install.python.tags import rank
from crpack.model import toml
from crpack.model.dependencies import plain
from crpack.model.lock import Wheel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crpack.fetch.transport import Transport
    from crpack.install.python.chooser import Chooser
    from crpack.install.python.wheels import WheelCache

_SHA256 = re.compile(r"[0-9a-f]{64}")
_PASSES = 16  # of pip, each of which asks for what the one before lacked


@dataclass(frozen=True, slots=True)
class Located:
    """A wheel and the address that it can be fetched from now."""

    wheel: Wheel
    url: str


def lock_wheels(
    requires: Sequence[str], chooser: Chooser, *, cache: WheelCache, transport: Transport
) -> tuple[Located, ...]:
    """Return the wheels that satisfy requirements, sorted by name (PYE-04).

    Args:
        requires: PEP 508 requirements, without markers.
        chooser: the tool, and for whom it chooses.
        cache: where offline choices come from, and sizes where known.
        transport: tells the sizes that the tool does not; says whether crpack is offline.

    Raises:
        NoSolution: no wheels satisfy the requirements.
        FetchError: the index cannot be reached, or crpack is offline and its cache is short.
    """
    if not requires:
        return ()
    offline = transport.offline
    links = ("--no-index", "--find-links", _gather(cache, chooser.folder)) if offline else ()
    lines = list(requires)
    for _ in range(_PASSES):
        outcome = chooser.ask(lines, *links, closed=offline)
        if outcome.code != 0:
            raise chooser.failure(outcome, offline=offline)
        located, lacking = _answer(outcome.stdout, requires, chooser)
        if not lacking:
            sized = [_sized(one, cache, transport) for one in located]
            return tuple(sorted(sized, key=lambda one: one.wheel.name))
        lines += lacking
    raise NoSolution(f"the wheels for {chooser.target} come to no end", why=[", ".join(lacking)])


def _answer(
    data: bytes, requires: Sequence[str], chooser: Chooser
) -> tuple[tuple[Located, ...], tuple[str, ...]]:
    """Return the wheels of an answer, and requirements of the target that it does not satisfy."""
    if chooser.tool.kind == "uv":
        return from_pylock(data), ()
    located = from_report(data)
    if chooser.target is None:
        return located, ()
    try:
        needed = closure(requires, distributions(data), chooser.target.environment)
    except (ValueError, KeyError, TypeError, AttributeError, UsageError) as error:
        raise not_understood("pip", error) from error
    return tuple(one for one in located if one.wheel.name in needed.names), needed.lacking


def _gather(cache: WheelCache, folder: str) -> str:
    """Make a folder of links to all wheels of the cache, for a tool to choose from."""
    gathered = os.path.join(folder, "cached")
    disk.make_folders(gathered)
    for path in {os.path.basename(path): path for path in cache.files()}.values():
        disk.make_link(os.path.join(gathered, os.path.basename(path)), path)
    return gathered


def from_report(data: bytes) -> tuple[Located, ...]:
    """Return the wheels in pip's installation report (version 1).

    Raises:
        FetchError: it is not such a report, or holds something that is not a wheel.
    """
    try:
        items = json.loads(data)["install"]
        return tuple(_from_item(item) for item in items)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise not_understood("pip", error) from error


def _from_item(item: Any) -> Located:
    info = item["download_info"]
    metadata = item["metadata"]
    sha256 = _reported_sha256(info["archive_info"])
    wheel = _wheel(metadata["name"], metadata["version"], info["url"], sha256, 0)
    return _by_name(wheel, info["url"], direct=bool(item["is_direct"]))


def _reported_sha256(archive: Any) -> str:
    """Return the digest in an `archive_info`; before pip 23.1 it is the text `sha256=…`."""
    if "hashes" in archive:
        sha256: str = archive["hashes"]["sha256"]
        return sha256
    algorithm, _, digest = archive["hash"].partition("=")
    if algorithm != "sha256":
        raise ValueError("a digest is no sha256")
    return str(digest)


def from_pylock(data: bytes) -> tuple[Located, ...]:
    """Return the wheels in a `pylock.toml` (PEP 751) as uv writes it for one platform.

    Raises:
        FetchError: it is not such a lock, or a package has no wheel.
    """
    try:
        packages = toml.loads(data.decode("utf-8")).get("packages", [])
        return tuple(_from_package(package) for package in packages)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise not_understood("uv", error) from error


def _from_package(package: Any) -> Located:
    direct = "archive" in package
    files = [package["archive"]] if direct else package["wheels"]
    file = min(files, key=lambda file: rank(_filename(_address(file))))
    url = _address(file)
    sha256 = file["hashes"]["sha256"]
    wheel = _wheel(package["name"], package["version"], url, sha256, file.get("size", 0))
    return _by_name(wheel, url, direct=direct)


def _address(file: Any) -> str:
    url = file.get("url") or file["path"]
    if not isinstance(url, str):
        raise TypeError("an address is no text")
    return url


def _by_name(wheel: Wheel, url: str, *, direct: bool) -> Located:
    """Return a located wheel; refuse one that was asked for by an address (SPEC LCK-06)."""
    if direct:
        raise NoSolution(
            f"the Python distribution `{wheel.name}` is asked for by an address",
            why=[f"it would come from {shown(url)}, not from your Python index"],
            hint="use a version whose dependencies have names only",
        )
    return Located(wheel, url)


def _wheel(name: str, version: str, url: str, sha256: str, size: int) -> Wheel:
    filename = _filename(url)
    if not _SHA256.fullmatch(sha256) or not isinstance(size, int):
        raise ValueError(f"the digest of `{filename}` is not one")
    return Wheel(plain(name), str(version), filename, sha256, size)


def _filename(url: str) -> str:
    filename = os.path.basename(unquote(urlsplit(url).path))
    if not filename.endswith(".whl"):
        raise ValueError(f"`{filename}` is not a wheel")
    return filename


def not_understood(tool: str, error: Exception) -> FetchError:
    """Return the error for an answer that is not of the form that the tool promises."""
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
