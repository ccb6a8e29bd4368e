"""A reader of `.crpkg` archives, written from SPEC.md alone.

    python reader.py FILE              lists what is in it
    python reader.py FILE FOLDER       unpacks its payloads into FOLDER/<payload id>

Standard library and `zstandard`; nothing of crpack. It checks every digest and every rule that
keeps a device safe, but no signatures, no recipes, no copies of components and no tar headers.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import struct
import sys
import unicodedata
import zlib
from itertools import accumulate
from typing import Any, BinaryIO

import zstandard

MIB, FULL, HIDDEN = 1 << 20, 0xFFFFFFFF, {"Cc", "Cf", "Zl", "Zp", "\\"}
CLASSES = (  # the members in their order (ARC-05, ARC-06); H is a hex digit
    r"payload/H{16}\.tar\.zst source/H{64} component/H{64}\.crpkg recipe\.json recipe/.+ "
    r"toc/H{16}\.json\.zst manifest\.json signatures\.json"
)
RANKS = [re.compile(one.replace("H", "[0-9a-f]")) for one in CLASSES.split()]
WINDOWS = re.compile(
    r'(?i:con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]) *(\..*)?|.*[<>:"|?*].*|.*[. ]'
    r"|(?=[^.]{3,8}(\.|$))[^.]+~[0-9]+(\.[^.]{0,3})?"
)


def need(holds: object, rule: str) -> None:
    """Refuse the archive, naming the rule, unless something holds."""
    if not holds:
        raise SystemExit(f"refused: {rule}")


def document(data: bytes) -> Any:
    """Read canonical JSON of format 1 with nothing critical (JSN)."""
    try:
        value = json.loads(data.decode(), parse_float=lambda _: need(0, "JSN-03"))
        text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        need(text.encode() == data, "JSN-05")
    except (ValueError, RecursionError):
        need(0, "JSN-01")
    need(isinstance(value, dict) and value.get("format") == 1, "JSN-07")
    need(value.get("critical") == [], "JSN-08")
    return value


def unframe(data: bytes, limit: int) -> bytes:
    """Decompress one zstd frame (ZST)."""
    need(data[:4] == b"\x28\xb5\x2f\xfd", "ZST-01")
    try:
        head = zstandard.get_frame_parameters(data)
        need(not (head.has_checksum or head.dict_id or head.window_size > 8 * MIB), "ZST-03")
        need(0 < head.content_size <= limit, "ZST-04")
        return zstandard.ZstdDecompressor().decompress(data, allow_extra_data=False)
    except zstandard.ZstdError:
        raise SystemExit("refused: ZST-01") from None


def read(file: BinaryIO, at: int, size: int) -> bytes:
    """Return bytes of a file; fewer only where it ends."""
    need(at >= 0 and size >= 0, "ARC-01")
    file.seek(at)
    return file.read(size)


def header(kind: bytes, name: bytes, crc: int, values: tuple[int, ...]) -> bytes:
    """Return the one local header or directory entry that a member has (ARC-02, ARC-04)."""
    large = [value for value in values if value >= FULL]
    extra = struct.pack(f"<2H{len(large)}Q", 1, 8 * len(large), *large) if large else b""
    small = [min(value, FULL) for value in values]
    made = struct.pack("<H", 813) if kind == b"PK\1\2" else b""
    fields = (45 if large else 10, 2048, 0, 0, 33, crc, *small[:2], len(name), len(extra))
    place = struct.pack("<3H2L", 0, 0, 0, 0o100644 << 16, small[2]) if made else b""
    return kind + made + struct.pack("<5H3L2H", *fields) + place + name + extra


def directory(file: BinaryIO, size: int) -> dict[str, tuple[int, int, int]]:
    """Return each member's start, size and CRC-32 (ARC-01 to ARC-07)."""
    count, _, start = struct.unpack("<H2L", read(file, size - 12, 10))
    zip64 = start == FULL
    start = struct.unpack("<Q", read(file, size - 50, 8))[0] if zip64 else start
    need(0 < count <= 16384 and size - start <= 32 * MIB, "ARC-03")
    data, at, offset, made = read(file, start, size - start), 0, 0, b""
    found: dict[str, tuple[int, int, int]] = {}
    ranks = []
    for _ in range(count):
        need(at + 46 <= len(data), "ARC-02")
        crc, _, length, long, extra = struct.unpack_from("<3L2H", data, at + 16)
        name = data[at + 46 : at + 46 + long]
        at += 46 + long + extra
        if length == FULL:
            length = int.from_bytes(data[at - extra + 4 : at - extra + 12], "little")
        local = header(b"PK\3\4", name, crc, (length, length))
        need(read(file, offset, len(local)) == local, "ARC-04")
        made += header(b"PK\1\2", name, crc, (length, length, offset))
        text = name.decode(errors="replace")
        ranks += [(n, text) for n, rule in enumerate(RANKS) if rule.fullmatch(text)][:1]
        found[text] = (offset + len(local), length, crc)
        offset += len(local) + length
    if zip64:
        made += struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 813, 45, 0, 0, count, count, at, start)
        made += struct.pack("<4sLQL", b"PK\6\7", 0, start + at, 1)
    made += struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, at, min(start, FULL), 0)
    need(offset == start and data == made, "ARC-02")
    need(ranks == sorted(set(ranks)) and len(ranks) == count, "ARC-06")
    need({"recipe.json", "manifest.json", "signatures.json"} <= set(found), "ARC-07")
    return found


def check_tree(rows: list[list[Any]]) -> None:
    """Check paths and link targets (PTH) of [path, kind, executable, content]."""
    listed, seen = {row[0] for row in rows}, dict[str, str]()
    need(len(listed) == len(rows), "PTH-05")
    for path, kind, _, content in rows:
        parts, steps = path.split("/"), content.split("/") if kind == "link" else []
        kinds = {c if c == "\\" else unicodedata.category(c) for c in path + content}
        need(not kinds & HIDDEN and not {"", ".", ".."} & set(parts), "PTH-01")
        long = len(path.encode()) > 1024 or any(len(part.encode()) > 255 for part in parts)
        need(not long and len(parts) <= 64, "PTH-02")
        need(not any(WINDOWS.fullmatch(part) for part in parts), "PTH-03")
        above = ["/".join(parts[:count]) for count in range(1, len(parts))]
        need(not listed & set(above), "PTH-05")
        for name in (*above, path):
            fold = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
            need(len(fold) <= 1024 and seen.setdefault(fold, name) == name, "PTH-04")
        up = next((n for n, step in enumerate(steps) if step != ".."), len(steps))
        need(up <= len(above) and not {"", ".", ".."} & set(steps[up:]), "PTH-06")


def frame_content(file: BinaryIO, start: int, frame: Any) -> bytes:
    """Return the content of one frame of the payload at `start` (TOC-08, TOC-09)."""
    need(0 < frame["packed"] <= 5 * MIB and 0 < frame["raw"] <= 4 * MIB, "TOC-02")
    packed = read(file, start + frame["offset"], frame["packed"])
    need(hashlib.sha256(packed).hexdigest() == frame["sha256"], "TOC-08")
    raw = unframe(packed, frame["raw"])
    need(len(raw) == frame["raw"], "TOC-09")
    return raw


def unpack(file: BinaryIO, payload: Any, start: int, toc: Any, folder: str) -> None:
    """Check a payload's files, and write them into a folder that is new (TOC)."""
    rows = [[f["path"], "file", int(f["executable"]), f["sha256"]] for f in toc["files"]]
    rows += [[one["path"], "link", 0, one["target"]] for one in toc["links"]]
    rows += [[path, "dir", 0, ""] for path in toc["dirs"]]
    check_tree(rows)
    tree = json.dumps(sorted(rows), ensure_ascii=False, separators=(",", ":"))
    need(hashlib.sha256(tree.encode()).hexdigest() == payload["tree"], "TOC-12")
    starts = [0, *accumulate(frame["packed"] for frame in toc["frames"])]
    need([*(frame["offset"] for frame in toc["frames"]), payload["packed"]] == starts, "TOC-04")
    for path in [*toc["dirs"], *(row[0].rpartition("/")[0] for row in rows)]:
        os.makedirs(os.path.join(folder, path), exist_ok=True)
    for one in toc["files"]:
        at, left, digest = one["offset"], one["size"], hashlib.sha256()
        path, mode = os.path.join(folder, one["path"]), 0o755 if one["executable"] else 0o644
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
            for frame in toc["frames"][one["frame"] :]:
                chunk = frame_content(file, start, frame)[at : at + left] if left else b""
                at, left = 0, left - out.write(chunk)
                digest.update(chunk)
        need(digest.hexdigest() == one["sha256"], "TOC-11")
    for one in toc["links"]:
        os.symlink(one["target"], os.path.join(folder, one["path"]))


def main(path: str, folder: str = "") -> None:
    """List an archive, or unpack it."""
    with open(path, "rb") as file:
        members = directory(file, os.path.getsize(path))
        manifest = document(read(file, *members["manifest.json"][:2]))
        listed = {one["path"]: one for one in manifest["members"]}
        for name, (start, size, crc) in members.items():
            digest, found = hashlib.sha256(), 0
            for at in range(start, start + size, MIB):
                chunk = read(file, at, min(MIB, start + size - at))
                digest.update(chunk)
                found = zlib.crc32(chunk, found)
            need(found == crc, "ARC-11")
            if re.match("payload|source|recipe|toc", name):
                need(listed.get(name, {}).get("sha256") == digest.hexdigest(), "ARC-12")
            print(f"{size:12} {name}")
        document(read(file, *members["signatures.json"][:2]))
        need(members.keys() >= {name for name in listed if name.startswith("toc/")}, "ARC-08")
        for payload in manifest["payloads"]:
            start, size, _ = members.get(f"payload/{payload['id']}.tar.zst", (0, 0, 0))
            if folder and size:
                toc = unframe(read(file, *members[f"toc/{payload['id']}.json.zst"][:2]), 64 * MIB)
                unpack(file, payload, start, document(toc), os.path.join(folder, payload["id"]))


if __name__ == "__main__":
    main(*sys.argv[1:])
