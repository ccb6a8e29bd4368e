"""Describe a weights file for people and programs: `describe.py weights.bin model.json`."""

from __future__ import annotations

import json
import sys

from ssd_shapes import Architecture, read_model

CATEGORIES = (
    "circle",
    "square",
    "triangle",
    "star",
    "cross",
    "ring",
    "diamond",
    "hexagon",
    "heart",
    "arrow",
)


def description(architecture: Architecture) -> dict[str, object]:
    """The contents of `model.json`."""
    side = architecture.side
    return {
        "format": 1,
        "task": "object-detection",
        "weights": "weights.bin",
        "input": {
            "layout": "NHWC",
            "shape": [1, side, side, 3],
            "type": "uint8",
            "colours": "RGB",
            "resize": "stretch, triangle filter in whole numbers (see ssd_shapes.resize)",
            "normalise": "x / 127.5 - 1",
        },
        "categories": [
            {"id": number, "name": name} for number, name in enumerate(CATEGORIES, start=1)
        ],
        "boxes": {
            "encoding": "centre x, centre y, width, height against the anchor",
            "variances": list(architecture.variances),
            "scores": "sigmoid",
            "overlap": 0.5,
        },
        "layers": [layer.line() for layer in architecture.layers],
    }


def main() -> None:
    """Describe one file."""
    if len(sys.argv) != 3:
        sys.exit("usage: describe.py WEIGHTS OUTPUT")
    architecture, _ = read_model(sys.argv[1])
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump(description(architecture), file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
