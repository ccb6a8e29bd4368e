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
ROOT_SHA256 = "853c24d471e2329ac0d0ce70d09f7335765e608d7a22b5721635bb2322f01e2c"
SNAPSHOT_SHA256 = "346aaf38931ccfb4613c240e2a0a215fe179bfa435dcdd9b56d3b1585eaebba8"


def folder() -> str:
    """Return the folder of the index that came with crpack; empty where it was left out."""
    there = (place for place in PLACES if ROOT_SHA256 and os.path.isdir(f"{place}/metadata"))
    return next(there, "")
