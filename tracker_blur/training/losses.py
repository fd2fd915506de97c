"""What the network is punished for.

Scores: the quality focal loss of Li, Wang, Wu et al., "Generalized Focal Loss", NeurIPS 2020, arXiv
2006.04388, with the root of the overlap as the target: the overlap itself, never high for the
smallest things, would keep their scores low, and a low score is a face left uncovered. Boxes: the
distance loss of Zheng, Wang, Liu et al., "Distance-IoU Loss", AAAI 2020, arXiv 1911.08287.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from tracker_blur.training.assignment import Assigned, Guesses, Truth, iou

_BOX_WEIGHT = 2.0
_FOCUS = 2.0


def loss(found: Guesses, truth: Truth, pairs: Assigned) -> tuple[Tensor, Tensor]:
    """Return the loss of scores and that of boxes, each a scalar; their sum is what counts."""
    guessed = found.boxes[pairs.picture, pairs.cell]
    true = truth.boxes[pairs.thing]
    quality = iou(guessed.detach(), true).sqrt()
    targets = torch.zeros_like(found.logits)
    targets[pairs.picture, pairs.cell, truth.label[pairs.thing]] = quality
    share = (targets - found.logits.sigmoid()).abs() ** _FOCUS
    scores = share * binary_cross_entropy_with_logits(found.logits, targets, reduction="none")
    judged = _judged(found, truth)
    judged[pairs.picture, pairs.cell] = 1.0
    total = quality.sum().clamp(min=1.0)
    boxes = (quality * _distance_loss(guessed, true)).sum()
    return (scores * judged[..., None]).sum() / total, _BOX_WEIGHT * boxes / total


def _judged(found: Guesses, truth: Truth) -> Tensor:
    """Return 0 where a cell's center lies in an ignored region, else 1; shape (N, A)."""
    judged = torch.ones(found.logits.shape[:2], device=found.logits.device)
    for picture, region in zip(truth.ignored_picture.tolist(), truth.ignored, strict=True):
        inside = (found.points >= region[:2]).all(1) & (found.points <= region[2:]).all(1)
        judged[picture].masked_fill_(inside, 0.0)
    return judged


def _distance_loss(guessed: Tensor, true: Tensor) -> Tensor:
    low = torch.minimum(guessed[:, :2], true[:, :2])
    high = torch.maximum(guessed[:, 2:], true[:, 2:])
    diagonal = (high - low).square().sum(1).clamp(min=1e-7)
    apart = (guessed[:, :2] + guessed[:, 2:] - true[:, :2] - true[:, 2:]).square().sum(1) / 4
    result: Tensor = 1 - iou(guessed, true) + apart / diagonal
    return result
