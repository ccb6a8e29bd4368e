from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from crpack.errors import FormatError
from crpack.model import canonical, limits
from crpack.model import manifest as manifests
from crpack.model.manifest import Manifest, Member, Payload

RECIPE, SOURCE, TREE, TOC, BODY = (
    hashlib.sha256(text).hexdigest() for text in (b"r", b"s", b"t", b"o", b"b")
)
OPTIONS = (("backend", "native"), ("images", "50"))
ID = manifests.payload_id("linux-x86_64-gnu2.36", OPTIONS, TREE)
PAYLOAD = Payload(
    id=ID,
    platform="linux-x86_64-gnu2.36",
    options=OPTIONS,
    tree=TREE,
    toc=TOC,
    packed=100,
    unpacked=300,
    files=2,
    floors=(("glibc", "2.34"),),
    requires=("zlib >=1.2",),
    portable=True,
    relocatable=False,
)
MANIFEST = Manifest(
    name="lab/sample",
    version="1.2.post3",
    revision=4,
    kind="model",
    summary="A sample",
    license="Apache-2.0",
    needs_crpack=">=0.1",
    recipe=RECIPE,
    members=(
        Member(f"payload/{ID}.tar.zst", 100, BODY),
        Member("recipe.json", 7, RECIPE),
        Member("recipe/fix.patch", 3, BODY),
        Member(f"source/{SOURCE}", 9, SOURCE),
        Member(f"toc/{ID}.json.zst", 50, TOC),
    ),
    components=("0" * 64, "f" * 64),
    payloads=(PAYLOAD,),
    sources=(SOURCE,),
    made_with=(("crpack", "0.1.0"), ("zstd", "1.5.7")),
)


def refused(manifest: Manifest) -> str:
    with pytest.raises(FormatError) as caught:
        manifests.encode(manifest)
    return caught.value.rule


def test_a_manifest_comes_back_as_it_went() -> None:
    data = manifests.encode(MANIFEST)
    assert manifests.decode(data) == MANIFEST
    assert manifests.encode(manifests.decode(data)) == data


def test_its_identity_is_the_digest_of_its_bytes() -> None:  # MAN-02
    data = manifests.encode(MANIFEST)
    assert manifests.identity(data) == hashlib.sha256(data).hexdigest()
    assert manifests.identity(manifests.encode(replace(MANIFEST, revision=5))) != (
        manifests.identity(data)
    )


def test_a_payload_is_named_by_platform_options_and_tree() -> None:  # MAN-05
    text = (
        '{"options":{"backend":"native","images":"50"},'
        f'"platform":"linux-x86_64-gnu2.36","tree":"{TREE}"}}'
    )
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == ID


def test_what_a_payload_was_linked_with_is_read_and_other_requirements_pass_by() -> None:
    """GEN-11. An archive may state requirements in any words."""
    tree = "c" * 64
    texts = ("", " ", "zlib", "zlib >=1", "a b c d", f"zlib 1.3 {tree}", f"zlib {tree}", "a b c")
    assert replace(PAYLOAD, requires=texts).linked == (("zlib", tree),)


def test_order_of_pairs_is_that_of_their_names() -> None:
    mixed = replace(MANIFEST, made_with=MANIFEST.made_with[::-1])
    assert manifests.encode(mixed) == manifests.encode(MANIFEST)


@pytest.mark.parametrize(
    ("manifest", "rule"),
    [
        (replace(MANIFEST, name="Lab"), "MAN-01"),
        (replace(MANIFEST, name="target"), "MAN-01"),
        (replace(MANIFEST, version=""), "MAN-01"),
        (replace(MANIFEST, version="1" * 129), "MAN-01"),
        (replace(MANIFEST, version="1\n"), "MAN-01"),
        (replace(MANIFEST, kind="thing"), "MAN-01"),
        (replace(MANIFEST, revision=-1), "MAN-01"),
        (replace(MANIFEST, made_with=(("", "x"),)), "MAN-01"),
        (replace(MANIFEST, components=("x",)), "MAN-01"),
        (replace(MANIFEST, components=MANIFEST.components[::-1]), "MAN-03"),
        (replace(MANIFEST, members=MANIFEST.members[::-1]), "MAN-03"),
        (replace(MANIFEST, sources=(SOURCE, SOURCE)), "MAN-03"),
        (replace(MANIFEST, recipe=SOURCE), "MAN-04"),
        (replace(MANIFEST, members=MANIFEST.members[2:]), "MAN-04"),
        (replace(MANIFEST, payloads=(replace(PAYLOAD, tree=BODY),)), "MAN-05"),
        (replace(MANIFEST, payloads=(replace(PAYLOAD, toc=BODY),)), "MAN-06"),
        (replace(MANIFEST, payloads=(replace(PAYLOAD, packed=99),)), "MAN-06"),
        (replace(MANIFEST, payloads=()), "MAN-06"),
        (replace(MANIFEST, members=MANIFEST.members[1:]), "MAN-06"),
        (replace(MANIFEST, sources=()), "MAN-06"),
        (replace(MANIFEST, sources=(RECIPE,)), "MAN-07"),
    ],
)
def test_a_manifest_that_breaks_a_rule_is_neither_written_nor_read(
    manifest: Manifest, rule: str
) -> None:
    assert refused(manifest) == rule


@pytest.mark.parametrize("platform", ["any", "linux-x86_64-gnu2.36", "wasi-wasm32", "os-arch-x"])
def test_a_platform_may_be_one_that_the_reader_does_not_know(platform: str) -> None:
    payload_id = manifests.payload_id(platform, OPTIONS, TREE)
    payload = replace(PAYLOAD, platform=platform, id=payload_id)
    members = tuple(
        replace(member, path=member.path.replace(ID, payload_id)) for member in MANIFEST.members
    )
    manifest = replace(MANIFEST, payloads=(payload,), members=members)
    assert manifests.decode(manifests.encode(manifest)) == manifest


@pytest.mark.parametrize("platform", ["", "Any", "linux", "a b-c", "linux-x86_64-gnu2.36-more"])
def test_a_platform_that_is_none_is_refused(platform: str) -> None:
    payload_id = manifests.payload_id(platform, OPTIONS, TREE)
    payload = replace(PAYLOAD, platform=platform, id=payload_id)
    assert refused(replace(MANIFEST, payloads=(payload,))) == "MAN-01"


def test_too_many_members_are_refused() -> None:
    extra = tuple(Member(f"recipe/{n}", 0, BODY) for n in range(limits.MAX_MEMBERS))
    members = tuple(sorted((*MANIFEST.members, *extra), key=lambda member: member.path))
    assert refused(replace(MANIFEST, members=members)) == "MAN-03"


def test_a_field_of_a_later_version_is_ignored() -> None:
    value = canonical.decode(manifests.encode(MANIFEST), what="it")
    value["payloads"][0]["colour"] = value["colour"] = "blue"
    assert manifests.decode(canonical.encode(value)) == MANIFEST
