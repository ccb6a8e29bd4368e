from __future__ import annotations

import io
import struct
import zipfile

import pytest

from crpack.errors import TrustError
from crpack.install.python import metadata
from crpack.model.limits import MAX_METADATA_BYTES, MAX_WHEEL_LISTING
from crpack.model.lock import Wheel

WHEEL = Wheel("low", "1.0", "low-1.0-py3-none-any.whl", "a" * 64)
TEXT = "Metadata-Version: 2.1\nName: low\nVersion: 1.0\nRequires-Dist: top\n"
NAME = "low-1.0.dist-info/METADATA"


def made(*members: tuple[str, str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, text in members:
            archive.writestr(name, text)
    return out.getvalue()


def refusal(data: bytes) -> str:
    with pytest.raises(TrustError) as caught:
        metadata.read(io.BytesIO(data), WHEEL)
    assert caught.value.rule == "PYE-10"
    return " ".join(caught.value.why)


def test_a_wheel_says_what_it_is() -> None:
    """PYE-10."""
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        found = metadata.read(io.BytesIO(made((NAME, TEXT), ("low.py", ""), method=method)), WHEEL)
        assert (found.name, found.version, found.requires) == ("low", "1.0", ("top",))


@pytest.mark.parametrize(
    "members",
    [
        (),
        (("low.py", ""),),
        (("METADATA", TEXT),),
        (("a/low-1.0.dist-info/METADATA", TEXT),),
        ((NAME.lower(), TEXT),),
        ((NAME, TEXT), ("low-1.0.DIST-INFO/METADATA", TEXT)),
        ((NAME, TEXT), ("other-1.dist-info/RECORD", "")),
        ((NAME, TEXT), (NAME.replace("METADATA", "metadata"), TEXT)),
    ],
)
def test_a_wheel_without_one_metadata_is_refused(members: tuple[tuple[str, str], ...]) -> None:
    """PYE-10: other readers might find another."""
    assert "no one folder" in refusal(made(*members))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_metadata_that_is_twice_there_is_refused() -> None:
    """PYE-10."""
    assert "no one folder" in refusal(made((NAME, TEXT), (NAME, TEXT)))


def test_a_wheel_that_is_another_than_its_row_says_is_refused() -> None:
    """PYE-10."""
    assert "`evil` 1.0" in refusal(made((NAME, TEXT.replace("low", "evil"))))
    assert "`low` 2.0" in refusal(made((NAME, TEXT.replace("1.0", "2.0"))))
    assert "`low` x" in refusal(made((NAME, TEXT.replace("1.0", "x"))))


def test_what_is_no_wheel_is_refused() -> None:
    """PYE-10."""
    good = made((NAME, TEXT))
    for data in (b"", b"PK\5\6", good[:-9], good[30:], bytes(99)):
        assert refusal(data)
    assert "stored or deflated" in refusal(made((NAME, TEXT), method=zipfile.ZIP_LZMA))
    at = good.rindex(b"PK\1\2") + 8
    assert "stored or deflated" in refusal(good[:at] + b"\1" + good[at + 1 :])


def test_every_flipped_byte_ends_in_one_sentence_or_the_same_metadata() -> None:
    """PYE-10."""
    good, refused = made((NAME, TEXT)), 0
    for at in range(len(good)):
        data = good[:at] + bytes([good[at] ^ 0x55]) + good[at + 1 :]
        try:
            assert metadata.read(io.BytesIO(data), WHEEL).requires == ("top",)
        except TrustError:
            refused += 1
    assert refused > len(good) // 2


def test_metadata_that_unpacks_to_too_much_is_refused() -> None:
    """PYE-10: a bomb of a few KiB."""
    data = made((NAME, TEXT + "\n" + " " * MAX_METADATA_BYTES))
    assert len(data) < 64 * 1024
    assert "more than" in refusal(data)


def test_a_list_of_members_beyond_the_limit_is_not_read() -> None:
    """PYE-10: its stated length alone is enough."""
    size = MAX_WHEEL_LISTING + 1
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, size, 0, 0)
    assert "too many members" in refusal(bytes(size) + end)
