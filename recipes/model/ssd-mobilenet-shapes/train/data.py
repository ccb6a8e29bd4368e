"""Training images: read from the generator's raw file, resized once, varied at every step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from raw import count, scenes
from ssd_shapes import Floats, Pixels, resize
from torch import Tensor

if TYPE_CHECKING:
    from numpy.random import Generator

MOST_OBJECTS = 7


@dataclass(frozen=True, slots=True)
class Images:
    """N images with up to 7 objects each."""

    pixels: Pixels  # [N, side, side, 3]
    boxes: Floats  # [N, 7, 4]: left, top, right, bottom as parts of the image's sides
    labels: NDArray[np.int64]  # [N, 7]: class from 0, or -1 where there is no object


def read_images(path: str, side: int) -> Images:
    """The images that `shapes --raw` wrote, resized to a square.

    Raises:
        ValueError: the file is not such a file.
    """
    total = count(path)
    pixels = np.zeros((total, side, side, 3), np.uint8)
    boxes = np.zeros((total, MOST_OBJECTS, 4), np.float32)
    labels = np.full((total, MOST_OBJECTS), -1, np.int64)
    for i, scene in enumerate(scenes(path)):
        height, width, _ = scene.rgb.shape
        objects = len(scene.objects)
        left_top, sizes = scene.objects[:, 1:3] / 256, scene.objects[:, 3:5] / 256
        corners = np.concatenate([left_top, left_top + sizes], axis=1)
        boxes[i, :objects] = corners / np.array([width, height, width, height])
        labels[i, :objects] = scene.objects[:, 0].astype(np.int64) - 1
        pixels[i] = resize(scene.rgb, side)
    return Images(pixels, boxes, labels)


def flipped(pixels: Pixels, boxes: Floats, chosen: NDArray[np.bool_]) -> tuple[Pixels, Floats]:
    """The chosen images of a batch mirrored left to right, with their boxes."""
    pixels, boxes = pixels.copy(), boxes.copy()
    pixels[chosen] = pixels[chosen, :, ::-1]
    boxes[chosen] = boxes[chosen][:, :, [2, 1, 0, 3]] * [-1, 1, -1, 1] + [1, 0, 1, 0]
    return pixels, boxes


def recoloured(pixels: Pixels, random: Generator) -> Floats:
    """A batch as floats in about -1 to 1 with colours permuted, inverted, stretched and shifted."""
    count = len(pixels)
    order = random.permuted(np.tile(np.arange(3), (count, 1)), axis=1)
    values = np.take_along_axis(pixels, order[:, None, None, :], axis=3).astype(np.float32)
    values = values / np.float32(127.5) - 1
    sign = np.where(random.random((count, 1, 1, 1)) < 0.3, -1, 1)
    gain = random.uniform(0.75, 1.25, (count, 1, 1, 3))
    offset = random.uniform(-0.15, 0.15, (count, 1, 1, 3))
    return np.clip(values * (sign * gain) + offset, -1, 1).astype(np.float32)


def batch(images: Images, indices: NDArray[np.int64], random: Generator) -> tuple[Tensor, ...]:
    """Pixels [B, 3, side, side], boxes [B, 7, 4] and labels [B, 7] of the images, varied."""
    chosen = random.random(len(indices)) < 0.5
    pixels, boxes = flipped(images.pixels[indices], images.boxes[indices], chosen)
    values = torch.from_numpy(recoloured(pixels, random)).permute(0, 3, 1, 2)
    labels = torch.from_numpy(images.labels[indices])
    return values, torch.from_numpy(boxes.astype(np.float32)), labels
