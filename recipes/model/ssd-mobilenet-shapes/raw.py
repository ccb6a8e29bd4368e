"""Images that the generator of shapes-dataset wrote: `shapes --count N --first SEED --raw FILE`."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterator

MAGIC = b"SHPRAW1\n"


@dataclass(frozen=True, slots=True)
class Scene:
    """One image with its objects: class from 1, left, top, width, height in 1/256 of a pixel."""

    rgb: NDArray[np.uint8]  # [height, width, 3]
    objects: NDArray[np.uint32]  # [count, 5]


def begin(file: BinaryIO) -> int:
    """The number of images of a file whose head is read.

    Raises:
        ValueError: the file is not such a file.
    """
    if file.read(len(MAGIC)) != MAGIC:
        raise ValueError(f"`{file.name}` was not written by `shapes --raw`")
    (count,) = struct.unpack("<I", file.read(4))
    return int(count)


def count(path: str) -> int:
    """The number of images of a file.

    Raises:
        ValueError: see `begin`.
    """
    with open(path, "rb") as file:
        return begin(file)


def scenes(path: str) -> Iterator[Scene]:
    """All images of a file, in their order, one in memory at a time.

    Raises:
        ValueError: see `begin`.
    """
    with open(path, "rb") as file:
        for _ in range(begin(file)):
            width, height, objects = struct.unpack("<III", file.read(12))
            rows = np.frombuffer(file.read(20 * objects), "<u4").reshape(objects, 5)
            rgb = np.frombuffer(file.read(width * height * 3), np.uint8)
            yield Scene(rgb.reshape(height, width, 3), rows)
