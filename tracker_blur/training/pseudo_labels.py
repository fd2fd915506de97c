"""Pseudo-labels: other detectors, the teachers, label what people left unlabeled.

After Lee, "Pseudo-Label", ICML workshop 2013, with soft targets as in Hinton, Vinyals, Dean,
"Distilling the Knowledge in a Neural Network", 2015, arXiv 1503.02531. Where labels name only the
faces in front, those in the background would teach a network that they are no faces, and so would
lying and upside-down ones. Teachers propose, down to low scores and in turned copies; the class's
verifier judges, if there is one. What is likely an object becomes one whose target score is as high
as teachers and verifier are certain of it; what is less likely becomes a region without loss.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tracker_blur.classifiers import load_classifier
from tracker_blur.core.box import Box, Detection
from tracker_blur.core.box_arrays import suppress_overlaps
from tracker_blur.detectors import load_detector
from tracker_blur.training.candidates import cached_candidates, find_candidates, identity
from tracker_blur.training.datasets.dataset import read_image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from tracker_blur.classifiers import Classifier
    from tracker_blur.training.candidates import Candidates
    from tracker_blur.training.datasets import AnnotatedImage
    from tracker_blur.weights.store import Weights

_SAME_IOU = 0.45
_LABELED_IOU = 0.15
_CONTAINED_SHARE = 0.4  # of the smaller one's area: the same face, not another one
_LEAST_SCORE = 0.3  # of the teachers; most of what they rate lower is a part of a face, or a hand
_CERTAIN, _LIKELY, _POSSIBLE = 0.9, 0.7, 0.45


@dataclass(frozen=True, slots=True)
class PseudoLabels:
    """What teachers add to an image's labels.

    Attributes:
        boxes: Objects that people left unlabeled.
        certainties: How certain each of them is, up to 1.
        ignored: Regions that may show an object, and get no loss.
    """

    boxes: tuple[Box, ...]
    certainties: tuple[float, ...]
    ignored: tuple[Box, ...]


def add_pseudo_labels(
    images: Sequence[AnnotatedImage],
    label: str,
    names: Sequence[str],
    turns: Sequence[int],
    weights: Weights,
    cache: Path,
    report: Callable[[str], None],
) -> tuple[AnnotatedImage, ...]:
    """Return the images with what the detectors of these names add under this label.

    Where the labels say that an image shows no object, whatever a teacher sees is none.

    Args:
        images: The images and what people labeled in them.
        label: The class of the added boxes.
        names: The teachers.
        turns: Quarter turns at which they see the images; the first is 0.
        weights: Where their weights come from.
        cache: A file that keeps what they detect, as detecting takes minutes.
        report: Called with lines about the progress.

    Raises:
        SettingsError: There is no such detector, or the cache is damaged.
        ModelError: The weights of a teacher or of the verifier are damaged.
        MissingPackageError: A teacher needs a package that is missing.
        SourceError: An image cannot be read.
        SinkError: The cache cannot be written.
    """
    teachers = [load_detector(name, weights)[1] for name in names]
    searched = [image for image in images if not image.is_empty]
    found = cached_candidates(
        searched,
        cache,
        identity(names, weights, turns),
        lambda image: find_candidates(image, teachers, None, turns),
        report,
    )
    verifier = load_classifier(label, weights)
    added = (
        _with_labels(image, label, pseudo_labels(image, candidates, len(teachers), verifier))
        for image, candidates in zip(searched, found, strict=True)
    )
    return tuple(image if image.is_empty else next(added) for image in images)


def _with_labels(image: AnnotatedImage, label: str, more: PseudoLabels) -> AnnotatedImage:
    return replace(
        image,
        objects=(*image.objects, *((label, box) for box in more.boxes)),
        certainties=(*image.certainties, *more.certainties),
        ignored=(*image.ignored, *more.ignored),
    )


def pseudo_labels(
    annotated: AnnotatedImage, candidates: Candidates, teachers: int, verifier: Classifier | None
) -> PseudoLabels:
    """Return what the teachers add to an image.

    Args:
        annotated: The image and what people labeled in it.
        candidates: What the teachers take for objects in it.
        teachers: How many they are.
        verifier: Judges the places that people left unlabeled; None if the class has none.

    Raises:
        SourceError: The image cannot be read.
        ModelError: The verifier's answers are no numbers.
    """
    boxes = [Box(*row) for row in candidates[:, :4].astype(float).tolist()]
    detections = list(map(Detection, boxes, candidates[:, 4].astype(float).tolist()))
    owners = (candidates[:, 5] // 2).astype(int).tolist()
    by_teacher = [
        [one for one, owner in zip(detections, owners, strict=True) if owner == teacher]
        for teacher in range(teachers)
    ]
    known = [box for _, box in annotated.objects]
    places = [
        place
        for one in suppress_overlaps(detections, _SAME_IOU)
        if not (place := one.box.clipped(*annotated.size)).is_empty and not _shows_any(known, place)
    ]
    certainties = np.array(
        [np.mean([_score_at(box, seen) for seen in by_teacher]) for box in places]
    )
    places = [box for box, score in zip(places, certainties, strict=True) if score > _LEAST_SCORE]
    certainties = certainties[certainties > _LEAST_SCORE]
    if places and verifier is not None:
        odds = verifier.log_odds(read_image(annotated.path), places)
        certainties = np.sqrt(certainties * _probabilities(odds))
    added: list[tuple[Box, float]] = []
    ignored: list[Box] = []
    for index in np.argsort(-certainties, kind="stable").tolist():
        box, certainty = places[index], float(certainties[index])
        if certainty < _POSSIBLE or _shows_any((one for one, _ in added), box):
            continue
        if certainty >= _LIKELY:
            added.append((box, 1.0 if certainty >= _CERTAIN else certainty))
        else:
            ignored.append(box)
    return PseudoLabels(
        tuple(box for box, _ in added), tuple(certainty for _, certainty in added), tuple(ignored)
    )


def _shows_any(known: Iterable[Box], box: Box) -> bool:
    """Return whether a box shows one of the known objects, or a part of it."""
    return any(
        box.iou(one) > _LABELED_IOU
        or box.intersection_area(one) > _CONTAINED_SHARE * min(box.area, one.area)
        for one in known
    )


def _score_at(box: Box, detections: Sequence[Detection]) -> float:
    """Return the score of the best detection at this place, 0 for none."""
    return max((one.score for one in detections if one.box.iou(box) > _SAME_IOU), default=0.0)


def _probabilities(log_odds: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-log_odds.clip(-30, 30))))
