"""Runs detectors over annotated images, enlarged, widened and turned, and takes their time."""

from __future__ import annotations

import math
import statistics
import time
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tracker_blur.core.box import Detection
from tracker_blur.detectors.onnx import OnnxDetector
from tracker_blur.errors import SettingsError
from tracker_blur.settings import FACE
from tracker_blur.training.candidates import turned, turned_back
from tracker_blur.training.datasets.dataset import read_image

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tracker_blur.core.frame import Image
    from tracker_blur.detectors import Detector
    from tracker_blur.training.datasets import AnnotatedImage, Dataset

LOWEST_SCORE = 0.05
"""The score from which detections count; a precision curve needs more than the confident ones."""

_TIMED_SIZE = (640, 352)
_TIMED_RUNS, _WARM_UP_RUNS = 9, 2


def check_target_class(name: str, detector: Detector, label: str, dataset: Dataset) -> None:
    """Raise SettingsError when a detector, called `name`, does not detect the class `label`."""
    known = detector.labels if isinstance(detector, OnnxDetector) else (FACE,)
    if label not in known:
        raise SettingsError(
            f"{name} detects {', '.join(known)}, and {dataset.folder} has "
            f"{', '.join(dataset.classes)}: choose a class that both have, or rename it in the "
            "dataset"
        )


def detect_images(
    detector: Detector,
    images: Iterable[AnnotatedImage],
    scale: float,
    widened: float = 1.0,
    turn: int = 0,
) -> Iterator[list[Detection]]:
    """Yield the detections in each image, enlarged by `scale`, with boxes in the stored pixels.

    Args:
        detector: The detector to run.
        images: The images to run it on.
        scale: Ratio of the size that the detector gets to the stored size.
        widened: How many times wider than stored the detector gets the images: some datasets hold
            images that were squeezed into squares.
        turn: Quarter turns, counterclockwise, after which it gets them.

    Raises:
        SourceError: An image cannot be read.
    """
    for annotated in images:
        image = read_image(annotated.path)
        rows, columns = image.shape[:2]
        resized = _resized(image, scale * math.sqrt(widened), scale / math.sqrt(widened))
        height, width = resized.shape[:2]
        ratios = columns / width, rows / height
        yield [
            Detection(
                turned_back(detection.box, turn, (width, height)).scaled(*ratios),
                detection.score,
                detection.label,
            )
            for detection in detector.detect(turned(resized, turn), LOWEST_SCORE)
        ]


def _resized(image: Image, x_scale: float, y_scale: float) -> Image:
    if x_scale == y_scale == 1.0:
        return image
    rows, columns = image.shape[:2]
    size = max(1, round(columns * x_scale)), max(1, round(rows * y_scale))
    method = cv2.INTER_AREA if max(x_scale, y_scale) < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size, interpolation=method), np.uint8)


def top_detections(
    detections: list[Detection], image: AnnotatedImage, label: str
) -> list[Detection]:
    """Return the best-scored detections of a class, as many as the image has labels of it."""
    count = sum(name == label for name, _ in image.objects)
    of_class = (detection for detection in detections if detection.label == label)
    return sorted(of_class, key=lambda detection: -detection.score)[:count]


def latency_ms(detector: Detector, image: Image) -> float:
    """Return the median time of one detection, in ms, on this image resized to 640x352 pixels."""
    resized = np.asarray(cv2.resize(image, _TIMED_SIZE), np.uint8)
    seconds = []
    for _ in range(_WARM_UP_RUNS + _TIMED_RUNS):
        start = time.perf_counter()
        detector.detect(resized, detector.default_confidence)
        seconds.append(time.perf_counter() - start)
    return 1000 * statistics.median(seconds[_WARM_UP_RUNS:])
