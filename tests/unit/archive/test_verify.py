from __future__ import annotations

import io
import zlib
from typing import TYPE_CHECKING

from crpack.archive import layout, verify, writer
from tests.unit.archive.written import Files, archive, opened
from tests.vectors import forge

if TYPE_CHECKING:
    from crpack.archive.verify import Finding

FILES = Files({"a": b"1", "b": bytes(3_000_000)})


def findings(data: bytes, *, strict: bool = True) -> tuple[Finding, ...]:
    return verify.verify(opened(data), strict=strict)


def bent(data: bytes, prefix: str) -> bytes:
    """Change the last byte of one member and its CRC-32 with it."""
    start, count = layout.find(data[-layout.TAIL :], len(data))
    placed = layout.parse(data[start:], count)
    held = [(slot.name, data[slot.start : slot.end]) for slot in placed]
    held = [
        (name, body[:-1] + bytes([body[-1] ^ 1]) if name.startswith(prefix) else body)
        for name, body in held
    ]
    slots = layout.place((name, zlib.crc32(body), len(body)) for name, body in held)
    parts = [layout.local_header(slot) + body for slot, (_, body) in zip(slots, held, strict=True)]
    return b"".join(parts) + layout.directory(slots)


def test_a_whole_archive_has_no_findings() -> None:
    assert findings(archive(FILES)) == ()


def test_one_fault_does_not_hide_another() -> None:
    patch = [writer.part("recipe/x", b"12"), writer.part("recipe/y", b"34")]
    data = bent(archive(FILES, extra=patch), "recipe/x")
    assert [finding.member for finding in findings(data)] == ["recipe/x"]
    both = bent(data, "recipe/y")
    assert [finding.member for finding in findings(both)] == ["recipe/x", "recipe/y"]


def test_a_damaged_payload_is_told_once() -> None:
    for prefix in ("payload/", "toc/"):
        found = findings(bent(archive(FILES), prefix))
        assert [finding.rule for finding in found] == ["ARC-12"]
        assert found[0].member.startswith(prefix)
        assert found[0].code == "archive"


def test_tar_headers_are_compared_when_it_is_strict() -> None:  # TOC-13
    def touch(raws: list[bytes]) -> None:
        raws[0] = b"B" + raws[0][1:]

    data = forge.forge(raw=touch)
    assert findings(data, strict=False) == ()
    (found,) = findings(data)
    assert found.rule == "TOC-13"
    assert found.member.startswith("payload/")


def test_a_fault_in_a_component_is_told_with_its_place() -> None:
    inner = archive(Files(i=b"x"), extra=[writer.part("recipe/x", b"12")])
    identity = opened(inner).identity
    name = f"component/{identity}.crpkg"
    damaged = writer.part(name, bent(inner, "recipe/x"))
    found = findings(archive(FILES, extra=[damaged], components=[identity]))
    assert [(finding.member, finding.rule) for finding in found] == [(f"{name}/recipe/x", "ARC-12")]
    cut = writer.part(name, inner[:-1])
    found = findings(archive(FILES, extra=[cut], components=[identity]))
    assert [(finding.member, finding.rule) for finding in found] == [(name, "ARC-01")]


def test_a_thin_copy_is_verified_as_far_as_it_goes() -> None:
    out = io.BytesIO()
    writer.write(writer.copy(opened(archive(FILES)), thin=True), out)
    assert findings(out.getvalue()) == ()
    (found,) = findings(bent(out.getvalue(), "toc/"))
    assert found.rule == "ARC-12"
