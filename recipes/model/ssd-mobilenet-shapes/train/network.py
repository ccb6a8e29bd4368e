"""The network in torch, made from its architecture, and its way back into plain arrays."""

from __future__ import annotations

import torch
from ssd_shapes import Architecture, Conv, Depthwise, Floats, Head, Pointwise
from torch import Tensor, nn
from torch.nn import functional


class Unit(nn.Module):
    """A convolution, batch normalisation and ReLU6, padded as TensorFlow's SAME."""

    def __init__(self, inputs: int, outputs: int, *, size: int, stride: int, groups: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, size, stride, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        after = size // 2
        before = 0 if stride == 2 else after
        self.padding = (before, after, before, after)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, inputs, height, width] to [batch, outputs, height / stride, width / stride]."""
        return functional.relu6(self.norm(self.conv(functional.pad(x, self.padding))))

    def folded(self) -> list[Floats]:
        """Weights [size, size, in / groups, out] and bias with the normalisation folded in."""
        norm = self.norm
        if norm.running_var is None or norm.running_mean is None:
            raise TypeError("the normalisation keeps no running statistics")
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        weights = (self.conv.weight * scale[:, None, None, None]).permute(2, 3, 1, 0)
        bias = norm.bias - norm.running_mean * scale
        return [weights.detach().numpy(), bias.detach().numpy()]


class HeadUnit(nn.Module):
    """Class scores and box offsets of every anchor of a grid."""

    def __init__(self, head: Head) -> None:
        super().__init__()
        channels, anchors = head.channels, len(head.anchors)
        self.classes = head.classes
        self.mix = Unit(channels, channels, size=3, stride=1, groups=channels)
        self.scores = nn.Conv2d(channels, anchors * head.classes, 1)
        self.boxes = nn.Conv2d(channels, anchors * 4, 1)
        # An object is rare: sigmoid(-4.6) = 0.01.
        for conv, bias in ((self.scores, -4.6), (self.boxes, 0.0)):
            nn.init.normal_(conv.weight, std=0.01)
            if conv.bias is not None:
                nn.init.constant_(conv.bias, bias)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Scores [batch, anchors, classes] and offsets [batch, anchors, 4] of the grid."""
        x = self.mix(x)
        scores = self.scores(x).permute(0, 2, 3, 1).reshape(x.shape[0], -1, self.classes)
        return scores, self.boxes(x).permute(0, 2, 3, 1).reshape(x.shape[0], -1, 4)

    def folded(self) -> list[Floats]:
        """Arrays in file order."""
        weights, bias = self.mix.folded()
        arrays = [weights[:, :, 0, :], bias]
        for conv in (self.scores, self.boxes):
            if conv.bias is None:
                raise TypeError("the last convolutions have biases")
            arrays += [conv.weight[:, :, 0, 0].t().detach().numpy(), conv.bias.detach().numpy()]
        return arrays


class Network(nn.Module):
    """The detector: images to the scores and offsets of all anchors."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.units = nn.ModuleList()
        for layer in architecture.layers:
            match layer:
                case Conv(inputs, outputs, stride):
                    unit: nn.Module = Unit(inputs, outputs, size=3, stride=stride, groups=1)
                case Depthwise(channels, stride):
                    unit = Unit(channels, channels, size=3, stride=stride, groups=channels)
                case Pointwise(inputs, outputs):
                    unit = Unit(inputs, outputs, size=1, stride=1, groups=1)
                case Head():
                    unit = HeadUnit(layer)
            self.units.append(unit)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """[batch, 3, side, side] in -1 to 1; scores are logits [batch, anchors, classes]."""
        scores, offsets = [], []
        for unit in self.units:
            if isinstance(unit, HeadUnit):
                head_scores, head_offsets = unit(x)
                scores.append(head_scores)
                offsets.append(head_offsets)
            else:
                x = unit(x)
        return torch.cat(scores, dim=1), torch.cat(offsets, dim=1)

    def arrays(self) -> list[Floats]:
        """All arrays in the order of `weights.bin`, normalisation folded in."""
        arrays: list[Floats] = []
        for unit in self.units:
            if isinstance(unit, HeadUnit):
                arrays += unit.folded()
            elif isinstance(unit, Unit):
                weights, bias = unit.folded()
                if unit.conv.groups > 1:
                    weights = weights[:, :, 0, :]
                elif unit.conv.kernel_size == (1, 1):
                    weights = weights[0, 0]
                arrays += [weights, bias]
        return arrays
