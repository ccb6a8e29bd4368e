"""Archives made by hand, right by default and wrong where a case wants it.

Nothing here goes through the writer: documents are plain JSON values, frames are zstd frames of
stored blocks (so the bytes depend on no version of zstd), and every step can be bent.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from crpack.archive import layout, payload, tar
from crpack.model import canonical
from crpack.model import manifest as manifests
from crpack.model.tree import Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Json = dict[str, Any]
Members = list[tuple[str, bytes]]

PACKAGE = {
    "name": "lab/sample",
    "version": "1.0",
    "kind": "dataset",
    "summary": "A sample",
    "license": "Apache-2.0",
}
RECIPE = canonical.encode({"package": PACKAGE, "build": {"driver": "copy"}})


@dataclass(frozen=True, slots=True)
class Item:
    """A place of a tree with its bytes or, for a link, its target."""

    path: str
    data: bytes = b""
    kind: str = "file"
    executable: bool = False

    def entry(self) -> Entry:
        path, kind = self.path, self.kind
        if kind == "file":
            digest = sha256(self.data)
            return Entry(path, "file", self.executable, len(self.data), digest)
        if kind == "dir":
            return Entry(path, "dir")
        return Entry(path, "link", target=self.data.decode("utf-8"))


TREE = (
    Item("bin/run", b"#!/bin/sh\necho it runs\n", executable=True),
    Item("cache", kind="dir"),
    Item("data/big", bytes(range(256)) * 5),
    Item("data/empty"),
    Item("lib/current", b"../data/big", kind="link"),
)
CUT = 4 * 512 + 512  # the tree is cut inside of data/big


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def stored(raw: bytes) -> bytes:
    """Return a zstd frame that holds `raw` in stored blocks (RFC 8878, 3.1.1)."""
    size = len(raw)
    if size < 256:
        head = b"\x20" + struct.pack("<B", size)
    elif size < 65_792:
        head = b"\x60" + struct.pack("<H", size - 256)
    else:
        head = b"\xa0" + struct.pack("<L", size)
    blocks = [raw[at : at + 65_536] for at in range(0, size, 65_536)] or [b""]
    body = b"".join(
        (len(block) << 3 | (number == len(blocks) - 1)).to_bytes(3, "little") + block
        for number, block in enumerate(blocks)
    )
    return b"\x28\xb5\x2f\xfd" + head + body


def tar_of(items: Sequence[Item]) -> bytes:
    held = {item.path: item.data for item in items}
    parts = []
    for entry in tar.order(item.entry() for item in items):
        data = held[entry.path] if entry.kind == "file" else b""
        parts += [tar.header(entry), data, bytes(tar.padding(len(data)))]
    return b"".join([*parts, tar.END])


def toc_of(
    items: Sequence[Item], sizes: Sequence[int], raws: Sequence[bytes], packed: Sequence[bytes]
) -> Json:
    """Return the table of contents of a tree whose tar was cut into frames of `sizes`."""
    frames: list[Json] = []
    offset = 0
    for raw, frame in zip(raws, packed, strict=True):
        frames.append(
            {"offset": offset, "packed": len(frame), "raw": len(raw), "sha256": sha256(frame)}
        )
        offset += len(frame)
    files: list[Json] = []
    for entry, first, at, last in payload.spots([item.entry() for item in items], sizes):
        if entry.kind != "file":
            continue
        files.append(
            {
                "path": entry.path,
                "size": entry.size,
                "executable": entry.executable,
                "sha256": entry.sha256,
                "frame": first,
                "offset": at,
            }
        )
        for number in range(first, last + 1 if last > first else first):
            frames[number]["raw_sha256"] = sha256(raws[number])
    return {
        "format": 1,
        "critical": [],
        "frames": frames,
        "files": files,
        "links": [
            {"path": item.path, "target": item.data.decode()}
            for item in items
            if item.kind == "link"
        ],
        "dirs": [item.path for item in items if item.kind == "dir"],
    }


def tree_of(toc: Json) -> str:
    """Return the tree digest of what a table of contents lists."""
    rows = [[f["path"], "file", int(f["executable"]), f["sha256"]] for f in toc["files"]]
    rows += [[link["path"], "link", 0, link["target"]] for link in toc["links"]]
    rows += [[path, "dir", 0, ""] for path in toc["dirs"]]
    return sha256(canonical.encode(sorted(rows)))


def container(members: Members) -> bytes:
    """Return the ZIP of members as they are, checking nothing."""
    slots = layout.place((name, zlib.crc32(data), len(data)) for name, data in members)
    parts = [
        layout.local_header(slot) + data for slot, (_, data) in zip(slots, members, strict=True)
    ]
    return b"".join(parts) + layout.directory(slots)


def nothing(_: object) -> None:
    """Bend nothing."""


def forge(
    items: Sequence[Item] = TREE,
    *,
    cuts: Sequence[int] = (CUT,),
    platform: str = "any",
    raw: Callable[[list[bytes]], None] = nothing,
    packed: Callable[[list[bytes]], None] = nothing,
    toc: Callable[[Json], None] = nothing,
    toc_member: Callable[[bytes], bytes] = stored,
    manifest: Callable[[Json], None] = nothing,
    manifest_bytes: Callable[[bytes], bytes] = bytes,
    extra: Sequence[tuple[str, bytes]] = (),
    components: Sequence[str] = (),
    signatures: bytes = b'{"critical":[],"format":1,"signatures":[]}',
    members: Callable[[Members], None] = nothing,
) -> bytes:
    """Return an archive with one payload.

    Args:
        items: the payload's tree.
        cuts: where its tar is cut into frames.
        platform: of the payload.
        raw: bends the raw frames before they are packed.
        packed: bends the packed frames before they are listed.
        toc: bends the table of contents.
        toc_member: makes its member of its JSON.
        manifest: bends the manifest.
        manifest_bytes: bends its bytes.
        extra: further members, listed where they are neither components nor unlisted.
        components: identities that the manifest lists.
        signatures: bytes of `signatures.json`.
        members: bends the members, last of all.
    """
    whole = tar_of(items)
    bounds = [0, *(cut for cut in cuts if cut < len(whole)), len(whole)]
    raws = [whole[a:b] for a, b in pairwise(bounds)]
    sizes = [len(one) for one in raws]
    raw(raws)
    frames = [stored(one) for one in raws]
    packed(frames)
    table = toc_of(items, sizes, raws, frames)
    toc(table)
    tree = tree_of(table)
    toc_bytes = toc_member(canonical.encode(table))
    payload_id = manifests.payload_id(platform, (), tree)
    body = [
        (f"payload/{payload_id}.tar.zst", b"".join(frames)),
        ("recipe.json", RECIPE),
        (f"toc/{payload_id}.json.zst", toc_bytes),
        *extra,
    ]
    document: Json = {
        **base_manifest(body, RECIPE),
        "components": sorted(components),
        "payloads": [
            {
                "id": payload_id,
                "platform": platform,
                "options": {},
                "tree": tree,
                "toc": sha256(toc_bytes),
                "packed": sum(map(len, frames)),
                "unpacked": sum(file["size"] for file in table["files"]),
                "files": len(table["files"]),
                "floors": {},
                "requires": [],
                "portable": True,
                "relocatable": True,
            }
        ],
    }
    manifest(document)
    return assemble(body, manifest_bytes(canonical.encode(document)), signatures, members)


def base_manifest(body: Sequence[tuple[str, bytes]], recipe: bytes) -> Json:
    listed = [(name, data) for name, data in body if not name.startswith("component/")]
    return {
        "format": 1,
        "critical": [],
        **PACKAGE,
        "revision": 0,
        "needs_crpack": "",
        "recipe": sha256(recipe),
        "members": sorted(
            ({"path": name, "size": len(data), "sha256": sha256(data)} for name, data in listed),
            key=lambda member: member["path"],
        ),
        "components": [],
        "payloads": [],
        "sources": sorted(name[7:] for name, _ in listed if name.startswith("source/")),
        "made_with": {"crpack": "0.1.0"},
    }


def assemble(
    body: Sequence[tuple[str, bytes]],
    manifest: bytes,
    signatures: bytes,
    members: Callable[[Members], None] = nothing,
) -> bytes:
    order = ("payload/", "source/", "component/", "recipe.json", "recipe/", "toc/")
    classes = {prefix: number for number, prefix in enumerate(order)}

    def rank(member: tuple[str, bytes]) -> tuple[int, str]:
        name = member[0]
        return next((n for prefix, n in classes.items() if name.startswith(prefix)), 9), name

    whole = [
        *sorted(body, key=rank),
        ("manifest.json", manifest),
        ("signatures.json", signatures),
    ]
    members(whole)
    return container(whole)


def bare(
    *,
    manifest: Callable[[Json], None] = nothing,
    extra: Sequence[tuple[str, bytes]] = (),
    recipe: bytes = RECIPE,
) -> bytes:
    """Return an archive without a payload."""
    body = [("recipe.json", recipe), *extra]
    document = base_manifest(body, recipe)
    manifest(document)
    signatures = b'{"critical":[],"format":1,"signatures":[]}'
    return assemble(body, canonical.encode(document), signatures)
