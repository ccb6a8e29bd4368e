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
ROOT_SHA256 = "f3ef17d9c99318b6133d59fa9fb841c147330f0cb9a0656331903e8aebd39a29"
SNAPSHOT_SHA256 = "cfbfc965018e58244a6d5d0562bc4bd0330ad84180021e76c79e6e32f8522cec"


def folder() -> str:
    """Return the folder of the index that came with crpack; empty where it was left out."""
    there = (place for place in PLACES if ROOT_SHA256 and os.path.isdir(f"{place}/metadata"))
    return next(there, "")
