"""Whole archives made by the writer, for tests of reading and of other tools."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING

from crpack.archive import payload, reader, writer
from crpack.model import canonical, signatures, tree
from crpack.model import manifest as manifests
from crpack.model.manifest import Manifest, Payload
from crpack.model.tree import Entry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from crpack.model.toc import Toc

RECIPE = canonical.encode({"critical": [], "format": 1})


def entry(path: str, data: bytes, *, executable: bool = False) -> Entry:
    digest = hashlib.sha256(data).hexdigest()
    return Entry(path, "file", executable=executable, size=len(data), sha256=digest)


class Files(dict[str, bytes]):
    """Files by path, opened as the writer wants them."""

    def open(self, path: str) -> io.BytesIO:
        return io.BytesIO(self[path])

    def entries(self, *others: Entry, executable: tuple[str, ...] = ()) -> tuple[Entry, ...]:
        found = [entry(path, data, executable=path in executable) for path, data in self.items()]
        return tuple(sorted((*found, *others), key=lambda one: one.path))


def packed(
    files: Mapping[str, bytes], entries: Sequence[Entry], *, threads: int = 1, level: int = 9
) -> tuple[bytes, Toc]:
    out = io.BytesIO()
    toc = writer.pack_payload(entries, Files(files).open, out, level=level, threads=threads)
    return out.getvalue(), toc


def archive(
    files: Mapping[str, bytes],
    *others: Entry,
    executable: tuple[str, ...] = (),
    threads: int = 1,
    extra: Sequence[writer.Part] = (),
    components: Sequence[str] = (),
) -> bytes:
    """Return an archive with one payload for any platform."""
    entries = Files(files).entries(*others, executable=executable)
    body, toc = packed(files, entries, threads=threads)
    table = payload.encode_toc(toc)
    digest = tree.digest(entries)
    payload_id = manifests.payload_id("any", (), digest)
    parts = [
        writer.part(manifests.payload_member(payload_id), body),
        writer.part("recipe.json", RECIPE),
        writer.part(manifests.toc_member(payload_id), table),
        *extra,
    ]
    listed = [one for one in parts if not one.name.startswith("component/")]
    manifest = Manifest(
        name="lab/sample",
        version="1.0",
        revision=0,
        kind="dataset",
        summary="A sample",
        license="Apache-2.0",
        needs_crpack="",
        recipe=hashlib.sha256(RECIPE).hexdigest(),
        members=tuple(sorted(map(writer.member, listed), key=lambda member: member.path)),
        components=tuple(sorted(components)),
        payloads=(
            Payload(
                id=payload_id,
                platform="any",
                options=(),
                tree=digest,
                toc=hashlib.sha256(table).hexdigest(),
                packed=len(body),
                unpacked=sum(one.size for one in entries),
                files=sum(one.kind == "file" for one in entries),
            ),
        ),
        sources=tuple(sorted(one.name[7:] for one in parts if one.name.startswith("source/"))),
    )
    parts += [
        writer.part("manifest.json", manifests.encode(manifest)),
        writer.part("signatures.json", signatures.encode(())),
    ]
    out = io.BytesIO()
    writer.write(writer.in_order(parts), out)
    return out.getvalue()


def opened(data: bytes) -> reader.Archive:
    return reader.Archive.open(io.BytesIO(data), size=len(data))


class Kept:
    """A destination that keeps everything, in order."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.files: dict[str, bytes] = {}
        self.links: dict[str, str] = {}
        self.folders: list[str] = []
        self.executable: list[str] = []

    def file(self, entry: Entry, chunks: Iterator[bytes]) -> None:
        self.calls.append(("file", entry.path))
        self.files[entry.path] = b"".join(chunks)
        if entry.executable:
            self.executable.append(entry.path)

    def folder(self, path: str) -> None:
        self.calls.append(("folder", path))
        self.folders.append(path)

    def link(self, path: str, target: str) -> None:
        self.calls.append(("link", path))
        self.links[path] = target


def unpacked(data: bytes, *, threads: int = 1, strict: bool = True) -> Kept:
    found = opened(data)
    kept = Kept()
    for one in found.manifest.payloads:
        found.unpack(one.id, kept, threads=threads, strict=strict)
    return kept
