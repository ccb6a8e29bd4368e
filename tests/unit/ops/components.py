"""Components of small closures, as archives in memory, and the facts of a machine."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass

from crpack.archive import members, writer
from crpack.archive.reader import Archive
from crpack.model import facts, recipe_document
from crpack.model import manifest as manifests
from crpack.model.facts import Facts, Found
from crpack.model.manifest import Manifest, Payload
from crpack.ops.selection import Component

LINUX = "linux-x86_64-gnu2.36"
MADE = "[build]\ndriver = 'make'\n"  # a component that is made from its source
PROBED = "[[probe]]\nkind = 'elf'\nnames = ['it']\n"  # one that a machine may have already


@dataclass(frozen=True, slots=True)
class Ready:
    """A payload to put into an archive; not `carried` in a thin copy."""

    platform: str = LINUX
    options: tuple[tuple[str, str], ...] = ()
    floors: tuple[tuple[str, str], ...] = ()
    carried: bool = True


def component(
    name: str,
    text: str = MADE,
    *payloads: Ready,
    version: str = "1.0",
    sources: tuple[bytes, ...] = (),
    thin: bool = False,
) -> Component:
    """Return a component whose recipe is a head and the text.

    Args:
        name: of the component.
        text: the rest of its `crpack.toml`.
        payloads: what its archive lists.
        version: of the component.
        sources: bytes of its source members.
        thin: the copy lacks them.
    """
    head = f'[package]\nname = "{name}"\nversion = "{version}"\nkind = "program"\n'
    head += 'summary = ""\nlicense = ""\n'
    document = recipe_document.read(head + text, file="crpack.toml")
    parts = [writer.part(members.RECIPE, document)]
    listed = [(ready, _payload(ready, number)) for number, ready in enumerate(payloads)]
    absent: set[str] = set()
    for ready, one in listed:
        body = manifests.payload_member(one.id)
        parts.append(writer.part(body, b"body"))
        parts.append(writer.part(manifests.toc_member(one.id), b"toc"))
        absent |= set() if ready.carried else {body}
    for data in sources:
        source = manifests.source_member(hashlib.sha256(data).hexdigest())
        parts.append(writer.part(source, data))
        absent |= {source} if thin else set()
    data = manifests.encode(
        Manifest(
            name=name,
            version=version,
            revision=0,
            kind="program",
            summary="",
            license="",
            needs_crpack="",
            recipe=hashlib.sha256(document).hexdigest(),
            members=tuple(sorted(map(writer.member, parts), key=lambda one: one.path)),
            payloads=tuple(sorted((one for _, one in listed), key=lambda one: one.id)),
            sources=tuple(sorted(hashlib.sha256(data).hexdigest() for data in sources)),
        )
    )
    parts = [part for part in parts if part.name not in absent]
    parts += [
        writer.part(members.MANIFEST, data),
        writer.part(members.SIGNATURES, b'{"critical":[],"format":1,"signatures":[]}'),
    ]
    out = io.BytesIO()
    size = writer.write(writer.in_order(parts), out)
    archive = Archive.open(out, size=size)
    return Component(archive, recipe_document.open_json(archive.recipe_bytes), ())


def _payload(ready: Ready, number: int) -> Payload:
    tree = hashlib.sha256(str(number).encode()).hexdigest()
    return Payload(
        id=manifests.payload_id(ready.platform, ready.options, tree),
        platform=ready.platform,
        options=ready.options,
        tree=tree,
        toc=hashlib.sha256(b"toc").hexdigest(),
        packed=len(b"body"),
        unpacked=10,
        files=1,
        floors=ready.floors,
    )


def machine(
    *found: Found, platform: str = LINUX, capabilities: tuple[tuple[str, str], ...] = ()
) -> Facts:
    """Return the facts of a machine that has some software."""
    return facts.Facts(platform, capabilities=capabilities, found=found)


def have(name: str, version: str | None, *, runnable: bool = True) -> Found:
    """Return software that was found."""
    return Found(name, version, path=f"/usr/bin/{name}", runnable=runnable)
