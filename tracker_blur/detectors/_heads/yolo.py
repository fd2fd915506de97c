"""YOLO as Ultralytics exports it: YOLOv5, YOLOv8, YOLO11 and their like, without suppression.

https://docs.ultralytics.com/modes/export. One row for each box: center, width and height in pixels
of the input; then, in YOLOv5, the probability of an object; then one of each class. YOLOv5 returns
(1, boxes, values) with three boxes in each cell, the later ones (1, values, boxes) with one. The
number of boxes shows which it is. Ultralytics' metadata names the classes; what follows them, such
as landmarks or masks, is not needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tracker_blur.detectors._heads import Candidates, Head, Outputs, are_probabilities, cell_count
from tracker_blur.detectors._labels import class_names, has_class_names

if TYPE_CHECKING:
    from tracker_blur.detectors._heads import Array
    from tracker_blur.detectors._onnx_graph import OnnxGraph

_STRIDES = ((8, 16, 32), (8, 16, 32, 64), (4, 8, 16, 32))
_TASKS = ("detect", "pose", "segment")  # other boxes are turned


def recognize(outputs: Outputs, size: tuple[int, int], graph: OnnxGraph) -> Head | None:
    """Return the head; None for another network."""
    if graph.metadata.get("task", "detect") not in _TASKS:
        return None
    for name, values in outputs.items():
        shape = values.shape
        if len(shape) != 3 or shape[0] != 1:
            continue
        for strides in _STRIDES:
            one = cell_count(size, strides, (1,) * len(strides))
            if shape[2] == one and shape[1] > 4:
                return _head(name, outputs, graph, first_class=4)
            if shape[1] == 3 * one and shape[2] > 5:
                return _head(name, outputs, graph, first_class=5)
    return None


def _head(name: str, outputs: Outputs, graph: OnnxGraph, first_class: int) -> Head | None:
    is_transposed = first_class == 4

    def table(found: Outputs) -> Array:
        values: Array = found[name][0]
        return values.T if is_transposed else values

    blank = table(outputs)
    labels = class_names(graph.metadata, blank.shape[1] - first_class)
    last = first_class + len(labels)
    if last > blank.shape[1] or not are_probabilities(blank[:, 4:last]):
        return None

    def decode(found: Outputs, confidence: float) -> Candidates:
        values = table(found).astype(float)
        scores = values[:, first_class:last]
        if first_class == 5:
            scores = scores * values[:, 4:5]
        at, classes = np.nonzero(scores >= confidence)
        x, y, width, height = values[at, :4].T
        edges = np.stack((x - width / 2, y - height / 2, x + width / 2, y + height / 2), 1)
        return Candidates(edges, scores[at, classes], classes)

    return Head(
        "YOLO",
        labels,
        decode,
        0.25,
        0.1,
        scale=1 / 255,
        padding=114,
        is_centered=True,
        names_classes=has_class_names(graph.metadata),
    )
