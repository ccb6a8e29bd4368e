"""Dependencies: what a Python distribution asks of others on one machine.

Rules (SPEC PYE-09, PEP 508):
- A dependency counts where its marker holds in the machine's environment, for any of the extras
  that are asked of the distribution, or for none.
- Metadata is hostile: a line that is no dependency, or is not printable, is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crpack.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Dependency:
    """One distribution that another asks for: `text` is the requirement without its marker."""

    name: str
    text: str
    range: str = ""
    extras: tuple[str, ...] = ()

    def admits(self, version: str) -> bool:
        """Say whether a version serves; pre-releases count as other versions do."""
        from packaging.specifiers import SpecifierSet
        from packaging.version import InvalidVersion

        try:
            return SpecifierSet(self.range).contains(version, prereleases=True)
        except InvalidVersion:
            return False


def plain(name: str) -> str:
    """Return the one form of a distribution's name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def counted(
    lines: Iterable[str], environment: tuple[tuple[str, str], ...], extras: Iterable[str] = ()
) -> tuple[Dependency, ...]:
    """Return the dependencies that count on a machine.

    Args:
        lines: requirements by PEP 508, such as the `Requires-Dist` of a distribution.
        environment: of the machine, for markers, without `extra`.
        extras: that are asked of the distribution.

    Raises:
        UsageError: a line is not a requirement.
    """
    from packaging.requirements import Requirement

    settings = [{**dict(environment), "extra": extra} for extra in ("", *extras)]
    found = []
    for line in lines:
        try:
            asked = Requirement(line if line.isprintable() else "")
            counts = asked.marker is None or any(map(asked.marker.evaluate, settings))
        except (ValueError, RecursionError) as error:
            what = f"`{line[:128]}` is not a dependency of a Python distribution"
            raise UsageError(what) from error
        if counts:
            asked.marker = None
            extra = tuple(sorted(map(plain, asked.extras)))
            found.append(Dependency(plain(asked.name), str(asked), str(asked.specifier), extra))
    return tuple(found)
