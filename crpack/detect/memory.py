"""A whole scan, as bytes that somebody else keeps: the answer, and what it depends on. Pure.

Rules (SPEC DET-17):
- The answer stands while everything that was looked at is as it was; then nothing is read again,
  nothing is matched, no recipe is opened and no program started.
- Bytes that cannot be read are no memory, never an error.
"""

from __future__ import annotations

import json
from dataclasses import astuple
from typing import TYPE_CHECKING, Any

from crpack.detect.cache import DAY
from crpack.detect.evidence import Refused
from crpack.detect.scan import Scan
from crpack.errors import FormatError
from crpack.model.document import Fields
from crpack.model.facts import found_from_table, found_to_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crpack.detect.eyes import Sight

_KINDS = ("stat", "id", "real", "env", "own")


def to_bytes(scan: Scan, key: str) -> bytes:
    """Return a scan for the next time.

    Args:
        scan: with its sights.
        key: what else the scan depends on, such as the digest of its probes.
    """
    table = {
        "key": key,
        "until": scan.until,
        "sights": scan.sights,
        "found": [found_to_table(one) for one in scan.found],
        "missing": scan.missing,
        "refused": [astuple(one) for one in scan.refused],
    }
    return json.dumps(table, separators=(",", ":"), ensure_ascii=False).encode("utf-8")


def from_bytes(data: bytes, key: str, now: int) -> Scan | None:
    """Return the scan that was remembered under a key; None where there is none.

    Args:
        data: what `to_bytes` gave.
        key: as it was given there.
        now: the time, seconds since 1970; an answer may end, and none lasts more than a day then.
    """
    try:
        table = json.loads(data)
        until = int(table["until"])
        if table["key"] != key or (until and not now < until <= now + DAY):
            return None
        found = (found_from_table(Fields("the last scan", "DET-17", one)) for one in table["found"])
        refused = (
            Refused(str(path), str(name), str(why), program=program is True)
            for path, name, why, program in table["refused"]
        )
        return Scan(
            tuple(found),
            tuple(refused),
            tuple(str(name) for name in table["missing"]),
            sights=tuple(_sights(table["sights"])),
            until=until,
        )
    except (FormatError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return None


def _sights(rows: list[Any]) -> Iterator[Sight]:
    for kind, name, seen in rows:
        if kind not in _KINDS or not isinstance(name, str):
            raise ValueError(kind)
        yield kind, name, tuple(seen) if isinstance(seen, list) else seen
