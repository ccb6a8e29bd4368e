"""Pins: where the wheels that a lock names can be fetched now.

Rules (SPEC PYE-08):
- A lock holds a wheel's name, version and digest, and no address of an index. The user's own
  tool, with the user's own index, is asked for exactly these and chooses nothing.
- What is answered counts only where the digest is the locked one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crpack.errors import FetchError
from crpack.install.python.lock import Located, from_report, not_understood
from crpack.model import toml

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crpack.install.python.chooser import Chooser
    from crpack.model.lock import Wheel

# Before 23.2, pip holds `Requires-Python` against the interpreter that it runs on.
_EXACT = ("--require-hashes", "--ignore-requires-python")
_HINT = "lock again with this index, or use the index that the lock was made with"


def locate(wheels: Sequence[Wheel], chooser: Chooser) -> tuple[Located, ...]:
    """Return locked wheels with the addresses that the user's index has for them.

    Args:
        wheels: without an address of their own.
        chooser: the tool, and for whom the wheels were locked.

    Raises:
        FetchError: the index cannot be reached, or has other files than the locked ones.
    """
    if not wheels:
        return ()
    digests = chooser.tool.kind == "pip"  # which then takes the file of this digest among several
    lines = [_line(wheel, digest=digests) for wheel in wheels]
    outcome = chooser.ask(lines, "--no-deps", *(_EXACT if digests else ()))
    if outcome.code != 0:
        error = chooser.failure(outcome)
        if isinstance(error, FetchError):
            raise error
        raise FetchError(
            "your Python index does not have the wheels of the lock", why=error.why, hint=_HINT
        )
    places = _of_pip(outcome.stdout) if digests else _of_uv(outcome.stdout)
    return tuple(_located(wheel, places) for wheel in wheels)


def _line(wheel: Wheel, *, digest: bool) -> str:
    pin = f"{wheel.name}=={wheel.version}"
    return f"{pin} --hash=sha256:{wheel.sha256}" if digest else pin


def _of_pip(data: bytes) -> dict[str, str]:
    return {one.wheel.sha256: one.url for one in from_report(data)}


def _of_uv(data: bytes) -> dict[str, str]:
    """Return digest and address of every wheel that uv knows of the pinned versions."""
    try:
        packages = toml.loads(data.decode("utf-8")).get("packages", [])
        files = [file for package in packages for file in package.get("wheels", [])]
        return {file["hashes"]["sha256"]: str(file.get("url") or file["path"]) for file in files}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise not_understood("uv", error) from error


def _located(wheel: Wheel, places: Mapping[str, str]) -> Located:
    url = places.get(wheel.sha256)
    if not url:
        raise FetchError(
            f"your Python index does not have the wheel `{wheel.filename}` of the lock",
            why=[f"wanted is the sha256 `{wheel.sha256}`"],
            hint=_HINT,
        )
    return Located(wheel, url)
