"""Pseudo-labels: other detectors, the teachers, label what people left unlabeled.

After Lee, "Pseudo-Label", ICML workshop 2013. Where labels name only the faces in front, those in
the background would teach a network that they are no faces. What two teachers agree on, or one is
certain of at both scales, becomes a label; what is less certain becomes a region without loss.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tracker_blur.core.box import Box, Detection
from tracker_blur.core.box_arrays import suppress_overlaps
from tracker_blur.core.detector_choice import DetectorChoice
from tracker_blur.detectors import Detector, load_detector
from tracker_blur.errors import SettingsError, SourceError, reason_of
from tracker_blur.files.atomic import replacing
from tracker_blur.training.datasets.dataset import read_image

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tracker_blur.core.frame import Image
    from tracker_blur.training.datasets import AnnotatedImage
    from tracker_blur.weights.store import Weights

SCALES = (1.0, 2.0)
"""Scales at which each teacher sees an image."""

_LOWEST_SCORE = 0.2
_SAME_IOU = 0.45
_LABELED_IOU = 0.25
_CONTAINED_SHARE = 0.6  # of a detection's or a label's area: the same face, not another one
_SCORE_OF_TWO = 1.05  # two teachers together
_SCORE_OF_EACH = 0.35
_SCORE_ALONE = 0.75  # one teacher, at both scales
_SCORE_IGNORED = 0.5


@dataclass(frozen=True, slots=True)
class PseudoLabels:
    """What teachers add to an image's labels: boxes of objects, and regions without loss."""

    boxes: tuple[Box, ...]
    ignored: tuple[Box, ...]


def add_pseudo_labels(
    images: Sequence[AnnotatedImage],
    label: str,
    names: Sequence[str],
    weights: Weights,
    cache: Path,
) -> tuple[AnnotatedImage, ...]:
    """Return the images with what the detectors of these names add under this label.

    Where the labels say that an image shows no object, whatever a teacher sees is none.

    Args:
        images: The images and what people labeled in them.
        label: The class of the added boxes.
        names: The teachers.
        weights: Where their weights come from.
        cache: A file that keeps pseudo-labels, as detecting takes minutes.

    Raises:
        SettingsError: There is no such detector, or the cache is damaged.
        ModelError: A teacher's weights are damaged.
        MissingPackageError: A teacher needs a package that is missing.
        SourceError: An image cannot be read.
        SinkError: The cache cannot be written.
    """
    teachers = [load_detector(name, weights)[1] for name in names]
    added = cached_pseudo_labels(
        [image for image in images if not image.is_empty],
        cache,
        _identity(names, weights),
        lambda image: pseudo_labels(image, teachers),
    )
    following = iter(added)
    return tuple(
        image if image.is_empty else _with_labels(image, label, next(following)) for image in images
    )


def _with_labels(image: AnnotatedImage, label: str, more: PseudoLabels) -> AnnotatedImage:
    return replace(
        image,
        objects=(*image.objects, *((label, box) for box in more.boxes)),
        ignored=(*image.ignored, *more.ignored),
    )


def pseudo_labels(annotated: AnnotatedImage, teachers: Sequence[Detector]) -> PseudoLabels:
    """Return what the teachers add to an image; raises SourceError if it cannot be read."""
    image = read_image(annotated.path)
    by_teacher = [[_detect(teacher, image, scale) for scale in SCALES] for teacher in teachers]
    boxes: list[Box] = []
    ignored: list[Box] = []
    labeled = [box for _, box in annotated.objects]
    detections = (
        detection for scales in by_teacher for one_scale in scales for detection in one_scale
    )
    for detection in suppress_overlaps(detections, _SAME_IOU):
        box = detection.box.clipped(*annotated.size)
        if box.is_empty or any(_is_same_object(box, known) for known in labeled):
            continue
        if _is_certain(by_teacher, detection.box):
            boxes.append(box)
        elif detection.score > _SCORE_IGNORED:
            ignored.append(box)
    return PseudoLabels(tuple(boxes), tuple(ignored))


def _detect(teacher: Detector, image: Image, scale: float) -> list[Detection]:
    """Return the detections in the scaled image, in pixels of the image."""
    rows, columns = image.shape[:2]
    size = max(1, round(columns * scale)), max(1, round(rows * scale))
    detections = teacher.detect(np.asarray(cv2.resize(image, size), np.uint8), _LOWEST_SCORE)
    back = columns / size[0], rows / size[1]
    return [Detection(detection.box.scaled(*back), detection.score) for detection in detections]


def _is_same_object(box: Box, known: Box) -> bool:
    if box.iou(known) > _LABELED_IOU:
        return True
    shared = box.intersection_area(known)
    return shared / box.area > _CONTAINED_SHARE or shared / known.area > _CONTAINED_SHARE


def _is_certain(by_teacher: Sequence[Sequence[list[Detection]]], box: Box) -> bool:
    scores = [[_score_at(box, one_scale) for one_scale in scales] for scales in by_teacher]
    if any(min(of_teacher) > _SCORE_ALONE for of_teacher in scores):
        return True
    best = sorted((max(of_teacher) for of_teacher in scores), reverse=True)[:2]
    return len(best) == 2 and min(best) > _SCORE_OF_EACH and sum(best) > _SCORE_OF_TWO


def _score_at(box: Box, detections: Sequence[Detection]) -> float:
    """Return the score of the best detection at this place, 0 for none."""
    return max((one.score for one in detections if one.box.iou(box) > _SAME_IOU), default=0.0)


def cached_pseudo_labels(
    images: Sequence[AnnotatedImage],
    cache: Path,
    teachers: str,
    label: Callable[[AnnotatedImage], PseudoLabels],
) -> list[PseudoLabels]:
    """Return the pseudo-labels of each image; labels only images that the cache does not hold.

    Args:
        images: The images and what people labeled in them.
        cache: A JSON file. What is not needed for these images is dropped from it.
        teachers: Identity of the teachers. Other teachers, pixels or labels make another entry.
        label: Returns the pseudo-labels of an image.

    Raises:
        SettingsError: The cache is damaged.
        SourceError: An image cannot be read.
        SinkError: The cache cannot be written.
    """
    known = _read_cache(cache)
    current: dict[str, PseudoLabels] = {}
    keys = [_cache_key(image, teachers) for image in images]
    for key, image in zip(keys, images, strict=True):
        current[key] = known[key] if key in known else label(image)
    if not current.keys() <= known.keys():
        _write_cache(current, cache)
    return [current[key] for key in keys]


def _identity(names: Sequence[str], weights: Weights) -> str:
    """Return what distinguishes these teachers from others: names, and digests of weights."""
    choices = map(DetectorChoice.of, names)
    files = [Path(choice.name).read_bytes() for choice in choices if choice.is_file]
    files += [weights.read(name) for name in sorted(weights.used)]
    return json.dumps([*names, *(hashlib.sha256(content).hexdigest() for content in files)])


def _cache_key(image: AnnotatedImage, teachers: str) -> str:
    try:
        content = image.path.read_bytes()
    except OSError as error:
        raise SourceError(f"{image.path}: cannot read this image ({reason_of(error)})") from error
    objects = [(name, box.as_tuple()) for name, box in image.objects]
    ignored = [box.as_tuple() for box in image.ignored]
    identity = json.dumps([hashlib.sha256(content).hexdigest(), objects, ignored, teachers])
    return hashlib.sha256(identity.encode()).hexdigest()


def _read_cache(file: Path) -> dict[str, PseudoLabels]:
    if not file.is_file():
        return {}
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))["added"]
        return {
            key: PseudoLabels(
                *(tuple(Box(*sides) for sides in row[name]) for name in ("things", "ignored"))
            )
            for key, row in rows.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SettingsError(
            f"{file}: damaged, or of another version: delete it, and the teachers label again"
        ) from error


def _write_cache(entries: dict[str, PseudoLabels], file: Path) -> None:
    # Existing caches hold these names.
    rows = {
        key: {
            "things": [box.as_tuple() for box in labels.boxes],
            "ignored": [box.as_tuple() for box in labels.ignored],
        }
        for key, labels in entries.items()
    }
    with replacing(file, overwrite=True) as partial:
        partial.write_text(json.dumps({"added": rows}), encoding="utf-8")
