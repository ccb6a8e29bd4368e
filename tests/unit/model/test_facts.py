"""Facts as values and as documents (FCT-01…05)."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crpack.errors import FormatError
from crpack.model import canonical
from crpack.model.facts import Cpu, Facts, Found, from_json, to_json
from crpack.model.stated import by_hand

SCHEMA = json.loads((Path(__file__).parents[3] / "spec" / "facts.schema.json").read_text())
GCC = Found(
    name="gcc",
    version="12.2.0",
    raw="gcc (Debian 12.2.0-14) 12.2.0",
    path="/usr/bin/gcc",
    realpath="/usr/bin/x86_64-linux-gnu-gcc-12",
    target="x86_64-linux-gnu",
    platform="linux-x86_64-gnu2.34",
    how="exec `gcc --version`",
    size=1301496,
    mtime_ns=1_744_000_000_123_456_789,
    sha256="0" * 64,
)
FACTS = Facts(
    platform="linux-x86_64-gnu2.36",
    capabilities=(("@cpu", "x86-64-v3"), ("@glibc", "2.36"), ("@memory", "8192000000")),
    cpu=Cpu("AMD EPYC", ("avx2", "fma"), 2),
    found=(GCC, replace(GCC, version=None, runnable=False, notes=(("prefix", "/usr"),))),
    date="2026-01-31T12:00:00Z",
    absent=(("@gpu", "the kernel lists no graphics device"),),
)


def table() -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(to_json(FACTS))
    return decoded


def test_facts_come_back_as_they_were_written() -> None:
    """FCT-01."""
    assert from_json(to_json(FACTS)) == FACTS
    assert to_json(from_json(to_json(FACTS))) == to_json(FACTS)


def test_a_version_that_is_not_known_is_left_out() -> None:
    """FCT-03."""
    first, second = table()["found"]
    assert first["version"] == "12.2.0"
    assert "version" not in second


def test_times_in_nanoseconds_travel_as_texts() -> None:
    """FCT-03: they are beyond the integers of JSON."""
    assert table()["found"][0]["mtime_ns"] == "1744000000123456789"


def test_found_things_and_capabilities_are_looked_up_by_name() -> None:
    assert FACTS.all("gcc") == FACTS.found
    assert FACTS.all("clang") == ()
    assert FACTS.capability("@cpu") == "x86-64-v3"
    assert FACTS.capability("@gpu") == ""


def test_what_is_left_out_is_empty() -> None:
    """FCT-02."""
    data = canonical.encode({"format": 1, "critical": [], "platform": "linux-aarch64-gnu"})
    assert from_json(data) == Facts("linux-aarch64-gnu")
    data = canonical.encode(
        {"format": 1, "critical": [], "platform": "linux-aarch64-gnu", "found": [{"name": "x"}]}
    )
    assert from_json(data).found == (Found("x"),)


def test_facts_written_by_hand_are_any_json() -> None:
    """FCT-04."""
    text = b'{ "platform": "linux-armv7-gnu2.36",\n  "capabilities": {"@cpu": "armv7+neon"} }\n'
    known = (("@cpu", "armv7+neon"), ("@glibc", "2.36"))  # the platform's floor says the latter
    assert by_hand(text) == Facts("linux-armv7-gnu2.36", known)
    assert by_hand(to_json(FACTS)) == FACTS
    with pytest.raises(FormatError):
        from_json(text)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{}",
        b'{"platform": "linux-vax-gnu"}',
        b'{"platform": 7}',
        b'{"platform": "linux-x86_64-gnu", "cpu": {"cores": 1.5}}',
        b'{"platform": "linux-x86_64-gnu", "format": 2}',
        b'{"platform": "linux-x86_64-gnu", "critical": ["shape"]}',
        b'{"platform": "linux-x86_64-gnu", "found": [{}]}',
        b'{"platform": "linux-x86_64-gnu", "found": [{"name": "\\ud800"}]}',
        b"[" * 100_000,
        b'{"platform": ' + b"9" * 10_000 + b"}",
        b"\xff\xfe",
    ],
)
def test_what_is_no_facts_by_hand_is_a_format_error(text: bytes) -> None:
    """FCT-02, FCT-04."""
    with pytest.raises(FormatError):
        by_hand(text)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("platform",), "plan9-x86_64"),
        (("capabilities",), {"glibc": "2.36"}),
        (("capabilities",), {"@glibc": 2}),
        (("capabilities",), []),
        (("absent",), {"@gpu": None}),
        (("cpu",), []),
        (("cpu", "cores"), -1),
        (("cpu", "cores"), True),
        (("cpu", "features"), ["fma", "avx2"]),
        (("cpu", "features"), ["fma", "fma"]),
        (("date",), "yesterday"),
        (("found",), {}),
        (("found", 0), "gcc"),
        (("found", 0, "path"), "usr/bin/gcc"),
        (("found", 0, "realpath"), "/a\0b"),
        (("found", 0, "name"), "g\ncc"),
        (("found", 0, "version"), None),
        (("found", 0, "size"), "1"),
        (("found", 0, "size"), -1),
        (("found", 0, "mtime_ns"), 5),
        (("found", 0, "mtime_ns"), "05"),
        (("found", 0, "sha256"), "abc"),
        (("found", 0, "runnable"), 1),
        (("found", 0, "raw"), "x" * 5000),
        (("found", 0, "files"), "a"),
        (("found", 0, "files"), ["a/../../b"]),
        (("found", 0, "files"), ["/a"]),
    ],
)
def test_a_wrong_field_is_refused_and_named(place: tuple[str | int, ...], value: object) -> None:
    """FCT-02."""
    facts = table()
    inner: Any = facts
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    with pytest.raises(FormatError) as caught:
        from_json(canonical.encode(facts))
    assert str(place[-1] if isinstance(place[-1], str) else place[0]) in caught.value.what
    assert caught.value.rule == "FCT-02"


def test_unknown_fields_are_ignored_unless_critical() -> None:
    facts = table() | {"later": 1}
    assert from_json(canonical.encode(facts)) == FACTS
    with pytest.raises(FormatError):
        from_json(canonical.encode(facts | {"critical": ["later"]}))


def test_the_schema_and_the_code_name_the_same_fields() -> None:
    """FCT-01."""
    names = {field.name for field in fields(Facts)}
    assert set(SCHEMA["properties"]) == names | {"format", "critical"}
    assert set(SCHEMA["properties"]["cpu"]["properties"]) == {field.name for field in fields(Cpu)}
    found = SCHEMA["$defs"]["found"]
    assert set(found["properties"]) == {field.name for field in fields(Found)}
    assert found["required"] == ["name"]


def test_the_schema_takes_what_the_code_writes() -> None:
    """FCT-01."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    for facts in (FACTS, Facts("wasi-wasm32"), Facts("linux-x86_64-gnu", found=(Found("x"),))):
        jsonschema.validate(json.loads(to_json(facts)), SCHEMA)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("platform", 1),
        ("capabilities", {"glibc": "2.36"}),
        ("cpu", {"cores": -1}),
        ("found", [{"version": "1"}]),
        ("found", [{"name": "x", "path": "usr"}]),
        ("found", [{"name": "x", "mtime_ns": 5}]),
        ("found", [{"name": "x", "files": [".."]}]),
        ("found", [{"name": "x", "files": ["a/../b"]}]),
        ("date", "now"),
        ("format", 2),
    ],
)
def test_the_schema_and_the_code_refuse_the_same(name: str, value: object) -> None:
    """FCT-01, FCT-02."""
    facts = table() | {name: value}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(facts, SCHEMA)
    with pytest.raises(FormatError):
        from_json(canonical.encode(facts))


TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20)


@given(
    st.builds(
        Found,
        name=TEXT,
        version=st.none() | TEXT,
        raw=TEXT,
        path=TEXT.map(lambda text: "/" + text),
        size=st.integers(0, 2**53 - 1),
        mtime_ns=st.integers(0, 10**19 - 1),
        runnable=st.booleans(),
        notes=st.dictionaries(TEXT, TEXT, max_size=3).map(
            lambda notes: tuple(sorted(notes.items()))
        ),
    )
)
def test_every_finding_survives_its_document(found: Found) -> None:
    """FCT-03."""
    facts = Facts("linux-x86_64-gnu", found=(found,))
    assert from_json(to_json(facts)) == facts


@given(st.binary(max_size=200))
def test_hostile_bytes_are_a_format_error(data: bytes) -> None:
    """FCT-02."""
    for reader in (from_json, by_hand):
        with pytest.raises(FormatError):
            reader(data)
