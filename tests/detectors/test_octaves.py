"""Looking at a picture and its halvings."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tracker_blur.core.box import Box, Detection, suppress_overlaps
from tracker_blur.core.frame import Image
from tracker_blur.detectors._networks import over_octaves

SIDES = st.integers(1, 1500)


@given(SIDES, SIDES, st.integers(1, 400), st.integers(1, 2))
def test_reduces_until_the_picture_is_small_and_scales_boxes_back(
    width: int, height: int, smallest_px: int, octaves_per_step: int
) -> None:
    seen: list[tuple[int, int]] = []

    def look(picture: Image, step: int) -> list[Detection]:
        assert step == len(seen)
        rows, columns = picture.shape[:2]
        seen.append((columns, rows))
        return [Detection(Box(0, 0, columns, rows), 0.5)]  # all of the picture, at any size

    blank = np.zeros((height, width, 3), np.uint8)
    found = over_octaves(blank, smallest_px, look, octaves_per_step)
    assert seen[0] == (width, height)
    assert max(seen[-1]) <= smallest_px
    assert all(max(size) > smallest_px for size in seen[:-1])
    for larger, smaller in itertools.pairwise(seen):
        assert smaller == tuple(max(1, side >> octaves_per_step) for side in larger)
    assert [find.box for find in found] == [Box(0, 0, width, height)]


def test_keeps_the_better_of_two_looks_at_one_face() -> None:
    def look(picture: Image, step: int) -> list[Detection]:
        side = picture.shape[0]
        return [Detection(Box(0, 0, side / 2, side / (2 - 0.2 * step)), 0.5 + 0.1 * step)]

    assert over_octaves(np.zeros((100, 100, 3), np.uint8), 50, look) == [
        Detection(Box(0, 0, 50, 50 / 0.9), 0.6)
    ]


def test_a_coarse_box_gives_its_score_to_the_finer_one_in_its_place() -> None:
    fine, coarse, apart = Box(0, 0, 40, 40), Box(0, 0, 44, 48), Box(60, 60, 90, 90)

    def look(picture: Image, step: int) -> list[Detection]:
        if step == 0:
            return [Detection(fine, 0.3)]
        return [Detection(box.scaled(0.5, 0.5), 0.9) for box in (coarse, apart)]

    blank = np.zeros((100, 100, 3), np.uint8)
    assert over_octaves(blank, 50, look) == [Detection(coarse, 0.9), Detection(apart, 0.9)]
    found = over_octaves(blank, 50, look, coarse_px=32)
    assert found == [Detection(fine, 0.9), Detection(apart, 0.9)]


def test_a_coarse_box_of_another_class_or_a_worse_score_takes_nothing_away() -> None:
    def look(picture: Image, step: int) -> list[Detection]:
        side = picture.shape[0] / 2
        if step == 0:
            return [Detection(Box(0, 0, side, side), 0.8, "face")]
        return [Detection(Box(0, 0, side, side), 0.5, label) for label in ("face", "plate")]

    found = over_octaves(np.zeros((100, 100, 3), np.uint8), 50, look, coarse_px=32)
    assert found == [
        Detection(Box(0, 0, 50, 50), 0.8, "face"),
        Detection(Box(0, 0, 50, 50), 0.5, "plate"),
    ]


def looks(*steps: list[Detection]) -> Callable[[Image, int], list[Detection]]:
    """Return a look that finds, at each step, these; boxes in pixels of the whole picture."""

    def look(picture: Image, step: int) -> list[Detection]:
        back = picture.shape[1] / 256
        return [Detection(f.box.scaled(back, back), f.score, f.label) for f in steps[step]]

    return look


def test_a_part_of_a_face_does_not_take_the_place_of_the_face() -> None:
    face, part = Detection(Box(0, 0, 120, 120), 0.95), Detection(Box(20, 20, 100, 102), 0.26)
    blank = np.zeros((256, 256, 3), np.uint8)
    assert over_octaves(blank, 64, looks([part], [face]), 2, coarse_px=32) == [face]


def test_a_fine_box_between_two_faces_takes_the_place_of_neither() -> None:
    left, right = Detection(Box(0, 0, 80, 100), 0.9), Detection(Box(44, 0, 124, 100), 0.8)
    between = Detection(Box(17, 0, 107, 100), 0.3)
    blank = np.zeros((256, 256, 3), np.uint8)
    found = over_octaves(blank, 64, looks([between], [left, right]), 2, coarse_px=32)
    assert found == [left, right]


SPANS = st.tuples(*[st.integers(0, 60)] * 2, *[st.integers(8, 60)] * 2, st.integers(30, 99))


@given(st.lists(SPANS, max_size=4), st.lists(SPANS, max_size=4))
def test_what_a_copy_finds_stays_hidden_for_the_most_part(
    fine: list[tuple[int, ...]], coarse: list[tuple[int, ...]]
) -> None:
    steps = []
    for one in (fine, coarse):
        finds = [Detection(Box.from_xywh(x, y, w, h), score / 100) for x, y, w, h, score in one]
        steps.append(suppress_overlaps(finds, 0.4))  # as every look does
    blank = np.zeros((256, 256, 3), np.uint8)
    plain = over_octaves(blank, 64, looks(*steps), 2)
    found = over_octaves(blank, 64, looks(*steps), 2, coarse_px=32)
    for find in plain:
        shared = max(find.box.intersection_area(one.box) for one in found)
        assert shared >= 0.4 * find.box.area, (find, found)
