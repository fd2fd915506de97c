"""A caller's own function or object as a detector, with its answers checked."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol, TypeAlias

from tracker_blur.api.arguments import shown
from tracker_blur.api.boxes import Boxes, check_pixels, detections_of
from tracker_blur.core.box import Box, Detection
from tracker_blur.core.frame import Image
from tracker_blur.errors import InputError
from tracker_blur.settings import FACE

_ANSWER = "the detector's answer"


class DetectingObject(Protocol):
    """An object with `detect`; like `tracker_blur.detectors.Detector`, or without a confidence."""

    @property
    def detect(self) -> Callable[..., Any]:
        """Return boxes for an image, or for an image and the lowest score to return."""
        ...


DetectorInput: TypeAlias = Callable[[Image], Boxes] | DetectingObject
"""A detector: a function, or an object with `detect`. It gets an image (BGR, uint8, shape
(height, width, 3)) and returns boxes in that image's pixels."""


class CustomDetector:
    """Adapts a function or an object with `detect` to the `Detector` protocol.

    One call runs at a time, whatever the thread. Every answer must be boxes. The first one that
    holds any must also be plausible: a box in shares of the image, or outside of it, would hide
    nothing.

    Attributes:
        name: the function's or the class's name.
        labels: what it detects: its own attribute `labels`; faces, if it has none.
        default_confidence: its own attribute; 0, so that every box counts, if it has none.
        low_confidence: the same, for boxes that extend a track.
    """

    def __init__(self, detector: object) -> None:
        """Adapt a detector; raises InputError for what cannot be called."""
        method = getattr(detector, "detect", detector)
        if isinstance(detector, type) or not callable(method):
            raise InputError(
                f"detector is {shown(detector)}: give a function of an image, or an object with "
                "`detect`; detectors of trackblur are named in Settings(detector=...)"
            )
        self.name = str(getattr(detector, "__name__", type(detector).__name__))
        self._has_labels = hasattr(detector, "labels")
        self.labels = _labels(getattr(detector, "labels", (FACE,)))
        self.default_confidence = _confidence(detector, "default_confidence", 0.0)
        self.low_confidence = _confidence(detector, "low_confidence", self.default_confidence)
        self._detect: Callable[..., Any] = method
        self._takes_confidence = _takes_confidence(method)
        self._is_checked = False
        self._lock = threading.Lock()

    def detect(self, image: Image, confidence: float) -> list[Detection]:
        """Return the boxes with a score of at least `confidence`; raises InputError."""
        given = (image.copy(), confidence) if self._takes_confidence else (image.copy(),)
        with self._lock:
            detections = detections_of(self._detect(*given), _ANSWER, self.labels[0])
            if detections and not self._is_checked:
                height, width = image.shape[:2]
                check_pixels(detections, (width, height), _ANSWER)
                _check_inside(detections, width, height)
                self._is_checked = True
        labelled = (self._labelled(each) for each in detections)
        return [each for each in labelled if each.score >= confidence and not each.box.is_empty]

    def _labelled(self, detection: Detection) -> Detection:
        if not self._has_labels:
            return replace(detection, label=FACE)
        if detection.label not in self.labels:  # no target class would hide it
            raise InputError(
                f"{_ANSWER} has the class {shown(detection.label)}, which is not among its "
                f"`labels`, {', '.join(self.labels)}: add it there"
            )
        return detection


def _check_inside(detections: list[Detection], width: int, height: int) -> None:
    frame = Box(0, 0, width, height)
    for detection in detections:
        if detection.box.area and not detection.box.intersection_area(frame):
            raise InputError(
                f"{_ANSWER} has the box {shown(detection.box.as_tuple())}, outside of the image of "
                f"{width}x{height} pixels: give pixels of the image that the detector gets"
            )


def _labels(value: object) -> tuple[str, ...]:
    is_named = isinstance(value, (tuple, list)) and all(isinstance(each, str) for each in value)
    if not is_named or not value:
        raise InputError(f"the detector's `labels` is {shown(value)}: give a tuple of names")
    assert isinstance(value, (tuple, list))
    return tuple(value)


def _confidence(detector: object, name: str, default: float) -> float:
    value = getattr(detector, name, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise InputError(f"the detector's `{name}` is {shown(value)}: give a number from 0 to 1")
    return float(value)


def _takes_confidence(function: Callable[..., Any]) -> bool:
    """Return whether a second argument must be given; built-in functions do not say."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    required = [
        parameter
        for parameter in parameters
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        and (parameter.default is parameter.empty or parameter.name == "confidence")
    ]
    return len(required) > 1
