"""Packing: from a draft to an archive in a scratch folder.

Rules (SPEC RCP-07, RCP-08):
- A payload's options are the defaults of the component.
- The manifest lists every member that the full copy has; a thin copy lacks some of them.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO

from crpack import __version__, disk, zstd
from crpack.archive import members, writer
from crpack.archive import payload as payloads
from crpack.errors import UsageError
from crpack.fetch import download
from crpack.fetch.addresses import shown
from crpack.install import listing
from crpack.make.drivers.table import DRIVERS
from crpack.make.plan import SourceItem
from crpack.model import manifest as manifests
from crpack.model import parameters, platforms, recipe_document
from crpack.model.limits import MAX_ARCHIVE_BYTES
from crpack.model.manifest import Manifest, Member, Payload
from crpack.ops import detection, making, sources
from crpack.ops.making import Job, Material
from crpack.ops.progress import News
from crpack.trust import envelope

if TYPE_CHECKING:
    from crpack.make.audit import Audit
    from crpack.make.plan import DepRoot
    from crpack.make.runner import Built
    from crpack.model.platforms import Platform
    from crpack.model.recipe import Recipe, Source
    from crpack.ops.drafts import Draft
    from crpack.ops.progress import Tell
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
    """Packs the drafts of one closure, in their order, below one scratch folder."""

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
        self.sandbox = ""
        self.network = ""
        disk.make_folders(folder)

    def pack(
        self,
        draft: Draft,
        copies: tuple[Packed, ...],
        targets: tuple[str, ...],
        *,
        full: bool,
    ) -> Packed:
        """Make one archive.

        Args:
            draft: the component.
            copies: archives of its closure that it carries.
            targets: platforms to carry payloads for, beside `any` where that applies.
            full: with payload and source members of its own.

        Raises:
            UsageError: a platform that cannot be made here, or a source that is not there.
            BuildFailed: a payload cannot be made.
        """
        self._tell(News("Packing", f"{draft.name} {draft.recipe.package.version}"))
        materials, document = self._sources(draft)
        carried = [
            self._payload(draft, document, materials, target)
            for target in self._targets(draft, targets)
        ]
        parts = [part for _, both in carried for part in both]
        bare = _is_its_payload(draft.recipe)
        carried_sources = {m.item.sha256: m for m in materials} if not bare else {}
        parts += [
            _part_of_file(manifests.source_member(sha), m.path)
            for sha, m in carried_sources.items()
        ]
        parts.append(writer.part(members.RECIPE, document))
        manifest = _manifest(
            draft,
            hashlib.sha256(document).hexdigest(),
            members=tuple(writer.member(part) for part in parts),
            components=tuple(copy.identity for copy in copies),
            payloads=tuple(payload for payload, _ in carried),
            sources=tuple(carried_sources),
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

    def _targets(self, draft: Draft, asked: tuple[str, ...]) -> tuple[Platform, ...]:
        build = draft.recipe.build
        if build is None:
            return ()
        if is_any(draft.recipe):
            needs = draft.recipe.requires
            return () if needs.build or needs.target else (platforms.ANY,)
        here = detection.platform()
        for text in asked:
            if platforms.parse(text).base != here.base:
                raise UsageError(
                    f"a payload for `{text}` cannot be made on this machine",
                    why=[f"this machine is `{here}`, and this version of crpack compiles natively"],
                    hint=f"build on that platform, or ask for `{here.base}`",
                )
        return (here,) if asked else ()

    def _payload(
        self,
        draft: Draft,
        document: bytes,
        materials: tuple[Material, ...],
        target: Platform,
    ) -> tuple[Payload, tuple[writer.Part, writer.Part]]:
        self._count += 1
        with making.room(f"{self._folder}/{self._count}", self._session) as folder:
            built = self._result(draft, document, materials, folder)
            return self._pack(draft, target, built)

    def _result(
        self, draft: Draft, document: bytes, materials: tuple[Material, ...], folder: str
    ) -> Built:
        """Make a component with its default options on this machine."""
        job = Job(
            document=document,
            sha256=hashlib.sha256(document).hexdigest(),
            options=parameters.settle(draft.recipe.build_options, {}, owner=draft.name),
            target=detection.platform(),
            materials=materials,
            deps=_deps(draft),
            trusted=True,  # by who builds it
        )
        facts = detection.facts_for(draft.recipe, self._session)
        _, built = making.make(job, facts, folder=folder, session=self._session, tell=self._tell)
        if built.sandbox:
            self.sandbox, self.network = built.sandbox, built.network
        return built

    def _pack(
        self, draft: Draft, target: Platform, built: Built
    ) -> tuple[Payload, tuple[writer.Part, writer.Part]]:
        """Pack a result; return what the manifest says of it, and its two members."""
        audit = built.audit
        if not (audit.portable and audit.relocatable):
            raise UsageError(
                f"the result of `{draft.name}` works only where it was built",
                why=_ties(audit),
                hint="build the archive without `--platform`; devices then compile it",
            )
        if target != platforms.ANY:
            target = replace(target, floor=dict(audit.floors).get("glibc", ""))
        path = f"{self._folder}/{built.tree}.tar.zst"

        def open_file(inner: str) -> BinaryIO:
            return open(os.path.join(built.folder, inner), "rb")

        with disk.create_file(path) as out:
            toc = writer.pack_payload(
                built.entries, open_file, out, level=self._level, threads=self._session.jobs
            )
        packed_toc = payloads.encode_toc(toc)
        options = parameters.settle(draft.recipe.build_options, {}, owner=draft.name)
        payload_id = manifests.payload_id(str(target), options, built.tree)
        files = [entry for entry in built.entries if entry.kind == "file"]
        payload = Payload(
            id=payload_id,
            platform=str(target),
            options=options,
            tree=built.tree,
            toc=hashlib.sha256(packed_toc).hexdigest(),
            packed=os.path.getsize(path),
            unpacked=sum(entry.size for entry in files),
            files=len(files),
            floors=audit.floors,
        )
        return payload, (
            _part_of_file(manifests.payload_member(payload_id), path),
            writer.part(manifests.toc_member(payload_id), packed_toc),
        )

    def _sources(self, draft: Draft) -> tuple[tuple[Material, ...], bytes]:
        """Return the sources as files, and the document with their digests (SPEC RCP-07)."""
        materials = []
        digests: dict[int, tuple[str, int]] = {}
        for index, source in enumerate(draft.recipe.source):
            path = f"{self._folder}/{draft.name.replace('/', '@')}-{index}.source"
            if source.kind == "url":
                self._fetch(source, path)
            else:
                sources.pack(source, draft.folder, path)
                digests[index] = listing.sha256(path)
            item = SourceItem(source, *listing.sha256(path))
            materials.append(Material(item, path))
        return tuple(materials), recipe_document.with_digests(draft.document, digests)

    def _fetch(self, source: Source, path: str) -> None:
        self._tell(News("Fetching", shown(source.urls[0])))
        download.download(
            self._session.transport(),
            source.urls,
            path,
            limit=MAX_ARCHIVE_BYTES,
            sha256=source.sha256,
            size=source.size,
            parts=self._session.parts,
        )


def _deps(draft: Draft) -> tuple[tuple[str, DepRoot], ...]:
    """Refuse a payload whose making needs other components; they are made on devices only."""
    if draft.recipe.requires.build or draft.recipe.requires.target:
        raise UsageError(
            f"a payload of `{draft.name}` needs other components to be built",
            hint="build the archive without a payload; devices then compile it",
        )
    return ()


def _ties(audit: Audit) -> tuple[str, ...]:
    """Return what ties a result to the machine or folder where it was built."""
    return (
        *(f"it needs `{name}`, which is no part of the platform" for name in audit.externals),
        *(f"`{path}` looks into `{folder}`" for path, folder in audit.absolute),
        *(f"`{path}` names a folder of the build" for path in audit.leaks),
    )


def is_any(recipe: Recipe) -> bool:
    """Say whether a recipe's result is the same on every platform (SPEC RCP-04)."""
    build = recipe.build
    return build is not None and (build.platform == "any" or not DRIVERS[build.driver].runs)


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
