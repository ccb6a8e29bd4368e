"""The JSON Schemas in `spec/` and the code say the same."""

from __future__ import annotations

import copy
import dataclasses
import functools
import json
import pathlib
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crpack.errors import FormatError
from crpack.model import canonical, limits, signatures, toc
from crpack.model import manifest as manifests
from crpack.model.manifest import Manifest, Member, Payload
from crpack.model.signatures import Signature
from crpack.model.toc import Frame, Toc, TocFile, TocLink
from tests.unit.model.test_manifest import MANIFEST

SPEC = pathlib.Path(__file__).resolve().parents[2] / "spec"
DIGESTS = st.binary(min_size=32, max_size=32).map(bytes.hex)
WORDS = st.text(st.sampled_from("abcXYZ019"), min_size=1, max_size=8)
PAIRS = st.dictionaries(WORDS, st.text(st.sampled_from("aä1. "), max_size=5), max_size=3).map(
    lambda pairs: tuple(sorted(pairs.items()))
)


@functools.cache
def validator(name: str) -> Any:
    schema = json.loads((SPEC / f"{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def value(data: bytes) -> Any:
    return canonical.decode(data, what="it", limit=limits.MAX_TOC_BYTES)


@st.composite
def manifest_values(draw: st.DrawFn) -> Manifest:
    recipe = draw(DIGESTS)
    sources = tuple(sorted(draw(st.sets(DIGESTS, max_size=2))))
    found: dict[str, Payload] = {}
    members = [Member("recipe.json", draw(st.integers(0, 4096)), recipe)]
    members += [Member(f"source/{one}", draw(st.integers(0, 2**50)), one) for one in sources]
    for _ in range(draw(st.integers(0, 2))):
        platform = draw(st.sampled_from(["any", "linux-x86_64-gnu2.28", "wasi-wasm32"]))
        options, tree, table = draw(PAIRS), draw(DIGESTS), draw(DIGESTS)
        payload_id = manifests.payload_id(platform, options, tree)
        if payload_id in found:
            continue
        found[payload_id] = Payload(
            id=payload_id,
            platform=platform,
            options=options,
            tree=tree,
            toc=table,
            packed=draw(st.integers(1, 2**50)),
            unpacked=draw(st.integers(0, 2**50)),
            files=draw(st.integers(0, limits.MAX_ENTRIES)),
            floors=draw(PAIRS),
            requires=tuple(draw(st.lists(WORDS, max_size=2))),
            portable=draw(st.booleans()),
            relocatable=draw(st.booleans()),
        )
        body = Member(f"payload/{payload_id}.tar.zst", found[payload_id].packed, draw(DIGESTS))
        members += [body, Member(f"toc/{payload_id}.json.zst", 5, table)]
    return Manifest(
        name=draw(st.sampled_from(["a", "lab/x.y", "zlib-1"])),
        version=draw(st.sampled_from(["1", "1!2.0rc1.post2.dev3+local.4"])),
        revision=draw(st.integers(0, limits.MAX_JSON_INTEGER)),
        kind=draw(st.sampled_from(manifests.KINDS)),
        summary=draw(st.text(st.sampled_from("aä🙂\n"), max_size=9)),
        license=draw(WORDS),
        needs_crpack=draw(st.sampled_from(["", ">=0.1"])),
        recipe=recipe,
        members=tuple(sorted(members, key=lambda member: member.path)),
        components=tuple(sorted(draw(st.sets(DIGESTS, max_size=2)))),
        payloads=tuple(found[key] for key in sorted(found)),
        sources=sources,
        made_with=draw(PAIRS),
    )


@st.composite
def toc_values(draw: st.DrawFn) -> Toc:
    names = sorted(draw(st.sets(st.integers(0, 99), max_size=6)))
    frames: list[Frame] = []
    for _ in range(draw(st.integers(0, 3))):
        offset = frames[-1].offset + frames[-1].packed if frames else 0
        packed = draw(st.integers(1, limits.MAX_PACKED_BYTES))
        raw = draw(st.integers(1, limits.MAX_FRAME_BYTES))
        frames.append(Frame(offset, packed, raw, draw(DIGESTS), draw(DIGESTS | st.just(""))))
    kinds = [draw(st.sampled_from(["file", "link", "dir"])) for _ in names]
    listed = [(f"n{name:02}", kind) for name, kind in zip(names, kinds, strict=True)]
    return Toc(
        frames=tuple(frames),
        files=tuple(
            TocFile(
                name,
                draw(st.integers(0, 2**50)),
                draw(st.booleans()),
                draw(DIGESTS),
                draw(st.integers(0, 9)),
                draw(st.integers(0, limits.MAX_FRAME_BYTES)),
            )
            for name, kind in listed
            if kind == "file"
        ),
        links=tuple(TocLink(name, "somewhere") for name, kind in listed if kind == "link"),
        dirs=tuple(name for name, kind in listed if kind == "dir"),
    )


@settings(max_examples=60)
@given(manifest_values())
def test_every_manifest_fits_its_schema_and_comes_back(manifest: Manifest) -> None:
    data = manifests.encode(manifest)
    assert manifests.decode(data) == manifest
    validator("manifest").validate(value(data))


@settings(max_examples=60)
@given(toc_values())
def test_every_table_of_contents_fits_its_schema_and_comes_back(table: Toc) -> None:
    data = toc.encode(table)
    assert toc.decode(data) == table
    validator("toc").validate(value(data))


@given(st.dictionaries(DIGESTS, st.binary(min_size=64, max_size=64), max_size=3))
def test_all_signatures_fit_their_schema(found: dict[str, bytes]) -> None:
    data = signatures.encode(Signature(keyid, sig) for keyid, sig in found.items())
    validator("signatures").validate(value(data))


FULL = Toc(
    (Frame(0, 1, 1, "a" * 64, "b" * 64),),
    (TocFile("f", 1, True, "a" * 64, 0, 0),),
    (TocLink("l", "f"),),
    ("d",),
)


def places(document: Any, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return the places of all values in a document."""
    found = [at] if at else []
    items = document.items() if isinstance(document, dict) else enumerate(document)
    for key, inner in items:
        deeper = isinstance(inner, dict | list)
        found += places(inner, (*at, key)) if deeper else [(*at, key)]
    return found


def bent(document: Any, place: tuple[str | int, ...], change: object) -> Any:
    changed = copy.deepcopy(document)
    here = changed
    for step in place[:-1]:
        here = here[step]
    if change is KeyError:
        del here[place[-1]]
    else:
        here[place[-1]] = change
    return changed


@pytest.mark.parametrize("change", [KeyError, None, -1, 1.0, True, "", "é\n", [], {}, [1], 2**60])
def test_what_the_schema_refuses_the_code_refuses(change: object) -> None:
    """Each value of a document, left out or put into another type or out of its range."""
    for name, whole, decode in (
        ("manifest", value(manifests.encode(MANIFEST)), manifests.decode),
        ("toc", value(toc.encode(FULL)), toc.decode),
        ("signatures", value(sample_signatures()), signatures.decode),
    ):
        for place in places(whole):
            document = bent(whole, place, change)
            if validator(name).is_valid(document) or document == whole:
                continue
            with pytest.raises(FormatError):
                decode(encoded(document))


def encoded(document: Any) -> bytes:
    try:
        return canonical.encode(document)
    except FormatError:
        return json.dumps(document).encode()


def sample_signatures() -> bytes:
    return signatures.encode([Signature("a" * 64, bytes(64))])


@pytest.mark.parametrize(
    ("name", "at", "kind", "optional"),
    [
        ("manifest", (), Manifest, set()),
        ("manifest", ("$defs", "payload"), Payload, set()),
        ("manifest", ("$defs", "member"), Member, set()),
        ("toc", (), Toc, set()),
        ("toc", ("$defs", "frame"), Frame, {"raw_sha256"}),
        ("toc", ("$defs", "file"), TocFile, set()),
        ("toc", ("$defs", "link"), TocLink, set()),
        ("signatures", ("properties", "signatures", "items"), Signature, set()),
    ],
)
def test_fields_are_those_of_the_values(
    name: str, at: tuple[str, ...], kind: Any, optional: set[str]
) -> None:
    schema = validator(name).schema
    for step in at:
        schema = schema[step]
    held = {field.name for field in dataclasses.fields(kind)}
    envelope = set() if at else {"format", "critical"}
    assert set(schema["properties"]) == held | envelope
    assert set(schema["required"]) == (held | envelope) - optional


def test_enums_and_limits_are_those_of_the_code() -> None:
    manifest, table = validator("manifest").schema, validator("toc").schema
    assert tuple(manifest["properties"]["kind"]["enum"]) == manifests.KINDS
    assert manifest["properties"]["members"]["maxItems"] == limits.MAX_MEMBERS
    definitions = manifest["$defs"]
    assert definitions["text"]["maxLength"] == limits.MAX_TEXT_BYTES
    assert definitions["count"]["maximum"] == limits.MAX_JSON_INTEGER
    assert definitions["bytes"]["maximum"] == limits.MAX_ARCHIVE_BYTES
    assert definitions["payload"]["properties"]["files"]["maximum"] == limits.MAX_ENTRIES
    frame = table["$defs"]["frame"]["properties"]
    assert frame["packed"]["maximum"] == limits.MAX_PACKED_BYTES
    assert frame["raw"]["maximum"] == limits.MAX_FRAME_BYTES
    held = validator("signatures").schema["properties"]["signatures"]
    assert held["maxItems"] == limits.MAX_SIGNATURES
