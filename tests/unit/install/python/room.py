"""Small wheels made on the spot, and an index of them without a network."""

from __future__ import annotations

import base64
import hashlib
import os
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def write_wheel(
    folder: Path,
    name: str,
    version: str,
    requires: tuple[str, ...] = (),
    *,
    pth: str = "",
    tag: str = "py3-none-any",
) -> Path:
    """Write a wheel with one module, and a line of a `.pth` file; return its path."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"VERSION = {version!r}\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\n"
        f"Name: {name}\nVersion: {version}\n"
        + "".join(f"Requires-Dist: {one}\n" for one in requires),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    if pth:
        files[f"{name}.pth"] = pth
    rows = [f"{path},sha256={_digest(text)},{len(text)}" for path, text in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,", ""])
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in files.items():
            archive.writestr(member, text)
    return path


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def environ(index: Path) -> dict[str, str]:
    """Return an environment in which pip and uv know that folder only."""
    index.mkdir(parents=True, exist_ok=True)
    settings = f"no-index = true\nfind-links = ['{index}']\n"
    (index / "uv.toml").write_text(f"{settings}[pip]\n{settings}")
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(index),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": f"{index} {index}/not-there",  # which pip warns of
        "UV_CONFIG_FILE": f"{index}/uv.toml",
        "UV_CACHE_DIR": f"{index}/cache",
    }
