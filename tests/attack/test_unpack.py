"""Hostile upstream archives: each is refused with one clear error, and nothing gets outside."""

from __future__ import annotations

import gzip
import io
import lzma
import os
import random
import struct
import tarfile
import time
import zipfile
from typing import TYPE_CHECKING

import pytest
import zstandard

from crpack.errors import ArchiveError
from crpack.fetch.unpack import Caps, unpack

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Member = tuple[str, bytes, str, bytes]  # name, type, link target, data

PLENTY = Caps()
FILE, LINK, HARD = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE


def tar(*members: Member, form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, kind, target, data in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.size = kind, target, len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def zipped(*members: tuple[str, int, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, mode, data in members:
            info = zipfile.ZipInfo(name)
            info.external_attr, info.create_system = mode << 16, 3
            archive.writestr(info, data)
    return out.getvalue()


def a(name: str) -> Member:
    return (name, FILE, "", b"x")


def refused(folder: Path, data: bytes, *, caps: Caps = PLENTY, strip: int = 0) -> ArchiveError:
    """Unpack hostile bytes and return the refusal; nothing stands outside of the folder."""
    (folder / "archive").write_bytes(data)
    (folder / "out").mkdir(exist_ok=True)
    before = sorted(os.listdir(folder))
    with pytest.raises(ArchiveError) as caught:
        unpack(f"{folder}/archive", f"{folder}/out", caps=caps, strip=strip)
    assert sorted(os.listdir(folder)) == before
    assert caught.value.what
    return caught.value


HOSTILE = {
    "absolute": tar(a("/etc/crpack-test")),
    "absolute-twice": tar(a("//etc/crpack-test")),
    "parent": tar(a("../outside")),
    "parent-inside": tar(a("a/../../outside")),
    "backslash": tar(a("..\\outside")),
    "control": tar(a("a\nb")),
    "not-utf8": tar(("a\udcff", FILE, "", b"x"), form=tarfile.GNU_FORMAT),
    "windows-device": tar(a("aux.c")),
    "stream": tar(a("file:stream")),
    "trailing-dot": tar(a("a.")),
    "long": tar(a("x" * 300)),
    "deep": tar(a("d/" * 70 + "x")),
    "one-name-on-some-systems": tar(a("README"), a("readme")),
    "twice": tar(a("a"), a("a")),
    "twice-by-strip": tar(a("./a"), a("a")),
    "file-then-below-it": tar(a("a"), a("a/b")),
    "below-then-file": tar(a("a/b"), a("a")),
    "link-absolute": tar(("a", LINK, "/etc", b"")),
    "link-out": tar(("a", LINK, "../outside", b"")),
    "link-out-deep": tar(("d/a", LINK, "../../outside", b"")),
    "link-through-the-middle": tar(("a", LINK, "b/../../outside", b"")),
    "link-empty": tar(("a", LINK, ".", b"")),
    "link-then-below-it": tar(("a", LINK, "b", b""), a("a/c")),
    "link-then-file": tar(("a", LINK, "b", b""), a("a")),
    "link-to-itself": tar(("a", LINK, "a", b"")),
    "links-in-a-circle": tar(("a", LINK, "b", b""), ("b", LINK, "a", b"")),
    "hard-absolute": tar(("a", HARD, "/etc/passwd", b"")),
    "hard-out": tar(("a", HARD, "../outside", b"")),
    "hard-later": tar(("a", HARD, "b", b""), a("b")),
    "hard-to-link": tar(("b", LINK, "c", b""), ("a", HARD, "b", b"")),
    "hard-to-itself": tar(("a", HARD, "a", b"")),
    "pipe": tar(("a", tarfile.FIFOTYPE, "", b"")),
    "device": tar(("a", tarfile.CHRTYPE, "", b"")),
    "block-device": tar(("a", tarfile.BLKTYPE, "", b"")),
    "unknown-type": tar(("a", b"Z", "", b"")),
    "zip-parent": zipped(("../outside", 0o100644, b"x")),
    "zip-absolute": zipped(("/etc/crpack-test", 0o100644, b"x")),
    "zip-backslash": zipped(("..\\outside", 0o100644, b"x")),
    "zip-link-out": zipped(("a", 0o120777, b"../outside")),
    "zip-link-long": zipped(("a", 0o120777, b"x/" * 2000)),
    "zip-link-no-text": zipped(("a", 0o120777, b"\xff")),
    "zip-device": zipped(("a", 0o020666, b"")),
    "not-an-archive": b"hello, world",
    "empty": b"",
    "a-page": b"<!DOCTYPE html><html>" * 100,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_is_refused(tmp_path: Path, name: str) -> None:
    """FET-07, FET-08."""
    error = refused(tmp_path, HOSTILE[name])
    assert error.rule


def test_a_sparse_member_is_refused(tmp_path: Path) -> None:
    """FET-08."""
    data = bytearray(tar(a("a"), form=tarfile.GNU_FORMAT))
    data[156:157] = tarfile.GNUTYPE_SPARSE
    data[386:482] = bytes(96)
    data[483:495] = b"00000000001\0"
    refused(tmp_path, _summed(bytes(data)))


def _summed(data: bytes) -> bytes:
    """Return a tar whose first header has the right checksum again."""
    header = bytearray(data[:512])
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + data[512:]


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    """FET-08."""
    data = bytearray(zipped(("a", 0o100644, b"x")))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert "encrypted" in refused(tmp_path, bytes(data)).what


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, 93])
def test_a_zip_member_of_another_method_is_refused(tmp_path: Path, method: int) -> None:
    """FET-08."""
    data = bytearray(zipped(("a", 0o100644, b"x")))
    for at in (8, data.index(b"PK\x01\x02") + 10):
        struct.pack_into("<H", data, at, method)
    refused(tmp_path, bytes(data))


def _bomb(compress: Callable[[bytes], bytes]) -> bytes:
    return compress(tar(("a", FILE, "", bytes(30_000_000))))


@pytest.mark.parametrize("compress", [gzip.compress, lzma.compress, zstandard.compress])
def test_a_bomb_is_refused_before_it_goes_off(
    tmp_path: Path, compress: Callable[[bytes], bytes]
) -> None:
    """FET-08."""
    error = refused(tmp_path, _bomb(compress), caps=Caps(size=1_000_000))
    assert "more than 1000000 bytes" in error.what
    assert os.listdir(tmp_path / "out") == []


def test_hard_links_count_as_the_bytes_they_become(tmp_path: Path) -> None:
    """FET-08."""
    members = [("a", FILE, "", b"x" * 1000), *((f"h{at}", HARD, "a", b"") for at in range(99))]
    assert "more than 50000 bytes" in refused(tmp_path, tar(*members), caps=Caps(size=50_000)).what


def test_overlapping_zip_members_count_each_time(tmp_path: Path) -> None:
    """FET-08."""
    data = zipped(*((f"f{at}", 0o100644, b"x" * 1000) for at in range(99)))
    refused(tmp_path, data, caps=Caps(size=50_000))


def test_too_many_members_are_refused(tmp_path: Path) -> None:
    """FET-08."""
    many = [a(f"f{at}") for at in range(60)]
    assert "more than 50 members" in refused(tmp_path, tar(*many), caps=Caps(entries=50)).what
    dropped = [a(f"top{at}") for at in range(60)]
    refused(tmp_path, tar(*dropped), caps=Caps(entries=50), strip=1)


@pytest.mark.parametrize("kind", [b"x", b"L", b"K", b"g"])
@pytest.mark.parametrize("size", [b"77777777777\0", b"\x80" + b"\0" * 3 + b"\x7f" * 8])
def test_a_header_that_claims_gigabytes_is_refused(
    tmp_path: Path, kind: bytes, size: bytes
) -> None:
    """FET-08: it is not read into memory."""
    data = bytearray(tar(a("a")))
    data[156:157], data[124:136] = kind, size
    refused(tmp_path, _summed(bytes(data)) + bytes(4_000_000))


def test_a_member_of_negative_size_is_refused(tmp_path: Path) -> None:
    """FET-08, CVE-2025-8194."""
    data = bytearray(tar(a("a"), a("b")))
    data[124:136] = b"\xff" * 11 + b"\x00"
    refused(tmp_path, _summed(bytes(data)))


def test_headers_without_end_are_refused(tmp_path: Path) -> None:
    """FET-08: thousands of extended headers, one behind the other."""
    header = bytearray(tar(a("a"))[:512])
    header[156:157], header[124:136] = b"x", b"00000000000\0"
    refused(tmp_path, _summed(bytes(header)) * 5000 + bytes(1024))


def test_many_hard_links_take_no_quadratic_time(tmp_path: Path) -> None:
    (tmp_path / "archive").write_bytes(
        tar(a("a"), *((f"h{at}", HARD, "a", b"") for at in range(3000)))
    )
    (tmp_path / "out").mkdir()
    started = time.process_time()
    assert len(unpack(f"{tmp_path}/archive", f"{tmp_path}/out")) == 3001
    assert time.process_time() - started < 20


@pytest.mark.parametrize("compress", [bytes, gzip.compress, lzma.compress, zstandard.compress])
def test_an_archive_cut_anywhere_is_refused(
    tmp_path: Path, compress: Callable[[bytes], bytes]
) -> None:
    """FET-08: an end of zeros may be missing, nothing else."""
    noise = random.Random(1).randbytes(3000)  # noqa: S311
    whole = tar(("a", FILE, "", noise), ("b", FILE, "", noise))
    data = compress(whole)
    end = data.index(noise, 4000) + len(noise) if compress is bytes else len(data) - 30
    dice = random.Random(2)  # noqa: S311
    for at in sorted({0, 1, 511, 513, end - 1, *(dice.randrange(end) for _ in range(20))}):
        if compress is bytes and at % 512 == 0:
            continue  # between members nothing tells that more should follow
        refused(tmp_path, data[:at])
        for name in os.listdir(tmp_path / "out"):
            os.unlink(tmp_path / "out" / name)


@pytest.mark.parametrize("kind", ["tar", "gzip", "zip"])
def test_bytes_flipped_at_random_never_give_a_traceback(tmp_path: Path, kind: str) -> None:
    """FET-08."""
    members = (a("d/a"), ("l", LINK, "d/a", b""), ("h", HARD, "d/a", b""), a("n" * 150))
    data = zipped(("d/a", 0o100755, b"x" * 99), ("l", 0o120777, b"d/a"), ("e/", 0o040755, b""))
    data = {"tar": tar(*members), "gzip": gzip.compress(tar(*members)), "zip": data}[kind]
    dice = random.Random(3)  # noqa: S311
    good = bad = 0
    for turn in range(300):
        changed = bytearray(data)
        for _ in range(dice.randrange(1, 4)):
            changed[dice.randrange(len(data))] = dice.randrange(256)
        folder = tmp_path / str(turn)
        (folder / "out").mkdir(parents=True)
        (folder / "archive").write_bytes(changed)
        try:
            unpack(f"{folder}/archive", f"{folder}/out", caps=Caps(100, 100_000))
            good += 1
        except ArchiveError:
            bad += 1
        assert sorted(os.listdir(folder)) == ["archive", "out"]
    assert bad
    assert good + bad == 300
