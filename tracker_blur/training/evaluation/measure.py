"""Scores detections in annotated images; matching by pycocotools.

The metrics are those of Lin, Maire, Belongie et al., "Microsoft COCO", ECCV 2014, arXiv 1405.0312,
at an IoU of 0.5. An object's size is its shorter side in pixels of the stored image, however much
that is enlarged for the detector.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tracker_blur.core.box import Box
from tracker_blur.errors import MissingPackageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker_blur.core.box import Detection
    from tracker_blur.training.datasets import AnnotatedImage

SIZES_PX = ((12, 20), (20, 40), (40, 80), (80, math.inf))
"""Ranges of an object's shorter side, in pixels, that are scored separately."""

FALSE_ALARM_RATES = (0.1, 1.0)
"""False alarms per image at which recall is reported."""

_IOU = 0.5
_MAX_DETECTIONS = 1000  # per image; a crowd has fewer


@dataclass(frozen=True, slots=True)
class Outcome:
    """A false alarm, a missed object or a detected one.

    Attributes:
        image_index: Index of the image.
        box: The detection's box of a false alarm, else the object's.
        score: The detection's score; 0 for a missed object.
    """

    image_index: int
    box: Box
    score: float


@dataclass(frozen=True, slots=True)
class Scores:
    """How well a detector does on some images.

    Attributes:
        ap50: Average precision at an IoU of 0.5, 0 to 1; nan without objects.
        ap50_by_size: The same for each of SIZES_PX.
        recall_at: The highest recall with at most each of FALSE_ALARM_RATES.
        recall_by_size: Share of objects detected at any score, for each of SIZES_PX.
        object_count: How many objects there were to detect.
        false_alarms: Detections that match no object, best-scored first.
        missed: Objects that no detection matches, largest first.
        detected: The other objects, with the scores of their detections.
    """

    ap50: float
    ap50_by_size: tuple[float, ...]
    recall_at: tuple[float, ...]
    recall_by_size: tuple[float, ...]
    object_count: int
    false_alarms: tuple[Outcome, ...]
    missed: tuple[Outcome, ...]
    detected: tuple[Outcome, ...]

    def recall_from(self, confidence: float) -> float:
        """Return the share of objects with a detection of at least this score; nan without any."""
        count = sum(outcome.score >= confidence for outcome in self.detected)
        return count / self.object_count if self.object_count else math.nan


def alarmed_share(scores: Scores, images: Sequence[AnnotatedImage], confidence: float) -> float:
    """Return the share of images without objects that have a detection of at least this score.

    Images with ignored regions do not count. Without others it is nan.
    """
    empty = {index for index, image in enumerate(images) if not image.objects and not image.ignored}
    alarmed = {one.image_index for one in scores.false_alarms if one.score >= confidence} & empty
    return len(alarmed) / len(empty) if empty else math.nan


def require_pycocotools() -> None:
    """Raise MissingPackageError without pycocotools; otherwise do nothing."""
    _pycocotools("coco")


def score_detections(
    images: Sequence[AnnotatedImage],
    detections: Sequence[Sequence[Detection]],
    label: str,
    smallest_px: float,
) -> Scores:
    """Return how well detections match the objects of one class.

    Args:
        images: The images, with the objects labeled in them.
        detections: The detections in each image, with boxes in its pixels.
        label: The class to score.
        smallest_px: Objects with a shorter side below this count neither as missed nor, when
            detected, as false alarms. The same goes for detections in ignored regions.

    Raises:
        MissingPackageError: pycocotools is not installed.
    """
    matched = _match(images, detections, label, [(smallest_px, math.inf), *SIZES_PX])
    false_alarms, missed, detected = matched.outcomes()
    return Scores(
        matched.ap[0],
        tuple(matched.ap[1:]),
        _recall_at(matched.by_size[0], len(images)),
        tuple(_recall(rows) for rows in matched.by_size[1:]),
        _object_count(matched.by_size[0]),
        false_alarms,
        missed,
        detected,
    )


_Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Matched:
    """What pycocotools returns for each size range: average precision, and a row per image."""

    ap: list[float]
    by_size: list[_Rows]
    objects: _Rows
    detections: _Rows

    def outcomes(self) -> tuple[tuple[Outcome, ...], tuple[Outcome, ...], tuple[Outcome, ...]]:
        """Return false alarms, missed and detected objects, over all sizes."""
        detections = {detection["id"]: detection for detection in self.detections}
        objects = {labeled["id"]: labeled for labeled in self.objects}
        false_alarms, missed, detected = [], [], []
        for row in self.by_size[0]:
            for number, match, ignored in zip(
                row["dtIds"], row["dtMatches"][0], row["dtIgnore"][0], strict=True
            ):
                if not match and not ignored:
                    false_alarms.append(_outcome(detections[number]))
            for number, match, ignored in zip(
                row["gtIds"], row["gtMatches"][0], row["gtIgnore"], strict=True
            ):
                if match and not ignored:
                    score = detections[int(match)]["score"]
                    detected.append(_outcome(objects[number] | {"score": score}))
                elif not ignored:
                    missed.append(_outcome(objects[number]))
        false_alarms.sort(key=lambda outcome: -outcome.score)
        missed.sort(key=lambda outcome: -outcome.box.area)
        return tuple(false_alarms), tuple(missed), tuple(detected)


def _outcome(row: dict[str, Any]) -> Outcome:
    return Outcome(row["image_id"] - 1, Box.from_xywh(*row["bbox"]), float(row.get("score", 0)))


def _match(
    images: Sequence[AnnotatedImage],
    detections: Sequence[Sequence[Detection]],
    label: str,
    sizes: Sequence[tuple[float, float]],
) -> _Matched:
    coco, cocoeval = _pycocotools("coco"), _pycocotools("cocoeval")
    object_rows: _Rows = []
    detection_rows: _Rows = []
    for number, (image, in_image) in enumerate(zip(images, detections, strict=True), 1):
        for name, box in image.objects:
            if name == label:
                object_rows.append(_row(len(object_rows) + 1, number, box) | {"iscrowd": 0})
        for box in image.ignored:
            object_rows.append(_row(len(object_rows) + 1, number, box) | {"iscrowd": 1})
        for detection in in_image:
            if detection.label == label:
                row = _row(len(detection_rows) + 1, number, detection.box)
                detection_rows.append(row | {"score": detection.score})
    image_rows = [{"id": number + 1} for number in range(len(images))]
    with contextlib.redirect_stdout(io.StringIO()):
        truth, guess = coco.COCO(), coco.COCO()
        for side, rows in ((truth, object_rows), (guess, detection_rows)):
            side.dataset = {"images": image_rows, "categories": [{"id": 1}], "annotations": rows}
            side.createIndex()
        evaluation = cocoeval.COCOeval(truth, guess, "bbox")
        evaluation.params.iouThrs = np.array([_IOU])
        evaluation.params.maxDets = [_MAX_DETECTIONS]
        # pycocotools counts an area equal to a limit on both sides of it.
        evaluation.params.areaRng = [[low**2, high**2 - 1e-6] for low, high in sizes]
        evaluation.params.areaRngLbl = [str(size) for size in sizes]
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"][0, :, 0, :, 0]  # (recall, size); -1: no objects
    ap = [float(column.mean()) if (column >= 0).all() else math.nan for column in precision.T]
    per_image = evaluation.evalImgs
    by_size = [
        [row for row in per_image[i * len(images) : (i + 1) * len(images)] if row is not None]
        for i in range(len(sizes))
    ]
    for row in (row for rows in by_size for row in rows):
        row["gtIgnore"] = np.asarray(row["gtIgnore"], bool)
    return _Matched(ap, by_size, object_rows, detection_rows)


def _row(number: int, image_number: int, box: Box) -> dict[str, Any]:
    shorter = max(0.0, min(box.width, box.height))
    return {
        "id": number,
        "image_id": image_number,
        "category_id": 1,
        "bbox": [box.left, box.top, box.width, box.height],
        "area": shorter**2,  # pycocotools sorts objects into sizes by it
    }


def _object_count(rows: _Rows) -> int:
    return sum(int((~row["gtIgnore"]).sum()) for row in rows)


def _recall(rows: _Rows) -> float:
    count = _object_count(rows)
    detected = sum(int((row["gtMatches"][0].astype(bool) & ~row["gtIgnore"]).sum()) for row in rows)
    return detected / count if count else math.nan


def _recall_at(rows: _Rows, image_count: int) -> tuple[float, ...]:
    """Return the recall at each of FALSE_ALARM_RATES."""
    count = _object_count(rows)
    if not count:
        return tuple(math.nan for _ in FALSE_ALARM_RATES)
    score = np.concatenate([row["dtScores"] for row in rows])
    match = np.concatenate([row["dtMatches"][0] for row in rows]).astype(bool)
    ignored = np.concatenate([row["dtIgnore"][0] for row in rows]).astype(bool)
    order = np.argsort(-score[~ignored], kind="stable")
    correct: npt.NDArray[np.bool_] = match[~ignored][order]
    false_alarms = np.cumsum(~correct)
    recall = np.cumsum(correct) / count
    return tuple(
        float(np.max(recall[false_alarms <= rate * image_count], initial=0.0))
        for rate in FALSE_ALARM_RATES
    )


def _pycocotools(module: str) -> Any:
    try:
        return importlib.import_module(f"pycocotools.{module}")
    except ImportError as error:
        raise MissingPackageError("pycocotools", "train", "evaluating a detector") from error
