"""COFF objects and the members of Windows import libraries (Microsoft, "PE Format").

Rules:
- An object begins with the number of its machine, which is no magic: its header has to be one,
  too. The same holds for an import member and for an object of many sections, which begin alike.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from crpack.binary.image import Image

if TYPE_CHECKING:
    from crpack.binary.view import ReadAt

MACHINES = {0x8664: "x86_64", 0xAA64: "aarch64", 0x14C: "x86", 0x1C4: "armv7"}
MAX_SECTIONS = 0xFEFF  # of an object; more need the other header

_ANONYMOUS = b"\0\0\xff\xff"
_BIG = bytes.fromhex("c7a1bad1eebaa94baf20faf66aa4dcb8")  # class of objects of many sections
_SECTION = 40  # bytes of a section's header


def read(read_at: ReadAt) -> tuple[Image, ...]:
    """Return what the header of an object or import member says; empty for anything else."""
    head = read_at(0, 20 + _SECTION)
    if len(head) < 20:
        return ()
    number = _anonymous(head) if head[:4] == _ANONYMOUS else _object(head)
    if number not in MACHINES:
        return ()
    bits = 32 if number in (0x14C, 0x1C4) else 64
    return (Image(format="pe", kind="object", os="windows", arch=MACHINES[number], bits=bits),)


def _object(head: bytes) -> int:
    """Return the machine of an object: it has sections with names, and no optional header."""
    machine, sections, _, _, _, optional, _ = struct.unpack_from("<HHIIIHH", head)
    name = head[20:28].rstrip(b"\0")
    named = bool(name) and name.isascii() and name.decode("ascii").isprintable()
    return machine if 0 < sections <= MAX_SECTIONS and not optional and named else 0


def _anonymous(head: bytes) -> int:
    """Return the machine of an import member (version 0) or of an object of many sections."""
    version, machine, _, size = struct.unpack_from("<HHII", head, 4)
    imported = version == 0 and size > 0 and head[20:21].isascii() and head[20:21] > b" "
    return machine if imported or (version >= 2 and head[12:28] == _BIG) else 0
