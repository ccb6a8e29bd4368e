"""Write the network as INT8 ONNX: `python quantise_onnx.py weights.bin calibration.raw ssd.onnx`.

Activations and weights become 8-bit integers between QuantizeLinear and DequantizeLinear (QDQ),
weights with one scale a channel. Ranges of activations are those of the calibration images, which
`shapes --raw` wrote: training images, never validation ones. Input and outputs are those of
`export_onnx.py`.
"""

from __future__ import annotations

import os
import sys
import tempfile
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from export_onnx import export
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from raw import scenes
from ssd_shapes import read_model, resize

if TYPE_CHECKING:
    from collections.abc import Iterator


class Images(CalibrationDataReader):  # type: ignore[misc]
    """Gives the images of a file, one by one."""

    def __init__(self, path: str, side: int) -> None:
        self.images: Iterator[Any] = (resize(scene.rgb, side)[None] for scene in scenes(path))

    def get_next(self) -> dict[str, Any] | None:
        """The next input; None at the end."""
        image = next(self.images, None)
        return None if image is None else {"image": image.astype(np.uint8)}


def quantise(weights: str, calibration: str) -> onnx.ModelProto:
    """The checked INT8 model."""
    architecture, arrays = read_model(weights)
    with tempfile.TemporaryDirectory() as folder:
        whole, small = (os.path.join(folder, name) for name in ("whole.onnx", "small.onnx"))
        onnx.save(export(architecture, arrays), whole)
        quantize_static(
            whole,
            small,
            Images(calibration, architecture.side),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv", "Clip"],
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        model = onnx.load(small)
    onnx.checker.check_model(model, full_check=True)
    return model


def main() -> None:
    """Convert one file."""
    if len(sys.argv) != 4:
        sys.exit("usage: quantise_onnx.py WEIGHTS CALIBRATION OUTPUT")
    model = quantise(sys.argv[1], sys.argv[2])
    with open(sys.argv[3], "wb") as file:
        file.write(model.SerializeToString(deterministic=True))


if __name__ == "__main__":
    main()
