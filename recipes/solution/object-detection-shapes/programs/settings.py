"""What of a request chooses an engine: `backend`, `precision`, `input_size`, `threads`."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import Any

from faults import UserError

FILES = {
    ("native", "fp32"): "weights.bin",
    ("onnxruntime", "fp32"): "ssd.onnx",
    ("onnxruntime", "int8"): "ssd-int8.onnx",
    ("tflite", "fp32"): "ssd.tflite",
    ("tflite", "int8"): "ssd-int8.tflite",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """An engine with what it needs.

    Attributes:
        backend: `native`, `onnxruntime` or `tflite`.
        precision: `fp32` or `int8`.
        side: of the network's input, in pixels.
        threads: of the engine.
        program: ssd-native.
        model: folder of the model for this side.
    """

    backend: str
    precision: str
    side: int
    threads: int
    program: str
    model: str

    @property
    def file(self) -> str:
        """The artefact that the engine reads."""
        return os.path.join(self.model, FILES[self.backend, self.precision])


def settle(request: dict[str, Any], program: str, model: str) -> Settings:
    """The settings of a request; from here on `ssd_shapes` of the model can be imported.

    Raises:
        UserError: what is asked for is not offered.
    """
    settings = Settings(
        request["backend"],
        request["precision"],
        int(request["input_size"]),
        request["threads"],
        program,
        os.path.join(model, request["input_size"]),
    )
    if settings.backend == "native" and settings.precision != "fp32":
        raise UserError("the backend `native` computes in fp32 only")
    if settings.backend == "native" and settings.threads != 1:
        raise UserError("the backend `native` computes on one thread only")
    if not os.path.isfile(settings.file):
        raise UserError(f"there is no file `{settings.file}`")
    if model not in sys.path:
        sys.path.append(model)
    return settings
