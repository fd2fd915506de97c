"""Running a detector over an image pyramid."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tracker_blur.core.box import Box, Detection
from tracker_blur.core.box_arrays import suppress_overlaps
from tracker_blur.detectors._networks import detect_in_pyramid

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker_blur.core.frame import Image

SIDES = st.integers(1, 1500)


def blank(side: int) -> Image:
    return np.zeros((side, side, 3), np.uint8)


def detecting(*levels: list[Detection]) -> Callable[[Image, int], list[Detection]]:
    """Return a callback that detects these at each level; boxes in pixels of a 256x256 image."""

    def detect(image: Image, level: int) -> list[Detection]:
        ratio = image.shape[1] / 256
        return [Detection(d.box.scaled(ratio, ratio), d.score, d.label) for d in levels[level]]

    return detect


@given(SIDES, SIDES, st.integers(1, 400), st.integers(1, 2))
def test_reduces_until_the_image_is_small_and_scales_boxes_back(
    width: int, height: int, smallest_px: int, halvings_per_level: int
) -> None:
    sizes: list[tuple[int, int]] = []

    def detect(image: Image, level: int) -> list[Detection]:
        assert level == len(sizes)
        rows, columns = image.shape[:2]
        sizes.append((columns, rows))
        return [Detection(Box(0, 0, columns, rows), 0.5)]  # the whole image, at any size

    image = np.zeros((height, width, 3), np.uint8)
    detections = detect_in_pyramid(image, smallest_px, detect, halvings_per_level)
    assert sizes[0] == (width, height)
    assert max(sizes[-1]) <= smallest_px
    assert all(max(size) > smallest_px for size in sizes[:-1])
    for larger, smaller in itertools.pairwise(sizes):
        assert smaller == tuple(max(1, side >> halvings_per_level) for side in larger)
    assert [detection.box for detection in detections] == [Box(0, 0, width, height)]


def test_keeps_the_better_of_two_detections_of_one_face() -> None:
    def detect(image: Image, level: int) -> list[Detection]:
        side = image.shape[0]
        return [Detection(Box(0, 0, side / 2, side / (2 - 0.2 * level)), 0.5 + 0.1 * level)]

    assert detect_in_pyramid(blank(100), 50, detect) == [Detection(Box(0, 0, 50, 50 / 0.9), 0.6)]


def test_a_finer_box_replaces_a_coarse_one_and_gets_its_score() -> None:
    fine, coarse, apart = Box(0, 0, 40, 40), Box(0, 0, 44, 48), Box(60, 60, 90, 90)

    def detect(image: Image, level: int) -> list[Detection]:
        if level == 0:
            return [Detection(fine, 0.3)]
        return [Detection(box.scaled(0.5, 0.5), 0.9) for box in (coarse, apart)]

    unmerged = [Detection(coarse, 0.9), Detection(apart, 0.9)]
    assert detect_in_pyramid(blank(100), 50, detect) == unmerged
    merged = [Detection(fine, 0.9), Detection(apart, 0.9)]
    assert detect_in_pyramid(blank(100), 50, detect, coarse_px=32) == merged


def test_a_coarse_box_of_another_class_or_a_lower_score_changes_nothing() -> None:
    def detect(image: Image, level: int) -> list[Detection]:
        side = image.shape[0] / 2
        if level == 0:
            return [Detection(Box(0, 0, side, side), 0.8, "face")]
        return [Detection(Box(0, 0, side, side), 0.5, label) for label in ("face", "plate")]

    assert detect_in_pyramid(blank(100), 50, detect, coarse_px=32) == [
        Detection(Box(0, 0, 50, 50), 0.8, "face"),
        Detection(Box(0, 0, 50, 50), 0.5, "plate"),
    ]


def test_a_box_of_a_part_does_not_replace_the_face() -> None:
    face, part = Detection(Box(0, 0, 120, 120), 0.95), Detection(Box(20, 20, 100, 102), 0.26)
    detections = detect_in_pyramid(blank(256), 64, detecting([part], [face]), 2, coarse_px=32)
    assert detections == [face]


def test_a_box_between_two_faces_replaces_neither() -> None:
    left, right = Detection(Box(0, 0, 80, 100), 0.9), Detection(Box(44, 0, 124, 100), 0.8)
    between = Detection(Box(17, 0, 107, 100), 0.3)
    detect = detecting([between], [left, right])
    assert detect_in_pyramid(blank(256), 64, detect, 2, coarse_px=32) == [left, right]


ROWS = st.tuples(*[st.integers(0, 60)] * 2, *[st.integers(8, 60)] * 2, st.integers(30, 99))


@given(st.lists(ROWS, max_size=4), st.lists(ROWS, max_size=4))
def test_most_of_each_coarse_box_stays_hidden(
    fine: list[tuple[int, ...]], coarse: list[tuple[int, ...]]
) -> None:
    levels = []
    for rows in (fine, coarse):
        detections = [Detection(Box.from_xywh(x, y, w, h), s / 100) for x, y, w, h, s in rows]
        levels.append(suppress_overlaps(detections, 0.4))  # as every detector does
    unmerged = detect_in_pyramid(blank(256), 64, detecting(*levels), 2)
    merged = detect_in_pyramid(blank(256), 64, detecting(*levels), 2, coarse_px=32)
    for detection in unmerged:
        shared = max(detection.box.intersection_area(other.box) for other in merged)
        assert shared >= 0.4 * detection.box.area, (detection, merged)


@given(st.lists(ROWS, max_size=6), st.lists(ROWS, max_size=6))
def test_the_finer_box_that_overlaps_most_replaces_the_coarse_one(
    fine: list[tuple[int, ...]], coarse: list[tuple[int, ...]]
) -> None:
    levels = [
        [
            Detection(Box.from_xywh(4 * x, 4 * y, 2 * w, 2 * h), s / 100, ("face", "plate")[s % 2])
            for x, y, w, h, s in rows
        ]
        for rows in (fine, coarse)
    ]
    finer, coarser = levels
    replaced_by: dict[int, list[int]] = {}
    for index, one in enumerate(coarser):
        overlaps = [
            (one.box.iou(other.box), -number)
            for number, other in enumerate(finer)
            if one.box.iou(other.box) > 0.4
            and one.box.intersection_area(other.box) >= 0.5 * one.box.area
            and one.label == other.label
        ]
        if overlaps:
            replaced_by.setdefault(-max(overlaps)[1], []).append(index)
    expected, dropped = list(finer), set()
    for number, (first, *others) in replaced_by.items():
        if not others:
            best = max(finer[number].score, coarser[first].score)
            expected[number] = Detection(finer[number].box, best, finer[number].label)
            dropped.add(first)
    expected += [one for index, one in enumerate(coarser) if index not in dropped]
    merged = detect_in_pyramid(blank(256), 64, detecting(*levels), 2, coarse_px=1e6)
    assert merged == suppress_overlaps(expected, 0.4)
