"""Compiling and calling the flagship's programs as its recipes do."""

from __future__ import annotations

import fcntl
import json
import os
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from numpy.typing import NDArray

RECIPES = Path(__file__).resolve().parents[2] / "recipes"
GENERATOR = RECIPES / "dataset" / "shapes-dataset"
MODEL = RECIPES / "model" / "ssd-mobilenet-shapes"
NATIVE = RECIPES / "program" / "ssd-native"
SOLUTION = RECIPES / "solution" / "object-detection-shapes"
NETWORK = MODEL / "128"
WEIGHTS = NETWORK / "weights.bin"


def compile_generator(cxx: str, out: Path, *flags: str) -> Path:
    """The generator, compiled with some flags."""
    source = GENERATOR / "src" / "shapes.cpp"
    subprocess.run([cxx, "-std=c++17", *flags, "-o", str(out), str(source)], check=True)
    return out


def compile_native(cxx: str, folder: Path, flags: str, *variables: str) -> Path:
    """The program, made and installed below a folder by its own Makefile."""
    argv = ["make", "-j2", f"CXX={cxx}", f"CXXFLAGS={flags}", f"BUILD={folder / 'objects'}"]
    argv += [f"DESTDIR={folder}", "PREFIX=", *variables, "install"]
    subprocess.run(argv, cwd=NATIVE, check=True, stdout=subprocess.DEVNULL)
    return folder / "bin" / "ssd-native"


def has_codecs(cxx: str) -> bool:
    """Whether a compiler finds libpng, zlib and libjpeg."""
    headers = "#include <cstdio>\n#include <png.h>\n#include <zlib.h>\n#include <jpeglib.h>\n"
    argv = [cxx, "-x", "c++", "-fsyntax-only", "-"]
    done = subprocess.run(argv, input=headers.encode(), capture_output=True, check=False)
    return done.returncode == 0


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Path]) -> Path:
    """What `make` makes in a folder, made by the first of all workers that asks."""
    own = factory.getbasetemp()
    base = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    note = base / f"{name}.made"
    with open(base / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not note.exists():
            folder = base / name
            folder.mkdir(exist_ok=True)
            note.write_text(str(make(folder)))
    return Path(note.read_text())


def generate(generator: Path, out: Path, count: int, first: int) -> Path:
    """A data set; its folder."""
    argv = [str(generator), "--count", str(count), "--first", str(first), "--out", str(out)]
    subprocess.run(argv, check=True)
    return out


def frame(rgb: NDArray[np.uint8]) -> bytes:
    """An image [height, width, 3] as ssd-native reads it."""
    height, width, _ = rgb.shape
    return b"SSDF" + struct.pack("<II", width, height) + rgb.tobytes()


@dataclass(frozen=True, slots=True)
class Native:
    """A compiled ssd-native."""

    program: Path

    def run(
        self, data: bytes, *flags: str, weights: Path = WEIGHTS
    ) -> subprocess.CompletedProcess[bytes]:
        """Feed bytes to the program."""
        argv = [str(self.program), "--weights", str(weights), *flags]
        return subprocess.run(argv, input=data, capture_output=True, check=False)

    def logits(self, images: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Raw outputs, [images, values]."""
        done = self.run(b"".join(map(frame, images)), "--logits")
        assert done.returncode == 0, done.stderr
        return np.frombuffer(done.stdout, "<f4").reshape(len(images), -1)

    def detect(self, images: list[NDArray[np.uint8]], *flags: str) -> list[list[dict[str, Any]]]:
        """Detections by image."""
        done = self.run(b"".join(map(frame, images)), *flags)
        assert done.returncode == 0, done.stderr
        return [json.loads(line)["detections"] for line in done.stdout.splitlines()]
