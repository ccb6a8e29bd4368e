"""Print the requirements of one dependency group of `pyproject.toml` (PEP 735), one a line."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path


def requirements(groups: dict[str, list[str | dict[str, str]]], name: str) -> list[str]:
    """Return the requirements of a group, those of included groups in their place."""
    found: list[str] = []
    for item in groups[name]:
        if isinstance(item, dict):
            found += requirements(groups, item["include-group"])
        else:
            found.append(item)
    return found


if __name__ == "__main__":
    root = Path(__file__).resolve().parents[2]
    table = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    sys.stdout.write("\n".join(requirements(table["dependency-groups"], sys.argv[1])) + "\n")
