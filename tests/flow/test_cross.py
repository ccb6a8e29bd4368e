"""Libraries for other machines, made here from their real sources, and tested by emulation.

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
ARM64 = "linux-aarch64-gnu"
# What each target needs here: programs on PATH, and files.
NEEDED = {
    ARM64: ("aarch64-linux-gnu-gcc", "aarch64-linux-gnu-g++", "qemu-aarch64"),
    "windows-x86_64-mingw": ("x86_64-w64-mingw32-gcc-posix", "/usr/lib/wine/wine64"),
    "wasi-wasm32": ("clang++", "wasm-ld", "llvm-ar", "/usr/include/wasm32-wasi/stdio.h", "node"),
}


def mirror(target: str, *components: str) -> Path:
    """The sources of some components; skips where they or compilers cannot be had."""
    needed = ("make", "readelf", *NEEDED[target])
    lacking = [name for name in needed if not (shutil.which(name) or Path(name).is_file())]
    if lacking:
        pytest.skip(f"needs {', '.join(lacking)}")
    try:
        return source_mirror.ready(*components)
    except source_mirror.Lacking as error:
        pytest.skip(f"the mirror of sources cannot be filled: {error}")


def elf(path: Path, *words: str) -> str:
    """What readelf says of a file."""
    done = subprocess.run(["readelf", *words, path], capture_output=True, text=True, check=True)
    return done.stdout


def packed(tool: Tool, component: str, target: str, sources: Path) -> dict[str, Any]:
    """Pack a component twice, offline; return the answer. The second time nothing is made."""
    words = ["--offline", "--json", "build", str(SOFTWARE / component), "--with", str(SOFTWARE)]
    words += ["--platform", target]
    env = {"CRPACK_SOURCE_MIRROR": str(sources)}
    made: dict[str, Any] = tool(*words, "--out", "one.crpkg", env=env).json["data"]
    tests = [(one["name"], one["platform"], one["status"]) for one in made["tests"]]
    assert (component, target, "passed") in tests
    again = tool(*words, "--out", "again.crpkg", env=env)
    assert "Building" not in again.err
    assert again.json["data"]["identity"] == made["identity"]
    return made


@pytest.mark.parametrize(
    "target",
    [
        ARM64,
        *(
            pytest.param(target, marks=pytest.mark.slow)
            for target in ("wasi-wasm32", "windows-x86_64-mingw")
        ),
    ],
)
def test_zlib_for_another_machine_is_made_and_tested_here(target: str, tmp_path: Path) -> None:
    """BLD-23, BLD-31, RCP-10, RCP-12, RCP-13."""
    sources = mirror(target, "zlib")
    made = packed(Tool(tmp_path).with_key(), "zlib", target, sources)
    assert [one["platform"][: len(target)] for one in made["payloads"]] == [target]


@pytest.mark.slow
def test_libpng_for_aarch64_on_our_zlib(tmp_path: Path) -> None:
    """BLD-21, BLD-22, BLD-23, RCP-13."""
    sources = mirror(ARM64, "zlib", "libpng")
    packed(Tool(tmp_path).with_key(), "libpng", ARM64, sources)
    found = next((tmp_path / "home/cache/author/store").rglob("libpng16.so.16.*"))
    assert "AArch64" in elf(found, "-h")
    needed = elf(found, "-d")
    assert "[libz.so.1]" in needed
    assert "/home" not in needed
