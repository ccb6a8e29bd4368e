"""Packing: from a draft and what was made of it to an archive in a scratch folder.

Rules (SPEC RCP-07, RCP-08):
- The platform of a payload has the floor that was measured.
- The manifest lists every member that the full copy has; a thin copy lacks some of them.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from crpack import __version__, disk, zstd
from crpack.archive import members, writer
from crpack.archive import payload as framing
from crpack.install import listing
from crpack.make.drivers.table import DRIVERS
from crpack.model import manifest as manifests
from crpack.model.manifest import Manifest, Member, Payload
from crpack.ops import payloads
from crpack.ops.progress import News
from crpack.trust import envelope

if TYPE_CHECKING:
    from crpack.model.recipe import Recipe
    from crpack.ops.drafts import Draft
    from crpack.ops.makings import Result
    from crpack.ops.payloads import Wanted
    from crpack.ops.progress import Tell
    from crpack.ops.stock import Stocked
    from crpack.session import Session
    from crpack.trust.keys import PrivateKey


@dataclass(frozen=True, slots=True)
class Packed:
    """An archive in a scratch folder.

    Attributes:
        path: of the file.
        size: its bytes; `sha256` is of the file.
        manifest: what it is.
        identity: its name.
        signers: key ids, sorted.
    """

    path: str
    size: int
    sha256: str
    manifest: Manifest
    identity: str
    signers: tuple[str, ...]


class Bench:
    """Packs the drafts of one closure below one scratch folder, when their results are made."""

    def __init__(
        self,
        session: Session,
        keys: tuple[PrivateKey, ...],
        folder: str,
        level: int,
        tell: Tell,
    ) -> None:
        self._session = session
        self._keys = keys
        self._folder = folder
        self._level = level
        self._tell = tell
        self._count = 0
        disk.make_folders(folder)

    def pack(
        self,
        draft: Draft,
        stocked: Stocked,
        results: tuple[tuple[Wanted, Result], ...],
        copies: tuple[Packed, ...] = (),
        *,
        full: bool,
    ) -> Packed:
        """Make one archive.

        Args:
            draft: the component.
            stocked: its sources; those that were not fetched are listed and not carried.
            results: payloads to carry.
            copies: archives of its closure that it carries.
            full: with payload and source members of its own.
        """
        self._tell(News("Packing", f"{draft.name} {draft.recipe.package.version}"))
        carried = [self._pack(wanted, result) for wanted, result in results]
        parts = [part for _, both in carried for part in both]
        bare = _is_its_payload(draft.recipe)
        known = () if bare else (m for m in stocked.materials if m.path or m.item.size)
        listed = {m.item.sha256: m for m in known}
        parts += [
            _part_of_file(manifests.source_member(sha), m.path)
            for sha, m in listed.items()
            if m.path
        ]
        parts.append(writer.part(members.RECIPE, stocked.document))
        absent = tuple(
            Member(manifests.source_member(sha), m.item.size, sha)
            for sha, m in listed.items()
            if not m.path
        )
        manifest = _manifest(
            draft,
            hashlib.sha256(stocked.document).hexdigest(),
            members=(*(writer.member(part) for part in parts), *absent),
            components=tuple(copy.identity for copy in copies),
            payloads=tuple(payload for payload, _ in carried),
            sources=tuple(listed),
        )
        if not full:
            parts = [part for part in parts if not members.is_bulk(part.name)]
        parts += [
            _part_of_file(members.component_member(copy.identity), copy.path) for copy in copies
        ]
        return self._write(manifest, parts)

    def _write(self, manifest: Manifest, parts: list[writer.Part]) -> Packed:
        data = manifests.encode(manifest)
        identity = manifests.identity(data)
        signatures = envelope.sign_manifest(data, self._keys)
        parts += [writer.part(members.MANIFEST, data), writer.part(members.SIGNATURES, signatures)]
        path = f"{self._folder}/{identity}.crpkg"
        with disk.create_file(path) as out:
            size = writer.write(writer.in_order(parts), out)
        signers = tuple(sorted(signature.keyid for signature in envelope.decode(signatures)))
        return Packed(path, size, listing.sha256(path)[0], manifest, identity, signers)

    def _pack(
        self, wanted: Wanted, result: Result
    ) -> tuple[Payload, tuple[writer.Part, writer.Part]]:
        """Pack a result; return what the manifest says of it, and its two members."""
        record = result.record
        platform = payloads.measured(wanted.platform, record.floors)
        payload_id = manifests.payload_id(str(platform), wanted.unit.options, record.tree)
        self._count += 1
        path = f"{self._folder}/{self._count}.tar.zst"

        def open_file(inner: str) -> BinaryIO:
            return open(os.path.join(result.folder, inner), "rb")

        with disk.create_file(path) as out:
            toc = writer.pack_payload(
                result.entries, open_file, out, level=self._level, threads=self._session.jobs
            )
        packed_toc = framing.encode_toc(toc)
        files = [entry for entry in result.entries if entry.kind == "file"]
        payload = Payload(
            id=payload_id,
            platform=str(platform),
            options=wanted.unit.options,
            tree=record.tree,
            toc=hashlib.sha256(packed_toc).hexdigest(),
            packed=os.path.getsize(path),
            unpacked=sum(entry.size for entry in files),
            files=len(files),
            floors=record.floors,
            requires=result.linked,
        )
        return payload, (
            _part_of_file(manifests.payload_member(payload_id), path),
            writer.part(manifests.toc_member(payload_id), packed_toc),
        )


def _is_its_payload(recipe: Recipe) -> bool:
    """Say whether a component carries its payload and no sources (SPEC RCP-08)."""
    return (
        recipe.build is not None
        and not DRIVERS[recipe.build.driver].runs
        and not recipe.build_options
        and all(source.kind != "url" for source in recipe.source)
    )


def _manifest(
    draft: Draft,
    recipe: str,
    *,
    members: tuple[Member, ...],
    components: tuple[str, ...],
    payloads: tuple[Payload, ...],
    sources: tuple[str, ...],
) -> Manifest:
    package = draft.recipe.package
    return Manifest(
        name=package.name,
        version=package.version,
        revision=package.revision,
        kind=package.kind,
        summary=package.summary,
        license=package.license,
        needs_crpack=package.needs_crpack,
        recipe=recipe,
        members=tuple(sorted(members, key=lambda member: member.path)),
        components=tuple(sorted(components)),
        payloads=tuple(sorted(payloads, key=lambda payload: payload.id)),
        sources=tuple(sorted(sources)),
        made_with=(("crpack", __version__), ("zstd", zstd.version())),
    )


def _part_of_file(name: str, path: str) -> writer.Part:
    return writer.Part(name, os.path.getsize(path), lambda: open(path, "rb"))
