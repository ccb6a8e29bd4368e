"""A shard: all that an index says of one name, release by release.

Rules (SPEC IDX-06 to IDX-09):
- Releases stand newest first, by version and then revision; each pair once.
- A release says what choosing and fetching need: the slice of its recipe, its payloads and
  sources as in its manifest, who signed it, and where copies of its archive are.
- Only `yanked` and `copies` change after a release is listed; `identity` never does.
- What an index says is not believed for being there: the archive and its signature decide.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from crpack.errors import FormatError, UsageError
from crpack.index import blobs
from crpack.model import canonical, document, manifest, names, recipe_slice, versions
from crpack.model.limits import (
    MAX_ARCHIVE_BYTES,
    MAX_COPIES,
    MAX_RELEASES,
    MAX_SIGNATURES,
    MAX_URL_LENGTH,
)
from crpack.model.recipe import LINE
from crpack.model.recipe_slice import Parts

if TYPE_CHECKING:
    from crpack.model.versions import Version

_KIND = re.compile("full|thin")
_LINE = re.compile(LINE)
_RELATIVE = r"(?!/)(?:(?!\.\.?(?:/|$))[A-Za-z0-9._~@+-]+(?:/|$))+"
_ABSOLUTE = r"https?://[A-Za-z0-9.\[\]:-]+(?:/[!-~]*)?"
_URL = re.compile(f"{_RELATIVE}|{_ABSOLUTE}", re.ASCII)
Judged: TypeAlias = tuple[bytes, int]  # a shape, and how many plain requirements
_KNOWN = frozenset(
    {
        *("name", "releases", "version", "revision", "identity", "date", "signers", "recipe"),
        *("payloads", "sources", "copies", "yanked", "kind", "url", "urls", "sha256", "size"),
        *("tail", "id", "platform", "options", "tree", "toc", "packed", "unpacked", "files"),
        *("floors", "requires", "portable", "relocatable"),
    }
)


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of a release's archive (SPEC IDX-09).

    Attributes:
        kind: `full`, or `thin` without payloads and sources.
        url: relative to the index's root, or absolute with http or https.
        sha256: of the file.
        size: its bytes.
        tail: offset of `recipe.json` in it, the first of the small members; one range from there
            holds these and the directory.
    """

    kind: Literal["full", "thin"]
    url: str
    sha256: str
    size: int
    tail: int


@dataclass(frozen=True, slots=True)
class IndexSource:
    """A source of a release: digest, bytes, and where else it is served (may be empty)."""

    sha256: str
    size: int
    urls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Release:
    """One version and revision of a component (SPEC IDX-07).

    Attributes:
        version: PEP 440; `revision` of its recipe.
        identity: sha256 of its manifest.
        date: when it was listed, UTC, such as `2026-01-31T12:00:00Z`.
        signers: ids of the keys that vouch for it, sorted.
        recipe: the slice of its recipe, canonical JSON (`recipe_slice`).
        payloads: as in its manifest.
        sources: material that it needs where no payload fits, sorted by digest.
        copies: where its archive is, best first; without any it can be chosen, not fetched.
        yanked: why it should not be chosen any more; empty when it may be.
        parts: of the slice, where they are known already.
    """

    version: str
    revision: int
    identity: str
    date: str
    signers: tuple[str, ...]
    recipe: bytes
    payloads: tuple[manifest.Payload, ...]
    sources: tuple[IndexSource, ...]
    copies: tuple[Copy, ...]
    yanked: str = ""
    parts: Parts | None = field(default=None, compare=False, repr=False)

    @property
    def order(self) -> tuple[Version, int]:
        """What releases of one name are sorted by."""
        return versions.parse(self.version), self.revision


@dataclass(frozen=True, slots=True)
class Shard:
    """All releases of one name, newest first."""

    name: str
    releases: tuple[Release, ...]


def encode(shard: Shard) -> bytes:
    """Return the stored bytes of a shard, checked as a reader checks them (SPEC IDX-06…09).

    Raises:
        FormatError: the shard breaks a rule.
    """
    data = blobs.pack({"name": shard.name, "releases": [_plain(one) for one in shard.releases]})
    decode(data, shard.name)
    return data


def decode(data: bytes, name: str) -> Shard:
    """Return the shard of a name (SPEC IDX-06 to IDX-09).

    Raises:
        ArchiveError, FormatError: the bytes break a rule, or are the shard of another name.
    """
    what = f"the shard of `{name}`"
    top = blobs.unpack(data, what=what, rule="IDX-07", known=_KNOWN)
    if top.text("name") != name or not names.is_name(name):
        raise top.refuse("name", f"is not `{name}`")
    judged: set[Judged] = set()
    rows = _bounded(top, "releases", MAX_RELEASES)
    releases = tuple(_release(fields, name, judged) for fields in rows)
    for newer, older in pairwise(releases):
        if newer.order <= older.order:
            what = f"{what}: releases are not sorted, newest first, or one stands there twice"
            raise FormatError(what, rule="IDX-08")
    return Shard(name, releases)


def _plain(release: Release) -> dict[str, object]:
    return {
        "version": release.version,
        "revision": release.revision,
        "identity": release.identity,
        "date": release.date,
        "signers": list(release.signers),
        "recipe": canonical.decode(release.recipe, what="recipe.json"),
        "payloads": [manifest.payload_fields(payload) for payload in release.payloads],
        "sources": [
            {"sha256": one.sha256, "size": one.size, "urls": list(one.urls)}
            for one in release.sources
        ],
        "copies": [
            {"kind": c.kind, "url": c.url, "sha256": c.sha256, "size": c.size, "tail": c.tail}
            for c in release.copies
        ],
        "yanked": release.yanked,
    }


def _release(fields: document.Fields, name: str, judged: set[Judged]) -> Release:
    recipe, parts = _recipe(fields, judged)
    release = Release(
        version=fields.text("version"),
        revision=fields.integer("revision"),
        identity=fields.text("identity", document.SHA256),
        date=fields.date("date"),
        signers=fields.texts("signers", document.SHA256),
        recipe=recipe,
        payloads=tuple(manifest.payload_of(one) for one in fields.each("payloads")),
        sources=tuple(_source(one) for one in fields.each("sources")),
        copies=tuple(_copy(one) for one in _bounded(fields, "copies", MAX_COPIES)),
        yanked=fields.text("yanked", _LINE),
        parts=parts,
    )
    _sorted(fields, "signers", release.signers)
    _sorted(fields, "payloads", tuple(payload.id for payload in release.payloads))
    _sorted(fields, "sources", tuple(source.sha256 for source in release.sources))
    if len(release.signers) > MAX_SIGNATURES:
        raise fields.refuse("signers", f"has more than {MAX_SIGNATURES} items")
    _says_itself(fields, release, name)
    return release


def _recipe(fields: document.Fields, judged: set[Judged]) -> tuple[bytes, Parts | None]:
    """Return the slice of a recipe as bytes and in parts; it must be one (SPEC IDX-06).

    What is left without version, revision and plain requirements, which are checked apart, is
    judged once for all releases that it is the same of.
    """
    table = fields.value.get("recipe")
    if not isinstance(table, dict) or not isinstance(table.get("package"), dict):
        raise fields.refuse("recipe", "is not the slice of a recipe", rule="IDX-06")
    data = canonical.again(table)
    parts = recipe_slice.parts(table)
    key = (parts.shape, len(parts.needs)) if parts else (data, 0)
    if key not in judged:
        recipe_slice.check_form(data, what=f"{fields.what}: `{fields.place}recipe`")
        judged.add(key)
    return data, parts


def _says_itself(fields: document.Fields, release: Release, name: str) -> None:
    """Hold a release against its own recipe: name, version and revision are the same."""
    package: dict[str, Any] = fields.value["recipe"]["package"]
    try:
        versions.parse(release.version)
    except UsageError as error:
        raise fields.refuse("version", "is not a version") from error
    revision = package.get("revision", 0)
    said = (package["name"], package.get("version"), revision)
    if said != (name, release.version, release.revision) or type(revision) is not int:
        raise fields.refuse("recipe", "is that of another release", rule="IDX-06")


def _copy(fields: document.Fields) -> Copy:
    kind = cast("Literal['full', 'thin']", fields.text("kind", _KIND))
    size = fields.integer("size", 1, MAX_ARCHIVE_BYTES)
    return Copy(
        kind=kind,
        url=_url(fields, fields.text("url")),
        sha256=fields.text("sha256", document.SHA256),
        size=size,
        tail=fields.integer("tail", 0, size - 1),
    )


def _source(fields: document.Fields) -> IndexSource:
    return IndexSource(
        sha256=fields.text("sha256", document.SHA256),
        size=fields.integer("size", 0, MAX_ARCHIVE_BYTES),
        urls=tuple(_url(fields, url) for url in fields.texts("urls")),
    )


def _url(fields: document.Fields, text: str) -> str:
    if len(text) > MAX_URL_LENGTH or not _URL.fullmatch(text):
        raise fields.refuse("url", "is no plain relative path and no web address", rule="IDX-09")
    return text


def _bounded(fields: document.Fields, name: str, most: int) -> tuple[document.Fields, ...]:
    found = tuple(fields.each(name))
    if len(found) > most:
        raise fields.refuse(name, f"has more than {most} items", rule="IDX-03")
    return found


def _sorted(fields: document.Fields, name: str, keys: tuple[str, ...]) -> None:
    if list(keys) != sorted(set(keys)):
        raise fields.refuse(name, "is not sorted and distinct")
