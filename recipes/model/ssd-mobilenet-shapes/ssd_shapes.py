"""What the network is and means, in NumPy: file, input, anchors, boxes.

`weights.bin` is a text header, padded with newlines to a multiple of 64 bytes, and then nothing
but little-endian 32-bit floats in the order of the header's lines:

    ssd-f32 1                    format and its version
    input 128 128 3              height, width, channels
    classes 10
    variances 0.1 0.2            of box centres and of box sizes
    conv 3 16 2                  3x3, in, out, stride; [3][3][in][out] weights, [out] bias; ReLU6
    depthwise 16 1               3x3, channels, stride; [3][3][channels], [channels]; ReLU6
    pointwise 16 32              1x1, in, out; [in][out], [out]; ReLU6
    head 96 w h w h ...          on the activation so far, one anchor for each w h (parts of the
                                 image's sides): a depthwise 3x3 of stride 1 with ReLU6, a linear
                                 1x1 to anchors * classes, a linear 1x1 to anchors * 4
    end

Activations are NHWC. A stride of 2 pads 0 before and 1 after (TensorFlow's SAME for even sides),
a stride of 1 pads 1 and 1. The outputs of all heads follow one another, anchors innermost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Pixels: TypeAlias = NDArray[np.uint8]

ALIGNMENT = 64
RESIZE_ONE = 1 << 14


@dataclass(frozen=True, slots=True)
class Conv:
    """A full 3x3 convolution with ReLU6."""

    inputs: int
    outputs: int
    stride: int

    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shapes of the weights and biases, in file order."""
        return (3, 3, self.inputs, self.outputs), (self.outputs,)

    def line(self) -> str:
        """The header's line."""
        return f"conv {self.inputs} {self.outputs} {self.stride}"


@dataclass(frozen=True, slots=True)
class Depthwise:
    """A 3x3 convolution of each channel by itself, with ReLU6."""

    channels: int
    stride: int

    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shapes of the weights and biases, in file order."""
        return (3, 3, self.channels), (self.channels,)

    def line(self) -> str:
        """The header's line."""
        return f"depthwise {self.channels} {self.stride}"


@dataclass(frozen=True, slots=True)
class Pointwise:
    """A 1x1 convolution with ReLU6."""

    inputs: int
    outputs: int

    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shapes of the weights and biases, in file order."""
        return (self.inputs, self.outputs), (self.outputs,)

    def line(self) -> str:
        """The header's line."""
        return f"pointwise {self.inputs} {self.outputs}"


@dataclass(frozen=True, slots=True)
class Head:
    """Classes and boxes of the anchors of each cell of the activation so far."""

    channels: int
    classes: int
    anchors: tuple[tuple[float, float], ...]  # width and height, as parts of the image's sides

    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shapes of the depthwise, class and box weights and biases, in file order."""
        scores, boxes = len(self.anchors) * self.classes, len(self.anchors) * 4
        depthwise = (3, 3, self.channels), (self.channels,)
        return *depthwise, (self.channels, scores), (scores,), (self.channels, boxes), (boxes,)

    def line(self) -> str:
        """The header's line."""
        sides = " ".join(f"{side:.6f}" for anchor in self.anchors for side in anchor)
        return f"head {self.channels} {sides}"


Layer: TypeAlias = Conv | Depthwise | Pointwise | Head


@dataclass(frozen=True, slots=True)
class Architecture:
    """The whole network: what the header of `weights.bin` says."""

    side: int
    classes: int
    variances: tuple[float, float]
    layers: tuple[Layer, ...]

    def header(self) -> bytes:
        """The text before the numbers."""
        lines = [
            "ssd-f32 1",
            f"input {self.side} {self.side} 3",
            f"classes {self.classes}",
            f"variances {self.variances[0]} {self.variances[1]}",
            *(layer.line() for layer in self.layers),
            "end\n",
        ]
        text = "\n".join(lines).encode("ascii")
        return text + b"\n" * (-len(text) % ALIGNMENT)

    def shapes(self) -> list[tuple[int, ...]]:
        """Shapes of all arrays, in file order."""
        return [shape for layer in self.layers for shape in layer.shapes()]


def head_anchors(scale: float, next_scale: float) -> tuple[tuple[float, float], ...]:
    """Anchors of one head: ratios 1, 2 and 1/2 of a scale, and the mean scale to the next head."""
    wide, between = 2**0.5, (scale * next_scale) ** 0.5
    sides = (scale, scale), (scale * wide, scale / wide), (scale / wide, scale * wide)
    anchors = (*sides, (between, between))
    return tuple((round(width, 6), round(height, 6)) for width, height in anchors)


def mobilenet_shapes(side: int = 128) -> Architecture:
    """The shipped architecture: 8 depthwise separable blocks, heads on blocks 5, 7 and 8.

    `side` is the input's, a multiple of 32 pixels.
    """
    blocks = ((32, 2), (48, 1), (96, 2), (96, 1), (96, 1), (192, 2), (192, 1), (192, 2))
    scales = {5: (0.16, 0.32), 7: (0.32, 0.56), 8: (0.56, 0.95)}
    layers: list[Layer] = [Conv(3, 16, 2)]
    channels = 16
    for number, (outputs, stride) in enumerate(blocks, start=1):
        layers += [Depthwise(channels, stride), Pointwise(channels, outputs)]
        channels = outputs
        if number in scales:
            layers.append(Head(channels, 10, head_anchors(*scales[number])))
    return Architecture(side=side, classes=10, variances=(0.1, 0.2), layers=tuple(layers))


def parse_header(text: str) -> Architecture:
    """The architecture that a header describes.

    Raises:
        ValueError: the text is not such a header.
    """
    lines = iter(text.splitlines())
    if next(lines, "") != "ssd-f32 1":
        raise ValueError("not an ssd-f32 file of version 1")
    side = classes = 0
    variances = (0.0, 0.0)
    layers: list[Layer] = []
    for line in lines:
        word, *rest = line.split() or [""]
        if word == "end":
            return Architecture(side, classes, variances, tuple(layers))
        if word == "input":
            side = int(rest[0])
        elif word == "classes":
            classes = int(rest[0])
        elif word == "variances":
            variances = (float(rest[0]), float(rest[1]))
        elif word == "conv":
            layers.append(Conv(int(rest[0]), int(rest[1]), int(rest[2])))
        elif word == "depthwise":
            layers.append(Depthwise(int(rest[0]), int(rest[1])))
        elif word == "pointwise":
            layers.append(Pointwise(int(rest[0]), int(rest[1])))
        elif word == "head":
            sides = [float(number) for number in rest[1:]]
            anchors = tuple(zip(sides[::2], sides[1::2], strict=True))
            layers.append(Head(int(rest[0]), classes, anchors))
        else:
            raise ValueError(f"unknown header line `{line}`")
    raise ValueError("the header has no `end`")


def read_model(path: str) -> tuple[Architecture, list[Floats]]:
    """The architecture and the arrays, in file order.

    Raises:
        ValueError: the file does not follow the format.
    """
    with open(path, "rb") as file:
        data = file.read()
    end = data.find(b"\nend\n") + len(b"\nend\n")
    architecture = parse_header(data[:end].decode("ascii"))
    numbers = np.frombuffer(data, dtype="<f4", offset=end + -end % ALIGNMENT)
    arrays = []
    for shape in architecture.shapes():
        size = int(np.prod(shape))
        arrays.append(numbers[:size].reshape(shape).astype(np.float32))
        numbers = numbers[size:]
    if len(numbers):
        raise ValueError(f"{len(numbers)} numbers too many")
    return architecture, arrays


def write_model(path: str, architecture: Architecture, arrays: list[Floats]) -> None:
    """Write `weights.bin`."""
    with open(path, "wb") as file:
        file.write(architecture.header())
        for array, shape in zip(arrays, architecture.shapes(), strict=True):
            if array.shape != shape:
                raise ValueError(f"an array of shape {array.shape} where {shape} is due")
            file.write(np.ascontiguousarray(array, dtype="<f4").tobytes())


def resize_weights(size: int, wanted: int) -> NDArray[np.float64]:
    """The whole-number weights that resize one axis, [wanted, size]; each row sums to 16384.

    A triangle as wide as the larger pixel, centres at half pixels: bilinear when enlarging,
    averaging when shrinking. Each weight is rounded down and the largest takes the rest.
    """
    centres = (2 * np.arange(wanted, dtype=np.int64) + 1) * size
    sources = (2 * np.arange(size, dtype=np.int64) + 1) * wanted
    triangle = 2 * max(size, wanted) - np.abs(sources[None, :] - centres[:, None])
    triangle = np.maximum(triangle, 0)
    sums = triangle.sum(axis=1, keepdims=True)
    weights: NDArray[np.int64] = triangle * RESIZE_ONE // sums
    weights[np.arange(wanted), triangle.argmax(axis=1)] += RESIZE_ONE - weights.sum(axis=1)
    return weights.astype(np.float64)


def resize(rgb: Pixels, side: int) -> Pixels:
    """An RGB image [height, width, 3] stretched to [side, side, 3], the same on every machine.

    Rows first, to 7 fraction bits, then columns; both round half up. All numbers are whole and
    below 2**53, so float64 products are exact.
    """
    height, width, _ = rgb.shape
    flat = rgb.reshape(height, width * 3).astype(np.float64)
    rows = np.floor((resize_weights(height, side) @ flat + 64) / 128)
    columns = rows.reshape(side, width, 3).transpose(1, 0, 2).reshape(width, side * 3)
    result = np.floor((resize_weights(width, side) @ columns + (1 << 20)) / (1 << 21))
    return result.reshape(side, side, 3).transpose(1, 0, 2).astype(np.uint8)


def anchor_boxes(architecture: Architecture) -> Floats:
    """All anchors, [count, 4]: centre x, centre y, width, height as parts of the image's sides."""
    boxes: list[tuple[float, float, float, float]] = []
    side = architecture.side
    for layer in architecture.layers:
        if isinstance(layer, Conv | Depthwise):
            side //= layer.stride
        elif isinstance(layer, Head):
            boxes += [
                ((column + 0.5) / side, (row + 0.5) / side, width, height)
                for row in range(side)
                for column in range(side)
                for width, height in layer.anchors
            ]
    return np.array(boxes, dtype=np.float32)


def decode_boxes(architecture: Architecture, offsets: Floats) -> Floats:
    """Boxes [count, 4] as left, top, width, height in parts of the image's sides."""
    anchors = anchor_boxes(architecture)
    centre_variance, size_variance = architecture.variances
    centres = anchors[:, :2] + offsets[:, :2] * centre_variance * anchors[:, 2:]
    sizes = anchors[:, 2:] * np.exp(offsets[:, 2:] * size_variance)
    return np.concatenate([centres - sizes / 2, sizes], axis=1)
