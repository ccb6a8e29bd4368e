"""Homebrew's folders: `Cellar/NAME/VERSION`, and `opt/NAME` for the one in use. Pure."""

from __future__ import annotations

from crpack.detect import revisions
from crpack.detect.databases.package import Package

RECEIPT = "INSTALL_RECEIPT.json"


def package(prefix: str, name: str, version: str) -> Package:
    """Return the package in one folder of the Cellar below a prefix."""
    keg = f"{prefix}/Cellar/{name}/{version}"
    return Package(name, revisions.homebrew(version), version, keg, evidence=f"{keg}/{RECEIPT}")
