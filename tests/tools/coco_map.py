"""Mean average precision of boxes by COCO's rules, written from their description.

A second opinion beside pycocotools: 101 recall points, IoU 0.50 to 0.95, the best 100 detections
of an image, objects of every size, no crowds.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Record = dict[str, Any]
THRESHOLDS = tuple(0.5 + 0.05 * i for i in range(10))
MOST = 100


def overlap(a: list[float], b: list[float]) -> float:
    """Intersection over union of two boxes [left, top, width, height]."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / (a[2] * a[3] + b[2] * b[3] - width * height)


def hits(detections: list[Record], truth: list[Record], threshold: float) -> list[bool]:
    """Whether each detection of one image and category, best first, finds an object still free."""
    free = list(truth)
    found = []
    for detection in detections:
        overlaps = [overlap(detection["bbox"], item["bbox"]) for item in free]
        best = max(range(len(free)), key=overlaps.__getitem__, default=-1)
        found.append(best >= 0 and overlaps[best] >= threshold - 1e-10)
        if found[-1]:
            del free[best]
    return found


def average_precision(scores: list[float], correct: list[bool], objects: int) -> float:
    """Mean of the best precision at or beyond each of 101 recalls."""
    order = np.argsort(-np.array(scores), kind="mergesort")
    right = np.cumsum(np.array(correct, dtype=float)[order])
    recall = right / objects
    precision: NDArray[np.float64] = right / np.arange(1, len(right) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    places = np.searchsorted(recall, np.linspace(0, 1, 101), side="left")
    reached = places < len(envelope)
    return float(np.where(reached, envelope[np.minimum(places, len(envelope) - 1)], 0.0).mean())


def by_place(records: list[Record]) -> dict[tuple[int, int], list[Record]]:
    """Records by (category, image)."""
    grouped: dict[tuple[int, int], list[Record]] = defaultdict(list)
    for record in records:
        grouped[record["category_id"], record["image_id"]].append(record)
    return grouped


def mean_average_precision(truth: list[Record], detections: list[Record]) -> float:
    """The score: mean over the categories that occur and all thresholds."""
    objects, found = by_place(truth), by_place(detections)
    precisions = []
    for category in sorted({category for category, _ in objects}):
        images = sorted({image for own, image in (*objects, *found) if own == category})
        ranked = [
            sorted(found.get((category, i), []), key=lambda d: -d["score"])[:MOST] for i in images
        ]
        count = sum(len(objects.get((category, image), [])) for image in images)
        scores = [float(detection["score"]) for own in ranked for detection in own]
        for threshold in THRESHOLDS:
            correct = [
                hit
                for image, own in zip(images, ranked, strict=True)
                for hit in hits(own, objects.get((category, image), []), threshold)
            ]
            precisions.append(average_precision(scores, correct, count) if scores else 0.0)
    return float(np.mean(precisions))
