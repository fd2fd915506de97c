"""Candidates that are objects, false alarms, or neither."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tracker_blur.core.box import Box
from tracker_blur.training.datasets import AnnotatedImage
from tracker_blur.training.verifier.labels import LabeledCandidates, label_candidates, overlaps

if TYPE_CHECKING:
    from tracker_blur.training.candidates import Candidates

FACE = Box(40, 40, 60, 60)
ELSEWHERE = (100.0, 100.0, 120.0, 120.0)


def rows(*candidates: tuple[tuple[float, ...], float, int]) -> Candidates:
    return np.array(
        [(*box, score, source) for box, score, source in candidates], np.float32
    ).reshape(-1, 6)


def labeled(
    *candidates: tuple[tuple[float, ...], float, int],
    objects: tuple[tuple[str, Box], ...] = (("face", FACE),),
    ignored: tuple[Box, ...] = (),
    partly: tuple[str, ...] = (),
    label: str = "face",
) -> LabeledCandidates:
    image = AnnotatedImage(Path("some/a.png"), (200, 200), objects, ignored)
    return label_candidates(image, rows(*candidates), label, partly)


def test_detections_of_objects_are_objects_too() -> None:
    known = labeled(((41.0, 41.0, 61.0, 61.0), 0.3, 0))
    assert known.objects.tolist() == [[40, 40, 60, 60], [41, 41, 61, 61]]
    assert len(known.false_alarms) == 0


def test_objects_too_small_to_recognize_are_none_but_stay_labeled() -> None:
    known = labeled(objects=(("face", Box(0, 0, 5, 8)),))
    assert len(known.objects) == 0
    assert len(known.labeled) == 1


def test_a_weak_detection_elsewhere_is_a_false_alarm() -> None:
    known = labeled((ELSEWHERE, 0.5, 0))
    assert known.false_alarms.tolist() == [list(ELSEWHERE)]
    assert known.weights.tolist() == [pytest.approx(3.0)]


@pytest.mark.parametrize(
    "others",
    [
        ((ELSEWHERE, 0.7, 0),),  # sure, and there is no second detector
        ((ELSEWHERE, 0.3, 0), (ELSEWHERE, 0.25, 2)),
        ((ELSEWHERE, 0.3, 0), (ELSEWHERE, 0.25, 3)),  # the second one sees it in a turned copy
    ],
)
def test_what_may_be_an_unlabeled_object_is_no_false_alarm(
    others: tuple[tuple[tuple[float, ...], float, int], ...],
) -> None:
    known = labeled(*others)
    assert len(known.false_alarms) == 0
    assert known.undecided.tolist() == [list(ELSEWHERE)] * len(others)


def test_a_detector_does_not_confirm_itself_where_there_is_a_second_one() -> None:
    somewhere_else = (150.0, 10.0, 170.0, 30.0)
    sure = ((ELSEWHERE, 0.9, 0), (ELSEWHERE, 0.9, 1), (somewhere_else, 0.1, 2))
    assert len(labeled(*sure).false_alarms) == 3


def test_in_images_without_objects_every_detection_is_a_false_alarm() -> None:
    sure = ((ELSEWHERE, 0.9, 0), (ELSEWHERE, 0.9, 2))
    known = labeled(*sure, objects=())
    assert known.is_empty
    assert len(known.false_alarms) == 2
    doubted = labeled(*sure, objects=(), partly=("some",))
    assert not doubted.is_empty
    assert len(doubted.false_alarms) == 0


def test_a_box_many_times_larger_than_the_object_in_it_is_a_false_alarm() -> None:
    known = labeled(((10.0, 10.0, 90.0, 90.0), 0.9, 0))
    assert known.false_alarms.tolist() == [[10, 10, 90, 90]]
    somewhat_larger = labeled(((30.0, 30.0, 70.0, 70.0), 0.9, 0))
    assert len(somewhat_larger.false_alarms) == 0


def test_parts_of_objects_and_ignored_regions_are_neither() -> None:
    part, ignored = (50.0, 50.0, 75.0, 75.0), (150.0, 150.0, 170.0, 170.0)
    known = labeled((part, 0.2, 0), (ignored, 0.2, 0), ignored=(Box(*ignored),))
    assert len(known.false_alarms) == 0
    assert len(known.objects) == 1


def test_images_of_heads_and_labeled_in_part_give_no_false_alarms() -> None:
    heads = labeled((ELSEWHERE, 0.2, 0), objects=(("head", FACE),))
    assert (len(heads.objects), len(heads.false_alarms)) == (1, 0)
    assert not heads.is_complete
    assert len(labeled((ELSEWHERE, 0.2, 0), partly=("some",)).false_alarms) == 0


def test_objects_of_other_classes_are_neither() -> None:
    known = labeled(((40.0, 40.0, 60.0, 60.0), 0.9, 0), label="plate")
    assert (len(known.objects), len(known.false_alarms)) == (0, 0)
    assert not known.is_empty


def test_overlaps_are_shares_of_both() -> None:
    one, other = np.array([[0.0, 0, 10, 10]]), np.array([[5.0, 0, 15, 20]])
    iou, of_one, of_other = (float(values[0, 0]) for values in overlaps(one, other))
    assert [iou, of_one, of_other] == pytest.approx([0.2, 0.5, 0.25])
    assert overlaps(one, other[:0])[0].shape == (1, 0)


def test_known_boxes_are_scaled_with_their_image() -> None:
    known = labeled((ELSEWHERE, 0.2, 0)).scaled(0.5)
    assert known.objects.tolist() == [[20, 20, 30, 30]]
    assert known.false_alarms.tolist() == [[50, 50, 60, 60]]
    assert known.labeled.tolist() == [[20, 20, 30, 30]]
