"""Alpine's list of what is installed: `/lib/apk/db/installed`. Pure."""

from __future__ import annotations

from crpack.detect import revisions
from crpack.detect.databases import stanzas
from crpack.detect.databases.package import Package

INSTALLED = "/lib/apk/db/installed"

_ARCH = {"armhf": "armv6", "noarch": ""}


def parse(data: bytes) -> tuple[tuple[Package, ...], str]:
    """Return the installed packages, and what is wrong with the list (empty: nothing)."""
    packages: list[Package] = []
    fault = ""
    for line, fields, _ in stanzas.parse(data, (b"P:", b"V:", b"A:")):
        name, raw, arch = (fields.get(key, "") for key in "PVA")
        if name and raw:
            version = revisions.alpine(raw)
            packages.append(Package(name, version, raw, "/usr", _ARCH.get(arch, arch)))
        else:
            fault = fault or f"apk's list is broken in the block at line {line}"
    return tuple(packages), fault
