"""The members of an archive: which names there are, and in which order.

Rules (SPEC ARC-05 to ARC-07):
- A member belongs to one of the classes below, told by its name.
- Members stand in the order of their classes, within a class by name; each name once.
- `recipe.json`, `manifest.json` and `signatures.json` are always there.
- A copy may lack payloads, sources and components, and nothing else.
- Names that begin with `delta/` are reserved.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from crpack.errors import ArchiveError
from crpack.model.limits import MAX_MEMBERS
from crpack.model.paths import check_path, shown

if TYPE_CHECKING:
    from collections.abc import Iterable

RECIPE = "recipe.json"
MANIFEST = "manifest.json"
SIGNATURES = "signatures.json"

_CLASSES = tuple(
    re.compile(pattern)
    for pattern in (
        r"payload/[0-9a-f]{16}\.tar\.zst",
        r"source/[0-9a-f]{64}",
        r"component/[0-9a-f]{64}\.crpkg",
        r"recipe\.json",
        r"recipe/.+",
        r"toc/[0-9a-f]{16}\.json\.zst",
        r"manifest\.json",
        r"signatures\.json",
    )
)
_BULK = ("payload/", "source/", "component/")


def is_bulk(name: str) -> bool:
    """Tell whether a thin copy lacks this member (SPEC ARC-08)."""
    return name.startswith(_BULK)


def component_member(identity: str) -> str:
    """Return the member that holds the copy of a component."""
    return f"component/{identity}.crpkg"


def component_identity(name: str) -> str:
    """Return the identity in the name of a component's member; empty for another member."""
    return name[len("component/") : -len(".crpkg")] if name.startswith("component/") else ""


def rank(name: str) -> tuple[int, str]:
    """Return where a member stands among others (SPEC ARC-06).

    Raises:
        ArchiveError: the name is not that of a member.
    """
    for number, pattern in enumerate(_CLASSES):
        if pattern.fullmatch(name):
            if name.startswith("recipe/"):
                check_path(name)
            return number, name
    raise ArchiveError(f"`{shown(name)}` is not the name of a member", rule="ARC-05")


def check(names: Iterable[str]) -> None:
    """Check the names of all members of an archive, in order (SPEC ARC-05 to ARC-07).

    Raises:
        ArchiveError: a name that is none, twice there, out of order, or missing.
    """
    ranks = [rank(name) for name in names]
    if len(ranks) > MAX_MEMBERS:
        raise ArchiveError(f"an archive has more than {MAX_MEMBERS} members", rule="ARC-07")
    for before, after in pairwise(ranks):
        if before >= after:
            what = f"the member `{shown(after[1])}` is out of order or twice there"
            raise ArchiveError(what, rule="ARC-06")
    for name in (RECIPE, MANIFEST, SIGNATURES):
        if rank(name) not in ranks:
            raise ArchiveError(f"the archive has no `{name}`", rule="ARC-07")
