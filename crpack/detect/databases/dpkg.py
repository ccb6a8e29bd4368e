"""dpkg's list of what is installed: `/var/lib/dpkg/status`. Pure.

Rules (SPEC DET-22): only packages whose state is `installed` count. A block that is broken is
passed over and told with its line.
"""

from __future__ import annotations

from crpack.detect import revisions
from crpack.detect.databases import stanzas
from crpack.detect.databases.package import Package

STATUS = "/var/lib/dpkg/status"

_FIELDS = (b"Package:", b"Status:", b"Architecture:", b"Version:")
_ARCH = {
    "amd64": "x86_64",
    "arm64": "aarch64",
    "armhf": "armv7",
    "armel": "arm",
    "i386": "x86",
    "ppc64el": "ppc64le",
    "all": "",
}


def parse(status: bytes) -> tuple[tuple[Package, ...], str]:
    """Return the installed packages, and what is wrong with the list (empty: nothing)."""
    packages: list[Package] = []
    fault = ""
    for line, fields, whole in stanzas.parse(status, _FIELDS):
        name, raw = fields.get("Package", ""), fields.get("Version", "")
        state = fields.get("Status", "").split()
        if not whole or not name or len(state) != 3 or (state[2] == "installed" and not raw):
            fault = fault or f"dpkg's list is broken in the block at line {line}"
        elif state[2] == "installed":
            arch = fields.get("Architecture", "")
            packages.append(
                Package(
                    name,
                    revisions.debian(raw),
                    raw,
                    "/usr",
                    _ARCH.get(arch, arch),
                    f"/var/lib/dpkg/info/{name}.list",
                )
            )
    return tuple(packages), fault


def evidence(package: Package, arch: str) -> str:
    """Return the other name that a package's list of files may have: with its architecture."""
    debian = next((deb for deb, word in _ARCH.items() if word == arch), arch)
    return f"/var/lib/dpkg/info/{package.name}:{debian}.list"
