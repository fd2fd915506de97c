"""Backwards from a first detection to where the evidence ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from tests.bright_square import SQUARE, Blind, Bright, Stubborn, wall
from tests.test_follow import FACE, PORTRAIT, csrt, shifted
from tracker_blur.core.box import Box
from tracker_blur.core.frame import Image
from tracker_blur.core.tracks import Origin
from tracker_blur.tracking.backtracking import backtrack
from tracker_blur.tracking.redetection import Redetector

NOTHING = Bright(score=0.0)  # its finds are too weak for anybody


def way_of(
    newest: Image, earlier: Sequence[Image], tracker: type = Blind, detector: Bright | None = None
) -> list[tuple[Box, float, Origin]]:
    look = Redetector(detector or Bright())
    return list(backtrack(newest, SQUARE, earlier, tracker, look))


def test_a_face_is_found_back_to_where_it_appeared() -> None:
    squares = [SQUARE.moved(4.0 * step, 0) for step in range(1, 11)]
    way = way_of(wall(SQUARE), [*map(wall, squares), wall(), wall()])
    assert len(way) == 10
    for (box, score, origin), square in zip(way, squares, strict=True):
        assert box.iou(square) > 0.85
        assert (score, origin) == (0.6, Origin.DETECTED)


def test_the_tracker_carries_a_face_that_the_second_look_misses() -> None:
    steps = [3.0 * index for index in range(1, 6)]
    earlier = [shifted(-dx) for dx in steps]
    way = list(backtrack(PORTRAIT, FACE, earlier, csrt(), Redetector(NOTHING)))
    assert len(way) == 5
    for (box, score, origin), dx in zip(way, steps, strict=True):
        assert box.iou(FACE.moved(-dx, 0)) > 0.6
        assert (score, origin) == (0.0, Origin.FOLLOWED)


def test_a_tracker_that_nothing_confirms_is_trusted_for_a_few_frames_only() -> None:
    way = way_of(wall(SQUARE), [wall(SQUARE)] * 30, Stubborn, NOTHING)
    assert [origin for _, _, origin in way] == [Origin.FOLLOWED] * 6


def test_each_find_renews_the_trust_and_gives_the_score() -> None:
    unseen = wall()  # the tracker says that the face is there all the same
    earlier = [unseen] * 5 + [wall(SQUARE)] + [unseen] * 20
    way = way_of(wall(SQUARE), earlier, Stubborn)
    assert [origin for _, _, origin in way] == (
        [Origin.FOLLOWED] * 5 + [Origin.DETECTED] + [Origin.FOLLOWED] * 6
    )
    assert [score for _, score, _ in way] == [0.0] * 5 + [0.6] * 7


def test_where_both_lose_the_face_the_way_ends() -> None:
    earlier = [wall(SQUARE), wall(), wall(SQUARE)]
    assert len(way_of(wall(SQUARE), earlier)) == 1


@pytest.mark.parametrize(
    "drifted", [SQUARE.padded(0.4), SQUARE.padded(-0.3), Box.from_xywh(312, 60, 40, 40)]
)
def test_a_tracker_that_drifts_in_size_or_out_of_the_picture_has_lost_its_face(
    drifted: Box,
) -> None:
    class Drifting(Stubborn):
        def update(self, image: Image) -> Box | None:
            return drifted

    assert way_of(wall(SQUARE), [wall(SQUARE)] * 3, Drifting, NOTHING) == []


def test_a_tracker_starts_only_where_a_look_misses_and_from_where_the_face_was_found_last() -> None:
    starts: list[tuple[Image, Box]] = []

    class Watched(Stubborn):
        def start(self, image: Image, box: Box) -> None:
            starts.append((image, box))
            super().start(image, box)

    squares = [SQUARE.moved(8.0 * step, 0) for step in range(1, 8)]
    earlier = [wall(square) for square in squares]
    assert len(way_of(wall(SQUARE), earlier, Watched)) == len(squares)
    assert not starts
    earlier[3] = wall()
    assert len(way_of(wall(SQUARE), earlier, Watched)) == len(squares)
    ((picture, box),) = starts
    assert (picture == earlier[2]).all()
    assert box.iou(squares[2]) > 0.85


def test_no_more_pictures_are_read_than_are_needed() -> None:
    read = []

    def pictures() -> Iterator[Image]:
        for index in range(10):
            read.append(index)
            yield wall(SQUARE) if index < 3 else wall()

    assert len(list(backtrack(wall(SQUARE), SQUARE, pictures(), Blind, Redetector(Bright())))) == 3
    assert read == [0, 1, 2, 3]


def test_without_earlier_pictures_there_is_no_way_back() -> None:
    assert way_of(wall(SQUARE), []) == []
