"""Python distributions, by the names of their folders. Pure.

Rules (SPEC DET-23): `NAME-VERSION.dist-info` and `NAME-VERSION[-pyX.Y].egg-info` tell name and
version; names are compared as PEP 503 has it. Nothing is imported.
"""

from __future__ import annotations

import re

_FOLDER = re.compile(
    r"(?P<name>[^-]+)-(?P<version>[^-]+)(?:\.dist-info|(?:-py[0-9.]+)?(?:-[^-]+)?\.egg-info)"
)


def normal(name: str) -> str:
    """Return a distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def installed(names: tuple[str, ...], wanted: str) -> tuple[tuple[str, str], ...]:
    """Return (folder, version) of each distribution of a name, of the names in a folder."""
    wanted = normal(wanted)
    matches = (_FOLDER.fullmatch(name) for name in names if name.endswith("-info"))
    return tuple((m[0], m["version"]) for m in matches if m and normal(m["name"]) == wanted)
