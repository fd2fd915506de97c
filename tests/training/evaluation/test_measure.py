"""The figures, on finds whose outcome is known by hand."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tracker_blur.core.box import Box, Detection
from tracker_blur.training.datasets import Annotated
from tracker_blur.training.evaluation.measure import SIZES_PX, Scores, scores

SMALL, LARGE = Box(10, 10, 25, 25), Box(100, 100, 190, 190)
FAR = Box(300, 10, 330, 40)


def annotated(*boxes: Box, ignored: tuple[Box, ...] = ()) -> Annotated:
    return Annotated(Path("a.jpg"), (400, 400), tuple(("face", box) for box in boxes), ignored)


def judged(picture: Annotated, *finds: tuple[Box, float], smallest_px: float = 12) -> Scores:
    found = [Detection(box, score) for box, score in finds]
    return scores([picture], [found], "face", smallest_px)


def test_all_found_and_nothing_else() -> None:
    reached = judged(annotated(SMALL, LARGE), (SMALL, 0.9), (LARGE, 0.8))
    assert reached.ap50 == pytest.approx(1.0)
    assert reached.recall_at == (1.0, 1.0)
    assert (reached.things, reached.alarms, reached.missed) == (2, (), ())
    by_size = dict(zip(SIZES_PX, reached.recall, strict=True))
    assert by_size[12, 20] == by_size[80, math.inf] == 1.0
    assert math.isnan(by_size[20, 40])


def test_a_sure_false_alarm_costs_precision_and_is_told() -> None:
    reached = judged(annotated(SMALL), (FAR, 0.9), (SMALL, 0.8))
    assert reached.ap50 == pytest.approx(0.5)
    assert reached.recall_at == (0.0, 1.0)  # at 0.1 a picture there may be none
    (alarm,) = reached.alarms
    assert (alarm.picture, alarm.box, alarm.score) == (0, FAR, 0.9)


def test_what_is_missed_is_told() -> None:
    reached = judged(annotated(SMALL, LARGE), (SMALL, 0.9))
    assert reached.recall_at == (0.5, 0.5)
    assert [outcome.box for outcome in reached.missed] == [LARGE]


def test_a_second_find_of_the_same_thing_is_a_false_alarm() -> None:
    reached = judged(annotated(LARGE), (LARGE, 0.9), (LARGE.moved(2, 2), 0.8))
    assert len(reached.alarms) == 1


def test_a_loose_box_is_no_find() -> None:
    assert judged(annotated(LARGE), (LARGE.padded(0.5), 0.9)).recall_at == (0.0, 0.0)


def test_small_things_and_ignored_regions_are_not_judged() -> None:
    picture = annotated(SMALL, LARGE, ignored=(FAR.padded(1),))
    finds = (SMALL, 0.9), (FAR, 0.95), (FAR.moved(3, 3), 0.9), (LARGE, 0.5)
    reached = judged(picture, *finds, smallest_px=16)
    assert (reached.things, reached.alarms) == (1, ())
    assert reached.ap50 == pytest.approx(1.0)


def test_other_classes_do_not_count() -> None:
    plate = Detection(SMALL, 0.9, "plate")
    reached = scores([annotated(SMALL)], [[plate]], "face", 12)
    assert (reached.recall_at, reached.alarms) == ((0.0, 0.0), ())


def test_without_things_there_is_no_precision() -> None:
    reached = judged(annotated(), (SMALL, 0.9))
    assert math.isnan(reached.ap50)
    assert len(reached.alarms) == 1


def test_without_finds_all_is_missed() -> None:
    reached = judged(annotated(SMALL))
    assert (reached.ap50, reached.recall_at) == (0.0, (0.0, 0.0))


def test_what_is_found_is_told_with_its_score() -> None:
    reached = judged(annotated(SMALL, LARGE), (LARGE, 0.4), (LARGE.moved(1, 1), 0.3), (FAR, 0.9))
    ((found),) = reached.found
    assert (found.box, found.score, found.correct) == (LARGE, 0.4, True)
