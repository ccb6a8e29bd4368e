"""From what a network says about anchors to objects: the rules of ssd-native, in NumPy.

A logit of a score that is high enough makes a candidate; of a class the best 400. A candidate whose
box overlaps a better one of its class by more than half goes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from ssd_shapes import Architecture, Floats

MOST_CANDIDATES = 400
OVERLAP = 0.5


@dataclass(frozen=True, slots=True)
class Detection:
    """One object: box in pixels as left, top, width, height; score from 0 to 1."""

    category: int
    score: float
    box: tuple[float, float, float, float]

    def record(self, image: int) -> dict[str, object]:
        """The COCO result record."""
        return {
            "image_id": image,
            "category_id": self.category,
            "bbox": list(self.box),
            "score": self.score,
        }


class Decoder:
    """The anchors of a network, made once."""

    def __init__(self, architecture: Architecture, *, threshold: float, most: int) -> None:
        from ssd_shapes import anchor_boxes

        self.anchors = anchor_boxes(architecture)
        self.variances = np.array(architecture.variances, np.float32)
        self.least = logit(threshold)
        self.most = most

    def run(self, scores: Floats, offsets: Floats, size: tuple[int, int]) -> list[Detection]:
        """Objects, best first, of logits [anchors, classes] and offsets [anchors, 4].

        `size` is the image's width and height in pixels.
        """
        found: list[tuple[float, int, Floats]] = []
        for column in np.flatnonzero((scores >= self.least).any(axis=0)).tolist():
            best = candidates(scores[:, column], self.least)
            corners, whole = self.decode(best, offsets[best])
            best, corners = best[whole], corners[whole]
            for place in keep(corners, self.most):
                value = float(scores[best[place], column])
                found.append((1 / (1 + math.exp(-value)), column + 1, corners[place]))
        found.sort(key=lambda one: -one[0])
        return [detection(*one, size) for one in found[: self.most]]

    def decode(self, best: NDArray[np.int64], offsets: Floats) -> tuple[Floats, NDArray[np.bool_]]:
        """Corners [count, 4] in parts of the image's sides, cut to it; and which remain."""
        anchors = self.anchors[best]
        centres = anchors[:, :2] + offsets[:, :2] * self.variances[0] * anchors[:, 2:]
        with np.errstate(over="ignore", invalid="ignore"):
            halves = anchors[:, 2:] * np.exp(offsets[:, 2:] * self.variances[1]) / 2
            corners = np.hstack([np.maximum(0, centres - halves), np.minimum(1, centres + halves)])
            near = ((centres >= -1) & (centres <= 2)).all(axis=1)
            return corners, near & (corners[:, 2:] > corners[:, :2]).all(axis=1)


def logit(score: float) -> float:
    """The logit that a score needs."""
    if score <= 0:
        return -math.inf
    return math.inf if score >= 1 else math.log(score / (1 - score))


def candidates(logits: Floats, least: float) -> NDArray[np.int64]:
    """Anchors of high enough logits, best first; of equal ones the first."""
    chosen = np.flatnonzero(logits >= least)
    return chosen[np.argsort(-logits[chosen], kind="stable")][:MOST_CANDIDATES]


def keep(corners: Floats, most: int) -> list[int]:
    """Places of boxes, best first, that no better one covers."""
    areas = (corners[:, 2:] - corners[:, :2]).prod(axis=1)
    left = np.arange(len(corners))
    kept: list[int] = []
    while len(left) and len(kept) < most:
        first, left = int(left[0]), left[1:]
        kept.append(first)
        inner = np.minimum(corners[left, 2:], corners[first, 2:])
        sides = inner - np.maximum(corners[left, :2], corners[first, :2])
        shared = np.maximum(sides, 0).prod(axis=1)
        left = left[shared <= OVERLAP * (areas[left] + areas[first] - shared)]
    return kept


def detection(score: float, category: int, corners: Floats, size: tuple[int, int]) -> Detection:
    """An object in pixels, rounded as ssd-native tells it."""
    left, top, right, bottom = corners.tolist()
    width, height = size
    box = (left * width, top * height, (right - left) * width, (bottom - top) * height)
    near = [round(side, 2) for side in box]
    return Detection(category, round(score, 6), (near[0], near[1], near[2], near[3]))
