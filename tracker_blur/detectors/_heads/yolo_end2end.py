"""YOLO with its own suppression: YOLOv10, YOLO26, and others that Ultralytics exports end to end.

One output, shape (1, boxes, 6): left, top, right, bottom in pixels of the input, the score and the
number of the class. The boxes, 300 by default, are fewer than the cells of the input. What follows,
such as landmarks, is not needed where Ultralytics' metadata says that it is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker_blur.detectors._heads import Candidates, Head, Outputs, are_probabilities, cell_count
from tracker_blur.detectors._labels import class_names, has_class_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracker_blur.detectors._onnx_graph import OnnxGraph

_COLUMNS = 6
_STRIDES = (8, 16, 32)
_TASKS = ("detect", "pose", "segment")
_UNNAMED_CLASSES = 1


def recognize(outputs: Outputs, size: tuple[int, int], graph: OnnxGraph) -> Head | None:
    """Return the head; None for another network."""
    metadata = graph.metadata
    is_transformer = "detr" in metadata.get("description", "").lower()  # other columns
    if metadata.get("task", "detect") not in _TASKS or is_transformer:
        return None
    for name, values in outputs.items():
        shape = values.shape
        is_wider = metadata.get("task", "detect") != "detect" and shape[-1] > _COLUMNS
        if len(shape) != 3 or shape[0] != 1 or not (shape[2] == _COLUMNS or is_wider):
            continue
        if shape[1] <= cell_count(size, _STRIDES, (1, 1, 1)) and are_probabilities(values[..., 4]):
            return _head(name, metadata)
    return None


def _head(name: str, metadata: Mapping[str, str]) -> Head:
    labels = class_names(metadata, _UNNAMED_CLASSES)

    def decode(found: Outputs, confidence: float) -> Candidates:
        values = found[name][0].astype(float)
        values = values[values[:, 4] >= confidence]
        # A file without names may have several classes: all of them are hidden.
        classes = values[:, 5].round().clip(0, len(labels) - 1).astype(int)
        return Candidates(values[:, :4], values[:, 4], classes)

    return Head(
        "YOLO, end to end",
        labels,
        decode,
        0.25,
        0.1,
        1 / 255,
        padding=114,
        is_centered=True,
        names_classes=has_class_names(metadata),
    )
