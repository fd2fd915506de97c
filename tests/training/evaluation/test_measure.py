"""Scores of detections with a known outcome."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tracker_blur.core.box import Box, Detection
from tracker_blur.training.datasets import AnnotatedImage
from tracker_blur.training.evaluation.measure import (
    SIZES_PX,
    Scores,
    alarmed_share,
    score_detections,
)

SMALL, LARGE = Box(10, 10, 25, 25), Box(100, 100, 190, 190)
FAR = Box(300, 10, 330, 40)


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


def test_recall_and_false_alarms_from_a_confidence() -> None:
    ignoring = annotated(ignored=(FAR,))
    images = [annotated(SMALL, LARGE), annotated(), annotated(), ignoring]
    found = [[(SMALL, 0.5), (LARGE, 0.3), (FAR, 0.9)], [(FAR, 0.39)], [(FAR, 0.5)], [(SMALL, 0.9)]]
    detections = [[Detection(box, score) for box, score in some] for some in found]
    scores = score_detections(images, detections, "face", 12)
    assert scores.recall_from(0.4) == 0.5
    assert alarmed_share(scores, images, 0.4) == 0.5
    assert alarmed_share(scores, images, 0.3) == 1.0
    assert math.isnan(alarmed_share(scores, images[:1], 0.4))
    assert math.isnan(scored(annotated()).recall_from(0.4))
