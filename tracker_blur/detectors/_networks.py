"""Reads neural networks by way of OpenCV, from checked files.

Looks at a picture at full size, half, quarter and so on: a network sees few sizes of faces.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from tracker_blur.core.box import Detection, suppress_overlaps
from tracker_blur.core.frame import Image
from tracker_blur.errors import ModelError
from tracker_blur.weights.store import Weights

T = TypeVar("T")
Buffer = npt.NDArray[np.uint8]


def buffer(weights: Weights, file_name: str) -> Buffer:
    """Return a file's content as OpenCV takes it; raises ModelError as `Weights.read` does.

    OpenCV gets contents rather than paths: it is then given exactly what was checked, and no path
    that it cannot spell on Windows.
    """
    return np.frombuffer(weights.read(file_name), np.uint8)


def read(file_name: str, reader: Callable[[], T]) -> T:
    """Return what `reader` makes of a file; raises ModelError when OpenCV refuses it."""
    try:
        return reader()
    except cv2.error as error:
        raise _unreadable(file_name, " ".join(str(error.err).split())) from error


def read_caffe(weights: Weights, graph_name: str, file_name: str) -> cv2.dnn.Net:
    """Return a Caffe network, made of its graph (.prototxt) and its weights (.caffemodel).

    Raises ModelError when a file is missing, damaged or nothing OpenCV can read.
    """
    graph, content = buffer(weights, graph_name), buffer(weights, file_name)
    network = read(file_name, lambda: cv2.dnn.readNetFromCaffe(graph, content))
    return _with_weights(file_name, network)


def read_tensorflow(weights: Weights, file_name: str, graph_name: str) -> cv2.dnn.Net:
    """Return a TensorFlow network, made of its weights (.pb) and its graph (.pbtxt).

    Raises ModelError when a file is missing, damaged or nothing OpenCV can read.
    """
    content, graph = buffer(weights, file_name), buffer(weights, graph_name)
    network = read(file_name, lambda: cv2.dnn.readNetFromTensorflow(content, graph))
    return _with_weights(file_name, network)


def _with_weights(file_name: str, network: cv2.dnn.Net) -> cv2.dnn.Net:
    # OpenCV takes many a damaged file for one that holds weights of no layer in the graph.
    if not any(network.getLayer(name).blobs for name in network.getLayerNames()):
        raise _unreadable(file_name, "no weights in it")
    return network


def _unreadable(file_name: str, reason: str) -> ModelError:
    return ModelError(
        f"{file_name}: OpenCV {cv2.__version__} cannot read this network ({reason}): "
        "get the file again, or choose another detector"
    )


_SAME_FACE_IOU = 0.4
_LEAST_SHARE = 0.5  # of the coarse box; at 0.7 coarse ones stayed that are too large (measured)


def over_octaves(
    image: Image,
    smallest_px: int,
    look: Callable[[Image, int], list[Detection]],
    octaves_per_step: int = 1,
    coarse_px: float = 0.0,
) -> list[Detection]:
    """Return what `look` finds at full size and at each reduction, boxes in the image's pixels.

    `look` gets a picture and how often it was reduced. Each step halves the picture
    `octaves_per_step` times; the last one's longer side is at most `smallest_px`. All halvings
    together cost a third of the full size, all quarterings a fifteenth.

    coarse_px   finds of a reduction of less than this size (`Box.size`) there have coarse boxes:
                where a larger copy shows something too, its box is taken, with the better score
    """
    height, width = image.shape[:2]
    found: list[Detection] = []
    shrink = 1 << octaves_per_step
    step = 0
    while True:
        rows, columns = image.shape[:2]
        back = width / columns, height / rows
        seen = look(image, step)
        placed = [Detection(f.box.scaled(*back), f.score, f.label) for f in seen]
        is_coarse = [step > 0 and f.box.size < coarse_px for f in seen]
        found = _sharpened(found, placed, is_coarse)
        if max(rows, columns) <= smallest_px:
            return suppress_overlaps(found, _SAME_FACE_IOU)
        size = max(1, columns // shrink), max(1, rows // shrink)
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        step += 1


def _sharpened(
    finer: list[Detection], seen: list[Detection], is_coarse: list[bool]
) -> list[Detection]:
    """Return all finds, but of each coarse one and the finer one in its place only the latter.

    The finer one gets the better of the two scores. Where its box leaves much of the coarse one
    open, it may be of a part; where it lies on two coarse ones, of neither: these stay.
    """
    taken: dict[int, list[int]] = {}
    for number, find in enumerate(seen):
        if is_coarse[number]:
            place = _finer_in_place(find, finer)
            if place is not None:
                taken.setdefault(place, []).append(number)
    given_way = set()
    finer = list(finer)
    for place, numbers in taken.items():
        if len(numbers) == 1:
            score = max(finer[place].score, seen[numbers[0]].score)
            finer[place] = replace(finer[place], score=score)
            given_way.add(numbers[0])
    return finer + [find for number, find in enumerate(seen) if number not in given_way]


def _finer_in_place(coarse: Detection, finer: list[Detection]) -> int | None:
    best, best_iou = None, _SAME_FACE_IOU
    for place, find in enumerate(finer):
        if find.label != coarse.label:
            continue
        iou = find.box.iou(coarse.box)
        shared = find.box.intersection_area(coarse.box)
        if iou > best_iou and shared >= _LEAST_SHARE * coarse.box.area:
            best, best_iou = place, iou
    return best
