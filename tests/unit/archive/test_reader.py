from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from typing import TYPE_CHECKING

import pytest

from crpack import zstd
from crpack.archive import layout, reader, verify, writer
from crpack.errors import ArchiveError
from crpack.model import canonical, limits, toc
from crpack.model.tree import Entry
from tests.unit.archive.written import RECIPE, Files, Kept, archive, opened, unpacked
from tests.vectors import forge

if TYPE_CHECKING:
    from pathlib import Path

FILES = Files({"a/x": b"12345", "a/y": b"", "b": b"z" * 2_000_000})
SOURCE = b"a source"
SOURCE_NAME = f"source/{hashlib.sha256(SOURCE).hexdigest()}"
EXTRA = (writer.part(SOURCE_NAME, SOURCE), writer.part("recipe/fix.patch", b"-a\n+b\n"))


def test_an_archive_says_what_it_holds() -> None:
    found = opened(archive(FILES, extra=EXTRA))
    assert found.manifest.name == "lab/sample"
    assert found.identity == hashlib.sha256(found.manifest_bytes).hexdigest()
    assert found.recipe_bytes == RECIPE
    assert found.has("recipe/fix.patch")
    assert canonical.decode(found.signatures_bytes, what="it")["signatures"] == []
    assert found.has(SOURCE_NAME)
    assert found.read(SOURCE_NAME) == SOURCE
    assert found.size_of(SOURCE_NAME) == len(SOURCE)
    with found.stream("recipe/fix.patch") as stream:
        assert stream.read(2) + stream.read() == b"-a\n+b\n"


def test_what_is_not_there_is_said_to_be_absent() -> None:
    found = opened(archive(FILES))
    for ask in (
        lambda: found.stream("source/" + "0" * 64),
        lambda: found.read("recipe/x"),
        lambda: found.component("0" * 64),
        lambda: found.size_of("x"),
        lambda: found.toc("0" * 16),
        lambda: found.unpack("0" * 16, Kept()),
    ):
        with pytest.raises(ArchiveError, match=r"does not carry|lists no payload"):
            ask()


def test_a_member_beyond_the_limit_is_not_read() -> None:  # ARC-13
    found = opened(archive(FILES, extra=EXTRA))
    assert found.read(SOURCE_NAME, limit=8) == SOURCE
    with pytest.raises(ArchiveError) as caught:
        found.read(SOURCE_NAME, limit=7)
    assert caught.value.rule == "ARC-13"
    long = forge.forge(signatures=b" " * (limits.MAX_SIGNATURES_BYTES + 1))
    with pytest.raises(ArchiveError) as caught:
        opened(long)
    assert caught.value.rule == "ARC-13"


def test_files_and_folders_come_in_order_and_links_last() -> None:
    kept = unpacked(
        archive(FILES, Entry("0", "link", target="b"), Entry("aa", "dir"), executable=("b",))
    )
    assert kept.calls == [
        *(("file", "a/x"), ("file", "a/y"), ("folder", "aa"), ("file", "b"), ("link", "0"))
    ]
    assert kept.files == FILES


@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("strict", [True, False])
def test_threads_and_strictness_change_nothing(threads: int, *, strict: bool) -> None:
    assert unpacked(archive(FILES), threads=threads, strict=strict).files == FILES


class Hasty(Kept):
    """A destination that takes nothing of what it is given."""

    def file(self, entry: Entry, chunks: object) -> None:  # noqa: ARG002
        self.calls.append(("file", entry.path))


def test_what_a_destination_does_not_take_is_checked_all_the_same() -> None:
    found = opened(forge.forge())
    hasty = Hasty()
    found.unpack(found.manifest.payloads[0].id, hasty, strict=True)
    assert ("file", "data/empty") in hasty.calls

    def touch(raws: list[bytes]) -> None:
        raws[0] = raws[0][:512] + b"?" + raws[0][513:]

    found = opened(forge.forge(raw=touch))
    with pytest.raises(ArchiveError) as caught:
        found.unpack(found.manifest.payloads[0].id, Hasty())
    assert caught.value.rule == "TOC-11"


def test_the_last_chunk_of_a_wrong_file_is_never_given_out() -> None:
    def touch(raws: list[bytes]) -> None:
        raws[0] = raws[0][:-1] + b"?"

    class Watching(Kept):
        def file(self, entry: Entry, chunks: object) -> None:
            for chunk in chunks:  # type: ignore[attr-defined]
                self.files[entry.path] = self.files.get(entry.path, b"") + chunk

    found = opened(forge.forge(raw=touch))
    watching = Watching()
    with pytest.raises(ArchiveError):
        found.unpack(found.manifest.payloads[0].id, watching)
    assert len(watching.files["data/big"]) < 1280


class Failing(io.BytesIO):
    """A file on a device that breaks after some bytes."""

    def __init__(self, data: bytes, good: int) -> None:
        super().__init__(data)
        self.good = good

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        if self.tell() > self.good:
            raise OSError(5, "Input/output error")
        return data


def test_a_device_that_breaks_is_said_to_be_unreadable() -> None:
    data = forge.forge()
    with pytest.raises(ArchiveError, match="the archive cannot be read") as caught:
        reader.Archive.open(Failing(data, 0), size=len(data))
    assert "Input/output error" in caught.value.why[0]


def test_a_file_that_shrinks_while_it_is_read_is_cut_short() -> None:
    data = forge.forge()
    stream = io.BytesIO(data)
    found = reader.Archive.open(stream, size=len(data))
    stream.truncate(1000)
    assert {finding.rule for finding in verify.verify(found)} == {"ARC-01"}


def test_a_component_is_an_archive_of_its_own() -> None:
    inner = archive(Files(i=b"inner"))
    identity = opened(inner).identity
    name = f"component/{identity}.crpkg"
    data = archive(FILES, extra=[writer.part(name, inner)], components=[identity, "f" * 64])
    found = opened(data)
    assert found.components == (identity,)
    nested = found.component(identity)
    assert nested.identity == identity
    kept = Kept()
    nested.unpack(nested.manifest.payloads[0].id, kept, strict=True)
    assert kept.files == {"i": b"inner"}
    assert verify.verify(found, strict=True) == ()
    out = io.BytesIO()
    writer.write(writer.copy(nested, thin=False), out)
    assert out.getvalue() == inner


def test_frames_can_be_had_one_by_one() -> None:
    found = opened(archive(FILES))
    payload = found.manifest.payloads[0]
    toc = found.toc(payload.id)
    packed = [found.frame(payload.id, frame) for frame in toc.frames]
    assert [hashlib.sha256(one).hexdigest() for one in packed] == [f.sha256 for f in toc.frames]
    with found.stream(f"payload/{payload.id}.tar.zst") as stream:
        assert b"".join(packed) == stream.read()


class Counting(io.BytesIO):
    """Counts what is read."""

    taken = 0

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        self.taken += len(data)
        return data


def test_opening_reads_only_the_small_members() -> None:
    data = archive(Files(x=bytes(range(256)) * 40_000, y=b"1"), extra=EXTRA)
    large = archive(Files(x=hashlib.shake_256(b"x").digest(3_000_000)), extra=EXTRA)
    for whole in (data, large):
        stream = Counting(whole)
        reader.Archive.open(stream, size=len(whole))
        assert stream.taken < 6000


def test_an_archive_beyond_4_gib_is_opened(tmp_path: Path) -> None:  # ARC-16
    """A sparse file: headers and small members stand where they must, between holes."""
    sizes = {f"source/{digit * 64}": size for digit, size in (("0", 2**32 - 1), ("1", 3 * 2**30))}
    members = [
        {"path": name, "size": size, "sha256": name.removeprefix("source/")}
        for name, size in {"recipe.json": len(RECIPE), **sizes}.items()
    ]
    members[0]["sha256"] = hashlib.sha256(RECIPE).hexdigest()
    document = {
        **forge.base_manifest([("recipe.json", RECIPE)], RECIPE),
        "members": members,
        "sources": [name.removeprefix("source/") for name in sizes],
    }
    small = {
        "recipe.json": RECIPE,
        "manifest.json": canonical.encode(document),
        "signatures.json": b'{"critical":[],"format":1,"signatures":[]}',
    }
    slots = layout.place(
        [
            *((name, 0, size) for name, size in sizes.items()),
            *((name, zlib.crc32(data), len(data)) for name, data in small.items()),
        ]
    )
    path = tmp_path / "large.crpkg"
    with path.open("wb") as out:
        for slot in slots:
            out.seek(slot.offset)
            out.write(layout.local_header(slot) + small.get(slot.name, b""))
        out.seek(slots[-1].end)
        out.write(layout.directory(slots))
    with path.open("rb") as stream:
        found = reader.Archive.open(stream, size=path.stat().st_size)
        assert [found.size_of(name) for name in sizes] == list(sizes.values())
        assert found.read("recipe.json") == RECIPE
    with zipfile.ZipFile(path) as archive:
        assert [info.file_size for info in archive.infolist()][:2] == list(sizes.values())
        assert archive.read("recipe.json") == RECIPE
    with path.open("r+b") as stream:
        stream.seek(layout.place([("a", 0, 0)])[0].offset + 4)
        stream.write(b"\x0a")
    with path.open("rb") as stream, pytest.raises(ArchiveError):
        reader.Archive.open(stream, size=path.stat().st_size)


def test_a_toc_is_one_frame_of_canonical_json() -> None:  # TOC-01
    found = opened(archive(FILES))
    payload = found.manifest.payloads[0]
    member = found.read(f"toc/{payload.id}.json.zst")
    text = zstd.decompress(member, limit=limits.MAX_TOC_BYTES, window=limits.MAX_ZSTD_WINDOW)
    assert toc.decode(text) == found.toc(payload.id)
    assert canonical.encode(canonical.decode(text, what="it")) == text
