"""Globs over the paths of a tree.

Rules (SPEC BLD-13):
- A glob is relative, `/` between its parts; no part is `.` or `..`.
- `*`, `?` and `[...]` match within one part. `**` as a whole part matches any number of parts,
  none included; as the last part at least one.
- A glob that matches a folder takes everything below it.
- Case counts everywhere; a leading dot is an ordinary character.
"""

from __future__ import annotations

import fnmatch
import re
from typing import TYPE_CHECKING

from crpack.errors import Fault, ManifestError

if TYPE_CHECKING:
    from collections.abc import Iterable

_WILD = frozenset("*?[")


def check(glob: str, *, where: str) -> str:
    """Return a glob or relative folder that may stand in a recipe (SPEC BLD-13).

    Raises:
        ManifestError: it is absolute, empty, or has a part `.` or `..`.
    """
    parts = glob.split("/")
    if "\0" in glob or any(part in ("", ".", "..") for part in parts):
        message = f"`{glob}` must be relative, without `.` or `..`"
        raise ManifestError(f"`{where}` leaves its folder", faults=[Fault(where, message)])
    return glob


def select(glob: str, paths: Iterable[str]) -> tuple[str, ...]:
    """Return the paths that a glob takes, in their order (SPEC BLD-13)."""
    above, slash, last = glob.rpartition("/")
    parts = (above + slash + ("*" if last == "**" else last)).split("/")
    matchers = [_part(part) for part in parts]
    return tuple(path for path in paths if _takes(matchers, path.split("/")))


def fixed(glob: str) -> str:
    """Return the leading folder of a glob that has no wildcard; empty when there is none."""
    parts = glob.split("/")
    count = next((i for i, part in enumerate(parts) if _WILD & set(part)), len(parts) - 1)
    return "/".join(parts[:count])


def _part(part: str) -> re.Pattern[str] | None:
    """Return one part's matcher; None stands for `**`."""
    return None if part == "**" else re.compile(fnmatch.translate(part))


def _takes(matchers: list[re.Pattern[str] | None], parts: list[str]) -> bool:
    """Follow all positions in the glob at once: linear in glob times path, no backtracking."""
    at = _past_stars({0}, matchers)
    for part in parts:
        if len(matchers) in at:
            return True
        after = set()
        for position in at:
            matcher = matchers[position]
            if matcher is None:
                after.add(position)
            elif matcher.match(part):
                after.add(position + 1)
        at = _past_stars(after, matchers)
    return len(matchers) in at


def _past_stars(at: set[int], matchers: list[re.Pattern[str] | None]) -> set[int]:
    """Add the positions behind each `**`, which may match no part at all."""
    reached = set(at)
    for position in sorted(at):
        step = position
        while step < len(matchers) and matchers[step] is None:
            step += 1
            reached.add(step)
    return reached
