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
ROOT_SHA256 = "4863e34f60054df3726e8c6a8e2924f80f322209ed81b70765899f51984186c6"
SNAPSHOT_SHA256 = "1fff3062febbc8ddcbba191bf00670e17fda12eecec0f1592ac2deeabe99e64d"


def folder() -> str:
    """Return the folder of the index that came with crpack; empty where it was left out."""
    there = (place for place in PLACES if ROOT_SHA256 and os.path.isdir(f"{place}/metadata"))
    return next(there, "")
