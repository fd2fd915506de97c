"""What size and place say about detections and tracks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import example, given

from tests.tracking.raw_tracks import (
    BODY,
    BOX,
    CHIN,
    CONFIDENCE,
    HEAD,
    LIMITS,
    SIZE,
    UNCONDITIONAL,
)
from tracker_blur.core.box import Box, Detection
from tracker_blur.tracking.plausibility import (
    are_unusual,
    cut_off,
    face_sizes,
    is_part,
    needed_scores,
    unconditional_score,
    with_usual_aspect,
    without_containers,
)

if TYPE_CHECKING:
    from tracker_blur.core.tracks import Boxes


scores = st.floats(0, 1)
boxes = st.builds(
    Box.from_xywh, st.floats(-50, 600), st.floats(-50, 300), st.floats(2, 500), st.floats(2, 400)
)
detections = st.lists(st.builds(Detection, boxes, scores), max_size=8)


def squares(*sides: float) -> Boxes:
    """Return squares in a corner of the frame."""
    return np.array([(0, 0, side, side) for side in sides], np.float32)


def test_what_contains_a_higher_scoring_and_much_smaller_detection_is_no_face() -> None:
    both = [Detection(BODY, 0.45), Detection(HEAD, 0.7)]
    assert without_containers(both, CONFIDENCE, LIMITS) == both[1:]


@pytest.mark.parametrize(
    "others",
    [
        [Detection(HEAD, 0.5)],  # not higher-scoring
        [Detection(BODY.padded(-0.1), 0.9)],  # not much smaller
        [Detection(HEAD.moved(0, -70), 0.9)],  # mostly outside
        [],
    ],
)
def test_what_contains_no_such_detection_may_be_one(others: list[Detection]) -> None:
    every = [Detection(BODY, 0.45), *others]
    assert without_containers(every, CONFIDENCE, LIMITS) == every


def test_an_unconditional_detection_is_a_face_whatever_it_contains() -> None:
    both = [Detection(BODY, UNCONDITIONAL), Detection(HEAD, 1.0)]
    assert without_containers(both, CONFIDENCE, LIMITS) == both


@given(detections, st.floats(0.05, 0.95))
@example([Detection(Box(0, 0, 2, 2), 0.0), Detection(Box(0, 0, 2, 8), 0.0)], 0.5)
def test_no_unconditional_and_no_best_detection_is_ever_left_out(
    every: list[Detection], confidence: float
) -> None:
    kept = without_containers(every, confidence, LIMITS)
    assert [one for one in every if one in kept] == kept
    best = max((one.score for one in every), default=0.0)
    for one in every:
        if one.score in (best,) or one.score >= unconditional_score(confidence, LIMITS):
            assert one in kept
        if one not in kept:  # what explains it stays, or what explains that
            assert any(other.score > one.score for other in kept)


@given(st.floats(0, 1), st.lists(st.floats(1, 2000), min_size=1))
def test_no_size_needs_more_than_can_be_scored(confidence: float, sizes: list[float]) -> None:
    needed = needed_scores(squares(*sorted(sizes)), SIZE, confidence, LIMITS)
    assert (np.diff(needed) >= 0).all()
    assert (needed >= confidence).all()
    assert (needed <= 1).all()


def test_a_face_that_fills_the_frame_must_be_seen_well() -> None:
    side = LIMITS.frame_filling_share * SIZE[1]
    boxes = squares(side - 1, side + 1)
    needed = needed_scores(boxes, SIZE, 0.4, LIMITS)
    assert needed.tolist() == pytest.approx([0.4, 0.598])
    assert are_unusual(boxes, SIZE, LIMITS).tolist() == [False, True]


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        (Box.from_xywh(100, 100, 44, 20), False),
        (Box.from_xywh(100, 100, 20, 20), True),
        (Box.from_xywh(100, 100, 140, 20), True),
        (Box.from_xywh(-5, 100, 20, 20), False),  # cut off: it may be wider
        (Box.from_xywh(625, 100, 20, 20), False),
        (Box.from_xywh(100, 345, 140, 20), False),
    ],
)
def test_what_has_no_usual_aspect_must_be_seen_well(box: Box, expected: bool) -> None:
    flat = replace(LIMITS, usual_aspects=(1.25, 6.5))
    boxes = np.array([box.as_tuple()], np.float32)
    assert are_unusual(boxes, SIZE, flat).tolist() == [expected]
    assert needed_scores(boxes, SIZE, 0.4, flat).tolist() == pytest.approx(
        [0.598 if expected else 0.4]
    )
    for score in (0.45, 0.65):
        one = [Detection(box, score)]
        assert bool(with_usual_aspect(one, SIZE, 0.4, flat)) is (score > 0.6 or not expected)
    assert with_usual_aspect([Detection(box, 0.4)], SIZE, 0.4, LIMITS)  # a face may have any


@pytest.mark.parametrize(
    ("edge", "expected"),
    [
        (Box(-1, 50, 40, 90), True),
        (Box(600, 50, 640, 90), True),
        (Box(50, 0, 90, 40), True),
        (Box(50, 330, 90, 370), False),
        (Box(1, 1, 639, 359), False),
    ],
)
def test_a_face_may_be_cut_off_by_every_border_but_the_lower(edge: Box, expected: bool) -> None:
    assert cut_off(np.array([edge.as_tuple()], np.float32), SIZE).tolist() == [expected]


def test_face_sizes_are_those_of_boxes() -> None:
    every = [BOX, BODY, Box(5, 5, 5, 9)]
    sizes = face_sizes(np.array([box.as_tuple() for box in every], np.float32))
    assert sizes.tolist() == pytest.approx([box.size for box in every])


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        (CHIN, True),
        (CHIN.moved(0, 2), True),  # with the collar
        (CHIN.moved(0, 14), False),  # mostly outside
        (HEAD.padded(0.1), False),  # larger than the face: all of the head
        (Box.around(HEAD.center, 11, 13), False),  # much smaller: perhaps a face, HEAD the body
    ],
)
def test_what_lies_mostly_in_a_somewhat_larger_face_is_a_part_of_it(
    box: Box, *, expected: bool
) -> None:
    assert is_part(box, [HEAD.moved(200, 0), HEAD], LIMITS) is expected
    assert not is_part(box, [], LIMITS)
