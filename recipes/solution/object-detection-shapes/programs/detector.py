"""Detectors: an image in, objects out. ssd-native is a child process, the others are modules."""

from __future__ import annotations

import json
import os
import struct
import subprocess
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np
from boxes import Decoder, Detection
from faults import UserError

if TYPE_CHECKING:
    from types import TracebackType

    from PIL import Image
    from settings import Settings


class Detector(Protocol):
    """A running detector; a context manager."""

    def __enter__(self) -> Self:
        """The detector itself."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it."""

    def detect(self, image: Image.Image) -> list[Detection]:
        """The objects in an RGB image, best first.

        Raises:
            UserError: the detector ended.
        """


def frame(image: Image.Image) -> bytes:
    """An RGB image as ssd-native reads it."""
    return b"SSDF" + struct.pack("<II", *image.size) + image.tobytes()


class Native:
    """ssd-native, which answers frames (the protocol stands in its main.cpp)."""

    def __init__(self, settings: Settings, *, threshold: float, most: int) -> None:
        argv = [settings.program, "--weights", settings.file, "--threshold", str(threshold)]
        argv += ["--max-detections", str(most)]
        try:
            self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        except OSError as error:
            raise UserError(f"cannot start `{settings.program}`: {error.strerror}") from error

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
        """See `Detector`; where it ended, it has said why on stderr."""
        if self.process.stdin is None or self.process.stdout is None:
            raise UserError("the detector has no pipes")
        try:
            self.process.stdin.write(frame(image))
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


class InProcess:
    """An engine that is a Python module, with the boxes made here."""

    def __init__(self, settings: Settings, *, threshold: float, most: int) -> None:
        from engines import open_engine
        from ssd_shapes import read_model

        architecture, _ = read_model(os.path.join(settings.model, "weights.bin"))
        self.side = settings.side
        self.engine = open_engine(settings)
        self.decoder = Decoder(architecture, threshold=threshold, most=most)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing is to be ended."""

    def detect(self, image: Image.Image) -> list[Detection]:
        """See `Detector`."""
        from ssd_shapes import resize

        scores, offsets = self.engine.run(resize(np.asarray(image), self.side)[None])
        return self.decoder.run(scores[0], offsets[0], image.size)


def open_detector(settings: Settings, *, threshold: float, most: int) -> Detector:
    """The detector that the settings ask for.

    Raises:
        UserError: it cannot be had.
    """
    kind = Native if settings.backend == "native" else InProcess
    return kind(settings, threshold=threshold, most=most)
