"""Weak finds become a face when looks in a row agree."""

from __future__ import annotations

from tracker_blur.core.box import Box, Detection
from tracker_blur.tracking.track_state import AGREEING_LOOKS, LowConfidenceDetections

BOX = Box(100, 50, 140, 100)


def find(score: float = 0.45, dx: float = 0.0) -> Detection:
    return Detection(BOX.moved(dx, 0), score)


def looks(finds: LowConfidenceDetections, times: int) -> list[Detection]:
    """Return what the last of so many looks in a row, 2 pixels apart, makes a face."""
    return [finds.agreed([find(dx=2.0 * i)]) for i in range(times)][-1]


def test_the_last_of_enough_looks_is_a_face_and_counting_begins_anew() -> None:
    finds = LowConfidenceDetections(0.5)
    assert looks(finds, AGREEING_LOOKS - 1) == []
    assert finds.agreed([find()]) == [find()]
    assert looks(finds, AGREEING_LOOKS - 1) == []


def test_a_look_without_it_another_place_or_another_scene_begins_anew() -> None:
    for between in (
        lambda f: f.agreed([]),
        lambda f: f.agreed([find(dx=90)]),
        LowConfidenceDetections.forget,
    ):
        finds = LowConfidenceDetections(0.5)
        looks(finds, AGREEING_LOOKS - 1)
        between(finds)
        assert finds.agreed([find()]) == []


def test_what_is_too_weak_does_not_count() -> None:
    finds = LowConfidenceDetections(0.5)
    for _ in range(2 * AGREEING_LOOKS):
        assert finds.agreed([find(score=0.39)]) == []


def test_views_of_another_size_do_not_disturb() -> None:
    finds = LowConfidenceDetections(0.5)
    looks(finds, AGREEING_LOOKS - 1)
    finds.rescale(0.5, 0.5)
    smaller = Detection(BOX.moved(4, 0).scaled(0.5, 0.5), 0.45)
    assert finds.agreed([smaller]) == [smaller]
