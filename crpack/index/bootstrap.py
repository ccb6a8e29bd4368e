"""The index that came with crpack: where it lies, and the digests that it is trusted by.

Rules (SPEC IDX-15): it is part of crpack, so crpack's own integrity vouches for it. Its root and
snapshot are stated here, its expiry is not judged, and its date is told where it is used.
`make index-sign` writes the two digests.
"""

from __future__ import annotations

import os

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PLACES = (os.path.join(_PACKAGE, "embedded"), os.path.join(os.path.dirname(_PACKAGE), "index"))

NAME = "crpack"
ROOT_SHA256 = "204e88efe92e6c727158a1dd8f4d288e875f921774f79b4fac8fccebb122be9d"
SNAPSHOT_SHA256 = "e1d634fcee33195c4ec0159820ef1aa4c084f06d2533970ca0bba013d4269f65"


def folder() -> str:
    """Return the folder of the index that came with crpack; empty where it was left out."""
    there = (place for place in PLACES if ROOT_SHA256 and os.path.isdir(f"{place}/metadata"))
    return next(there, "")
