"""Write the network as ONNX: `python export_onnx.py weights.bin ssd.onnx`.

Input `image`: uint8 [batch, side, side, 3], RGB. Outputs `scores` (logits, [batch, anchors,
classes]) and `boxes` (offsets from the anchors, [batch, anchors, 4]), as float32. Opset 17, IR
version 9.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper
from ssd_shapes import Architecture, Conv, Depthwise, Floats, Head, Pointwise, read_model

if TYPE_CHECKING:
    from collections.abc import Iterator


class Graph:
    """Nodes and constants in the making."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def constant(self, name: str, values: Floats | np.ndarray) -> str:
        """Add a constant; its name."""
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, **settings: Any) -> str:
        """Add a node of one output; the output's name."""
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **settings))
        return output

    def relu6(self, x: str) -> str:
        """Values cut to 0 to 6."""
        return self.node("Clip", [x, "zero", "six"], f"{x}.relu6")


def convolution(graph: Graph, x: str, name: str, arrays: Iterator[Floats], stride: int = 1) -> str:
    """A convolution whose kind follows from the weights' shape; no activation."""
    weights, bias = next(arrays), next(arrays)
    groups = 1
    if weights.ndim == 4:  # [3, 3, in, out]
        weights = weights.transpose(3, 2, 0, 1)
    elif weights.ndim == 3:  # [3, 3, channels]
        weights, groups = weights.transpose(2, 0, 1)[:, None], weights.shape[2]
    else:  # [in, out]
        weights = weights.T[:, :, None, None]
    size = weights.shape[2]
    before, after = (0, 1) if stride == 2 else (size // 2, size // 2)
    inputs = [x, graph.constant(f"{name}.w", weights), graph.constant(f"{name}.b", bias)]
    return graph.node(
        "Conv",
        inputs,
        name,
        kernel_shape=[size, size],
        strides=[stride, stride],
        pads=[before, before, after, after],
        group=groups,
    )


def head(graph: Graph, x: str, name: str, layer: Head, arrays: Iterator[Floats]) -> tuple[str, str]:
    """Scores and boxes of one grid, [batch, anchors, classes] and [batch, anchors, 4]."""
    mixed = graph.relu6(convolution(graph, x, f"{name}.mix", arrays))
    outputs = []
    for part, columns in (("scores", layer.classes), ("boxes", 4)):
        y = convolution(graph, mixed, f"{name}.{part}", arrays)
        y = graph.node("Transpose", [y], f"{y}.nhwc", perm=[0, 2, 3, 1])
        shape = graph.constant(f"{y}.shape", np.array([0, -1, columns], np.int64))
        outputs.append(graph.node("Reshape", [y, shape], f"{y}.rows"))
    return outputs[0], outputs[1]


def export(architecture: Architecture, arrays: list[Floats]) -> onnx.ModelProto:
    """The checked ONNX model."""
    graph, values = Graph(), iter(arrays)
    for name, number in (("zero", 0.0), ("six", 6.0), ("half", 127.5), ("one", 1.0)):
        graph.constant(name, np.array(number, np.float32))
    x = graph.node("Cast", ["image"], "float", to=TensorProto.FLOAT)
    x = graph.node("Sub", [graph.node("Div", [x, "half"], "scaled"), "one"], "centred")
    x = graph.node("Transpose", [x], "nchw", perm=[0, 3, 1, 2])
    scores, boxes = [], []
    for number, layer in enumerate(architecture.layers):
        name = f"layer{number}"
        match layer:
            case Conv(_, _, stride) | Depthwise(_, stride):
                x = graph.relu6(convolution(graph, x, name, values, stride))
            case Pointwise():
                x = graph.relu6(convolution(graph, x, name, values))
            case Head():
                head_scores, head_boxes = head(graph, x, name, layer, values)
                scores.append(head_scores)
                boxes.append(head_boxes)
    graph.node("Concat", scores, "scores", axis=1)
    graph.node("Concat", boxes, "boxes", axis=1)
    side = architecture.side
    image = helper.make_tensor_value_info("image", TensorProto.UINT8, ["batch", side, side, 3])
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", None, columns])
        for name, columns in (("scores", architecture.classes), ("boxes", 4))
    ]
    whole = helper.make_graph(graph.nodes, "ssd-shapes", [image], outputs, graph.constants)
    model = helper.make_model(whole, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model, full_check=True)
    return model


def main() -> None:
    """Convert one file."""
    if len(sys.argv) != 3:
        sys.exit("usage: export_onnx.py WEIGHTS OUTPUT")
    with open(sys.argv[2], "wb") as file:
        file.write(export(*read_model(sys.argv[1])).SerializeToString())


if __name__ == "__main__":
    main()
