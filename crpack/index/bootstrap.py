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
ROOT_SHA256 = "d6deacf4534b6522999e982bf85ac62e0705f6366d6e06b29b1a4879b630c875"
SNAPSHOT_SHA256 = "1e42fb3440216de4f0acc9d807e2a84cd17cb66006c3182c359501f3885afb66"


def folder() -> str:
    """Return the folder of the index that came with crpack; empty where it was left out."""
    there = (place for place in PLACES if ROOT_SHA256 and os.path.isdir(f"{place}/metadata"))
    return next(there, "")
