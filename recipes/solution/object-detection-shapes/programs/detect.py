"""Action `run`: find objects in an image or in the images of a folder.

`detect.py INPUT OUTPUT PROGRAM MODEL`: two JSON files, ssd-native, and the model's folder.
Writes pictures with boxes into the folder `pictures` of the current folder.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from detector import Detector, open_detector
from drawing import draw
from faults import UserError, run, shown
from images import SUFFIXES, ImageError, list_images, read_image
from settings import Settings, settle

PICTURES = "pictures"


def picture_path(file: str) -> str:
    """Where the picture of a file goes: under the same name, in the same format."""
    base = os.path.basename(file)
    return os.path.join(PICTURES, base if base.lower().endswith(SUFFIXES) else base + ".png")


def category_names(model: str) -> dict[int, str]:
    """Names of the categories by id."""
    with open(os.path.join(model, "model.json"), encoding="utf-8") as file:
        return {category["id"]: category["name"] for category in json.load(file)["categories"]}


class Session:
    """One run over some files: collects records, pictures and what had to be skipped."""

    def __init__(self, detector: Detector, names: dict[int, str]) -> None:
        self.detector = detector
        self.names = names
        self.records: list[dict[str, Any]] = []
        self.skipped: list[dict[str, str]] = []
        self.pictures: list[str] = []

    def take(self, file: str) -> None:
        """Detect in one file and draw its picture.

        Raises:
            UserError: the file is not an image, or the detector ended.
        """
        image = read_image(file)
        found = self.detector.detect(image)
        picture = picture_path(file)
        draw(image, found, self.names).save(picture, quality=92)
        base = os.path.basename(file)
        for detection in found:
            record = detection.record(len(self.pictures))
            self.records.append(
                record | {"file_name": base, "category": self.names[detection.category]}
            )
        self.pictures.append(picture)
        print(f"{shown(base)}: {len(found)} found -> {shown(picture)}", file=sys.stderr)

    def skip(self, file: str, fault: ImageError) -> None:
        """Note a file that cannot be read."""
        print(f"skipped: {shown(str(fault))}", file=sys.stderr)
        self.skipped.append({"file_name": os.path.basename(file), "reason": str(fault)})


def detect(request: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """The answer to a request.

    In a folder, files that are no images are skipped and listed; a single one is a fault.

    Raises:
        UserError: nothing could be read, or the detector ended.
    """
    files = list_images(request["image"])
    os.makedirs(PICTURES, exist_ok=True)
    threshold, most = request["threshold"], request["max_detections"]
    with open_detector(settings, threshold=threshold, most=most) as detector:
        session = Session(detector, category_names(settings.model))
        for file in files:
            try:
                session.take(file)
            except ImageError as fault:
                if len(files) == 1:
                    raise
                session.skip(file, fault)
    if not session.pictures:
        raise UserError(f"none of the {len(files)} images in `{request['image']}` can be read")
    return {
        "detections": session.records,
        "images": len(session.pictures),
        "skipped": session.skipped,
        "picture": session.pictures[0],
        "pictures": PICTURES,
    }


def main() -> None:
    """Read the request, write the answer."""
    request_file, answer_file, program, model = sys.argv[1:]
    with open(request_file, encoding="utf-8") as file:
        request = json.load(file)
    answer = detect(request, settle(request, program, model))
    with open(answer_file, "w", encoding="utf-8") as file:
        json.dump(answer, file, ensure_ascii=False, indent=1)


if __name__ == "__main__":
    run(main)
