"""A library for another machine, made here from its real sources, on another one of ours.

The long form is `make cross`.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.flow.tool import Tool
from tests.tools import source_mirror

if TYPE_CHECKING:
    from typing import Any

SOFTWARE = Path(__file__).resolve().parents[2] / "recipes" / "software"
TARGET = "linux-aarch64-gnu"
NEEDED = ("aarch64-linux-gnu-gcc", "aarch64-linux-gnu-g++", "qemu-aarch64", "make", "readelf")


@pytest.fixture
def mirror() -> Path:
    lacking = [name for name in NEEDED if not shutil.which(name)]
    if lacking:
        pytest.skip(f"needs {', '.join(lacking)}")
    try:
        return source_mirror.ready("zlib", "libpng")
    except source_mirror.Lacking as error:
        pytest.skip(f"the mirror of sources cannot be filled: {error}")


def elf(path: Path, *words: str) -> str:
    """What readelf says of a file."""
    done = subprocess.run(["readelf", *words, path], capture_output=True, text=True, check=True)
    return done.stdout


def test_libpng_for_aarch64_on_our_zlib(mirror: Path, tmp_path: Path) -> None:
    """BLD-22, BLD-23, RCP-10, RCP-12, RCP-13: offline, its own test under emulation."""
    tool = Tool(tmp_path).with_key()
    env = {"CRPACK_SOURCE_MIRROR": str(mirror)}
    words = ["--offline", "--json", "build", str(SOFTWARE / "libpng"), "--with", str(SOFTWARE)]
    words += ["--platform", TARGET]
    made: dict[str, Any] = tool(*words, "--out", "libpng.crpkg", env=env).json["data"]
    tests = [(one["name"], one["platform"], one["status"]) for one in made["tests"]]
    assert ("libpng", TARGET, "passed") in tests
    assert [one["platform"].partition("gnu")[0] for one in made["payloads"]] == ["linux-aarch64-"]
    found = next((tmp_path / "home/cache/author/store").rglob("libpng16.so.16.*"))
    assert "AArch64" in elf(found, "-h")
    needed = elf(found, "-d")
    assert "[libz.so.1]" in needed
    assert "/home" not in needed
    again = tool(*words, "--out", "again.crpkg", env=env)
    assert "Building" not in again.err
    assert again.json["data"]["identity"] == made["identity"]
