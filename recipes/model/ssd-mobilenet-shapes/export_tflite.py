"""Write the network for LiteRT: `python export_tflite.py weights.bin calibration.raw OUT OUT8`.

OUT has 32-bit floats, OUT8 8-bit integers inside, with ranges taken from the calibration images.
Both have the input `image`, uint8 [1, side, side, 3], and two outputs as float32: class logits
[1, anchors, classes] and offsets [1, anchors, 4]. The batch may be resized.

The graph is made of plain `tf.nn` calls on constants: TensorFlow 2.21's converter leaves the
weights of a Keras 3 model out and says nothing (such a file loads, runs and finds nothing). So
what was written is counted before it counts.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf
from raw import scenes
from ssd_shapes import Architecture, Conv, Depthwise, Floats, Head, Pointwise, read_model, resize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def convolution(x: Any, arrays: Iterator[Floats], stride: int = 1) -> Any:
    """A convolution whose kind follows from the weights' shape; no activation.

    SAME of even sides pads 0 before and 1 after where the stride is 2, as the weights want it.
    """
    weights, bias = next(arrays), next(arrays)
    strides = [1, stride, stride, 1]
    if weights.ndim == 3:  # [3, 3, channels]
        x = tf.nn.depthwise_conv2d(x, tf.constant(weights[..., None]), strides, "SAME")
    else:
        full = weights if weights.ndim == 4 else weights[None, None]
        x = tf.nn.conv2d(x, tf.constant(full), strides, "SAME")
    return tf.nn.bias_add(x, tf.constant(bias))


def network(architecture: Architecture, arrays: list[Floats], x: Any) -> tuple[Any, Any]:
    """Logits and offsets of the images [batch, side, side, 3] in -1 to 1."""
    values = iter(arrays)
    scores: list[Any] = []
    offsets: list[Any] = []
    for layer in architecture.layers:
        match layer:
            case Conv(_, _, stride) | Depthwise(_, stride):
                x = tf.nn.relu6(convolution(x, values, stride))
            case Pointwise():
                x = tf.nn.relu6(convolution(x, values))
            case Head():
                mixed = tf.nn.relu6(convolution(x, values))
                anchors = int(x.shape[1]) * int(x.shape[2]) * len(layer.anchors)
                for found, columns in ((scores, layer.classes), (offsets, 4)):
                    y = convolution(mixed, values)
                    found.append(tf.reshape(y, [-1, anchors, columns]))
    return tf.concat(scores, 1), tf.concat(offsets, 1)


def converter(architecture: Architecture, body: Callable[[Any], Any], kind: Any) -> Any:
    """A converter of a function of one image of a type."""
    side = architecture.side
    spec = tf.TensorSpec([1, side, side, 3], kind, name="image")
    function = tf.function(body, input_signature=[spec]).get_concrete_function()
    return tf.lite.TFLiteConverter.from_concrete_functions([function])


def export(architecture: Architecture, arrays: list[Floats]) -> bytes:
    """The network in 32-bit floats."""

    def body(image: Any) -> tuple[Any, Any]:
        return network(architecture, arrays, tf.cast(image, tf.float32) / 127.5 - 1.0)

    return bytes(converter(architecture, body, tf.uint8).convert())


def quantise(architecture: Architecture, arrays: list[Floats], calibration: str) -> bytes:
    """The network in 8-bit integers. A pixel is its own quantised value: 0 to 255 for -1 to 1."""

    def images() -> Iterator[list[Floats]]:
        ends = np.array([-1, 1], np.float32)  # the range of the input is known, not measured
        yield [np.resize(ends, (1, architecture.side, architecture.side, 3))]
        for scene in scenes(calibration):
            pixels = resize(scene.rgb, architecture.side)[None]
            yield [pixels.astype(np.float32) / np.float32(127.5) - 1]

    made = converter(architecture, lambda image: network(architecture, arrays, image), tf.float32)
    made.optimizations = [tf.lite.Optimize.DEFAULT]
    made.representative_dataset = images
    made.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    made.inference_input_type = tf.uint8
    made.inference_output_type = tf.float32
    return bytes(made.convert())


def write(path: str, model: bytes, weights: int) -> None:
    """Write a model that is large enough to hold so many bytes of weights."""
    if len(model) < weights:
        sys.exit(f"`{path}` would have {len(model)} bytes: the converter lost the weights")
    with open(path, "wb") as file:
        file.write(model)


def main() -> None:
    """Convert one file."""
    if len(sys.argv) != 5:
        sys.exit("usage: export_tflite.py WEIGHTS CALIBRATION OUTPUT OUTPUT8")
    architecture, arrays = read_model(sys.argv[1])
    count = sum(array.size for array in arrays)
    write(sys.argv[3], export(architecture, arrays), 4 * count)
    write(sys.argv[4], quantise(architecture, arrays, sys.argv[2]), count)


if __name__ == "__main__":
    main()
