"""An archive as it is read: strict, from one open file, verified before it is believed.

Rules (SPEC ARC-01 to ARC-16):
- Opening checks the whole layout, the manifest, which members there are, `recipe.json` and the
  form of the signatures. It reads headers and small members only.
- Every other member is checked when it is read.
- What signatures are worth is not decided here: `manifest_bytes` and `signatures_bytes` are what
  `trust` needs.
- Anything wrong is an ArchiveError or a FormatError with the id of the rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Protocol

from crpack.archive import layout, members, payload, pipeline
from crpack.archive.container import Container
from crpack.archive.section import Section
from crpack.errors import ArchiveError
from crpack.model import manifest as manifests
from crpack.model import signatures
from crpack.model.limits import MAX_SIGNATURES_BYTES, MAX_TOC_BYTES
from crpack.model.paths import shown
from crpack.model.toc import entries

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from crpack.model.manifest import Manifest, Member, Payload
    from crpack.model.toc import Frame, Toc
    from crpack.model.tree import Entry


class Destination(Protocol):
    """Where a payload is unpacked to. Called in order; links come last."""

    def file(self, entry: Entry, chunks: Iterator[bytes]) -> None:
        """Take one file; the last chunk comes only when the digest of all is right."""

    def folder(self, path: str) -> None:
        """Make one empty directory."""

    def link(self, path: str, target: str) -> None:
        """Make one symbolic link."""


class Archive(Container):
    """One open archive.

    Attributes:
        manifest: what it is and lists.
        manifest_bytes: what is signed.
        identity: sha256, in hex, of `manifest_bytes`.
        signatures_bytes: `signatures.json`, canonical, its signatures not judged.
        recipe_bytes: `recipe.json`, its digest checked.
        size: bytes of the archive.
    """

    __slots__ = ("identity", "manifest", "manifest_bytes", "recipe_bytes", "signatures_bytes")

    kind = "archive"
    rule = "ARC-08"

    def __init__(self, section: Section) -> None:
        """Open what `section` holds; `open` is the door for streams."""
        super().__init__(section, members.check)
        self.manifest_bytes = self.read(members.MANIFEST)
        self.identity = manifests.identity(self.manifest_bytes)
        self.manifest: Manifest = manifests.decode(self.manifest_bytes)
        self._listed = {member.path: member for member in self.manifest.members}
        check_listed(self._slots, self._listed, self.manifest)
        self.signatures_bytes = self.read(members.SIGNATURES, MAX_SIGNATURES_BYTES)
        signatures.decode(self.signatures_bytes)
        self.recipe_bytes = self.read(members.RECIPE)

    @classmethod
    def open(cls, stream: BinaryIO, *, size: int) -> Archive:
        """Open an archive (SPEC ARC-01 to ARC-13).

        Args:
            stream: seekable; must stay open and unchanged while the archive is used.
            size: its bytes, all of which must be the archive.

        Raises:
            ArchiveError, FormatError: it breaks a rule.
        """
        return cls(Section(stream, 0, size))

    @property
    def tail(self) -> int:
        """Offset of the header of `recipe.json`: all the small members follow (SPEC ARC-06)."""
        return self._slots[members.RECIPE].offset

    @property
    def components(self) -> tuple[str, ...]:
        """Identities of the components whose copies are there."""
        found = (members.component_identity(name) for name in self._slots)
        return tuple(identity for identity in found if identity)

    def payload(self, payload_id: str) -> Payload:
        """Return what the manifest says of a payload.

        Raises:
            ArchiveError: there is none of this id.
        """
        for found in self.manifest.payloads:
            if found.id == payload_id:
                return found
        raise ArchiveError(f"the archive lists no payload `{shown(payload_id)}`")

    def toc(self, payload_id: str) -> Toc:
        """Return the table of contents of a payload (SPEC TOC-01 to TOC-07, TOC-12).

        Raises:
            ArchiveError, FormatError: it breaks a rule.
        """
        listed = self.payload(payload_id)
        data = self.read(manifests.toc_member(payload_id), MAX_TOC_BYTES)
        return payload.decode_toc(data, listed)

    def frame(self, payload_id: str, frame: Frame) -> bytes:
        """Return the packed bytes of one frame of a payload; their digest is not yet checked.

        Raises:
            ArchiveError: the payload is not there, or cut short.
        """
        body = self._body(manifests.payload_member(payload_id))
        return body.read(frame.offset, frame.packed)

    def unpack(
        self, payload_id: str, destination: Destination, *, threads: int = 1, strict: bool = False
    ) -> None:
        """Unpack a payload (SPEC TOC-08 to TOC-13).

        Args:
            payload_id: which one.
            destination: gets files and empty directories in order of path, then links. Nothing of
                what it got is to be used before this returns.
            threads: how many check and decompress, beside the calling one.
            strict: also check that the tar agrees with the table of contents.

        Raises:
            ArchiveError, FormatError: it breaks a rule; or what the destination raises.
        """
        toc = self.toc(payload_id)
        packed = ((frame, self.frame(payload_id, frame)) for frame in toc.frames)
        raws = pipeline.ordered(lambda pair: payload.unpack_frame(*pair), packed, threads)
        for entry, chunks in payload.walk(entries(toc), raws, strict=strict):
            if entry.kind == "file":
                destination.file(entry, chunks)
            elif entry.kind == "dir":
                destination.folder(entry.path)
            else:
                destination.link(entry.path, entry.target)

    def component(self, identity: str) -> Archive:
        """Open the copy of a component that this archive carries (SPEC ARC-14, ARC-15).

        Raises:
            ArchiveError, FormatError: it is not there, or breaks a rule itself.
        """
        inner = Archive(self._body(members.component_member(identity)))
        if inner.identity != identity:
            what = f"the copy of component `{identity[:16]}…` is another component"
            raise ArchiveError(what, rule="ARC-14")
        if inner.components:
            raise ArchiveError("the copy of a component carries components", rule="ARC-15")
        return inner


def check_listed(
    slots: Mapping[str, layout.Slot], listed: Mapping[str, Member], manifest: Manifest
) -> None:
    """See that what is there is listed, and what is listed is there or may be missing.

    Raises:
        ArchiveError: it is not (SPEC ARC-08 to ARC-10).
    """
    components = set(manifest.components)
    for name, slot in slots.items():
        identity = members.component_identity(name)
        if name in {members.MANIFEST, members.SIGNATURES} or identity in components:
            continue
        if name not in listed:
            raise ArchiveError(f"the manifest does not list `{shown(name)}`", rule="ARC-09")
        if listed[name].size != slot.size:
            what = f"`{shown(name)}` has {slot.size} bytes, and {listed[name].size} in the manifest"
            raise ArchiveError(what, rule="ARC-10")
    for name in listed:
        members.rank(name)
        if name in {members.MANIFEST, members.SIGNATURES} or members.component_identity(name):
            raise ArchiveError(f"the manifest lists `{shown(name)}` as a member", rule="ARC-09")
        if name not in slots and not members.is_bulk(name):
            raise ArchiveError(f"the archive lacks `{shown(name)}`", rule="ARC-08")
