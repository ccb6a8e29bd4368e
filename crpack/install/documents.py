"""The documents of a generation: read again, and compared with what its record says.

Rules (SPEC GEN-03): `crpack.lock` and `recipe.json` have the digests that `generation.json`
names, `realisation.json` is what follows from it, and every link leads where it must.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from crpack import disk
from crpack.errors import InstallError
from crpack.install import generations, layout
from crpack.model import names, realisation
from crpack.model.limits import MAX_JSON_BYTES

if TYPE_CHECKING:
    from crpack.install.generations import Generation


def lock(generation: Generation) -> bytes:
    """Return the bytes of a generation's `crpack.lock`.

    Raises:
        InstallError: it cannot be read.
    """
    return disk.read(f"{generation.path}/{layout.LOCK}", limit=MAX_JSON_BYTES)


def recipe(generation: Generation) -> bytes:
    """Return the bytes of a generation's `recipe.json`.

    Raises:
        InstallError: it cannot be read.
    """
    return disk.read(f"{generation.path}/{layout.RECIPE}", limit=MAX_JSON_BYTES)


def damaged(generation: Generation) -> tuple[str, ...]:
    """Return the names of documents and links that are not as they were written."""
    record = generation.record
    wanted = {layout.LOCK: record.lock, layout.RECIPE: record.recipe}
    found = [name for name, digest in wanted.items() if _sha256(generation, name) != digest]
    real = realisation.encode(generations.real(record))
    if _sha256(generation, layout.REALISATION) != hashlib.sha256(real).hexdigest():
        found.append(layout.REALISATION)
    for part in record.parts:
        link = f"root/{names.folder(part.node.name)}"
        target = generations.target(part)
        if target and _target(f"{generation.path}/{link}") != target:
            found.append(link)
    if record.env and _target(f"{generation.path}/env") != layout.to_environment(record.env):
        found.append("env")
    return tuple(found)


def _sha256(generation: Generation, name: str) -> str:
    try:
        data = disk.read(f"{generation.path}/{name}", limit=MAX_JSON_BYTES)
    except InstallError:
        return ""
    return hashlib.sha256(data).hexdigest()


def _target(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""
