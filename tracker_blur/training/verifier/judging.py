"""How well a verifier tells detections of objects from false ones, and what that changes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from tracker_blur.classifiers import CropClassifier
from tracker_blur.core.box import Box, Detection
from tracker_blur.detectors import _trial
from tracker_blur.errors import ModelError, reason_of
from tracker_blur.training.candidates import TURNS, turned, turned_back
from tracker_blur.training.datasets.dataset import read_image
from tracker_blur.training.odds import Odds, OddsScores, score_odds
from tracker_blur.training.verifier.labels import label_candidates, overlaps
from tracker_blur.training.verifier.naming import label_of
from tracker_blur.weights.catalog import model_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tracker_blur.core.frame import Image
    from tracker_blur.detectors import Detector
    from tracker_blur.training.datasets import AnnotatedImage

SIZES_PX = ((0, 12), (12, 20), (20, 40), (40, 80), (80, math.inf))
"""Ranges of a detection's size, in pixels of the stored image, that are scored separately."""

VIEW_PX = 640
"""Longer side to which images are enlarged for the detectors, as the views of videos."""

_SAME_IOU = 0.45


@dataclass(frozen=True, slots=True)
class JudgedDetection:
    """A detection, what it is, and what the verifier says about it.

    Attributes:
        image_index: Index of the image.
        detector: Name of the detector.
        score: The detector's score.
        size_px: Size of its box in pixels of the stored image.
        is_object: Whether it shows an object; None where no one can tell.
        found: Number of the labeled object that it shows, -1 for none.
        odds: Log odds of the image in each of TURNS.
    """

    image_index: int
    detector: str
    score: float
    size_px: float
    is_object: bool | None
    found: int
    odds: tuple[float, ...]


def load_verifier(path: str) -> tuple[str, CropClassifier]:
    """Return the class of a verifier's file, and the verifier.

    Raises:
        ModelError: It is missing, damaged, or another kind of network.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise ModelError(
            f"{path}: cannot read this weight file ({reason_of(error)}): check the file"
        ) from error
    if model_of(content) is None:
        _trial.check(path, "classifier", content)
    return label_of(path, content), CropClassifier(path, content)


def judge_detections(
    verifier: CropClassifier,
    detectors: Mapping[str, Detector],
    images: Iterable[AnnotatedImage],
    label: str,
) -> list[JudgedDetection]:
    """Return what detectors detect in the images, from the scores that may extend a track on.

    Args:
        verifier: Says of detections whether they show an object.
        detectors: The detectors, by name.
        images: The images and their labels.
        label: The class of the objects.

    Raises:
        SourceError: An image cannot be read.
    """
    judged: list[JudgedDetection] = []
    for index, annotated in enumerate(images):
        image = read_image(annotated.path)
        found = [
            (name, detection)
            for name, detector in detectors.items()
            for detection in _detect(detector, image, label)
        ]
        if found:
            judged += _judged(verifier, index, annotated, image, found, label)
    return judged


def _detect(detector: Detector, image: Image, label: str) -> list[Detection]:
    """Return the detections in the image, enlarged as a view, with boxes in its own pixels."""
    rows, columns = image.shape[:2]
    scale = max(1.0, VIEW_PX / max(rows, columns))
    size = round(columns * scale), round(rows * scale)
    view = np.asarray(cv2.resize(image, size), np.uint8)
    return [
        Detection(detection.box.scaled(columns / size[0], rows / size[1]), detection.score)
        for detection in detector.detect(view, detector.low_confidence)
        if detection.label == label
    ]


def _judged(
    verifier: CropClassifier,
    index: int,
    annotated: AnnotatedImage,
    image: Image,
    found: Sequence[tuple[str, Detection]],
    label: str,
) -> list[JudgedDetection]:
    names = list(dict.fromkeys(name for name, _ in found))
    boxes = [detection.box for _, detection in found]
    rows = np.array(
        [(*one.box.as_tuple(), one.score, names.index(name)) for name, one in found], np.float32
    )
    known = label_candidates(annotated, rows, label)
    places = rows[:, :4].astype(np.float64)
    ious = overlaps(places, known.labeled)[0]
    best = ious.argmax(1) if ious.shape[1] else np.full(len(rows), -1)
    objects = np.where(ious.max(1, initial=0) >= _SAME_IOU, best, -1)
    alarms = {tuple(box) for box in known.false_alarms.tolist()}
    odds = np.stack([_odds_turned(verifier, image, boxes, turn) for turn in TURNS], 1)
    return [
        JudgedDetection(
            index,
            name,
            one.score,
            one.box.size,
            True if shown >= 0 else False if tuple(place) in alarms else None,
            int(shown),
            tuple(of_turns),
        )
        for (name, one), place, shown, of_turns in zip(
            found, places.tolist(), objects, odds.tolist(), strict=True
        )
    ]


def _odds_turned(
    verifier: CropClassifier, image: Image, boxes: Sequence[Box], turn: int
) -> npt.NDArray[np.float64]:
    rows, columns = image.shape[:2]
    size = (rows, columns) if turn % 2 else (columns, rows)
    back = -turn % 4  # the image is the turned one, turned on to a whole turn
    return verifier.log_odds(turned(image, turn), [turned_back(box, back, size) for box in boxes])


def score_judged(
    judged: Sequence[JudgedDetection],
    thresholds: tuple[float, ...] | None = None,
    turn: int = 0,
) -> OddsScores:
    """Return how well the verifier tells objects from false detections; others do not count.

    Args:
        judged: The detections.
        thresholds: Log odds, as `score_odds` takes them.
        turn: Quarter turns of the images.
    """
    clear = [one for one in judged if one.is_object is not None]
    odds: Odds = np.array([one.odds[turn] for one in clear], np.float64)
    return score_odds(odds, np.array([bool(one.is_object) for one in clear], bool), thresholds)


def passing(
    judged: Sequence[JudgedDetection], detector: str, confidence: float, threshold: float
) -> list[JudgedDetection]:
    """Return a detector's detections from a confidence, and from log odds, on."""
    return [
        one
        for one in judged
        if one.detector == detector and one.score >= confidence and one.odds[0] >= threshold
    ]


def alarmed_share(
    detections: Sequence[JudgedDetection],
    images: Sequence[AnnotatedImage],
    folder: str | None = None,
) -> float:
    """Return the share of the images without objects that have a detection; nan without any.

    Args:
        detections: Detections in the images.
        images: The images.
        folder: Only images of this folder count; None: all.
    """
    empty = {
        index
        for index, image in enumerate(images)
        if not image.objects and not image.ignored and folder in (None, image.path.parent.name)
    }
    alarmed = {one.image_index for one in detections} & empty
    return len(alarmed) / len(empty) if empty else math.nan


def recall_of(
    detections: Sequence[JudgedDetection],
    images: Sequence[AnnotatedImage],
    label: str,
    smallest_px: float,
) -> float:
    """Return the share of the labeled objects that have a detection; nan without any.

    Args:
        detections: Detections in the images.
        images: The images.
        label: The class of the objects.
        smallest_px: Objects with a shorter side below this do not count.
    """
    wanted = {
        (index, number)
        for index, image in enumerate(images)
        for number, box in enumerate(box for name, box in image.objects if name == label)
        if min(box.width, box.height) >= smallest_px
    }
    found = {(one.image_index, one.found) for one in detections} & wanted
    return len(found) / len(wanted) if wanted else math.nan
