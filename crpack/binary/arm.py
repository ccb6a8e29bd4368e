"""ARM's build attributes: which ARM, and how floating-point numbers are passed.

Source: Addenda to the ABI for the Arm Architecture (addenda32), "Build Attributes".
Rules:
- Debian's armhf is ARMv7 and Raspbian's is ARMv6, under one triple: only the attributes tell.
- `armv5` stands for all older ones. Attributes that are not there, or cannot be read, leave the
  architecture `arm`; they are no fault.
"""

from __future__ import annotations

MAX_ATTRIBUTES = 64 * 1024  # bytes of the section looked at
MAX_TAGS = 1024  # attributes looked at

_HARD_FLOAT, _SOFT_FLOAT = 0x400, 0x200  # e_flags of EABI version 5
_FILE = 1  # scope: attributes of the whole file
_CPU_ARCH, _VFP_ARGS = 6, 28  # tags
_TEXTS = frozenset({4, 5, 32, 65, 67})  # tags whose value is a text; from 32 on: the odd ones


def describe(flags: int, attributes: bytes) -> tuple[str, str]:
    """Return (`armv7`, `armv6`, `armv5` or `arm`, `hard` or `soft`) of an ARM file.

    Args:
        flags: the ELF header's flags.
        attributes: bytes of the section `.ARM.attributes`; may be empty or nonsense.
    """
    tags = _tags(attributes)
    cpu = tags.get(_CPU_ARCH, 0)
    arch = "armv7" if cpu in (10, 13) or cpu >= 14 else "armv6" if 6 <= cpu <= 12 else "armv5"
    arch = arch if tags else "arm"
    if flags & _HARD_FLOAT or tags.get(_VFP_ARGS) == 1:
        return arch, "hard"
    if flags & _SOFT_FLOAT or attributes:
        return arch, "soft"
    return arch, ""


def _tags(data: bytes) -> dict[int, int]:
    """Return the numeric attributes that hold for the whole file."""
    tags: dict[int, int] = {}
    body = data[5:]  # version, length of the section
    end = body.find(b"\0")
    if data[:1] != b"A" or body[:end] != b"aeabi" or len(body) < end + 6 or body[end + 1] != _FILE:
        return tags
    at = end + 6  # scope and its length
    for _ in range(MAX_TAGS):
        tag, at = _number(body, at)
        if at > len(body) or tag == 0:
            break
        if tag in _TEXTS or (tag > 32 and tag % 2):
            at = body.find(b"\0", at) + 1
            if at == 0:
                break
            continue
        value, at = _number(body, at)
        if at > len(body):
            break
        tags[tag] = value
    return tags


def _number(data: bytes, at: int) -> tuple[int, int]:
    """Return a ULEB128 number and where it ends; beyond the data when it is cut."""
    value = 0
    for shift in range(0, 35, 7):
        if at >= len(data):
            return 0, len(data) + 1
        value |= (data[at] & 0x7F) << shift
        at += 1
        if data[at - 1] < 0x80:
            return value, at
    return 0, len(data) + 1
