"""Boosted cascades (Viola and Jones, CVPR 2001), run by OpenCV, with scores from their votes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from tracker_blur.core.box import Box, Detection
from tracker_blur.errors import ModelError, reason_of

if TYPE_CHECKING:
    from pathlib import Path

    from tracker_blur.core.frame import Image

Gray = npt.NDArray[np.uint8]


def to_gray(image: Image) -> Gray:
    """Return the image in gray with its histogram equalized, as cascades need it."""
    return np.asarray(cv2.equalizeHist(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)), np.uint8)


class Cascade:
    """A cascade with a score.

    A cascade only accepts windows. Overlapping accepted windows are votes for one face. The score
    is the estimated share of detections with so many votes that are faces:
    1 / (1 + (even_votes / votes) ** steepness), fitted on the training images of
    `benchmarks/detectors.py`, with the steps that are the defaults: with smaller ones, there are
    more votes.

    Args:
        classifier: OpenCV's classifier.
        scale_step: Ratio of one window size to the next.
        min_neighbors: Detections have more votes than this.
        min_size: The smallest window, in pixels.
        even_votes: Votes at which half of the detections are faces.
        steepness: Exponent of the formula.
    """

    def __init__(
        self,
        classifier: cv2.CascadeClassifier,
        scale_step: float,
        min_neighbors: int,
        min_size: int,
        even_votes: float,
        steepness: float,
    ) -> None:
        self._classifier = classifier
        self._scale_step = scale_step
        self._min_neighbors = min_neighbors
        self._min_size = min_size
        self._even_votes = even_votes
        self._steepness = steepness

    def detect(self, gray: Gray, confidence: float) -> list[Detection]:
        """Return the faces with a score of at least `confidence`."""
        boxes, votes = self._classifier.detectMultiScale2(
            gray,
            scaleFactor=self._scale_step,
            minNeighbors=self._min_neighbors,
            minSize=(self._min_size, self._min_size),
        )
        detections = (
            Detection(Box.from_xywh(*map(float, box)), self._score(float(count)))
            for box, count in zip(boxes, np.ravel(votes), strict=True)
        )
        return [detection for detection in detections if detection.score >= confidence]

    def _score(self, votes: float) -> float:
        return 1.0 / (1.0 + math.pow(self._even_votes / votes, self._steepness))


def read_cascade(path: Path, misspelled: tuple[str, str] = ("", "")) -> cv2.CascadeClassifier:
    """Return OpenCV's classifier from a file, after correcting a misspelled word in it.

    Args:
        path: The file.
        misspelled: The misspelled word and the right one.

    Raises:
        ModelError: The file is missing, or is not a cascade.
    """
    advice = "reinstall the package it belongs to, or choose another detector"
    try:
        text = path.read_text(encoding="utf-8").replace(*misspelled)
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(
            f"{path}: cannot read this cascade ({reason_of(error)}): {advice}"
        ) from error
    classifier = cv2.CascadeClassifier()
    try:
        # As text: OpenCV cannot open every path on Windows.
        storage = cv2.FileStorage(text, cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY)
        complete = classifier.read(storage.getFirstTopLevelNode())
    except (cv2.error, SystemError) as error:  # the constructor raises SystemError
        raise ModelError(f"{path}: this file is damaged, or not a cascade: {advice}") from error
    if not complete or classifier.empty():
        raise ModelError(f"{path}: this file is damaged, or not a cascade: {advice}")
    return classifier
