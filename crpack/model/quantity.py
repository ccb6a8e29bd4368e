"""Quantities as people read them.

Rules: bytes in powers of 1024, one decimal, with the unit: `312 B`, `1.4 MiB`.
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
