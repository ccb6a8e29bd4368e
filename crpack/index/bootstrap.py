"""The index that came with crpack: where it lies, and the digests that it is trusted by.

Rules (SPEC IDX-15): it is part of crpack, so crpack's own integrity vouches for it. Its root and
snapshot are stated here, its expiry is not judged, and its date is told where it is used.
`make index-sign` writes the two digests.
"""

from __future__ import annotations

NAME = "crpack"
ROOT_SHA256 = "0605b0ee060f4332f69244ea39aa560f4ba966d57059aacd8f1a6b813866e6f3"
SNAPSHOT_SHA256 = "04985e578060175280111330e39f92f91b79b540eb2e678924edca7bd70951e7"
