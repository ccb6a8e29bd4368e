"""Quantities as people read them.

Rules:
- Bytes in powers of 1024, one decimal, with the unit: `312 B`, `1.4 MiB`.
- A noun after a number stands in the plural, but for one: `1 file`, `2 entries`.
"""

from __future__ import annotations


def size(count: int) -> str:
    """Return a number of bytes as people read it."""
    amount = float(count)
    for unit in ("B", "KiB", "MiB"):
        if amount < 1024:
            return f"{count} B" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} GiB"


def counted(count: int, noun: str) -> str:
    """Return a number and a noun in its form: `1 tree`, `3 trees`, `0 entries`."""
    if count == 1:
        return f"1 {noun}"
    y = noun.endswith("y") and noun[-2] not in "aeiou"
    return f"{count} {noun[:-1]}ies" if y else f"{count} {noun}s"
