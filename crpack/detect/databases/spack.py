"""Spack's list of what it installed: `.spack-db/index.json`. Pure."""

from __future__ import annotations

import json

from crpack.detect.databases.package import Package

INDEX = ".spack-db/index.json"


def parse(data: bytes) -> tuple[tuple[Package, ...], str]:
    """Return the installed packages, and what is wrong with the list (empty: nothing)."""
    try:
        installs = json.loads(data)["database"]["installs"]
        records = list(installs.values())
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        return (), "Spack's list cannot be read"
    packages = []
    fault = ""
    for record in records:
        try:
            spec, prefix = record["spec"], record["path"]
            name, version, there = spec["name"], spec["version"], record["installed"]
            texts = all(isinstance(text, str) for text in (name, version))
        except (LookupError, TypeError):
            texts, there = False, True
        if not texts:
            fault = "a part of Spack's list cannot be read"
        elif there is True and isinstance(prefix, str) and prefix.startswith("/"):
            evidence = f"{prefix}/.spack/spec.json"
            packages.append(Package(name, version, version, prefix, evidence=evidence))
    return tuple(packages), fault
