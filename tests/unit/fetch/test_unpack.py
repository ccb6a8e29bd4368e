from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest
import zstandard

from crpack.errors import InstallError
from crpack.fetch.unpack import DATE, unpack
from crpack.model.tree import Entry

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LONG = "d" * 120 + "/" + "n" * 200


def tar(*, form: int = tarfile.PAX_FORMAT) -> bytes:
    """Return an ordinary upstream tar: one top folder, modes, links, long names."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:

        def add(name: str, kind: bytes, data: bytes = b"", mode: int = 0o644, to: str = "") -> None:
            info = tarfile.TarInfo(f"./pkg-1/{name}")
            info.type, info.mode, info.linkname, info.size = kind, mode, to, len(data)
            info.mtime, info.uid, info.uname = 1_700_000_000, 1000, "somebody"
            archive.addfile(info, io.BytesIO(data))

        add("", tarfile.DIRTYPE, mode=0o777)
        add("configure", tarfile.REGTYPE, b"#!/bin/sh\n", 0o775)
        add("src", tarfile.DIRTYPE)
        add("src/é.c", tarfile.REGTYPE, b"int x;\n" * 9999)
        add("src/empty", tarfile.DIRTYPE, mode=0)
        add("src/again", tarfile.LNKTYPE, to="./pkg-1/configure")
        add("src/link", tarfile.SYMTYPE, to=".././configure")
        add(LONG, tarfile.REGTYPE, b"deep")
        add("empty-file", tarfile.REGTYPE, mode=0)
    return out.getvalue()


WANTED = (
    Entry("configure", "file", executable=True, size=10),
    Entry(LONG, "file", size=4),
    Entry("empty-file", "file"),
    Entry("src/again", "file", executable=True, size=10),
    Entry("src/empty", "dir"),
    Entry("src/link", "link", target="../configure"),
    Entry("src/é.c", "file", size=69993),
)

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "two-xz": lambda data: lzma.compress(data[:5000]) + bytes(8) + lzma.compress(data[5000:]),
    "two-gzip": lambda data: gzip.compress(data[:5000]) + gzip.compress(data[5000:]),
    "zstd": zstandard.ZstdCompressor(write_content_size=False).compress,
    "two-zstd": lambda data: zstandard.compress(data[:5000]) + zstandard.compress(data[5000:]),
}


def unpacked(folder: Path, data: bytes, **options: int) -> tuple[Entry, ...]:
    """Unpack the bytes into a folder `out` that is new."""
    (folder / "archive").write_bytes(data)
    (folder / "out").mkdir()
    return unpack(f"{folder}/archive", f"{folder}/out", **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("packer", PACKERS)
def test_every_compression_gives_the_same_tree(tmp_path: Path, packer: str) -> None:
    """FET-07."""
    assert unpacked(tmp_path, PACKERS[packer](tar()), strip=1) == WANTED
    out = tmp_path / "out"
    assert (out / "src/é.c").read_bytes() == b"int x;\n" * 9999
    assert (out / "src/link").read_bytes() == b"#!/bin/sh\n"
    assert (out / LONG).read_bytes() == b"deep"


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_pax_and_gnu_headers_are_understood(tmp_path: Path, form: int) -> None:
    """FET-07."""
    assert unpacked(tmp_path, tar(form=form), strip=1) == WANTED


def test_modes_dates_and_hard_links_are_made_plain(tmp_path: Path) -> None:
    """FET-07."""
    unpacked(tmp_path, tar(), strip=1)
    status = {name: os.stat(tmp_path / "out" / name) for name in ("configure", "src/again")}
    assert {oct(one.st_mode & 0o7777) for one in status.values()} == {"0o755"}
    assert {one.st_nlink for one in status.values()} == {1}
    assert {one.st_mtime for one in status.values()} == {DATE}
    assert os.stat(tmp_path / "out/empty-file").st_mode & 0o777 == 0o644
    assert os.stat(tmp_path / "out/src/empty").st_mode & 0o777 == 0o755


@pytest.mark.parametrize(
    ("strip", "first"), [(0, "pkg-1/configure"), (1, "configure"), (2, "again"), (9, None)]
)
def test_leading_folders_are_stripped(tmp_path: Path, strip: int, first: str | None) -> None:
    """FET-07."""
    if strip == 2:  # the link of `src` would lead out
        info = tarfile.TarInfo("a/b/again")
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as archive:
            archive.addfile(info)
        entries = unpacked(tmp_path, out.getvalue(), strip=strip)
    else:
        entries = unpacked(tmp_path, tar(), strip=strip)
    assert (entries[0].path if entries else None) == first


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_gives_files_folders_links_and_modes(tmp_path: Path, method: int) -> None:
    """FET-07."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, mode, data in (
            ("pkg/run.sh", 0o100755, b"echo"),
            ("pkg/doc/é.txt", 0o100600, b"x" * 5000),
            ("pkg/empty/", 0o040755, b""),
            ("pkg/link", 0o120777, b"doc/./\xc3\xa9.txt"),
            ("pkg/dos", 0, b"no mode"),
        ):
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.create_system = 3 if mode else 0
            info.compress_type = method
            archive.writestr(info, data)
    assert unpacked(tmp_path, out.getvalue(), strip=1) == (
        Entry("doc/é.txt", "file", size=5000),
        Entry("dos", "file", size=7),
        Entry("empty", "dir"),
        Entry("link", "link", target="doc/é.txt"),
        Entry("run.sh", "file", executable=True, size=4),
    )
    assert (tmp_path / "out/link").read_bytes() == b"x" * 5000


def test_an_empty_tar_gives_nothing(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz"):
        pass
    assert unpacked(tmp_path, out.getvalue()) == ()


def test_an_archive_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InstallError, match="is not there"):
        unpack(f"{tmp_path}/missing", str(tmp_path))
