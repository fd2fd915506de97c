"""Assignment of ground-truth objects to cells, and the losses of the predictions there.

Assignment: SimOTA of Ge, Liu, Wang et al., "YOLOX", 2021, arXiv 2107.08430. Each object takes the
few cells that already predict it best, as many as the overlaps of its best predictions sum up to.
Here only the 3x3 cells nearest to the object's center at each stride are candidates, so that a
crowd of hundreds costs no more than its own cells. A mild preference for the stride that fits the
object's size makes the first thousand steps useful.

Scores: the quality focal loss of Li, Wang, Wu et al., "Generalized Focal Loss", NeurIPS 2020, arXiv
2006.04388, with the root of the overlap as the target. The overlap itself is never high for the
smallest objects. It would keep their scores low, and a low score is a face left visible.
The target of a pseudo-label is that times its certainty, by which its box's loss is weighted, too.

Boxes: the distance loss of Zheng, Wang, Liu et al., "Distance-IoU Loss", AAAI 2020, arXiv
1911.08287.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, softplus

from tracker_blur.training.network import BOX_CHANNELS, STRIDES

_LARGEST_LOG_SIDE = 5.0  # of a side in cells, so that no early prediction overflows

_WINDOW = (-1, 0, 1)
_MAX_CELLS = 9
_SUMMED_OVERLAPS = 10
_BOX_COST = 3.0
_SIZE_COST = 0.5
_FITTING_CELLS = 3.0  # an object's side, in cells, at the stride that fits it

_BOX_WEIGHT = 2.0
_FOCUS = 2.0


@dataclass(frozen=True, slots=True)
class Predictions:
    """Predictions for a batch of N images in the A cells of all strides, in float32.

    Attributes:
        logits: Class logits, shape (N, A, classes).
        boxes: Left, top, right, bottom in pixels, shape (N, A, 4).
        centers: The cells' centers in pixels, shape (A, 2).
        strides: Pixels per cell, shape (A,).
        grid_sizes: Rows and columns at each stride.
    """

    logits: Tensor
    boxes: Tensor
    centers: Tensor
    strides: Tensor
    grid_sizes: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Targets:
    """Ground truth of a batch: T objects and R ignored regions.

    Attributes:
        image: Index of each object's image in the batch, shape (T,).
        label: Class of each object, shape (T,).
        certainty: How certain each object is, up to 1, shape (T,).
        boxes: Left, top, right, bottom in pixels, shape (T, 4).
        ignored_image: Index of each ignored region's image, shape (R,).
        ignored: Ignored regions in pixels, shape (R, 4).
    """

    image: Tensor
    label: Tensor
    certainty: Tensor
    boxes: Tensor
    ignored_image: Tensor
    ignored: Tensor

    def to(self, device: torch.device) -> Targets:
        """Return the same targets on a device."""
        return Targets(
            self.image.to(device),
            self.label.to(device),
            self.certainty.to(device),
            self.boxes.to(device),
            self.ignored_image.to(device),
            self.ignored.to(device),
        )


@dataclass(frozen=True, slots=True)
class Assignment:
    """P pairs of a cell and a target: indices of image, cell and target, each of shape (P,)."""

    image: Tensor
    cell: Tensor
    target: Tensor


def decode_predictions(maps: tuple[Tensor, ...]) -> Predictions:
    """Return the network's maps as one list of cells with decoded boxes."""
    device = maps[0].device
    flat, centers, strides, grid_sizes = [], [], [], []
    for stride, output in zip(STRIDES, maps, strict=True):
        rows, columns = output.shape[2:]
        flat.append(output.float().flatten(2).transpose(1, 2))
        y, x = torch.meshgrid(
            torch.arange(rows, device=device), torch.arange(columns, device=device), indexing="ij"
        )
        centers.append((torch.stack((x, y), -1).reshape(-1, 2) + 0.5) * stride)
        strides.append(torch.full((rows * columns,), float(stride), device=device))
        grid_sizes.append((rows, columns))
    outputs, cell_center, pixels = torch.cat(flat, 1), torch.cat(centers), torch.cat(strides)
    classes = outputs.shape[2] - BOX_CHANNELS
    offset, log_size = outputs[..., classes : classes + 2], outputs[..., classes + 2 :]
    center = cell_center + offset * pixels[:, None]
    half = torch.exp(log_size.clamp(max=_LARGEST_LOG_SIDE)) * pixels[:, None] / 2
    boxes = torch.cat((center - half, center + half), -1)
    return Predictions(outputs[..., :classes], boxes, cell_center, pixels, tuple(grid_sizes))


@torch.no_grad()
def assign_targets(predictions: Predictions, targets: Targets) -> Assignment:
    """Return which cells learn which targets, each cell one at most."""
    cells, valid = _candidates(targets.boxes, predictions)
    image = targets.image[:, None].expand_as(cells)
    logits = predictions.logits[image, cells, targets.label[:, None].expand_as(cells)]
    overlap = iou(predictions.boxes[image, cells], targets.boxes[:, None]).clamp(min=1e-7)
    side = (targets.boxes[:, 2:] - targets.boxes[:, :2]).prod(1).clamp(min=1.0).sqrt()
    misfit = torch.log2(side[:, None] / (_FITTING_CELLS * predictions.strides[cells])).abs()
    cost = softplus(-logits) - _BOX_COST * overlap.log() + _SIZE_COST * misfit
    cost = cost.masked_fill(~valid, torch.inf)
    best = (overlap * valid).topk(min(_SUMMED_OVERLAPS, cells.shape[1]), 1).values
    wanted = best.sum(1).round().clamp(1, _MAX_CELLS)
    rank = cost.argsort(1).argsort(1)
    chosen = (rank < wanted[:, None]) & valid
    target = torch.arange(len(targets.boxes), device=cost.device)[:, None].expand_as(cells)
    pairs = Assignment(image[chosen], cells[chosen], target[chosen])
    # A cell that several targets want goes to the one with the lowest cost, the first of equals.
    key = pairs.image * predictions.centers.shape[0] + pairs.cell
    pairs, key = _lowest(pairs, key, cost[chosen])
    return _lowest(pairs, key, pairs.target)[0]


def _candidates(boxes: Tensor, predictions: Predictions) -> tuple[Tensor, Tensor]:
    """Return the cells near each target's center, shape (T, 27), and which of them exist."""
    centers = (boxes[:, :2] + boxes[:, 2:]) / 2
    window = torch.tensor([(dx, dy) for dy in _WINDOW for dx in _WINDOW], device=boxes.device)
    cells, valid, first = [], [], 0
    for stride, (rows, columns) in zip(STRIDES, predictions.grid_sizes, strict=True):
        place = (centers / stride).floor().long()[:, None] + window
        x, y = place[..., 0], place[..., 1]
        inside = (x >= 0) & (y >= 0) & (x < columns) & (y < rows)
        cells.append((first + y * columns + x).where(inside, torch.zeros_like(x)))
        valid.append(inside)
        first += rows * columns
    return torch.cat(cells, 1), torch.cat(valid, 1)


def _lowest(pairs: Assignment, key: Tensor, value: Tensor) -> tuple[Assignment, Tensor]:
    """Return the pairs, and their keys, whose value is the lowest among those of the same key."""
    _, place = torch.unique(key, return_inverse=True)
    lowest = value.new_zeros(int(place.max()) + 1 if len(place) else 0)
    lowest = lowest.scatter_reduce(0, place, value, "amin", include_self=False)
    kept = value <= lowest[place]
    return Assignment(pairs.image[kept], pairs.cell[kept], pairs.target[kept]), key[kept]


def detection_loss(
    predictions: Predictions, targets: Targets, pairs: Assignment
) -> tuple[Tensor, Tensor]:
    """Return the score loss and the box loss, each a scalar; training minimizes their sum."""
    predicted = predictions.boxes[pairs.image, pairs.cell]
    true = targets.boxes[pairs.target]
    quality = iou(predicted.detach(), true).sqrt() * targets.certainty[pairs.target]
    scores = torch.zeros_like(predictions.logits)
    scores[pairs.image, pairs.cell, targets.label[pairs.target]] = quality
    focus = (scores - predictions.logits.sigmoid()).abs() ** _FOCUS
    entropy = binary_cross_entropy_with_logits(predictions.logits, scores, reduction="none")
    weight = _outside_ignored(predictions, targets)
    weight[pairs.image, pairs.cell] = 1.0
    total = quality.sum().clamp(min=1.0)
    box_loss = (quality * _distance_iou_loss(predicted, true)).sum()
    score_loss = (focus * entropy * weight[..., None]).sum()
    return score_loss / total, _BOX_WEIGHT * box_loss / total


def _outside_ignored(predictions: Predictions, targets: Targets) -> Tensor:
    """Return 0 where a cell's center lies in an ignored region, else 1; shape (N, A)."""
    weight = torch.ones(predictions.logits.shape[:2], device=predictions.logits.device)
    for image, region in zip(targets.ignored_image.tolist(), targets.ignored, strict=True):
        after_start = (predictions.centers >= region[:2]).all(1)
        inside = after_start & (predictions.centers <= region[2:]).all(1)
        weight[image].masked_fill_(inside, 0.0)
    return weight


def _distance_iou_loss(predicted: Tensor, true: Tensor) -> Tensor:
    low = torch.minimum(predicted[:, :2], true[:, :2])
    high = torch.maximum(predicted[:, 2:], true[:, 2:])
    diagonal = (high - low).square().sum(1).clamp(min=1e-7)
    shift = predicted[:, :2] + predicted[:, 2:] - true[:, :2] - true[:, 2:]
    result: Tensor = 1 - iou(predicted, true) + shift.square().sum(1) / 4 / diagonal
    return result


def iou(one: Tensor, other: Tensor) -> Tensor:
    """Return intersection over union of boxes of shape (..., 4), broadcast; shape (...)."""
    low = torch.maximum(one[..., :2], other[..., :2])
    high = torch.minimum(one[..., 2:], other[..., 2:])
    shared = (high - low).clamp(min=0).prod(-1)
    areas = [(box[..., 2:] - box[..., :2]).clamp(min=0).prod(-1) for box in (one, other)]
    result: Tensor = shared / (areas[0] + areas[1] - shared).clamp(min=1e-7)
    return result
