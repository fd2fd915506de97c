"""Running a detector over annotated images, and scores of detections with a known outcome."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.annotated_files import BOX, SIZE, write_image
from tracker_blur.core.box import Box, Detection
from tracker_blur.training.datasets import AnnotatedImage
from tracker_blur.training.evaluation.measure import (
    SIZES_PX,
    Scores,
    detect_images,
    score_detections,
    top_detections,
)

if TYPE_CHECKING:
    from tracker_blur.core.frame import Image

SMALL, LARGE = Box(10, 10, 25, 25), Box(100, 100, 190, 190)
FAR = Box(300, 10, 330, 40)


class MiddleDetector:
    """Detects the middle of every image, and records the sizes of the images."""

    default_confidence = 0.5
    low_confidence = 0.3

    def __init__(self) -> None:
        self.sizes: list[tuple[int, int]] = []

    def detect(self, image: Image, confidence: float) -> list[Detection]:
        rows, columns = image.shape[:2]
        self.sizes.append((columns, rows))
        return [Detection(Box(0.25 * columns, 0, 0.75 * columns, rows), 0.9)]


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("widened", [1.0, 1.44])
def test_boxes_are_in_the_stored_pixels(tmp_path: Path, scale: float, widened: float) -> None:
    image = AnnotatedImage(write_image(tmp_path / "a.png"), SIZE, (("face", BOX),))
    detector = MiddleDetector()
    ((detection,),) = detect_images(detector, [image], scale, widened)
    (columns, rows), (width, height) = detector.sizes[0], SIZE
    assert columns / rows == pytest.approx(widened * width / height, rel=0.03)
    assert columns * rows == pytest.approx(scale**2 * width * height, rel=0.03)
    assert detection.box.as_tuple() == pytest.approx((0.25 * width, 0, 0.75 * width, height))


def test_as_many_detections_as_labels_are_kept() -> None:
    image = AnnotatedImage(Path("a.png"), SIZE, (("plate", BOX), ("face", BOX)))
    detections = [
        Detection(BOX, 0.4, "plate"),
        Detection(BOX.moved(40, 0), 0.8, "plate"),
        Detection(BOX, 0.9, "face"),
    ]
    assert top_detections(detections, image, "plate") == [detections[1]]
    assert top_detections(detections, AnnotatedImage(Path("b.png"), SIZE, ()), "plate") == []


def annotated(*boxes: Box, ignored: tuple[Box, ...] = ()) -> AnnotatedImage:
    return AnnotatedImage(Path("a.jpg"), (400, 400), tuple(("face", box) for box in boxes), ignored)


def scored(
    image: AnnotatedImage, *detections: tuple[Box, float], smallest_px: float = 12
) -> Scores:
    return score_detections(
        [image], [[Detection(box, score) for box, score in detections]], "face", smallest_px
    )


def test_perfect_detections() -> None:
    scores = scored(annotated(SMALL, LARGE), (SMALL, 0.9), (LARGE, 0.8))
    assert scores.ap50 == pytest.approx(1.0)
    assert scores.recall_at == (1.0, 1.0)
    assert (scores.object_count, scores.false_alarms, scores.missed) == (2, (), ())
    by_size = dict(zip(SIZES_PX, scores.recall_by_size, strict=True))
    assert by_size[12, 20] == by_size[80, math.inf] == 1.0
    assert math.isnan(by_size[20, 40])


def test_a_confident_false_alarm_costs_precision_and_is_listed() -> None:
    scores = scored(annotated(SMALL), (FAR, 0.9), (SMALL, 0.8))
    assert scores.ap50 == pytest.approx(0.5)
    assert scores.recall_at == (0.0, 1.0)  # 0.1 per image allows none
    (alarm,) = scores.false_alarms
    assert (alarm.image_index, alarm.box, alarm.score) == (0, FAR, 0.9)


def test_missed_objects_are_listed() -> None:
    scores = scored(annotated(SMALL, LARGE), (SMALL, 0.9))
    assert scores.recall_at == (0.5, 0.5)
    assert [outcome.box for outcome in scores.missed] == [LARGE]


def test_detected_objects_are_listed_with_their_scores() -> None:
    scores = scored(annotated(SMALL, LARGE), (LARGE, 0.4), (LARGE.moved(1, 1), 0.3), (FAR, 0.9))
    (detected,) = scores.detected
    assert (detected.box, detected.score) == (LARGE, 0.4)


def test_a_second_detection_of_the_same_object_is_a_false_alarm() -> None:
    scores = scored(annotated(LARGE), (LARGE, 0.9), (LARGE.moved(2, 2), 0.8))
    assert len(scores.false_alarms) == 1


def test_a_loose_box_matches_nothing() -> None:
    assert scored(annotated(LARGE), (LARGE.padded(0.5), 0.9)).recall_at == (0.0, 0.0)


def test_small_objects_and_ignored_regions_do_not_count() -> None:
    image = annotated(SMALL, LARGE, ignored=(FAR.padded(1),))
    detections = (SMALL, 0.9), (FAR, 0.95), (FAR.moved(3, 3), 0.9), (LARGE, 0.5)
    scores = scored(image, *detections, smallest_px=16)
    assert (scores.object_count, scores.false_alarms) == (1, ())
    assert scores.ap50 == pytest.approx(1.0)


def test_other_classes_do_not_count() -> None:
    plate = Detection(SMALL, 0.9, "plate")
    scores = score_detections([annotated(SMALL)], [[plate]], "face", 12)
    assert (scores.recall_at, scores.false_alarms) == ((0.0, 0.0), ())


def test_without_objects_precision_is_nan() -> None:
    scores = scored(annotated(), (SMALL, 0.9))
    assert math.isnan(scores.ap50)
    assert len(scores.false_alarms) == 1


def test_without_detections_everything_is_missed() -> None:
    scores = scored(annotated(SMALL))
    assert (scores.ap50, scores.recall_at) == (0.0, (0.0, 0.0))
