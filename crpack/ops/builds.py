"""Builds remembered by key: the only build cache.

Rules (SPEC KEY-06): `built/<key>.json` says what one build made. A record is believed only while
its tree is in the store; a damaged one counts as none.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from crpack import disk
from crpack.errors import FormatError, InstallError
from crpack.install import layout
from crpack.make import record
from crpack.model.limits import MAX_JSON_BYTES

if TYPE_CHECKING:
    from crpack.make.record import Record


def tree_of(prefix: str, key: str) -> str:
    """Return the tree that a build with this key made; empty when none is remembered."""
    known = record_of(prefix, key)
    return known.tree if known else ""


def record_of(prefix: str, key: str) -> Record | None:
    """Return the record of a build with this key; None when none is remembered."""
    try:
        return record.from_json(disk.read(_path(prefix, key), limit=MAX_JSON_BYTES), key=key)
    except (InstallError, FormatError):
        return None


def remember(prefix: str, made: Record) -> None:
    """Write the record of a build whose tree is in the store."""
    disk.make_folders(layout.built(prefix))
    disk.atomic_write(_path(prefix, made.key), record.to_json(made))


def _path(prefix: str, key: str) -> str:
    return os.path.join(layout.built(prefix), f"{key}.json")
