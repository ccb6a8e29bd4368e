"""Pictures with boxes and labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from boxes import Detection

SMALL = 480  # images whose longer side is below are enlarged, so that labels can be read
COLOURS = (
    "#e6194b", "#3cb44b", "#ffe119", "#4363d8", "#f58231",
    "#911eb4", "#46f0f0", "#f032e6", "#bcf60c", "#fabebe",
)  # fmt: skip


def draw(image: Image.Image, detections: list[Detection], names: dict[int, str]) -> Image.Image:
    """A copy of an RGB image with a box and a label for each detection.

    A small image is enlarged by a whole factor.
    """
    factor = max(1, round(SMALL / max(image.size)))
    size = (image.width * factor, image.height * factor)
    picture = image.resize(size, Image.Resampling.NEAREST) if factor > 1 else image.copy()
    pen = Pen(picture)
    for found in reversed(detections):  # the surest on top
        left, top, width, height = (side * factor for side in found.box)
        corners = (left, top, left + width, top + height)
        colour = COLOURS[found.category % len(COLOURS)]
        pen.box(corners, f"{names[found.category]} {found.score:.2f}", colour)
    return picture


class Pen:
    """Draws labelled boxes whose lines and letters fit the size of the picture."""

    def __init__(self, picture: Image.Image) -> None:
        self.picture = picture
        self.canvas = ImageDraw.Draw(picture)
        self.unit = max(1, max(picture.size) // 400)  # pixels
        self.font = ImageFont.load_default(size=12 * self.unit)

    def box(self, corners: tuple[float, float, float, float], text: str, colour: str) -> None:
        """A frame with a label above its corner, or inside where there is no room above."""
        self.canvas.rectangle(corners, outline=colour, width=2 * self.unit)
        left, top, right, bottom = self.canvas.textbbox((0, 0), text, font=self.font)
        margin = 2 * self.unit
        width, height = right - left + 2 * margin, bottom - top + 2 * margin
        x = max(0.0, min(corners[0], self.picture.width - width))
        y = corners[1] - height if corners[1] >= height else corners[1]
        self.canvas.rectangle((x, y, x + width, y + height), fill=colour)
        place = (x + margin - left, y + margin - top)
        self.canvas.text(place, text, fill="black", font=self.font)
