"""Boxes that callers and their detectors pass, in any of the common forms, as detections."""

from __future__ import annotations

import math
from collections.abc import Iterable
from numbers import Real
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from tracker_blur.api.arguments import shown
from tracker_blur.core.box import Box, Detection
from tracker_blur.errors import InputError
from tracker_blur.settings import FACE


class SupervisionDetections(Protocol):
    """What is read of `supervision.Detections`."""

    xyxy: npt.NDArray[Any]
    confidence: npt.NDArray[Any] | None
    data: dict[str, Any]


Boxes: TypeAlias = (
    Iterable[Detection | Box | Iterable[float]] | npt.NDArray[Any] | SupervisionDetections
)
"""Boxes in pixels: of `Detection`, of `Box`, rows (left, top, right, bottom) or
(left, top, right, bottom, score), an array of such rows, or `supervision.Detections`."""

_EXPECTED = (
    "give a list of detections, or of rows (left, top, right, bottom) or "
    "(left, top, right, bottom, score) in pixels, or supervision.Detections"
)
_ROUNDING = 1e-3  # scores in half precision exceed 1 by so much


def detections_of(boxes: object, source: str, label: str = FACE) -> list[Detection]:
    """Return boxes as detections; those without a score get 1.

    Args:
        boxes: as `Boxes` says.
        source: what they come from, for messages.
        label: the class of those that name none.

    Raises:
        InputError: They are in another form, are not finite or are crossed, or a score is not
            from 0 to 1.
    """
    if isinstance(boxes, (str, bytes, dict)) or not hasattr(boxes, "__iter__"):
        raise InputError(f"{source} is {shown(boxes)}: {_EXPECTED}")
    if all(hasattr(boxes, name) for name in ("xyxy", "confidence", "data")):
        try:
            return _from_supervision(boxes, source, label)
        except (AttributeError, IndexError, TypeError, OverflowError) as error:
            raise InputError(f"{source} is {shown(boxes)}: {_EXPECTED}") from error
    if hasattr(boxes, "__array__"):  # also a tensor, whose items are no numbers
        boxes = np.asarray(boxes).tolist()
    assert isinstance(boxes, Iterable)
    return [_detection(item, source, label) for item in boxes]


def check_pixels(detections: Iterable[Detection], size: tuple[int, int], source: str) -> None:
    """Raise InputError for boxes that are shares of the image instead of pixels.

    Args:
        detections: the boxes.
        size: (width, height) of the image in pixels.
        source: what they come from, for messages.
    """
    for detection in detections:
        if min(size) > 1 and Box(0, 0, 1, 1).covers(detection.box):
            raise InputError(
                f"{source} has the box {shown(detection.box.as_tuple())}, which lies in one pixel: "
                "give pixels, not shares of the image"
            )


def _from_supervision(boxes: Any, source: str, label: str) -> list[Detection]:
    rows = np.asarray(boxes.xyxy, float).tolist()
    scores, names = boxes.confidence, boxes.data.get("class_name")
    return [
        _detection(
            (*row, 1.0 if scores is None else scores[index]),
            source,
            label if names is None else str(names[index]),
        )
        for index, row in enumerate(rows)
    ]


def _detection(item: object, source: str, label: str) -> Detection:
    if isinstance(item, Detection):
        edges, score, label = item.box.as_tuple(), item.score, item.label
    elif isinstance(item, Box):
        edges, score = item.as_tuple(), 1.0
    else:
        edges, score = _row(item, source)
    left, top, right, bottom = edges
    if not (all(map(math.isfinite, edges)) and left <= right and top <= bottom):
        raise InputError(
            f"{source} has the box {shown(edges)}: give finite pixels in the order left, top, "
            "right, bottom"
        )
    if not 0.0 <= score <= 1.0 + _ROUNDING:
        raise InputError(f"{source} has the score {shown(score)}: give a number from 0 to 1")
    return Detection(Box(left, top, right, bottom), min(1.0, score), label)


def _row(item: object, source: str) -> tuple[tuple[float, float, float, float], float]:
    values = list(item) if isinstance(item, Iterable) and not isinstance(item, (str, dict)) else []
    if len(values) not in (4, 5) or not all(map(_is_number, values)):
        raise InputError(f"{source} has {shown(item)}: {_EXPECTED}")
    try:
        left, top, right, bottom, *score = map(float, values)
    except OverflowError:  # integers of hundreds of digits
        raise InputError(f"{source} has {shown(item)}: {_EXPECTED}") from None
    return (left, top, right, bottom), score[0] if score else 1.0


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, (bool, np.bool_))
