from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path

import jsonschema
import pytest

from crpack.archive import bundle, verify, writer
from crpack.archive.bundle import Bundle, is_bundle
from crpack.archive.writer import Part, part
from crpack.errors import ArchiveError, BuildFailed, CrpackError, FormatError
from crpack.model import bundle as bundles
from crpack.model import canonical, signatures
from tests.unit.archive.written import Files, Kept, archive, opened

DATE = "2026-01-31T12:00:00Z"
FINGERPRINT = "f" * 64
ARCHIVE = archive(Files({"a": b"hello", "b/c": b"x" * 600}))
SOURCE, WHEEL = b"source", b"wheel"
SCHEMA = Path(__file__).resolve().parents[3] / "spec/bundle.schema.json"


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def parts() -> list[Part]:
    """Return a member of each class, not in order."""
    return [
        part(bundles.LOCK, b"format = 1\n"),
        part(bundles.index_member(FINGERPRINT, "metadata/1.root.json"), b"{}"),
        part(bundles.index_member(FINGERPRINT, "metadata/timestamp.json"), b"{}"),
        part(bundles.wheel_member(digest(WHEEL), "a_b-1.0+x-py3-none-any.whl"), WHEEL),
        part(bundles.source_member(digest(SOURCE)), SOURCE),
        part(bundles.archive_member(opened(ARCHIVE).identity), ARCHIVE),
    ]


def written(some: list[Part]) -> bytes:
    out = io.BytesIO()
    size = bundle.write(
        some, out, date=DATE, requests=("lab/sample>=1",), platforms=("linux-armv7-gnu", "any")
    )
    assert size == len(out.getvalue())
    return out.getvalue()


def read(data: bytes) -> Bundle:
    return Bundle.open(io.BytesIO(data), size=len(data))


def test_what_is_written_is_read() -> None:
    """BUN-01, BUN-02, BUN-03, BUN-05."""
    found = read(written(parts()))
    assert [name.partition("/")[0] for name in found.names] == [
        *("archive", "source", "wheel", "index", "index", "crpack.lock", "bundle.json")
    ]
    for one in parts():
        assert found.has(one.name)
        assert found.size_of(one.name) == one.size
        with one.open() as stream:
            assert found.read(one.name) == stream.read()
    assert found.listing.date == DATE
    assert found.listing.requests == ("lab/sample>=1",)
    assert found.listing.platforms == ("any", "linux-armv7-gnu")
    assert not found.has("source/" + "0" * 64)
    with pytest.raises(ArchiveError, match="does not carry"):
        found.read("source/" + "0" * 64)


def test_a_lock_may_be_signed() -> None:
    """BUN-02, BUN-13: the signatures stand between lock and listing."""
    some = [*parts(), part(bundles.SIGNATURES, signatures.encode([]))]
    found = read(written(some))
    assert found.names[-3:] == ("crpack.lock", "signatures.json", "bundle.json")
    assert signatures.decode(found.read(bundles.SIGNATURES)) == ()


def test_a_member_is_read_at_places() -> None:
    found = read(written(parts()))
    with found.view(bundles.wheel_member(digest(WHEEL), "a_b-1.0+x-py3-none-any.whl")) as view:
        assert view.seek(-3, io.SEEK_END) == len(WHEEL) - 3
        assert view.read(99) == WHEEL[-3:]
        assert view.seek(1) == 1
        assert view.read() == WHEEL[1:]
        assert view.seek(99) == 99
        assert view.read(1) == b""
        with pytest.raises(OSError, match="before the start"):
            view.seek(-1)


def test_an_archive_is_opened_where_it_lies() -> None:
    """BUN-06."""
    found = read(written(parts()))
    (identity,) = found.identities
    inner = found.archive(identity)
    assert inner.manifest_bytes == opened(ARCHIVE).manifest_bytes
    assert verify.verify(inner, strict=True) == ()
    kept = Kept()
    inner.unpack(inner.manifest.payloads[0].id, kept)
    assert kept.files == {"a": b"hello", "b/c": b"x" * 600}


def test_a_bundle_vouches_for_nothing() -> None:
    """BUN-07: an archive without a signature has none in a bundle, which is as good as before."""
    found = read(written(parts()))
    inner = found.archive(found.identities[0])
    assert signatures.decode(inner.signatures_bytes) == ()
    forged = read(written([part(bundles.LOCK, b"any bytes")]))
    assert forged.read(bundles.LOCK) == b"any bytes"


def test_an_archive_under_another_identity_is_refused() -> None:
    """BUN-06."""
    found = read(written([part(bundles.archive_member("0" * 64), ARCHIVE)]))
    with pytest.raises(ArchiveError, match="of the bundle is another"):
        found.archive("0" * 64)
    found = read(written([part(bundles.archive_member("0" * 64), b"no archive")]))
    with pytest.raises(ArchiveError):
        found.archive("0" * 64)


def test_the_same_parts_give_the_same_bytes() -> None:
    """BUN-08."""
    assert written(parts()) == written(parts()[::-1])


def test_a_bundle_is_told_from_an_archive_by_its_content() -> None:
    """BUN-02."""
    data = written(parts())
    assert is_bundle(io.BytesIO(data))
    assert is_bundle(io.BytesIO(written([])))
    for other in (ARCHIVE, b"", b"x" * 99, data[:-1], data + b"\0", data[1:]):
        assert not is_bundle(io.BytesIO(other))
    with pytest.raises(CrpackError):
        opened(data)
    with pytest.raises(CrpackError):
        read(ARCHIVE)


def test_other_tools_open_it() -> None:
    """BUN-01."""
    with zipfile.ZipFile(io.BytesIO(written(parts()))) as file:
        assert file.testzip() is None
        assert file.read(bundles.LOCK) == b"format = 1\n"


def test_a_bundle_without_members_but_its_listing_is_one() -> None:
    """BUN-04."""
    assert read(written([])).names == (bundles.LISTING,)


@pytest.mark.parametrize(
    "name",
    [
        "x",
        "archive/" + "A" * 64 + ".crpkg",
        "archive/" + "a" * 63 + ".crpkg",
        "source/" + "a" * 64 + "/x",
        "wheel/" + digest(b"-") + "/../x.whl",
        "wheel/" + digest(b"-") + "/.whl",
        "wheel/" + digest(b"-") + "/a/b.whl",
        "wheel/" + digest(b"-") + "/a\n.whl",
        "wheel/" + digest(b"-") + "/a.whl.exe",
        "wheel/" + digest(b"-") + "/" + "a" * 252 + ".whl",
        "wheel/" + digest(b"-") + "/é.whl",
        "index/" + FINGERPRINT + "/",
        "index/" + FINGERPRINT + "/..",
        "index/" + FINGERPRINT + "/../../x",
        "index/" + FINGERPRINT + "/a/../../x",
        "index/" + FINGERPRINT + "//x",
        "index/" + FINGERPRINT + "/a\\b",
        "index/" + FINGERPRINT + "/a:b",
        "index/" + FINGERPRINT + "/NUL",
        "index/" + FINGERPRINT + "/a\0",
        "index/" + "F" * 64 + "/a",
        "crpack.lock/x",
        "bundle.json",
        "manifest.json",
    ],
)
def test_a_name_that_is_no_members_is_refused(name: str) -> None:
    """BUN-02."""
    with pytest.raises(CrpackError) as caught:
        written([part(name, b"-")])
    assert caught.value.exit_code == 4


def test_a_name_twice_or_a_wrong_digest_in_a_name_is_not_written() -> None:
    """BUN-02, BUN-05."""
    with pytest.raises(ArchiveError, match="twice"):
        written([*parts(), part(bundles.LOCK, b"x")])
    for name in ("source/" + "0" * 64, "wheel/" + "0" * 64 + "/x.whl"):
        with pytest.raises(FormatError, match="not the digest in the name"):
            written([part(name, b"-")])
    with pytest.raises(BuildFailed):
        written([Part(bundles.LOCK, 5, lambda: io.BytesIO(b"four"))])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("format", 2),
        ("critical", ["unheard-of"]),
        ("date", "yesterday"),
        ("requests", "x"),
        ("requests", [1]),
        ("platforms", ["b-c", "a-b"]),
        ("platforms", ["A"]),
        ("members", {}),
        ("members", [{"path": "crpack.lock", "size": -1, "sha256": "0" * 64}]),
        ("members", [{"path": "crpack.lock", "size": 1, "sha256": "0" * 63}]),
        ("members", [{"path": "crpack.lock", "size": 1}]),
        ("members", [{"path": "bundle.json", "size": 1, "sha256": "0" * 64}]),
        ("members", [{"path": "source/" + "1" * 64, "size": 1, "sha256": "0" * 64}]),
        ("members", [{"path": "crpack.lock", "size": 1, "sha256": "0" * 64}] * 2),
    ],
)
def test_a_listing_that_is_none_is_refused(field: str, value: object) -> None:
    """BUN-03, BUN-04, BUN-05."""
    good = json.loads(bundles.encode(read(written(parts())).listing))
    bundles.decode(canonical.encode(good | {"unknown": 1}))
    with pytest.raises((FormatError, ArchiveError)):
        bundles.decode(canonical.encode(good | {field: value}))
    with pytest.raises(FormatError):
        bundles.decode(canonical.encode({key: good[key] for key in good if key != field}))


def test_the_schema_takes_what_is_written_and_nothing_else() -> None:
    """SCH-03, BUN-03."""
    check = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    good = json.loads(bundles.encode(read(written(parts())).listing))
    check.validate(good)
    check.validate(json.loads(bundles.encode(read(written([])).listing)))
    known = set(good) - {"format", "critical"}
    assert known == set(bundles.Listing.__dataclass_fields__)
    for field in good:
        assert not check.is_valid({key: good[key] for key in good if key != field})
    for path in ("x", "bundle.json", "source/1"):
        bad = {"path": path, "size": 1, "sha256": "0" * 64}
        assert not check.is_valid(good | {"members": [bad]})


def test_a_part_is_read_from_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(ARCHIVE)
    name = bundles.archive_member(opened(ARCHIVE).identity)
    one = Part(name, len(ARCHIVE), lambda: io.FileIO(tmp_path / "x"))
    assert read(written([one])).read(name, len(ARCHIVE)) == ARCHIVE
    assert writer.member(one).sha256 == digest(ARCHIVE)
