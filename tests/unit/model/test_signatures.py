from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crpack.errors import FormatError
from crpack.model import canonical, signatures
from crpack.model.limits import MAX_SIGNATURES
from crpack.model.signatures import Signature

ONE = Signature("1" * 64, bytes(range(64)))
TWO = Signature("2" * 64, bytes(64))


def document(*rows: object, **fields: object) -> bytes:
    return canonical.encode({"format": 1, "critical": [], "signatures": list(rows)} | fields)


def row(keyid: object = "1" * 64, sig: object = "A" * 86 + "==") -> dict[str, object]:
    return {"keyid": keyid, "sig": sig}


def test_the_file_is_canonical_and_sorted() -> None:
    # SIG-08, SIG-09
    assert signatures.encode([TWO, ONE]) == (
        b'{"critical":[],"format":1,"signatures":['
        b'{"keyid":"' + b"1" * 64 + b'","sig":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g'
        b'ISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="},'
        b'{"keyid":"' + b"2" * 64 + b'","sig":"' + b"A" * 86 + b'=="}]}'
    )


@given(
    st.dictionaries(
        st.text("0123456789abcdef", min_size=64, max_size=64),
        st.binary(min_size=64, max_size=64),
        max_size=MAX_SIGNATURES,
    )
)
def test_what_is_written_is_read(rows: dict[str, bytes]) -> None:
    values = tuple(Signature(keyid, sig) for keyid, sig in sorted(rows.items()))
    assert signatures.decode(signatures.encode(values)) == values


def test_an_empty_list_is_an_unsigned_archive() -> None:
    assert signatures.decode(signatures.encode([])) == ()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"null",
        canonical.encode({"format": 1, "critical": []}),
        canonical.encode({"format": 1, "critical": [], "signatures": {}}),
        document(row("1" * 63)),
        document(row("G" * 64)),
        document(row("A" * 64)),
        document(row(1)),
        document({"sig": "A" * 86 + "=="}),
        document("text"),
        document(row(sig=1)),
        document(row(), row()),
        document(row("2" * 64), row("1" * 64)),
        document(*(row(f"{number:064x}") for number in range(MAX_SIGNATURES + 1))),
        document(row(), format=2),
        document(row(), format=True),
        document(row(), critical=["threshold"]),
        document(row(), critical="signatures"),
        document(row(), critical=[["signatures"]]),
        document(row()) + b"\n",
    ],
)
def test_another_shape_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        signatures.decode(data)


@pytest.mark.parametrize(
    "sig",
    [
        "",
        "A" * 86,
        "A" * 88,
        "A" * 85 + "B==",  # bits behind the last byte
        "A" * 43 + "\n" + "A" * 43 + "==",
        "_" * 86 + "==",
        "é" * 86 + "==",
        "A" * 84 + "====",
    ],
)
def test_a_signature_in_another_form_is_refused(sig: str) -> None:
    with pytest.raises(FormatError) as error:
        signatures.decode(document(row(sig=sig)))
    assert error.value.rule == "SIG-09"


def test_unknown_fields_are_passed_over_unless_critical() -> None:
    assert signatures.decode(document(row(), later=1))
    assert signatures.decode(document(row(), later=1, critical=["signatures"]))
    with pytest.raises(FormatError, match="later"):
        signatures.decode(document(row(), later=1, critical=["later"]))


@pytest.mark.parametrize(
    "values", [[ONE, ONE], [Signature("1" * 64, b"short")], [ONE] * (MAX_SIGNATURES + 1)]
)
def test_what_cannot_be_read_is_not_written(values: list[Signature]) -> None:
    with pytest.raises(FormatError):
        signatures.encode(values)
