"""Boosted cascades (Viola and Jones, CVPR 2001), run by OpenCV, with scores made of votes."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from tracker_blur.core.box import Box, Detection
from tracker_blur.core.frame import Image
from tracker_blur.errors import ModelError

Gray = npt.NDArray[np.uint8]

_SMALLEST_PX = 20
_FEWEST_VOTES = 1  # OpenCV keeps finds with more votes than this


def to_gray(image: Image) -> Gray:
    """Return the picture as cascades want it: gray, its contrast spread."""
    return np.asarray(cv2.equalizeHist(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)), np.uint8)


class Cascade:
    """One cascade and what its votes mean.

    A cascade has no score; it accepts windows, and overlapping ones are votes for one face. The
    score is the estimated share of finds with so many votes that are faces:
    1 / (1 + (even_votes / votes) ** steepness), fitted on the training pictures of
    `benchmarks/detectors.py`.

    scale_step   ratio of one window size to the next
    even_votes   votes at which half of the finds were faces
    """

    def __init__(
        self,
        classifier: cv2.CascadeClassifier,
        scale_step: float,
        even_votes: float,
        steepness: float,
    ) -> None:
        self._classifier = classifier
        self._scale_step = scale_step
        self._even_votes = even_votes
        self._steepness = steepness

    def detect(self, gray: Gray, confidence: float) -> list[Detection]:
        """Return the faces of 20 pixels and more with a score of at least `confidence`."""
        boxes, votes = self._classifier.detectMultiScale2(
            gray,
            scaleFactor=self._scale_step,
            minNeighbors=_FEWEST_VOTES,
            minSize=(_SMALLEST_PX, _SMALLEST_PX),
        )
        found = (
            Detection(Box.from_xywh(*map(float, box)), self._score(float(count)))
            for box, count in zip(boxes, np.ravel(votes), strict=True)
        )
        return [find for find in found if find.score >= confidence]

    def _score(self, votes: float) -> float:
        return 1.0 / (1.0 + math.pow(self._even_votes / votes, self._steepness))


def read_cascade(path: Path, misspelled: tuple[str, str] = ("", "")) -> cv2.CascadeClassifier:
    """Return OpenCV's classifier from a file, after setting right a word misspelled in it.

    Raises ModelError when the file is missing or no cascade.
    """
    advice = "reinstall the package it belongs to, or choose another detector"
    try:
        text = path.read_text(encoding="utf-8").replace(*misspelled)
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: cannot read this cascade ({error}): {advice}") from error
    classifier = cv2.CascadeClassifier()
    try:
        # As text: OpenCV cannot spell every path on Windows.
        storage = cv2.FileStorage(text, cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY)
        complete = classifier.read(storage.getFirstTopLevelNode())
    except (cv2.error, SystemError) as error:  # SystemError: from the constructor
        raise ModelError(f"{path}: damaged, or no cascade: {advice}") from error
    if not complete or classifier.empty():
        raise ModelError(f"{path}: damaged, or no cascade: {advice}")
    return classifier
