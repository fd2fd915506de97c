"""Average precision, recall by size and at given rates of false alarms; matching by pycocotools.

The measures are those of Lin, Maire, Belongie et al., "Microsoft COCO", ECCV 2014, arXiv 1405.0312,
at an overlap of 0.5. A thing's size is its shorter side in the picture's pixels as it is stored,
however much it is enlarged for the detector.

Lets a detector look at annotated pictures, and times it.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import math
import statistics
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tracker_blur.core.box import Box, Detection
from tracker_blur.core.frame import Image
from tracker_blur.detectors import Detector
from tracker_blur.detectors.onnx import Onnx
from tracker_blur.errors import MissingPackageError, SettingsError
from tracker_blur.settings import FACE
from tracker_blur.training.datasets import Annotated, Dataset
from tracker_blur.training.datasets.annotated import read_picture

SIZES_PX = ((12, 20), (20, 40), (40, 80), (80, math.inf))
"""From and up to which shorter side, in pixels, things are judged together."""

FALSE_ALARMS = (0.1, 1.0)
"""Rates of false alarms a picture at which recall is told."""

_OVERLAP = 0.5
_MOST_FINDS = 1000  # of a picture; a crowd has fewer


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one find, or one missed thing, of a picture was judged.

    score    the find's; 0 for a thing that was missed
    correct  whether the find lies on a thing
    """

    picture: int
    box: Box
    score: float
    correct: bool


@dataclass(frozen=True, slots=True)
class Scores:
    """What a detector reaches on some pictures.

    ap50           average precision at an overlap of 0.5, 0 to 1; nan where there are no things
    ap50_by_size   the same by SIZES_PX
    recall_at      the highest recall with so many false alarms a picture at most: FALSE_ALARMS
    recall         share of things found, at any score, by SIZES_PX
    things         how many were to be found
    alarms, missed the finds that lie on nothing, best-scored first; and what was not found
    found          the things that were, with the scores of their finds
    """

    ap50: float
    ap50_by_size: tuple[float, ...]
    recall_at: tuple[float, ...]
    recall: tuple[float, ...]
    things: int
    alarms: tuple[Outcome, ...]
    missed: tuple[Outcome, ...]
    found: tuple[Outcome, ...]


def scores(
    pictures: Sequence[Annotated],
    found: Sequence[Sequence[Detection]],
    label: str,
    smallest_px: float,
) -> Scores:
    """Return how well finds, one list a picture, in its pixels, meet what is there of one class.

    Things whose shorter side is less than `smallest_px` count neither as missed nor, when found, as
    false; nor does anything found in ignored regions. Raises MissingPackageError without
    pycocotools.
    """
    judged = _judged(pictures, found, label, [(smallest_px, math.inf), *SIZES_PX])
    curves = [_recall_at(rows, len(pictures)) for rows in judged.by_size]
    alarms, missed, matched = judged.outcomes()
    return Scores(
        judged.ap[0],
        tuple(judged.ap[1:]),
        curves[0],
        tuple(_recall(rows) for rows in judged.by_size[1:]),
        sum(int((~rows["gtIgnore"]).sum()) for rows in judged.by_size[0]),
        alarms,
        missed,
        matched,
    )


def require_library() -> None:
    """Raise MissingPackageError without pycocotools; otherwise do nothing."""
    _library("coco")


@dataclass(frozen=True, slots=True)
class _Judged:
    """What pycocotools made of it, by size: average precision, and its rows, one a picture."""

    ap: list[float]
    by_size: list[list[dict[str, Any]]]
    things: list[dict[str, Any]]
    finds: list[dict[str, Any]]

    def outcomes(self) -> tuple[tuple[Outcome, ...], ...]:
        """Return false alarms, missed and found things."""
        finds = {find["id"]: find for find in self.finds}
        things = {thing["id"]: thing for thing in self.things}
        alarms, missed, matched = [], [], []
        for row in self.by_size[0]:
            for number, match, ignored in zip(
                row["dtIds"], row["dtMatches"][0], row["dtIgnore"][0], strict=True
            ):
                if not match and not ignored:
                    alarms.append(_outcome(finds[number], False))
            for number, match, ignored in zip(
                row["gtIds"], row["gtMatches"][0], row["gtIgnore"], strict=True
            ):
                if ignored:
                    continue
                thing = things[number]
                if match:
                    score = finds[int(match)]["score"]
                    matched.append(_outcome(thing | {"score": score}, True))
                else:
                    missed.append(_outcome(thing, False))
        alarms.sort(key=lambda outcome: -outcome.score)
        missed.sort(key=lambda outcome: -outcome.box.area)
        return tuple(alarms), tuple(missed), tuple(matched)


def _outcome(row: dict[str, Any], correct: bool) -> Outcome:
    return Outcome(
        row["image_id"] - 1, Box.from_xywh(*row["bbox"]), float(row.get("score", 0)), correct
    )


def _judged(
    pictures: Sequence[Annotated],
    found: Sequence[Sequence[Detection]],
    label: str,
    sizes: Sequence[tuple[float, float]],
) -> _Judged:
    coco, cocoeval = _library("coco"), _library("cocoeval")
    things: list[dict[str, Any]] = []
    finds: list[dict[str, Any]] = []
    for number, (picture, detections) in enumerate(zip(pictures, found, strict=True), 1):
        for name, box in picture.things:
            if name == label:
                things.append(_row(len(things) + 1, number, box) | {"iscrowd": 0})
        for box in picture.ignored:
            things.append(_row(len(things) + 1, number, box) | {"iscrowd": 1})
        for find in detections:
            if find.label == label:
                finds.append(_row(len(finds) + 1, number, find.box) | {"score": find.score})
    images = [{"id": number + 1} for number in range(len(pictures))]
    with contextlib.redirect_stdout(io.StringIO()):
        truth, guess = coco.COCO(), coco.COCO()
        for one, rows in ((truth, things), (guess, finds)):
            one.dataset = {"images": images, "categories": [{"id": 1}], "annotations": rows}
            one.createIndex()
        evaluation = cocoeval.COCOeval(truth, guess, "bbox")
        evaluation.params.iouThrs = np.array([_OVERLAP])
        evaluation.params.maxDets = [_MOST_FINDS]
        # pycocotools takes an area that is equal to a limit into both sides.
        evaluation.params.areaRng = [[low**2, high**2 - 1e-6] for low, high in sizes]
        evaluation.params.areaRngLbl = [str(size) for size in sizes]
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"][0, :, 0, :, 0]  # (recall, size); -1: no things
    ap = [float(one.mean()) if (one >= 0).all() else math.nan for one in precision.T]
    rows = evaluation.evalImgs
    by_size = [
        [row for row in rows[i * len(images) : (i + 1) * len(images)] if row is not None]
        for i in range(len(sizes))
    ]
    for row in (row for size in by_size for row in size):
        row["gtIgnore"] = np.asarray(row["gtIgnore"], bool)
    return _Judged(ap, by_size, things, finds)


def _row(number: int, picture: int, box: Box) -> dict[str, Any]:
    # "area" is what pycocotools tells sizes by.
    shorter = max(0.0, min(box.width, box.height))
    return {
        "id": number,
        "image_id": picture,
        "category_id": 1,
        "bbox": [box.left, box.top, box.width, box.height],
        "area": shorter**2,
    }


def _recall(rows: list[dict[str, Any]]) -> float:
    judged = sum(int((~row["gtIgnore"]).sum()) for row in rows)
    found = sum(int((row["gtMatches"][0].astype(bool) & ~row["gtIgnore"]).sum()) for row in rows)
    return found / judged if judged else math.nan


def _recall_at(rows: list[dict[str, Any]], pictures: int) -> tuple[float, ...]:
    """Return the recall at each rate of FALSE_ALARMS a picture."""
    things = sum(int((~row["gtIgnore"]).sum()) for row in rows)
    if not rows or not things:
        return tuple(math.nan for _ in FALSE_ALARMS)
    score = np.concatenate([row["dtScores"] for row in rows])
    match = np.concatenate([row["dtMatches"][0] for row in rows]).astype(bool)
    ignored = np.concatenate([row["dtIgnore"][0] for row in rows]).astype(bool)
    order = np.argsort(-score[~ignored], kind="stable")
    right: npt.NDArray[np.bool_] = match[~ignored][order]
    wrong = np.cumsum(~right)
    recall = np.cumsum(right) / things
    return tuple(
        float(np.max(recall[wrong <= rate * pictures], initial=0.0)) for rate in FALSE_ALARMS
    )


def _library(name: str) -> Any:
    try:
        return importlib.import_module(f"pycocotools.{name}")
    except ImportError as error:
        raise MissingPackageError("pycocotools", "train", "judging a detector") from error


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
