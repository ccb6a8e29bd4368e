"""`bundle.json`: what one bundle carries, and what for.

Rules (SPEC BUN-02 to BUN-05, BUN-13):
- A member belongs to one of the classes below, told by its name; members stand in the order of
  their classes, within a class by name.
- Every member but `bundle.json` is listed with size and sha256, and every listed one is there.
- A source and a wheel have the digest that is in their name.
- What a bundle carries is believed for its own sake, never for being listed. Its maker may sign
  the lock; `signatures.json` holds that.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from crpack.errors import ArchiveError, FormatError
from crpack.model import document
from crpack.model.limits import MAX_ARCHIVE_BYTES, MAX_MEMBERS
from crpack.model.manifest import Member
from crpack.model.paths import check_path, shown

if TYPE_CHECKING:
    from collections.abc import Iterable

LISTING = "bundle.json"
LOCK = "crpack.lock"
SIGNATURES = "signatures.json"
WHAT = f"`{LISTING}`"

_CLASSES = tuple(
    re.compile(pattern)
    for pattern in (
        r"archive/(?P<identity>[0-9a-f]{64})\.crpkg",
        r"source/[0-9a-f]{64}",
        r"wheel/[0-9a-f]{64}/[A-Za-z0-9][A-Za-z0-9._+!-]*\.whl",
        r"index/[0-9a-f]{64}/(?P<path>.+)",
        r"crpack\.lock",
        r"signatures\.json",
        r"bundle\.json",
    )
)
_DIGEST = re.compile(r"(?:source|wheel)/([0-9a-f]{64})(?:/|$)")
_PLATFORM = re.compile(r"any|[a-z0-9]+(-[a-z0-9_.]+){1,2}")


@dataclass(frozen=True, slots=True)
class Listing:
    """What a bundle carries.

    Attributes:
        date: when it was made, UTC, such as `2026-01-31T12:00:00Z`.
        requests: what was asked for, in the user's order.
        platforms: for which platforms, sorted.
        members: all members but `bundle.json`, sorted by path.
    """

    date: str
    requests: tuple[str, ...]
    platforms: tuple[str, ...]
    members: tuple[Member, ...]


_KNOWN = frozenset(field.name for kind in (Listing, Member) for field in dataclasses.fields(kind))


def archive_member(identity: str) -> str:
    """Return the member that holds an archive."""
    return f"archive/{identity}.crpkg"


def source_member(sha256: str) -> str:
    """Return the member that holds a source, by its digest."""
    return f"source/{sha256}"


def wheel_member(sha256: str, filename: str) -> str:
    """Return the member that holds a wheel."""
    return f"wheel/{sha256}/{filename}"


def index_member(fingerprint: str, path: str) -> str:
    """Return the member that holds a file of an index, by the digest of its first root."""
    return f"index/{fingerprint}/{path}"


def archive_identity(name: str) -> str:
    """Return the identity in the name of an archive's member; empty for another member."""
    found = _CLASSES[0].fullmatch(name)
    return found["identity"] if found else ""


def rank(name: str) -> tuple[int, str]:
    """Return where a member stands among others (SPEC BUN-02).

    Raises:
        ArchiveError: the name is not that of a member.
    """
    for number, pattern in enumerate(_CLASSES):
        if found := pattern.fullmatch(name):
            check_path(found.groupdict().get("path", name))
            return number, name
    raise ArchiveError(f"`{shown(name)}` is not the name of a member", rule="BUN-02")


def check_names(names: Iterable[str]) -> None:
    """Check the names of all members of a bundle, in order (SPEC BUN-02).

    Raises:
        ArchiveError: a name that is none, twice there or out of order, or no `bundle.json`.
    """
    ranks = [rank(name) for name in names]
    for before, after in pairwise(ranks):
        if before >= after:
            what = f"the member `{shown(after[1])}` is out of order or twice there"
            raise ArchiveError(what, rule="BUN-02")
    if not ranks or ranks[-1] != rank(LISTING):
        raise ArchiveError(f"the bundle has no `{LISTING}`", rule="BUN-02")
    if len(ranks) > MAX_MEMBERS:
        raise ArchiveError(f"a bundle has more than {MAX_MEMBERS} members", rule="BUN-02")


def encode(listing: Listing) -> bytes:
    """Return the bytes of `bundle.json`, checked as a reader checks them (SPEC BUN-03).

    Raises:
        ArchiveError, FormatError: the listing breaks a rule of BUN.
    """
    fields = {field.name: getattr(listing, field.name) for field in dataclasses.fields(listing)}
    fields["members"] = [dataclasses.asdict(member) for member in listing.members]
    fields |= {"requests": list(listing.requests), "platforms": list(listing.platforms)}
    data = document.encode(fields)
    decode(data)
    return data


def decode(data: bytes) -> Listing:
    """Return the listing in the bytes of `bundle.json` (SPEC BUN-03 to BUN-05).

    Raises:
        ArchiveError, FormatError: the bytes break a rule of JSN or BUN.
    """
    top = document.decode(data, what=WHAT, rule="BUN-03", known=_KNOWN)
    listing = Listing(
        date=top.date("date"),
        requests=top.texts("requests"),
        platforms=top.texts("platforms", _PLATFORM),
        members=tuple(_member(fields) for fields in top.each("members")),
    )
    lists = {
        "members": tuple(member.path for member in listing.members),
        "platforms": listing.platforms,
    }
    for name, keys in lists.items():
        if list(keys) != sorted(set(keys)):
            raise FormatError(f"{WHAT}: `{name}` is not sorted and distinct", rule="BUN-03")
    return listing


def _member(fields: document.Fields) -> Member:
    member = Member(
        path=fields.text("path"),
        size=fields.integer("size", 0, MAX_ARCHIVE_BYTES),
        sha256=fields.text("sha256", document.SHA256),
    )
    rank(member.path)
    if member.path == LISTING:
        raise fields.refuse("path", "is the listing itself", rule="BUN-04")
    named = _DIGEST.match(member.path)
    if named and named[1] != member.sha256:
        raise fields.refuse("sha256", "is not the digest in the name", rule="BUN-05")
    return member
