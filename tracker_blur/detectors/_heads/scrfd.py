"""SCRFD, the face detectors of InsightFace, such as det_10g.onnx and scrfd_2.5g_bnkps.onnx.

https://github.com/deepinsight/insightface/tree/master/detection/scrfd. Paper: Guo, Deng et al.,
"Sample and Computation Redistribution for Efficient Face Detection", 2021, arXiv 2105.04714. The
published weights are for research only. For each of 3 or 5 strides: scores, shape (n, 1), distances
to the four edges in strides, (n, 4), and in some files landmarks, (n, 10), which are not needed.
Each may have a batch of one in front. Names differ; the number of rows shows the stride.
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
    corners,
    rows,
)

if TYPE_CHECKING:
    from tracker_blur.detectors._onnx_graph import OnnxGraph

_LAYOUTS = (((8, 16, 32), 2), ((8, 16, 32), 1), ((8, 16, 32, 64, 128), 1))  # strides, boxes a cell


def recognize(outputs: Outputs, size: tuple[int, int], graph: OnnxGraph) -> Head | None:
    """Return the head; None for another network."""
    by_shape = {(values.shape[-1], len(rows(values))): name for name, values in outputs.items()}
    widths = sorted(values.shape[-1] for values in outputs.values())
    for strides, boxes in _LAYOUTS:
        count = len(strides)
        if widths not in ([1] * count + [4] * count, [1] * count + [4] * count + [10] * count):
            continue
        levels = [
            (stride, by_shape.get((1, lines)), by_shape.get((4, lines)))
            for stride in strides
            for lines in [cell_count(size, (stride,), (boxes,))]
        ]
        known = [
            (stride, scores, edges)
            for stride, scores, edges in levels
            if scores is not None and edges is not None and are_probabilities(outputs[scores])
        ]
        if len(known) == count:
            return _head(known, size, boxes)
    return None


def _head(levels: list[tuple[int, str, str]], size: tuple[int, int], boxes: int) -> Head:
    centers = {stride: np.array(list(corners(size, stride, boxes))) for stride, _, _ in levels}

    def decode(found: Outputs, confidence: float) -> Candidates:
        all_edges, all_scores = [], []
        for stride, scores, edges in levels:
            faces = rows(found[scores])[:, 0]
            at = faces >= confidence
            distances = rows(found[edges])[at].astype(float) * stride
            center = centers[stride][at]
            all_edges.append(np.hstack((center - distances[:, :2], center + distances[:, 2:])))
            all_scores.append(faces[at])
        scores_found = np.concatenate(all_scores)
        return Candidates(np.concatenate(all_edges), scores_found, np.zeros(len(scores_found), int))

    return Head("SCRFD", ("face",), decode, scale=1 / 128, mean=(127.5, 127.5, 127.5))
