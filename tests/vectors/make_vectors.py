"""The test vectors of the specification, made again from nothing.

Each is a folder in `spec/vectors/valid` or `spec/vectors/invalid`: the bytes, and `expect.json`.
For an invalid one that is the code of the error and the broken rule, as crpack reports them;
another reader may meet another rule first, but refuses.

    python -m tests.vectors.make_vectors     writes them anew
"""

from __future__ import annotations

import io
import json
import pathlib
import shutil
import struct
import zlib
from typing import TYPE_CHECKING, Any

from crpack.archive import layout, reader
from crpack.model import canonical, toc
from tests.vectors.forge import (
    CUT,
    PACKAGE,
    Item,
    Json,
    Members,
    bare,
    container,
    forge,
    sha256,
    stored,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

VECTORS = pathlib.Path(__file__).resolve().parents[2] / "spec" / "vectors"

ONE = (Item("a", b"hello"),)
OTHER = "0" * 64
LONG = "deep/" + "n" * 120

Case = tuple[str, bytes, str, str]  # name, bytes, code, rule


def small(**bends: Any) -> bytes:
    return forge(ONE, cuts=(), **bends)


def tree(*items: Item) -> bytes:
    return forge(tuple(sorted(items, key=lambda item: item.path)), cuts=())


def path(name: str) -> bytes:
    return tree(Item(name, b"x"))


def link(name: str, target: str) -> bytes:
    return tree(Item("a/b", b"x"), Item(name, target.encode(), "link"))


def source(data: bytes) -> tuple[str, bytes]:
    return f"source/{sha256(data)}", data


def identity(data: bytes) -> str:
    return reader.Archive.open(io.BytesIO(data), size=len(data)).identity


def copy_of(data: bytes, name: str = "") -> tuple[str, bytes]:
    return f"component/{name or identity(data)}.crpkg", data


def change(at: str, value: object) -> Callable[[Json], None]:
    """Return a bend that sets one value, at a place such as ``files.0.size``."""

    def bend(document: Json) -> None:
        *way, last = at.split(".")
        here: Any = document
        for step in way:
            here = here[int(step)] if step.isdigit() else here[step]
        here[int(last) if last.isdigit() else last] = value

    return bend


def without(name: str) -> Callable[[Json], None]:
    return lambda document: document.pop(name)


def flipped(data: bytes, at: int, mask: int = 1) -> bytes:
    return data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :]


def central(data: bytes) -> int:
    """Return where the directory of an archive begins."""
    return layout.find(data[-layout.TAIL :], len(data))[0]


def patched(at: int, value: bytes) -> bytes:
    """Return a small archive, `value` put into its first entry of the directory."""
    data = small()
    start = central(data) + at
    return data[:start] + value + data[start + len(value) :]


def patched_head(at: int, value: bytes) -> bytes:
    data = small()
    return data[:at] + value + data[at + len(value) :]


def rewritten(extra: bytes, comment: bytes = b"") -> bytes:
    """Return a bare archive whose first member has an extra field or comment in the directory."""
    data = bare()
    start = central(data)
    fields = list(struct.unpack_from("<4s6H3L5H2L", data, start))
    fields[11], fields[12] = len(extra), len(comment)
    at = start + 46 + fields[10]
    entry = struct.pack("<4s6H3L5H2L", *fields) + data[start + 46 : at] + extra + comment
    rest = data[at:-22]
    end = list(struct.unpack("<4s4H2LH", data[-22:]))
    end[5] = len(entry) + len(rest)
    return data[:start] + entry + rest + struct.pack("<4s4H2LH", *end)


def wrong_crc() -> bytes:
    data = small()
    archive = reader.Archive.open(io.BytesIO(data), size=len(data))
    members = [(name, data_of(data, name)) for name in archive.names]
    slots = layout.place(
        (name, zlib.crc32(body) ^ (name.startswith("payload/")), len(body))
        for name, body in members
    )
    parts = [
        layout.local_header(slot) + body for slot, (_, body) in zip(slots, members, strict=True)
    ]
    return b"".join(parts) + layout.directory(slots)


def data_of(data: bytes, name: str) -> bytes:
    archive = reader.Archive.open(io.BytesIO(data), size=len(data))
    return archive.stream(name).read()


def swap(members: Members) -> None:
    members[0], members[1] = members[1], members[0]


def double(members: Members) -> None:
    members.insert(1, members[1])


def drop(prefix: str) -> Callable[[Members], None]:
    def bend(members: Members) -> None:
        members[:] = [member for member in members if not member[0].startswith(prefix)]

    return bend


def rename(prefix: str, name: str) -> Callable[[Members], None]:
    def bend(members: Members) -> None:
        members[:] = [(name if old.startswith(prefix) else old, data) for old, data in members]

    return bend


def replace(prefix: str, data: bytes) -> Callable[[Members], None]:
    def bend(members: Members) -> None:
        members[:] = [(name, data if name.startswith(prefix) else old) for name, old in members]

    return bend


def raw_frame(header: bytes, data: bytes) -> bytes:
    """Return a zstd frame with a header of one's own and one stored block."""
    return b"\x28\xb5\x2f\xfd" + header + (len(data) << 3 | 1).to_bytes(3, "little") + data


def each(bend: Callable[[bytes], bytes]) -> Callable[[list[bytes]], None]:
    def bend_all(frames: list[bytes]) -> None:
        frames[:] = [bend(frame) for frame in frames]

    return bend_all


def raw_of(frame: bytes) -> bytes:
    """Return what a stored frame of 256 bytes to 64 KiB holds."""
    return frame[10:]


def shrink(frames: list[bytes]) -> None:
    frames[:] = [stored(raw_of(frame)[:-512]) for frame in frames]


def touch(at: int) -> Callable[[list[bytes]], None]:
    """Return a bend that changes one byte of the first raw frame."""

    def bend(raws: list[bytes]) -> None:
        raws[0] = flipped(raws[0], at)

    return bend


def valid() -> Iterator[tuple[str, bytes]]:
    """Yield names and bytes of archives that every reader takes."""
    yield "bare", bare()
    yield "payload", forge()
    yield "thin", forge(members=drop("payload/"))
    yield "empty-tree", forge((), cuts=())
    yield "long-names", tree(Item(LONG, b"x"), Item("link", LONG.encode(), "link"))
    yield "several-frames", forge(cuts=(1024, 1536, CUT, CUT + 512, CUT + 600))
    yield "not-ascii", tree(Item("données/naïve-Δ.txt", b"x"))
    yield "windows", small(platform="windows-x86_64-mingw")
    yield "source-and-recipe-file", bare(extra=[source(b"a source"), ("recipe/fix.patch", b"-\n")])
    yield "component", small(extra=[copy_of(forge())], components=[identity(forge())])
    yield "component-absent", small(components=[identity(bare())])
    yield "unknown-field", small(manifest=change("mood", "good"), toc=change("weather", "fine"))


def layout_cases() -> Iterator[Case]:
    good = small()
    yield "short", b"PK", "archive", "ARC-01"
    yield "cut-short", good[:-1], "archive", "ARC-01"
    yield "extended", good + b"\0", "archive", "ARC-01"
    yield "prefixed", b"\0" + good, "archive", "ARC-01"
    yield "gap", good[: central(good)] + b"\0" + good[central(good) :], "archive", "ARC-01"
    yield "compressed", patched(10, b"\x08\0"), "archive", "ARC-02"
    yield "encrypted", patched(8, b"\x01\x08"), "archive", "ARC-02"
    yield "data-descriptor", patched(8, b"\x08\x08"), "archive", "ARC-02"
    yield "dated", patched(14, b"\x22\0"), "archive", "ARC-02"
    yield "symlink-mode", patched(38, struct.pack("<L", 0o120777 << 16)), "archive", "ARC-02"
    yield "offset-zero-twice", patched(42, b"\x01\0\0\0"), "archive", "ARC-02"
    yield "extra-field", rewritten(b"\x99\x99\0\0"), "archive", "ARC-02"
    yield "member-comment", rewritten(b"", b"hi"), "archive", "ARC-02"
    yield "name-not-utf8", patched(46, b"\xff"), "archive", "ARC-02"
    yield "no-members", container([]), "archive", "ARC-03"
    yield "huge-member", patched_size(1 << 51), "archive", "ARC-03"
    yield "local-name", patched_head(30, b"q"), "archive", "ARC-04"
    yield "local-size", patched_head(22, b"\x01"), "archive", "ARC-04"
    yield "local-flags", patched_head(7, b"\0"), "archive", "ARC-04"


def patched_size(size: int) -> bytes:
    """Return an archive whose only member has a ZIP64 size that nothing has (ARC-16)."""
    slots = layout.place([("manifest.json", 0, size)])
    end = layout.directory(slots)
    start = len(layout.local_header(slots[0]))
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(end) - 98, start, 0)
    return layout.local_header(slots[0]) + end[:-98] + tail


def member_cases() -> Iterator[Case]:
    inner = bare()
    nested = small(extra=[copy_of(inner)], components=[identity(inner)])
    both = [identity(inner), identity(nested)]
    yield "foreign-name", small(members=rename("signatures", "readme.txt")), "archive", "ARC-05"
    yield "traversal-name", small(members=rename("payload/", "../evil")), "archive", "ARC-05"
    yield "reserved-name", small(members=rename("payload/", "delta/x")), "archive", "ARC-05"
    yield "recipe-traversal", bare(extra=[("recipe/../../x", b"")]), "archive", "PTH-01"
    yield "out-of-order", small(members=swap), "archive", "ARC-06"
    yield "twice", small(members=double), "archive", "ARC-06"
    yield "no-signatures", small(members=drop("signatures")), "archive", "ARC-07"
    yield "no-manifest", small(members=drop("manifest")), "archive", "ARC-07"
    yield "no-recipe", small(members=drop("recipe")), "archive", "ARC-07"
    yield "no-toc", small(members=drop("toc/")), "archive", "ARC-08"
    unlisted = [("recipe/x", b"")]
    yield (
        "unlisted",
        small(extra=unlisted, manifest=lambda m: m["members"].pop(2)),
        "archive",
        "ARC-09",
    )
    yield "unlisted-component", small(extra=[copy_of(inner)]), "archive", "ARC-09"
    yield "listed-signatures", small(manifest=list_signatures), "archive", "ARC-09"
    yield "other-size", small(members=replace("recipe.json", b"{}")), "archive", "ARC-10"
    yield "wrong-crc", wrong_crc(), "archive", "ARC-11"
    yield "other-bytes", small(members=replace_flipped("payload/")), "archive", "ARC-12"
    yield "other-recipe", small(members=replace_flipped("recipe.json")), "archive", "ARC-12"
    yield (
        "other-component",
        small(extra=[copy_of(inner, OTHER)], components=[OTHER]),
        "archive",
        "ARC-14",
    )
    yield (
        "nested-component",
        small(extra=[copy_of(inner), copy_of(nested)], components=both),
        "archive",
        "ARC-15",
    )
    yield (
        "broken-component",
        small(extra=[copy_of(inner[:-1], OTHER)], components=[OTHER]),
        "archive",
        "ARC-01",
    )
    spaced = b'{"critical":[], "format":1,"signatures":[]}'
    yield "signatures-spaced", small(signatures=spaced), "format", "JSN-05"


def list_signatures(manifest: Json) -> None:
    manifest["members"].append({"path": "signatures.json", "size": 43, "sha256": OTHER})
    manifest["members"].sort(key=lambda member: member["path"])


def replace_flipped(prefix: str) -> Callable[[Members], None]:
    def bend(members: Members) -> None:
        members[:] = [
            (name, flipped(data, 9) if name.startswith(prefix) else data) for name, data in members
        ]

    return bend


def manifest_cases() -> Iterator[Case]:
    def bent(at: str, value: object) -> bytes:
        return small(manifest=change(at, value))

    yield "field-missing", small(manifest=without("license")), "format", "MAN-01"
    yield "name-upper-case", bent("name", "Lab"), "format", "MAN-01"
    yield "kind-unknown", bent("kind", "thing"), "format", "MAN-01"
    yield "revision-negative", bent("revision", -1), "format", "MAN-01"
    yield "revision-true", bent("revision", True), "format", "MAN-01"
    yield "size-negative", bent("members.0.size", -1), "format", "MAN-01"
    yield "digest-upper-case", bent("recipe", "A" * 64), "format", "MAN-01"
    yield "text-too-long", bent("summary", "x" * 4097), "format", "MAN-01"
    yield "members-unsorted", small(manifest=lambda m: m["members"].reverse()), "format", "MAN-03"
    yield "components-twice", bent("components", [OTHER, OTHER]), "format", "MAN-03"
    yield "recipe-another", bent("recipe", OTHER), "format", "MAN-04"
    yield "payload-id", bent("payloads.0.platform", "linux-x86_64-gnu"), "format", "MAN-05"
    yield "payload-size", bent("payloads.0.packed", 1), "format", "MAN-06"
    yield "payload-unnamed", bent("payloads", []), "format", "MAN-06"
    yield "source-missing", bent("sources", [OTHER]), "format", "MAN-07"
    misnamed = bare(extra=[(f"source/{OTHER}", b"x")])
    yield "source-misnamed", misnamed, "format", "MAN-07"


def recipe_cases() -> Iterator[Case]:
    def holding(table: object) -> bytes:
        return bare(recipe=canonical.encode(table))

    yield "recipe-not-json", bare(recipe=b"package"), "format", "JSN-01"
    yield "recipe-no-package", holding({}), "format", "DOC-03"
    yield "recipe-unknown-key", holding({"package": PACKAGE, "bild": {}}), "format", "DOC-03"
    yield "recipe-of-versions", holding({"package": PACKAGE, "versions": {}}), "format", "DOC-03"
    outside = {"kind": "local", "path": "../x"}
    yield "recipe-outside", holding({"package": PACKAGE, "source": [outside]}), "format", "DOC-03"
    other = {**PACKAGE, "name": "lab/other"}
    yield "recipe-other-name", holding({"package": other}), "archive", "MAN-08"
    inner = bare(recipe=canonical.encode({"package": other}))
    carrying = small(extra=[copy_of(inner)], components=[identity(inner)])
    yield "component-other-name", carrying, "archive", "MAN-08"


def toc_cases() -> Iterator[Case]:
    def bent(at: str, value: object) -> bytes:
        return forge(toc=change(at, value))

    yield "toc-not-zstd", small(toc_member=bytes), "archive", "ZST-01"
    yield "toc-spaced", small(toc_member=lambda data: stored(data + b"\n")), "format", "JSN-05"
    yield "toc-no-frames", small(toc=without("frames")), "format", "TOC-02"
    yield "toc-negative", bent("files.0.size", -1), "format", "TOC-02"
    yield "toc-frame-too-large", bent("frames.0.raw", 2**22 + 1), "format", "TOC-02"
    yield "toc-unsorted", forge(toc=lambda t: t["files"].reverse()), "format", "TOC-03"
    yield "toc-overlap", bent("frames.1.offset", 0), "format", "TOC-04"
    yield "toc-first-frame", bent("frames.0.offset", 1), "format", "TOC-04"
    windows = forge(platform="windows-x86_64-mingw")
    yield "toc-windows-link", windows, "archive", "TOC-05"
    yield "toc-misplaced", bent("files.0.offset", 0), "archive", "TOC-06"
    yield "toc-other-frame", bent("files.2.frame", 2**40), "archive", "TOC-06"
    yield "toc-file-too-long", bent("files.1.size", 9999), "archive", "TOC-06"
    yield "toc-unlisted-bytes", forge(raw=lambda r: r.append(bytes(512))), "archive", "TOC-06"
    yield "toc-frame-missing", forge(toc=lambda t: t["frames"].pop()), "archive", "TOC-06"
    yield (
        "toc-raw-missing",
        forge(toc=lambda t: t["frames"][0].pop("raw_sha256")),
        "archive",
        "TOC-07",
    )
    yield "toc-raw-needless", small(toc=change("frames.0.raw_sha256", OTHER)), "archive", "TOC-07"
    yield "frame-digest", bent("frames.0.sha256", OTHER), "archive", "TOC-08"
    yield "frame-shorter", small(packed=shrink), "archive", "TOC-09"
    yield "frame-raw-digest", bent("frames.0.raw_sha256", OTHER), "archive", "TOC-10"
    yield "file-digest", bent("files.0.sha256", OTHER), "archive", "TOC-11"
    yield "file-bytes", small(raw=touch(512)), "archive", "TOC-11"
    yield "toc-another-tree", small(manifest=another_tree), "archive", "TOC-12"
    yield "tar-mode", small(raw=touch(106)), "archive", "TOC-13"
    yield "tar-name", small(raw=touch(0)), "archive", "TOC-13"
    yield "tar-padding", small(raw=touch(1023)), "archive", "TOC-13"
    yield "tar-end", small(raw=touch(1024)), "archive", "TOC-13"
    critical = {"critical": ["dictionary"], "dictionary": 1}
    yield "toc-critical", small(toc=lambda t: t.update(critical)), "format", "JSN-08"


def another_tree(manifest: Json) -> None:
    manifest["payloads"][0]["unpacked"] += 1


def frame_cases() -> Iterator[Case]:
    skip = b"\x50\x2a\x4d\x18\x01\0\0\0\0"
    yield "frame-skippable", small(packed=each(lambda f: skip + f)), "archive", "ZST-01"
    yield "frame-after", small(packed=each(lambda f: f + stored(b"x"))), "archive", "ZST-01"
    yield "frame-skippable-after", small(packed=each(lambda f: f + skip)), "archive", "ZST-01"
    yield "frame-cut", small(packed=each(lambda f: f[:-1])), "archive", "ZST-01"

    def header(bytes_: bytes) -> bytes:
        return small(packed=each(lambda f: raw_frame(bytes_, raw_of(f))))

    size = struct.pack("<H", 2048 - 256)
    yield "frame-no-size", header(b"\x00\x30"), "archive", "ZST-02"
    yield "frame-checksum", header(b"\x64" + size), "archive", "ZST-02"
    yield "frame-dictionary", header(b"\x61\x07" + size), "archive", "ZST-02"
    yield "frame-window", header(b"\x40\x70" + size), "archive", "ZST-03"
    yield "frame-bomb", header(b"\xa0" + struct.pack("<L", 2**30)), "archive", "ZST-03"
    yield "frame-larger", header(b"\xa0" + struct.pack("<L", 4096)), "archive", "ZST-04"


def path_cases() -> Iterator[Case]:
    for name, bad in {
        "empty": "",
        "absolute": "/etc/passwd",
        "parent": "a/../../b",
        "dot": "./a",
        "double-slash": "a//b",
        "backslash": "a\\b",
        "newline": "a\nb",
        "invisible": "a\u200db",
        "reordering": "a\u202eb",
    }.items():
        yield f"path-{name}", path(bad), "archive", "PTH-01"
    for name, bad in {
        "part-too-long": "a" * 256,
        "too-long": "/".join(["a" * 200] * 6),
        "too-deep": "/".join("a" * 65),
        "unfolds": "\ufdfa" * 70,
    }.items():
        yield f"path-{name}", path(bad), "archive", "PTH-02"
    for name, bad in {
        "device": "x/NUL.txt",
        "serial": "com1",
        "stream": "a:b",
        "wildcard": "a*",
        "trailing-dot": "a./b",
        "trailing-space": "a ",
        "short-name": "PROGRA~1/x",
    }.items():
        yield f"path-{name}", path(bad), "archive", "PTH-03"
    for name, pair in {
        "case": ("A/x", "a/y"),
        "sharp-s": ("strasse", "straße"),
        "ligature": ("ﬁle", "file"),
        "composed": ("e\u0301", "é"),
    }.items():
        clash = tree(*(Item(one, b"x") for one in pair))
        yield f"paths-{name}", clash, "archive", "PTH-04"
    below_link = tree(Item("a", b"b", "link"), Item("a/x", b"x"), Item("b", kind="dir"))
    yield "path-below-link", below_link, "archive", "PTH-05"
    yield "path-below-file", tree(Item("a", b"x"), Item("a/x", b"x")), "archive", "PTH-05"
    not_empty = tree(Item("a", kind="dir"), Item("a/x", b"x"))
    yield "path-below-empty-dir", not_empty, "archive", "PTH-05"
    twice = tree(Item("a", b"x"), Item("a", b"b", "link"))
    yield "path-file-and-link", twice, "archive", "PTH-05"
    yield "link-absolute", link("l", "/etc"), "archive", "PTH-06"
    yield "link-out", link("a/l", "../../b"), "archive", "PTH-06"
    yield "link-out-later", link("l", "a/../../b"), "archive", "PTH-06"
    yield "link-empty", link("l", ""), "archive", "PTH-06"
    yield "link-dot", link("l", "./a"), "archive", "PTH-06"
    yield "link-to-itself", link("l", "l"), "archive", "PTH-07"
    loop = tree(Item("a", b"b/x", "link"), Item("b", b"a/x", "link"))
    yield "link-loop", loop, "archive", "PTH-07"
    chain = [Item(f"l{n:02}", f"l{n + 1:02}".encode(), "link") for n in range(17)]
    yield "link-chain", tree(*chain), "archive", "PTH-07"


def json_cases() -> Iterator[Case]:
    """Yield documents instead of archives."""
    for name, text, rule in (
        ("not-json", "{", "JSN-01"),
        ("byte-order-mark", "\ufeff{}", "JSN-01"),
        ("two-values", "1 2", "JSN-01"),
        ("float", '{"a":0.5}', "JSN-03"),
        ("exponent", "1e3", "JSN-03"),
        ("not-a-number", "NaN", "JSN-03"),
        ("large-integer", str(2**53), "JSN-03"),
        ("many-digits", "1" * 5000, "JSN-03"),
        ("lone-surrogate", '"\\ud800"', "JSN-04"),
        ("white-space", '{"a": 1}', "JSN-05"),
        ("final-newline", "{}\n", "JSN-05"),
        ("keys-unsorted", '{"b":1,"a":1}', "JSN-05"),
        ("key-twice", '{"a":1,"a":1}', "JSN-05"),
        ("needless-escape", '"\\u0041"', "JSN-05"),
        ("escaped-slash", '"\\/"', "JSN-05"),
        ("upper-case-escape", '"\\u001F"', "JSN-05"),
        ("minus-zero", "-0", "JSN-05"),
        ("too-deep", "[" * 33 + "]" * 33, "JSN-06"),
    ):
        yield f"json-{name}", text.encode(), "format", rule
    yield "json-not-utf8", b'"\xff"', "format", "JSN-01"
    yield "json-encoded-surrogate", b'"\xed\xa0\x80"', "format", "JSN-01"


def envelope_cases() -> Iterator[Case]:
    yield "format-2", small(manifest=change("format", 2)), "format", "JSN-07"
    yield "no-format", small(manifest=without("format")), "format", "JSN-07"
    yield "no-critical", small(manifest=without("critical")), "format", "JSN-07"
    yield "not-an-object", small(manifest_bytes=lambda _: b"[]"), "format", "JSN-07"
    yield "critical", small(manifest=change("critical", ["mood"])), "format", "JSN-08"


def invalid() -> Iterator[Case]:
    """Yield every case that a reader refuses."""
    for cases in (
        json_cases,
        envelope_cases,
        layout_cases,
        member_cases,
        manifest_cases,
        recipe_cases,
        toc_cases,
        frame_cases,
        path_cases,
    ):
        yield from cases()


def expectation(data: bytes) -> Json:
    """Return what a reader finds in a valid archive."""
    archive = reader.Archive.open(io.BytesIO(data), size=len(data))
    return {
        "identity": archive.identity,
        "members": list(archive.names),
        "payloads": {
            payload.id: {
                "tree": payload.tree,
                "entries": [
                    [e.path, e.kind, int(e.executable), e.sha256 or e.target]
                    for e in toc.entries(archive.toc(payload.id))
                ],
            }
            for payload in archive.manifest.payloads
        },
    }


def files() -> dict[str, bytes]:
    """Return all files of `spec/vectors` by path."""
    made: dict[str, bytes] = {}

    def add(folder: str, name: str, data: bytes, expect: object) -> None:
        text = json.dumps(expect, indent=1, ensure_ascii=False, sort_keys=True)
        made[f"{folder}/{name}"] = data
        made[f"{folder}/expect.json"] = f"{text}\n".encode()

    for name, data in valid():
        add(f"valid/{name}", "archive.crpkg", data, expectation(data))
    for case, data, code, rule in invalid():
        name = "document.json" if case.startswith("json-") else "archive.crpkg"
        add(f"invalid/{case}", name, data, {"code": code, "rule": rule})
    sums = [f"{sha256(data)}  {path}\n" for path, data in sorted(made.items())]
    made["SHA256SUMS"] = "".join(sums).encode()
    return made


def main() -> None:
    for kind in ("valid", "invalid"):
        shutil.rmtree(VECTORS / kind, ignore_errors=True)
    for name, data in files().items():
        target = VECTORS / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


if __name__ == "__main__":
    main()
