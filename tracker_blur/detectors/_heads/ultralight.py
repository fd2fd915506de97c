"""Ultra-Light-Fast-Generic-Face-Detector-1MB: version-RFB-320, version-slim-320 and their 640s.

https://github.com/Linzaer/Ultra-Light-Fast-Generic-Face-Detector-1MB (MIT). Two outputs: the
probabilities of background and face, shape (1, n, 2), and boxes as shares of the input, left, top,
right, bottom, shape (1, n, 4). Files "without postprocessing" return neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tracker_blur.detectors._heads import (
    Candidates,
    Head,
    Outputs,
    are_probabilities,
    cell_count,
    rows,
)

if TYPE_CHECKING:
    from tracker_blur.detectors._onnx_graph import OnnxGraph

_STRIDES, _BOXES = (8, 16, 32, 64), (3, 2, 2, 3)


def recognize(outputs: Outputs, size: tuple[int, int], graph: OnnxGraph) -> Head | None:
    """Return the head; None for another network."""
    by_width = {values.shape[-1]: name for name, values in outputs.items()}
    if len(outputs) != 2 or sorted(by_width) != [2, 4]:
        return None
    scores, boxes = by_width[2], by_width[4]
    count = cell_count(size, _STRIDES, _BOXES)
    if not len(rows(outputs[scores])) == len(rows(outputs[boxes])) == count:
        return None
    if not are_probabilities(outputs[scores]):
        return None

    def decode(found: Outputs, confidence: float) -> Candidates:
        faces = rows(found[scores])[:, 1]
        at = faces >= confidence
        shares = rows(found[boxes])[at].astype(float)
        return Candidates(shares * [*size, *size], faces[at], np.zeros(at.sum(), int))

    return Head(
        "Ultra-Light", ("face",), decode, 0.6, 0.4, scale=1 / 128, mean=(127.0, 127.0, 127.0)
    )
