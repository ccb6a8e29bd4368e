"""A manifest: what one archive is and all it holds.

Rules (SPEC MAN-01 to MAN-07):
- Its bytes are what publishers sign; their sha256 is the identity of the archive.
- Every member but `manifest.json`, `signatures.json` and the copies of components is listed with
  size and sha256; components are listed by identity, so a thin and a full copy of one have the
  same manifest.
- A payload is named by the digest of its platform, options and tree, and has exactly two
  members: itself and its table of contents.
- Every list is sorted and distinct.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from dataclasses import dataclass
from typing import Literal, get_args

from crpack.errors import FormatError
from crpack.model import canonical, document, names
from crpack.model.limits import MAX_ARCHIVE_BYTES, MAX_ENTRIES, MAX_JSON_BYTES, MAX_MEMBERS

Kind = Literal["solution", "software", "program", "model", "dataset"]
KINDS: tuple[Kind, ...] = get_args(Kind)

WHAT = "`manifest.json`"
_KIND = re.compile("|".join(KINDS))
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+!_-]{0,127}")
# Not parsed: an archive may carry a payload for a platform that this reader has never heard of.
_PLATFORM = re.compile(r"any|[a-z0-9]+(-[a-z0-9_.]+){1,2}")
_PAYLOAD_ID = re.compile(r"[0-9a-f]{16}")
_KEY = re.compile(r"[A-Za-z0-9@][A-Za-z0-9._+-]{0,63}")


@dataclass(frozen=True, slots=True)
class Member:
    """One member of the archive: name, bytes, and sha256 (hex) of its bytes."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Payload:
    """The made result for one platform and one set of build options.

    Attributes:
        id: first 16 hex digits of the digest of platform, options and tree (SPEC MAN-05).
        platform: text form, such as `linux-x86_64-gnu2.36`, or `any`.
        options: build options, values as text, sorted by name.
        tree: digest of its files as content (SPEC TRE-03).
        toc: sha256 of the member that holds its table of contents.
        packed: bytes of the payload member.
        unpacked: bytes of its files together.
        files: number of its regular files.
        floors: lowest capabilities as measured, such as `("glibc", "2.34")`.
        requires: requirements as it was made with; of what it links `NAME VERSION TREE`.
        portable: it depends on no detected library below no declared floor.
        relocatable: it works wherever it is put.
    """

    id: str
    platform: str
    options: tuple[tuple[str, str], ...]
    tree: str
    toc: str
    packed: int
    unpacked: int
    files: int
    floors: tuple[tuple[str, str], ...] = ()
    requires: tuple[str, ...] = ()
    portable: bool = True
    relocatable: bool = True

    @property
    def linked(self) -> tuple[tuple[str, str], ...]:
        """Name and tree of what it was linked with (SPEC GEN-11); other requirements name none."""
        words = (text.split(" ") for text in self.requires)
        return tuple((w[0], w[2]) for w in words if len(w) == 3 and document.SHA256.fullmatch(w[2]))


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one archive is and holds.

    Attributes:
        name: of the component (SPEC NAM).
        version: PEP 440.
        revision: of this version's recipe, from 0.
        kind: one of KINDS.
        summary: one line.
        license: SPDX expression; may be empty.
        needs_crpack: range of crpack versions that can use it; empty for any.
        recipe: sha256 of `recipe.json`.
        members: its own members, sorted by path.
        components: identities of the components whose copies it may carry, sorted.
        payloads: sorted by id.
        sources: sha256 of its source members, sorted.
        made_with: what made it, such as `("zstd", "1.5.7")`, sorted by name.
    """

    name: str
    version: str
    revision: int
    kind: str
    summary: str
    license: str
    needs_crpack: str
    recipe: str
    members: tuple[Member, ...]
    components: tuple[str, ...] = ()
    payloads: tuple[Payload, ...] = ()
    sources: tuple[str, ...] = ()
    made_with: tuple[tuple[str, str], ...] = ()


_KNOWN = frozenset(
    field.name for kind in (Manifest, Payload, Member) for field in dataclasses.fields(kind)
)


def identity(data: bytes) -> str:
    """Return the identity of an archive: sha256, in hex, of its manifest's bytes (SPEC MAN-02)."""
    return hashlib.sha256(data).hexdigest()


def payload_id(platform: str, options: tuple[tuple[str, str], ...], tree: str) -> str:
    """Return the name of a payload in its archive (SPEC MAN-05)."""
    key = {"platform": platform, "options": dict(options), "tree": tree}
    return hashlib.sha256(canonical.encode(key)).hexdigest()[:16]


def payload_member(payload: str) -> str:
    """Return the member that holds a payload, by its id (SPEC MAN-06)."""
    return f"payload/{payload}.tar.zst"


def toc_member(payload: str) -> str:
    """Return the member that holds a payload's table of contents, by its id (SPEC MAN-06)."""
    return f"toc/{payload}.json.zst"


def source_member(sha256: str) -> str:
    """Return the member that holds a source, by its digest (SPEC MAN-07)."""
    return f"source/{sha256}"


def encode(manifest: Manifest) -> bytes:
    """Return the bytes of `manifest.json`, checked as a reader checks them (SPEC MAN-01).

    Raises:
        FormatError: the manifest breaks a rule of MAN.
    """
    fields = _plain(manifest)
    fields["made_with"] = dict(manifest.made_with)
    fields["members"] = [_plain(member) for member in manifest.members]
    fields["payloads"] = [payload_fields(payload) for payload in manifest.payloads]
    data = document.encode(fields)
    decode(data)
    return data


def decode(data: bytes) -> Manifest:
    """Return the manifest in the bytes of `manifest.json` (SPEC MAN-01 to MAN-07).

    Raises:
        FormatError: the bytes break a rule of JSN or MAN.
    """
    top = document.decode(data, what=WHAT, rule="MAN-01", known=_KNOWN)
    manifest = Manifest(
        name=top.text("name"),
        version=top.text("version", _VERSION),
        revision=top.integer("revision"),
        kind=top.text("kind", _KIND),
        summary=top.text("summary"),
        license=top.text("license"),
        needs_crpack=top.text("needs_crpack"),
        recipe=top.text("recipe", document.SHA256),
        members=tuple(_member(fields) for fields in top.each("members")),
        components=top.texts("components", document.SHA256),
        payloads=tuple(payload_of(fields) for fields in top.each("payloads")),
        sources=top.texts("sources", document.SHA256),
        made_with=top.pairs("made_with", _KEY),
    )
    if not names.is_name(manifest.name):
        raise top.refuse("name", "is not a component's name")
    _check_lists(manifest)
    _check_members(manifest)
    return manifest


def _plain(value: Manifest | Member | Payload) -> dict[str, object]:
    """Return the fields of a value as they stand."""
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def _member(fields: document.Fields) -> Member:
    return Member(
        path=fields.text("path"),
        size=fields.integer("size", 0, MAX_ARCHIVE_BYTES),
        sha256=fields.text("sha256", document.SHA256),
    )


def payload_fields(payload: Payload) -> dict[str, object]:
    """Return a payload as a document states it (SPEC MAN-05)."""
    return {**_plain(payload), "options": dict(payload.options), "floors": dict(payload.floors)}


def payload_of(fields: document.Fields) -> Payload:
    """Return the payload that a document states (SPEC MAN-05).

    Raises:
        FormatError: a field breaks a rule, or the id is not that of the payload.
    """
    payload = Payload(
        id=fields.text("id", _PAYLOAD_ID),
        platform=fields.text("platform", _PLATFORM),
        options=fields.pairs("options", _KEY),
        tree=fields.text("tree", document.SHA256),
        toc=fields.text("toc", document.SHA256),
        packed=fields.integer("packed", 1, MAX_ARCHIVE_BYTES),
        unpacked=fields.integer("unpacked", 0, MAX_ARCHIVE_BYTES),
        files=fields.integer("files", 0, MAX_ENTRIES),
        floors=fields.pairs("floors", _KEY),
        requires=fields.texts("requires"),
        portable=fields.flag("portable"),
        relocatable=fields.flag("relocatable"),
    )
    if payload.id != payload_id(payload.platform, payload.options, payload.tree):
        what = "is not the digest of platform, options and tree"
        raise fields.refuse("id", what, rule="MAN-05")
    return payload


def _check_lists(manifest: Manifest) -> None:
    if len(manifest.members) > MAX_MEMBERS:
        raise FormatError(f"{WHAT} lists more than {MAX_MEMBERS} members", rule="MAN-03")
    lists = {
        "members": tuple(member.path for member in manifest.members),
        "components": manifest.components,
        "payloads": tuple(payload.id for payload in manifest.payloads),
        "sources": manifest.sources,
    }
    for name, keys in lists.items():
        if list(keys) != sorted(set(keys)):
            raise FormatError(f"{WHAT}: `{name}` is not sorted and distinct", rule="MAN-03")


def _check_members(manifest: Manifest) -> None:
    """Hold the list of members against the recipe, payloads and sources."""
    members = {member.path: member for member in manifest.members}
    recipe = members.get("recipe.json")
    if recipe is None or recipe.sha256 != manifest.recipe or recipe.size > MAX_JSON_BYTES:
        raise FormatError(f"{WHAT} does not list the `recipe.json` it names", rule="MAN-04")
    for payload in manifest.payloads:
        body, toc = members.get(payload_member(payload.id)), members.get(toc_member(payload.id))
        if body is None or toc is None or body.size != payload.packed or toc.sha256 != payload.toc:
            what = f"{WHAT}: the members of payload `{payload.id}` are missing or others"
            raise FormatError(what, rule="MAN-06")
    for sha256 in manifest.sources:
        source = members.get(source_member(sha256))
        if source is None or source.sha256 != sha256:
            what = f"{WHAT}: the member of source `{sha256[:16]}…` is missing or another"
            raise FormatError(what, rule="MAN-07")
    tail = {"payload/": len(manifest.payloads), "toc/": len(manifest.payloads)}
    tail["source/"] = len(manifest.sources)
    for prefix, count in tail.items():
        if sum(path.startswith(prefix) for path in members) != count:
            what = f"{WHAT} lists a member in `{prefix}` that nothing names"
            raise FormatError(what, rule="MAN-06")
