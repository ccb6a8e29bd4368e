"""RPM's database of what is installed: `rpmdb.sqlite`.

Rules:
- It is opened for reading only and as unchangeable: no lock, no journal, nothing written.
- A package is one header: an index of tags, and their data. What does not fit together is passed
  over and told.
"""

from __future__ import annotations

import struct
import urllib.parse
from typing import TYPE_CHECKING

from crpack.detect import revisions
from crpack.detect.databases.package import Package

if TYPE_CHECKING:
    from collections.abc import Iterator

DATABASES = ("/usr/lib/sysimage/rpm/rpmdb.sqlite", "/var/lib/rpm/rpmdb.sqlite")
MAX_HEADER = 64 * 1024 * 1024  # bytes of one package's header
MAX_PACKAGES = 100_000

_NAME, _VERSION, _RELEASE, _EPOCH, _ARCH = 1000, 1001, 1002, 1003, 1022
_STRINGS = {_NAME, _VERSION, _RELEASE, _ARCH}
_INT32, _STRING = 4, 6
_ARCHES = {
    "noarch": "",
    "armv7hl": "armv7",
    "armv6hl": "armv6",
    "i386": "x86",
    "i586": "x86",
    "i686": "x86",
}


def read(path: str) -> tuple[tuple[Package, ...], str]:
    """Return the installed packages, and what is wrong with the database (empty: nothing)."""
    try:
        import sqlite3
    except ImportError:
        return (), "this Python has no sqlite3, so rpm's database was not read"
    packages = []
    fault = ""
    uri = f"file:{urllib.parse.quote(path)}?mode=ro&immutable=1"
    try:
        connection = sqlite3.connect(uri, uri=True)
        try:
            rows = connection.execute(
                "SELECT blob FROM Packages WHERE length(blob) <= ? LIMIT ?",
                (MAX_HEADER, MAX_PACKAGES),
            )
            for (blob,) in rows:
                found = header(blob) if isinstance(blob, bytes) else None
                if found:
                    packages.append(found)
                else:
                    fault = "a header of rpm's database is broken"
        finally:
            connection.close()
    except sqlite3.Error as error:
        return tuple(packages), f"rpm's database cannot be read: {error}"
    return tuple(packages), fault


def header(blob: bytes) -> Package | None:
    """Return the package that a header tells of; None where it is broken.

    Layout (rpm's format documentation): entries and bytes of data as big-endian 32-bit numbers,
    then for each entry tag, type, offset and count, then the data.
    """
    tags = dict(_tags(blob))
    name, version = tags.get(_NAME, ""), tags.get(_VERSION, "")
    if not name or not version:
        return None
    epoch = f"{tags[_EPOCH]}:" if tags.get(_EPOCH) else ""
    raw = f"{epoch}{version}-{tags.get(_RELEASE, '')}".rstrip("-")
    arch = tags.get(_ARCH, "")
    return Package(name, revisions.rpm(version), raw, "/usr", _ARCHES.get(arch, arch))


def _tags(blob: bytes) -> Iterator[tuple[int, str]]:
    if len(blob) < 8:
        return
    count, size = struct.unpack_from(">II", blob)
    start = 8 + 16 * count
    if start + size > len(blob):
        return
    for index in range(count):
        tag, kind, offset, items = struct.unpack_from(">IIII", blob, 8 + 16 * index)
        at = start + offset
        if tag in _STRINGS and kind == _STRING and offset < size:
            end = blob.find(b"\0", at, start + size)
            if end >= 0:
                yield tag, blob[at:end].decode("utf-8", "replace")
        elif tag == _EPOCH and kind == _INT32 and items and offset + 4 <= size:
            yield tag, str(struct.unpack_from(">I", blob, at)[0])
