"""Action `validate`: detect in all images of the data set and score against its annotations.

`validate.py INPUT OUTPUT PROGRAM MODEL DATASET`: two JSON files, ssd-native, the folders of the
model and of the data set. Writes `detections.json` (COCO results) into the current folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import struct
import sys
from typing import Any

from detector import Detector, open_detector
from faults import UserError, run
from images import read_image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from settings import Settings, settle

DETECTIONS = "detections.json"


def detect_all(
    detector: Detector, dataset: str, images: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Result records of all images, whose decoded pixels are checked on the way.

    Raises:
        UserError: the pixels are not those that the generator made.
    """
    digest = hashlib.sha256()
    records: list[dict[str, Any]] = []
    for done, entry in enumerate(images, start=1):
        image = read_image(os.path.join(dataset, "images", entry["file_name"]))
        digest.update(struct.pack("<II", *image.size) + image.tobytes())
        records += [found.record(entry["id"]) for found in detector.detect(image)]
        if done % 1000 == 0:
            print(f"{done} of {len(images)} images", file=sys.stderr)
    with open(os.path.join(dataset, "pixels.sha256"), encoding="ascii") as file:
        expected = file.read().strip()
    if digest.hexdigest() != expected:
        raise UserError(f"the images of `{dataset}` do not have the pixels of its `pixels.sha256`")
    return records


def score(annotations: str, detections: str) -> tuple[float, float]:
    """COCO's mean average precision of boxes: over IoU 0.50 to 0.95, and at 0.50."""
    if os.path.getsize(detections) == len("[]"):
        return 0.0, 0.0  # pycocotools cannot load an empty list
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints tables
        truth = COCO(annotations)
        evaluation = COCOeval(truth, truth.loadRes(detections), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return float(evaluation.stats[0]), float(evaluation.stats[1])


def validate(request: dict[str, Any], settings: Settings, dataset: str) -> dict[str, Any]:
    """The answer to a request."""
    annotations = os.path.join(dataset, "annotations.json")
    with open(annotations, encoding="utf-8") as file:
        images = json.load(file)["images"]
    threshold, most = request["threshold"], request["max_detections"]
    with open_detector(settings, threshold=threshold, most=most) as detector:
        records = detect_all(detector, dataset, images)
    with open(DETECTIONS, "w", encoding="utf-8") as file:
        json.dump(records, file)
    precision, precision_50 = score(annotations, DETECTIONS)
    print(
        f"{len(images)} images: mAP {precision:.4f}, at IoU 0.50 {precision_50:.4f}",
        file=sys.stderr,
    )
    return {
        "map": round(precision, 6),
        "map50": round(precision_50, 6),
        "images": len(images),
        "detections": DETECTIONS,
    }


def main() -> None:
    """Read the request, write the answer."""
    request_file, answer_file, program, model, dataset = sys.argv[1:]
    with open(request_file, encoding="utf-8") as file:
        request = json.load(file)
    answer = validate(request, settle(request, program, model), dataset)
    with open(answer_file, "w", encoding="utf-8") as file:
        json.dump(answer, file, indent=1)


if __name__ == "__main__":
    run(main)
