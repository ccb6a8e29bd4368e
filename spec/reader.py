"""A reader of `.crpkg` archives, written from SPEC.md alone.

    python reader.py FILE              lists what is in it
    python reader.py FILE FOLDER       unpacks its payloads into FOLDER/<payload id>

Standard library and `zstandard`; nothing of crpack. It checks every digest and every rule that
keeps a device safe. It judges no signatures, opens no copies of components, reads no tar headers.
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

MIB, FULL = 1 << 20, 0xFFFFFFFF
CLASSES = (  # the members in their order, ARC-05 and ARC-06
    r"payload/[0-9a-f]{16}\.tar\.zst",
    r"source/[0-9a-f]{64}",
    r"component/[0-9a-f]{64}\.crpkg",
    r"recipe\.json",
    r"recipe/.+",
    r"toc/[0-9a-f]{16}\.json\.zst",
    r"manifest\.json",
    r"signatures\.json",
)
WINDOWS = re.compile(
    r'(?i:con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]) *(\..*)?|.*[<>:"|?*].*|.*[. ]'
    r"|(?=[^.]{3,8}(\.|$))[^.]+~[0-9]+(\.[^.]{0,3})?"
)


def need(holds: object, rule: str) -> None:
    """Refuse the archive, naming the rule, unless something holds."""
    if not holds:
        raise SystemExit(f"refused: {rule}")


def sha256(data: bytes) -> str:
    """Return a digest as text."""
    return hashlib.sha256(data).hexdigest()


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
        need(not head.has_checksum and not head.dict_id, "ZST-02")
        need(head.window_size <= 8 * MIB, "ZST-03")
        need(0 < head.content_size <= limit, "ZST-04")
        return zstandard.ZstdDecompressor().decompress(data, allow_extra_data=False)
    except zstandard.ZstdError:
        raise SystemExit("refused: ZST-01") from None


def read(file: BinaryIO, at: int, size: int) -> bytes:
    """Return exactly these bytes of a file."""
    need(at >= 0 and size >= 0, "ARC-01")
    file.seek(at)
    data = file.read(size)
    need(len(data) == size, "ARC-01")
    return data


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
    records = 22
    if start == FULL:
        start, records = struct.unpack("<Q", read(file, size - 50, 8))[0], 98
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
        ranks += [(n, text) for n, rule in enumerate(CLASSES) if re.fullmatch(rule, text)][:1]
        found[text] = (offset + len(local), length, crc)
        offset += len(local) + length
    if records == 98:
        made += struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 813, 45, 0, 0, count, count, at, start)
        made += struct.pack("<4sLQL", b"PK\6\7", 0, start + at, 1)
    made += struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, at, min(start, FULL), 0)
    need(offset == start and data == made, "ARC-02")
    need(ranks == sorted(set(ranks)) and len(ranks) == count, "ARC-06")
    need({"recipe.json", "manifest.json", "signatures.json"} <= set(found), "ARC-07")
    return found


def check_tree(places: dict[str, str | None]) -> None:
    """Check paths and link targets (PTH); the target of a file or directory is None."""
    seen: dict[str, str] = {}
    for path, target in places.items():
        parts, texts = path.split("/"), path + (target or "")
        hidden = any(unicodedata.category(c) in {"Cc", "Cf", "Zl", "Zp"} for c in texts)
        need(not hidden and "\\" not in texts and not {"", ".", ".."} & set(parts), "PTH-01")
        need(len(path.encode()) <= 1024 and len(parts) <= 64, "PTH-02")
        need(all(len(part.encode()) <= 255 for part in parts), "PTH-02")
        need(not any(WINDOWS.fullmatch(part) for part in parts), "PTH-03")
        above = ["/".join(parts[:count]) for count in range(1, len(parts))]
        need(not any(folder in places for folder in above), "PTH-05")
        for name in (*above, path):
            fold = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
            need(len(fold) <= 1024 and seen.setdefault(fold, name) == name, "PTH-04")
        steps = [] if target is None else target.split("/")
        up = next((n for n, step in enumerate(steps) if step != ".."), len(steps))
        need(up <= len(above) and not {"", ".", ".."} & set(steps[up:]), "PTH-06")


def unframe_checked(file: BinaryIO, start: int, frame: Any) -> bytes:
    """Return the content of one frame of a payload (TOC-08 to TOC-10)."""
    need(0 < frame["packed"] <= 5 * MIB and 0 < frame["raw"] <= 4 * MIB, "TOC-02")
    packed = read(file, start + frame["offset"], frame["packed"])
    need(sha256(packed) == frame["sha256"], "TOC-08")
    raw = unframe(packed, frame["raw"])
    need(len(raw) == frame["raw"], "TOC-09")
    need(sha256(raw) == frame.get("raw_sha256", sha256(raw)), "TOC-10")
    return raw


def unpack(file: BinaryIO, payload: Any, start: int, toc: Any, folder: str) -> None:
    """Check a payload's files, and write them into a new folder unless that is empty (TOC)."""
    rows = [[f["path"], "file", int(f["executable"]), f["sha256"]] for f in toc["files"]]
    rows += [[one["path"], "link", 0, one["target"]] for one in toc["links"]]
    rows += [[path, "dir", 0, ""] for path in toc["dirs"]]
    check_tree(rows)
    text = json.dumps(sorted(rows), ensure_ascii=False, separators=(",", ":"))
    need(sha256(text.encode()) == payload["tree"], "TOC-12")
    starts = [0, *accumulate(frame["packed"] for frame in toc["frames"])]
    need([*(frame["offset"] for frame in toc["frames"]), payload["packed"]] == starts, "TOC-04")
    for one in toc["files"]:
        frames, at, left = iter(toc["frames"][one["frame"] :]), one["offset"], one["size"]
        digest, out = hashlib.sha256(), create(folder, one["path"], one["executable"])
        while left:
            chunk = unframe_checked(file, start, next(frames, None))[at : at + left]
            need(chunk, "TOC-06")
            at, left = 0, left - len(chunk)
            digest.update(chunk)
            out.write(chunk)
