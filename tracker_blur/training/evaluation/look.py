"""Lets a detector look at annotated pictures, and times it."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Iterable, Iterator

import cv2
import numpy as np

from tracker_blur.core.box import Detection
from tracker_blur.core.frame import Image
from tracker_blur.detectors import Detector
from tracker_blur.detectors.onnx import Onnx
from tracker_blur.errors import SettingsError
from tracker_blur.settings import FACE
from tracker_blur.training.datasets import Annotated, Dataset
from tracker_blur.training.datasets.annotated import read_picture

LOWEST_SCORE = 0.05
"""Finds from this score on are judged: a curve of precision needs more than the confident ones."""

_TIMED_SIZE = (640, 352)
_TIMED_LOOKS = 9


def finds(
    detector: Detector, pictures: Iterable[Annotated], scale: float, widened: float = 1.0
) -> Iterator[list[Detection]]:
    """Give what the detector finds in each picture enlarged by `scale`, in the stored pixels.

    widened   how many times as wide as they are stored pictures are shown: some data sets hold
              them squeezed into squares

    Raises SourceError for a picture that cannot be read.
    """
    for picture in pictures:
        image = read_picture(picture.path)
        rows, columns = image.shape[:2]
        enlarged = _enlarged(image, scale * math.sqrt(widened), scale / math.sqrt(widened))
        back = columns / enlarged.shape[1], rows / enlarged.shape[0]
        yield [
            Detection(find.box.scaled(*back), find.score, find.label)
            for find in detector.detect(enlarged, LOWEST_SCORE)
        ]


def check_finds(name: str, detector: Detector, label: str, dataset: Dataset) -> None:
    """Raise SettingsError where a detector, called `name`, does not find what is to be judged."""
    known = detector.labels if isinstance(detector, Onnx) else (FACE,)
    if label not in known:
        raise SettingsError(
            f"{name} finds {', '.join(known)}, and {dataset.folder} has "
            f"{', '.join(dataset.classes)}: judge a class that both have, or rename it in the "
            "data set"
        )


def best_of(found: list[Detection], picture: Annotated, label: str) -> list[Detection]:
    """Return as many finds of a class as the picture has labels of it, the best-scored."""
    count = sum(name == label for name, _ in picture.things)
    some = (find for find in found if find.label == label)
    return sorted(some, key=lambda find: -find.score)[:count]


def _enlarged(image: Image, x_scale: float, y_scale: float) -> Image:
    if x_scale == y_scale == 1.0:
        return image
    rows, columns = image.shape[:2]
    size = max(1, round(columns * x_scale)), max(1, round(rows * y_scale))
    method = cv2.INTER_AREA if max(x_scale, y_scale) < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size, interpolation=method), np.uint8)


def milliseconds(detector: Detector, image: Image) -> float:
    """Return the median time of a look at this picture, resized to 640x352 pixels."""
    resized = np.asarray(cv2.resize(image, _TIMED_SIZE), np.uint8)
    seconds = []
    for _ in range(_TIMED_LOOKS + 2):
        start = time.perf_counter()
        detector.detect(resized, detector.default_confidence)
        seconds.append(time.perf_counter() - start)
    return 1000 * statistics.median(seconds[2:])  # the first two prepare buffers
