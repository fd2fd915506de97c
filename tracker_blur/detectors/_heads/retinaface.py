"""RetinaFace in PyTorch, and the detectors of Face-Detector-1MB-with-landmark.

https://github.com/biubug6/Pytorch_Retinaface and
https://github.com/biubug6/Face-Detector-1MB-with-landmark (both MIT). Three outputs: boxes
relative to priors, shape (1, n, 4), probabilities or logits of background and face, (1, n, 2), and
landmarks, (1, n, 10), which are not needed. Of the second repository, the networks RFB and slim
have priors of their own. Its "retinaface" differs from the first repository's by nothing that a
file shows, and is read as that one.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tracker_blur.detectors._heads import (
    Candidates,
    Head,
    Outputs,
    are_probabilities,
    cell_count,
    cells,
    rows,
)

if TYPE_CHECKING:
    from tracker_blur.detectors._onnx_graph import OnnxGraph

# Strides, and the sides of the square priors in each of their cells, in pixels.
_PRIORS: tuple[dict[int, tuple[int, ...]], ...] = (
    {8: (16, 32), 16: (64, 128), 32: (256, 512)},
    {8: (10, 16, 24), 16: (32, 48), 32: (64, 96), 64: (128, 192, 256)},
)
_CENTER_VARIANCE, _SIZE_VARIANCE = 0.1, 0.2
_LARGEST_LOG = 10.0  # no box is that much larger than its prior


def recognize(outputs: Outputs, size: tuple[int, int], graph: OnnxGraph) -> Head | None:
    """Return the head; None for another network."""
    by_width = {values.shape[-1]: name for name, values in outputs.items()}
    if len(outputs) != 3 or sorted(by_width) != [2, 4, 10]:
        return None
    counts = {len(rows(values)) for values in outputs.values()}
    for sides in _PRIORS:
        boxes = tuple(map(len, sides.values()))
        if counts == {cell_count(size, tuple(sides), boxes)}:
            return _head(by_width[4], by_width[2], _priors(size, sides))
    return None


def _head(boxes: str, scores: str, priors: npt.NDArray[np.double]) -> Head:
    def decode(found: Outputs, confidence: float) -> Candidates:
        values = rows(found[scores]).astype(float)
        if not _is_softmax(values):
            values = np.exp(values - values.max(axis=1, keepdims=True))
            values /= values.sum(axis=1, keepdims=True)
        faces = values[:, 1]
        at = faces >= confidence
        offsets, prior = rows(found[boxes])[at].astype(float), priors[at]
        centers = prior[:, :2] + offsets[:, :2] * _CENTER_VARIANCE * prior[:, 2:]
        logs = (offsets[:, 2:] * _SIZE_VARIANCE).clip(max=_LARGEST_LOG)
        half = prior[:, 2:] * np.exp(logs) / 2
        edges = np.concatenate((centers - half, centers + half), 1)
        return Candidates(edges, faces[at], np.zeros(at.sum(), int))

    return Head("RetinaFace", ("face",), decode, mean=(104.0, 117.0, 123.0), is_rgb=False)


def _is_softmax(values: npt.NDArray[np.double]) -> bool:
    sums = values.sum(axis=1)
    return are_probabilities(values.astype(np.float32)) and bool(np.allclose(sums, 1, atol=1e-2))


def _priors(size: tuple[int, int], sides: dict[int, tuple[int, ...]]) -> npt.NDArray[np.double]:
    """Return the priors, shape (n, 4): center and size in pixels."""
    priors = []
    for stride, lengths in sides.items():
        columns, count = cells(size, stride)
        for row, column, side in product(range(count), range(columns), lengths):
            priors.append(((column + 0.5) * stride, (row + 0.5) * stride, side, side))
    return np.array(priors, float)
