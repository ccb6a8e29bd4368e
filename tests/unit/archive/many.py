"""Archives with a payload for each of several platforms, and sources, for tests of slices."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING

from crpack.archive import payload, writer
from crpack.index.entries import Copy
from crpack.model import manifest as manifests
from crpack.model import signatures, tree
from crpack.model.manifest import Manifest, Payload
from tests.unit.archive.written import RECIPE, Files, opened, packed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crpack.archive.writer import Part


def many(payloads: Mapping[str, Mapping[str, bytes]], sources: Sequence[bytes] = ()) -> bytes:
    """Return an archive with a payload a platform, and source members."""
    parts: list[Part] = [writer.part("recipe.json", RECIPE)]
    listed: list[Payload] = []
    for platform, files in payloads.items():
        entries = Files(files).entries()
        body, toc = packed(files, entries)
        table, digest = payload.encode_toc(toc), tree.digest(entries)
        payload_id = manifests.payload_id(platform, (), digest)
        parts.append(writer.part(manifests.payload_member(payload_id), body))
        parts.append(writer.part(manifests.toc_member(payload_id), table))
        listed.append(
            Payload(
                id=payload_id,
                platform=platform,
                options=(),
                tree=digest,
                toc=hashlib.sha256(table).hexdigest(),
                packed=len(body),
                unpacked=sum(one.size for one in entries),
                files=len(entries),
            )
        )
    digests = {hashlib.sha256(data).hexdigest(): data for data in sources}
    parts += [writer.part(f"source/{digest}", data) for digest, data in digests.items()]
    manifest = Manifest(
        name="lab/many",
        version="1.0",
        revision=0,
        kind="dataset",
        summary="",
        license="",
        needs_crpack="",
        recipe=hashlib.sha256(RECIPE).hexdigest(),
        members=tuple(sorted(map(writer.member, parts), key=lambda member: member.path)),
        payloads=tuple(sorted(listed, key=lambda one: one.id)),
        sources=tuple(sorted(digests)),
    )
    parts += [
        writer.part("manifest.json", manifests.encode(manifest)),
        writer.part("signatures.json", signatures.encode(())),
    ]
    out = io.BytesIO()
    writer.write(writer.in_order(parts), out)
    return out.getvalue()


def copy_of(data: bytes, url: str) -> Copy:
    """Return how an index lists a full copy."""
    digest = hashlib.sha256(data).hexdigest()
    return Copy("full", url, digest, len(data), opened(data).tail)


def thin(data: bytes) -> bytes:
    """Return the thin copy of an archive."""
    out = io.BytesIO()
    writer.write(writer.copy(opened(data), thin=True), out)
    return out.getvalue()


def member_for(data: bytes, platform: str) -> str:
    """Return the name of the payload for a platform."""
    found = [p.id for p in opened(data).manifest.payloads if p.platform == platform]
    return manifests.payload_member(found[0])
