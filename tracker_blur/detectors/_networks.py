"""Loads neural networks into OpenCV from checked weight files, and runs them over an image pyramid.

A network detects a limited range of face sizes, so it also gets reduced copies of the image.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from tracker_blur.core.box import Detection
from tracker_blur.core.box_arrays import (
    areas,
    edges,
    intersection_areas,
    ious,
    suppress_overlaps,
    touching,
)
from tracker_blur.detectors import _trial
from tracker_blur.errors import ModelError
from tracker_blur.weights.catalog import is_known

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker_blur.core.frame import Image
    from tracker_blur.weights.store import Weights

T = TypeVar("T")
Buffer = npt.NDArray[np.uint8]

_SAME_FACE_IOU = 0.4
_MIN_SHARED = 0.5  # of the coarse box; at 0.7 too large coarse boxes stayed (measured)


def read_buffer(weights: Weights, file_name: str) -> Buffer:
    """Return a weight file's content for OpenCV; raises ModelError as `Weights.read` does.

    OpenCV gets contents rather than paths. So it parses exactly what was checked, and never meets a
    path that it cannot open on Windows.
    """
    return np.frombuffer(weights.read(file_name), np.uint8)


def parse_network(file_name: str, parse: Callable[[], T]) -> T:
    """Return what `parse` makes of a file; raises ModelError when OpenCV rejects it."""
    try:
        return parse()
    except cv2.error as error:
        raise _unreadable(file_name, " ".join(str(error.err).split())) from error


def run_network(file_name: str, run: Callable[[], T]) -> T:
    """Return what `run` makes of a loaded network; raises ModelError when OpenCV cannot run it."""
    try:
        return run()
    except cv2.error as error:
        raise ModelError(
            f"{file_name}: OpenCV {cv2.__version__} cannot run this network "
            f"({' '.join(str(error.err).split())}): get the file again, or choose another detector"
        ) from error


def read_caffe(weights: Weights, graph_name: str, file_name: str) -> cv2.dnn.Net:
    """Return a Caffe network from its graph (.prototxt) and its weights (.caffemodel).

    Raises ModelError when a file is missing, damaged or unreadable for OpenCV.
    """
    graph, content = read_buffer(weights, graph_name), read_buffer(weights, file_name)
    if not (is_known(graph_name) and is_known(file_name)):
        _trial.check(file_name, "caffe", graph.tobytes(), content.tobytes())
    network = parse_network(file_name, lambda: cv2.dnn.readNetFromCaffe(graph, content))
    return _with_weights(file_name, network)


def read_tensorflow(weights: Weights, file_name: str, graph_name: str) -> cv2.dnn.Net:
    """Return a TensorFlow network from its weights (.pb) and its graph (.pbtxt).

    Raises ModelError when a file is missing, damaged or unreadable for OpenCV.
    """
    content, graph = read_buffer(weights, file_name), read_buffer(weights, graph_name)
    if not (is_known(graph_name) and is_known(file_name)):
        _trial.check(file_name, "tensorflow", content.tobytes(), graph.tobytes())
    network = parse_network(file_name, lambda: cv2.dnn.readNetFromTensorflow(content, graph))
    return _with_weights(file_name, network)


def _with_weights(file_name: str, network: cv2.dnn.Net) -> cv2.dnn.Net:
    # OpenCV reads many damaged files as networks without weights for any layer.
    if not any(network.getLayer(name).blobs for name in network.getLayerNames()):
        raise _unreadable(file_name, "it holds no weights")
    return network


def _unreadable(file_name: str, reason: str) -> ModelError:
    return ModelError(
        f"{file_name}: OpenCV {cv2.__version__} cannot read this network ({reason}): "
        "get the file again, or choose another detector"
    )


def detect_in_pyramid(
    image: Image,
    smallest_px: int,
    detect: Callable[[Image, int], list[Detection]],
    halvings_per_level: int = 1,
    coarse_px: float = 0.0,
    nms_iou: float | None = None,
) -> list[Detection]:
    """Return the detections at full size and at each reduction, boxes in the image's pixels.

    All halvings together cost a third of the full size, all quarterings a fifteenth.

    Args:
        image: Level 0 of the pyramid.
        smallest_px: The longer side of the last level is at most this.
        detect: Gets the image of a level and the level's number.
        halvings_per_level: How many times each level halves the previous one.
        coarse_px: Detections of a smaller size (`Box.size`) at a reduced level have coarse boxes.
            Where a larger level detects the object too, its box is kept, with the better score.
        nms_iou: Of two boxes of different levels with a larger IoU, the better stays; None: 0.4.
    """
    height, width = image.shape[:2]
    merged: list[Detection] = []
    shrink = 1 << halvings_per_level
    level = 0
    while True:
        rows, columns = image.shape[:2]
        ratios = width / columns, height / rows
        detections = detect(image, level)
        scaled = [Detection(d.box.scaled(*ratios), d.score, d.label) for d in detections]
        is_coarse = [level > 0 and d.box.size < coarse_px for d in detections]
        merged = _merge(merged, scaled, is_coarse)
        if max(rows, columns) <= smallest_px:
            return suppress_overlaps(merged, _SAME_FACE_IOU if nms_iou is None else nms_iou)
        size = max(1, columns // shrink), max(1, rows // shrink)
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        level += 1


def _merge(
    finer: list[Detection], coarser: list[Detection], is_coarse: list[bool]
) -> list[Detection]:
    """Return all detections, but drop each coarse box that a finer one replaces.

    The finer one gets the better of the two scores. A finer box that covers little of the coarse
    one may show only a part, and one that matches two coarse boxes shows neither: both replace
    nothing.
    """
    coarse = [index for index, is_one in enumerate(is_coarse) if is_one]
    replaced_by: dict[int, list[int]] = {}
    for index, match in _finer_matches([coarser[index] for index in coarse], finer).items():
        replaced_by.setdefault(match, []).append(coarse[index])
    dropped = set()
    finer = list(finer)
    for match, indices in replaced_by.items():
        if len(indices) == 1:
            score = max(finer[match].score, coarser[indices[0]].score)
            finer[match] = replace(finer[match], score=score)
            dropped.add(indices[0])
    return finer + [d for index, d in enumerate(coarser) if index not in dropped]


def _finer_matches(coarse: list[Detection], finer: list[Detection]) -> dict[int, int]:
    """Return for coarse boxes, by their indices, the finer one of the same object, if any."""
    ones, others = edges(one.box for one in coarse), edges(one.box for one in finer)
    first, second = touching(ones, others)
    overlaps = ious(ones[first], others[second])
    shared = intersection_areas(ones[first], others[second])
    is_same = (overlaps > _SAME_FACE_IOU) & (shared >= _MIN_SHARED * areas(ones)[first])
    best: dict[int, tuple[float, int]] = {}
    for index in np.flatnonzero(is_same).tolist():
        one, other, overlap = int(first[index]), int(second[index]), float(overlaps[index])
        if coarse[one].label == finer[other].label and overlap > best.get(one, (0.0, 0))[0]:
            best[one] = overlap, other
    return {one: other for one, (_, other) in best.items()}
