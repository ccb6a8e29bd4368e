"""The images of a benchmark: decoded and resized before any clock starts."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass

import numpy as np
from faults import UserError
from images import read_image
from numpy.typing import NDArray
from PIL import Image


@dataclass(frozen=True, slots=True)
class Library:
    """Images in memory.

    Attributes:
        images: decoded.
        pixels: resized, [count, side, side, 3].
        decode_ns, resize_ns: of one image.
    """

    images: tuple[Image.Image, ...]
    pixels: NDArray[np.uint8]
    decode_ns: int
    resize_ns: int


def load(dataset: str, count: int, side: int) -> Library:
    """The first images that the data set's annotations list.

    Raises:
        UserError: it has fewer, or one cannot be read.
    """
    from ssd_shapes import resize

    with open(os.path.join(dataset, "annotations.json"), encoding="utf-8") as file:
        listed = json.load(file)["images"]
    if count > len(listed):
        raise UserError(
            f"the data set has {len(listed)} images, not {count}: more come with "
            "`--option images=5000` when the solution is installed"
        )
    names = [entry["file_name"] for entry in listed[:count]]
    start = time.perf_counter_ns()
    images = tuple(read_image(os.path.join(dataset, "images", name)) for name in names)
    between = time.perf_counter_ns()
    pixels = np.stack([resize(np.asarray(image), side) for image in images])
    resize_ns = (time.perf_counter_ns() - between) // count
    return Library(images, pixels, (between - start) // count, resize_ns)
