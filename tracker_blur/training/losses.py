"""Which cells of the network are taught which things.

SimOTA of Ge, Liu, Wang et al., "YOLOX", 2021, arXiv 2107.08430: each thing takes the few cells that
already guess it best, as many as its best guesses' overlaps sum up to. Here only the 3x3 cells
nearest to a thing's center at each stride may be taken, so that a crowd of hundreds costs no more
than its own cells; and a mild preference for the stride that fits the thing's size makes the first
thousand steps useful.

What the network is punished for.

Scores: the quality focal loss of Li, Wang, Wu et al., "Generalized Focal Loss", NeurIPS 2020, arXiv
2006.04388, with the root of the overlap as the target: the overlap itself, never high for the
smallest things, would keep their scores low, and a low score is a face left uncovered. Boxes: the
distance loss of Zheng, Wang, Liu et al., "Distance-IoU Loss", AAAI 2020, arXiv 1911.08287.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from tracker_blur.training.network import BOX_NUMBERS, STRIDES

_WINDOW = (-1, 0, 1)
_MOST_CELLS = 9
_OVERLAPS_SUMMED = 10
_BOX_COST = 3.0
_SIZE_COST = 0.5
_FITTING_CELLS = 3.0  # a thing's side, in cells, at the stride that fits it
_LARGEST_LOG = 5.0  # of a side in cells, so that no early guess overflows


@dataclass(frozen=True, slots=True)
class Guesses:
    """All cells of a batch: N pictures, A cells each, of all strides, in float32.

    logits   (N, A, classes)
    boxes    (N, A, 4): left, top, right, bottom in pixels
    points   (A, 2): the cells' centers in pixels
    strides  (A,): pixels a cell
    grids    (rows, columns) of each stride
    """

    logits: Tensor
    boxes: Tensor
    points: Tensor
    strides: Tensor
    grids: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Truth:
    """What is in a batch: T things and R ignored regions.

    picture, label   (T,): which picture of the batch, which class
    boxes            (T, 4) in pixels
    ignored_picture  (R,)
    ignored          (R, 4) in pixels
    """

    picture: Tensor
    label: Tensor
    boxes: Tensor
    ignored_picture: Tensor
    ignored: Tensor

    def to(self, device: torch.device) -> Truth:
        """Return the same on a device."""
        return Truth(
            self.picture.to(device),
            self.label.to(device),
            self.boxes.to(device),
            self.ignored_picture.to(device),
            self.ignored.to(device),
        )


@dataclass(frozen=True, slots=True)
class Assigned:
    """P pairs of a cell and the thing it is taught: picture, cell and thing, each (P,)."""

    picture: Tensor
    cell: Tensor
    thing: Tensor


def guesses(maps: tuple[Tensor, ...]) -> Guesses:
    """Return the network's maps as one list of cells, boxes decoded."""
    device = maps[0].device
    numbers, points, strides, grids = [], [], [], []
    for stride, one in zip(STRIDES, maps, strict=True):
        rows, columns = one.shape[2:]
        numbers.append(one.float().flatten(2).transpose(1, 2))
        y, x = torch.meshgrid(
            torch.arange(rows, device=device), torch.arange(columns, device=device), indexing="ij"
        )
        points.append((torch.stack((x, y), -1).reshape(-1, 2) + 0.5) * stride)
        strides.append(torch.full((rows * columns,), float(stride), device=device))
        grids.append((rows, columns))
    whole, point, pixels = torch.cat(numbers, 1), torch.cat(points), torch.cat(strides)
    classes = whole.shape[2] - BOX_NUMBERS
    x_y, logs = whole[..., classes : classes + 2], whole[..., classes + 2 :]
    center = point + x_y * pixels[:, None]
    half = torch.exp(logs.clamp(max=_LARGEST_LOG)) * pixels[:, None] / 2
    boxes = torch.cat((center - half, center + half), -1)
    return Guesses(whole[..., :classes], boxes, point, pixels, tuple(grids))


@torch.no_grad()
def assigned(found: Guesses, truth: Truth) -> Assigned:
    """Return which cells are taught which things; a cell at most one."""
    cells, valid = _candidates(truth.boxes, found)
    picture = truth.picture[:, None].expand_as(cells)
    logits = found.logits[picture, cells, truth.label[:, None].expand_as(cells)]
    overlap = iou(found.boxes[picture, cells], truth.boxes[:, None]).clamp(min=1e-7)
    side = (truth.boxes[:, 2:] - truth.boxes[:, :2]).prod(1).clamp(min=1.0).sqrt()
    misfit = torch.log2(side[:, None] / (_FITTING_CELLS * found.strides[cells])).abs()
    cost = torch.nn.functional.softplus(-logits) - _BOX_COST * overlap.log() + _SIZE_COST * misfit
    cost = cost.masked_fill(~valid, torch.inf)
    best = (overlap * valid).topk(min(_OVERLAPS_SUMMED, cells.shape[1]), 1).values
    wanted = best.sum(1).round().clamp(1, _MOST_CELLS)
    rank = cost.argsort(1).argsort(1)
    taken = (rank < wanted[:, None]) & valid
    thing = torch.arange(len(truth.boxes), device=cost.device)[:, None].expand_as(cells)
    pairs = Assigned(picture[taken], cells[taken], thing[taken])
    # A cell that several things want goes to the one it costs least, the first of equals.
    key = pairs.picture * found.points.shape[0] + pairs.cell
    pairs, key = _lowest(pairs, key, cost[taken])
    return _lowest(pairs, key, pairs.thing)[0]


def _lowest(pairs: Assigned, key: Tensor, value: Tensor) -> tuple[Assigned, Tensor]:
    """Return the pairs, and their keys, whose value is the lowest of all with the same key."""
    _, place = torch.unique(key, return_inverse=True)
    lowest = value.new_zeros(int(place.max()) + 1 if len(place) else 0)
    lowest = lowest.scatter_reduce(0, place, value, "amin", include_self=False)
    won = value <= lowest[place]
    return Assigned(pairs.picture[won], pairs.cell[won], pairs.thing[won]), key[won]


def _candidates(boxes: Tensor, found: Guesses) -> tuple[Tensor, Tensor]:
    """Return the cells near each thing's center, shape (T, 27), and which of them exist."""
    centers = (boxes[:, :2] + boxes[:, 2:]) / 2
    window = torch.tensor([(dx, dy) for dy in _WINDOW for dx in _WINDOW], device=boxes.device)
    cells, valid, first = [], [], 0
    for stride, (rows, columns) in zip(STRIDES, found.grids, strict=True):
        place = (centers / stride).floor().long()[:, None] + window
        x, y = place[..., 0], place[..., 1]
        inside = (x >= 0) & (y >= 0) & (x < columns) & (y < rows)
        cells.append((first + y * columns + x).where(inside, torch.zeros_like(x)))
        valid.append(inside)
        first += rows * columns
    return torch.cat(cells, 1), torch.cat(valid, 1)


def iou(one: Tensor, other: Tensor) -> Tensor:
    """Return intersection over union of boxes of shape (..., 4), broadcast; shape (...)."""
    low = torch.maximum(one[..., :2], other[..., :2])
    high = torch.minimum(one[..., 2:], other[..., 2:])
    shared = (high - low).clamp(min=0).prod(-1)
    areas = [(box[..., 2:] - box[..., :2]).clamp(min=0).prod(-1) for box in (one, other)]
    result: Tensor = shared / (areas[0] + areas[1] - shared).clamp(min=1e-7)
    return result


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
