from __future__ import annotations

import io
import tarfile

import pytest

from crpack.archive import tar
from crpack.errors import BuildFailed
from crpack.model.tree import Entry
from tests.unit.archive.written import Files, entry

LONG = "folder/" * 20 + "name-that-is-longer"
FILES = Files({"b": b"x" * 513, "a/run": b"", LONG: b"y", "n" * 100: b"z", "n" * 101: b"w"})
LINKS = (Entry("a/link", "link", target="../b"), Entry("z", "link", target=LONG))
ENTRIES = FILES.entries(*LINKS, Entry("empty", "dir"), executable=("a/run",))


def written() -> bytes:
    out = io.BytesIO()
    size = tar.write(ENTRIES, FILES.open, out)
    assert size == len(out.getvalue())
    return out.getvalue()


def test_a_tar_reader_finds_the_tree() -> None:  # TAR-01, TAR-02, TAR-03
    with tarfile.open(fileobj=io.BytesIO(written()), mode="r:") as archive:
        found = archive.getmembers()
        held = {info.name: stream.read() for info in found if (stream := archive.extractfile(info))}
    assert [info.name for info in found] == [one.path for one in tar.order(ENTRIES)]
    assert {info.name for info in found if info.issym()} == {"a/link", "z"}
    assert {name: data for name, data in held.items() if name in FILES} == FILES
    assert {info.name: info.linkname for info in found if info.issym()} == {
        one.path: one.target for one in LINKS
    }
    assert {oct(info.mode) for info in found if info.name in {"a/run", "empty"}} == {"0o755"}
    assert {oct(info.mode) for info in found if info.isfile() and info.name != "a/run"} == {"0o644"}
    for info in found:
        assert (info.mtime, info.uid, info.gid, info.uname, info.gname) == (0, 0, 0, "", "")


def test_links_come_last_and_the_end_is_two_blocks() -> None:  # TAR-01, TAR-05
    kinds = [one.kind for one in tar.order(ENTRIES)]
    assert kinds == sorted(kinds, key=lambda kind: kind == "link")
    assert written().endswith(tar.END)
    assert len(written()) % 512 == 0


def test_a_header_is_these_bytes() -> None:
    header = tar.header(entry("bin/x", b"12345678", executable=True))
    assert len(header) == 512
    assert header[:100].rstrip(b"\0") == b"bin/x"
    assert header[100:156] == (
        b"0000755\0" + b"0000000\0" * 2 + b"00000000010\0" + b"00000000000\0" + b"010141\0 "
    )
    assert header[156:265] == b"0" + bytes(100) + b"ustar\x0000"
    assert header[329:345] == b"0000000\0" * 2


@pytest.mark.parametrize("size", [0, 1, 511, 512, 8 * 2**30 - 1, 8 * 2**30, 2**50])
@pytest.mark.parametrize("name", ["a", "n" * 100, "n" * 101, "ü/" * 60 + "x", LONG])
def test_a_headers_size_is_known_without_making_it(size: int, name: str) -> None:
    for one in (
        Entry(name, "file", size=size, sha256="0" * 64),
        Entry(name, "dir"),
        Entry("l", "link", target=name),
        Entry(name, "link", target=name),
    ):
        assert tar.header_size(one) == len(tar.header(one))


def test_a_size_of_8_gib_is_written_in_base_256() -> None:  # TAR-04
    for size in (8 * 2**30 - 1, 8 * 2**30, 2**50):
        header = tar.header(Entry("big", "file", size=size, sha256="0" * 64))
        info = tarfile.TarInfo.frombuf(header, "utf-8", "strict")
        assert info.size == size
    assert header[124] == 0x80


@pytest.mark.parametrize("held", [b"", b"1234", b"123456", b"12346"])
def test_a_file_that_changed_is_noticed(held: bytes) -> None:
    with pytest.raises(BuildFailed, match="`x` changed"):
        tar.write([entry("x", b"12345")], Files(x=held).open, io.BytesIO())
