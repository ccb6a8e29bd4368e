"""Reading images: any PNG or JPEG becomes upright 8-bit RGB, anything else becomes a sentence."""

from __future__ import annotations

import os
import struct
import warnings

import numpy as np
from faults import UserError
from PIL import Image, ImageOps, UnidentifiedImageError

SUFFIXES = (".png", ".jpg", ".jpeg")
# The limits of ssd-native.
LONGEST_SIDE = 16384
MOST_PIXELS = 1 << 26

Image.MAX_IMAGE_PIXELS = None  # the size is compared with the limits above before any decoding

# What Pillow raises for files that are broken in one way or another.
WRONG = (SyntaxError, ValueError, LookupError, TypeError, ArithmeticError, struct.error)
BROKEN = (OSError, EOFError, *WRONG)


class ImageError(UserError):
    """One file cannot be read; others may."""


def list_images(path: str) -> list[str]:
    """The file itself, or the PNG and JPEG files right in a folder, by name.

    Raises:
        UserError: there is no such file, or no image in the folder.
    """
    if not os.path.isdir(path):
        if not os.path.isfile(path):
            raise UserError(f"there is no file `{path}`")
        return [path]
    try:
        names = sorted(name for name in os.listdir(path) if name.lower().endswith(SUFFIXES))
    except OSError as error:
        raise UserError(f"cannot read the folder `{path}`: {error.strerror}") from error
    files = [file for name in names if os.path.isfile(file := os.path.join(path, name))]
    if not files:
        raise UserError(f"no PNG or JPEG image in the folder `{path}`")
    return files


def read_image(path: str) -> Image.Image:
    """The image, upright (EXIF orientation applied), as RGB.

    Transparent parts are laid on white, 16-bit grey is cut to 8 bits.

    Raises:
        ImageError: the file is not an image of these kinds, is broken or too large.
    """
    try:
        with (
            warnings.catch_warnings(action="ignore"),  # about damaged EXIF fields
            Image.open(path, formats=("PNG", "JPEG")) as image,
        ):
            check_size(path, *image.size)
            return to_rgb(ImageOps.exif_transpose(image))
    except UnidentifiedImageError as error:
        raise ImageError(f"`{path}` is not a PNG or JPEG image") from error
    except BROKEN as error:
        raise ImageError(
            f"`{path}` is broken: {str(error).splitlines()[0] or 'unreadable'}"
        ) from error


def check_size(path: str, width: int, height: int) -> None:
    """Refuse what the engine would refuse.

    Raises:
        ImageError: the image is too large.
    """
    if max(width, height) > LONGEST_SIDE or width * height > MOST_PIXELS:
        raise ImageError(
            f"`{path}` is too large: {width} x {height} pixels;"
            f" {LONGEST_SIDE} a side and {MOST_PIXELS:,} in all are the most"
        )


def to_rgb(image: Image.Image) -> Image.Image:
    """Any mode of Pillow as 8-bit RGB."""
    if image.mode.startswith("I"):  # grey of more than 8 bits
        values = np.clip(np.asarray(image).astype(np.int64), 0, 65535)
        return Image.fromarray((values >> 8).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert("RGB")
    return image.convert("RGB")
