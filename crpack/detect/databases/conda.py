"""conda's list of an environment: the names in its `conda-meta`. Pure.

Rules: a file is called `NAME-VERSION-BUILD.json`; neither version nor build holds a `-`.
"""

from __future__ import annotations

from crpack.detect.databases.package import Package

FOLDER = "conda-meta"


def package(prefix: str, file_name: str) -> Package | None:
    """Return the package that a file of an environment's `conda-meta` tells of."""
    stem, dot, end = file_name.rpartition(".")
    parts = stem.rsplit("-", 2)
    if not dot or end != "json" or len(parts) != 3 or not all(parts):
        return None
    name, version, build = parts
    evidence = f"{prefix}/{FOLDER}/{file_name}"
    return Package(name, version, f"{version}-{build}", prefix, evidence=evidence)
