"""The detector as a child process that answers frames (the protocol stands in its main.cpp)."""

from __future__ import annotations

import json
import struct
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from faults import UserError

if TYPE_CHECKING:
    from types import TracebackType

    from PIL import Image


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


class Detector:
    """A running ssd-native; a context manager."""

    def __init__(self, program: str, weights: str, *, threshold: float, most: int) -> None:
        argv = [program, "--weights", weights, "--threshold", str(threshold)]
        argv += ["--max-detections", str(most)]
        try:
            self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        except OSError as error:
            raise UserError(f"cannot start `{program}`: {error.strerror}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.communicate()

    def detect(self, image: Image.Image) -> list[Detection]:
        """The objects in an RGB image, best first.

        Raises:
            UserError: the detector ended; it has said why on stderr.
        """
        if self.process.stdin is None or self.process.stdout is None:
            raise UserError("the detector has no pipes")
        try:
            self.process.stdin.write(b"SSDF" + struct.pack("<II", *image.size))
            self.process.stdin.write(image.tobytes())
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # the missing answer tells
        answer = self.process.stdout.readline()
        if not answer.endswith(b"\n"):
            raise UserError(f"the detector ended with status {self.process.wait()}")
        return [
            Detection(found["category_id"], found["score"], tuple(found["bbox"]))
            for found in json.loads(answer)["detections"]
        ]
