"""What the network is asked for: matching of anchors to objects, and the loss."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

MATCH, IGNORE = 0.5, 0.4
ALPHA, GAMMA = 0.25, 2.0
BOX_WEIGHT, BETA = 0.4, 0.5


@dataclass(frozen=True, slots=True)
class Targets:
    """What each anchor should say."""

    classes: Tensor  # [batch, anchors]: class from 0, -1 background, -2 not asked
    offsets: Tensor  # [batch, anchors, 4]; meaningful where an object is matched


def overlaps(anchors: Tensor, boxes: Tensor) -> Tensor:
    """Intersection over union of anchors [A, 4] (corners) and boxes [B, M, 4]: [B, A, M]."""
    anchor, box = anchors[None, :, None, :], boxes[:, None, :, :]
    sides = torch.minimum(anchor[..., 2:], box[..., 2:]) - torch.maximum(
        anchor[..., :2], box[..., :2]
    )
    shared = sides.clamp(min=0).prod(dim=-1)
    areas = (anchor[..., 2:] - anchor[..., :2]).prod(-1) + (box[..., 2:] - box[..., :2]).prod(-1)
    return shared / (areas - shared).clamp(min=1e-9)


def match(
    anchors: Tensor, variances: tuple[float, float], boxes: Tensor, labels: Tensor
) -> Targets:
    """Targets of a batch; anchors [A, 4] are centre and size, boxes [B, M, 4] are corners.

    An anchor belongs to the object that it overlaps most if by 0.5 or more, and every object has
    the anchor that overlaps it most. Anchors between 0.4 and 0.5 are not asked.
    """
    corners = torch.cat(
        [anchors[:, :2] - anchors[:, 2:] / 2, anchors[:, :2] + anchors[:, 2:] / 2], 1
    )
    shared = overlaps(corners, boxes).masked_fill((labels < 0)[:, None, :], -1.0)
    best, owner = shared.max(dim=2)
    favourite = shared.argmax(dim=1)
    for image, item in (labels >= 0).nonzero().tolist():
        owner[image, favourite[image, item]] = item
        best[image, favourite[image, item]] = 1.0
    classes = labels.gather(1, owner)
    classes = torch.where(best >= MATCH, classes, torch.where(best >= IGNORE, -2, -1))
    own = boxes.gather(1, owner[..., None].expand(-1, -1, 4))
    centres, sizes = (
        (own[..., :2] + own[..., 2:]) / 2,
        (own[..., 2:] - own[..., :2]).clamp(min=1e-6),
    )
    moves = (centres - anchors[:, :2]) / anchors[:, 2:] / variances[0]
    return Targets(classes, torch.cat([moves, torch.log(sizes / anchors[:, 2:]) / variances[1]], 2))


def focal(scores: Tensor, classes: Tensor) -> Tensor:
    """Focal loss (Lin et al. 2017) of logits [B, A, C], summed over the anchors that are asked."""
    wanted = functional.one_hot(classes.clamp(min=0), scores.shape[2]).to(scores.dtype)
    wanted = wanted * (classes >= 0)[..., None]
    entropy = functional.binary_cross_entropy_with_logits(scores, wanted, reduction="none")
    p = torch.sigmoid(scores)
    miss = p + wanted - 2 * p * wanted
    weight = ALPHA * wanted + (1 - ALPHA) * (1 - wanted)
    return (weight * miss**GAMMA * entropy * (classes > -2)[..., None]).sum()


def loss(scores: Tensor, offsets: Tensor, targets: Targets) -> Tensor:
    """Focal loss and weighted smooth L1, over the number of matched anchors."""
    matched = targets.classes >= 0
    boxes = functional.smooth_l1_loss(
        offsets[matched], targets.offsets[matched], reduction="sum", beta=BETA
    )
    return (focal(scores, targets.classes) + BOX_WEIGHT * boxes) / matched.sum().clamp(min=1)
