"""The contract of every tracker, on a real face that moves by known steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from tests.detectors.face_images import portrait
from tracker_blur.core import plugins
from tracker_blur.core.box import Box
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tracker_blur.core.frame import Image
    from tracker_blur.trackers import Tracker

FACE = Box.from_xywh(176, 60, 96, 120)  # in the astronaut image, 512x512
NAMES = plugins.names("tracker_blur.trackers")


@pytest.fixture(params=NAMES)
def new_tracker(request: pytest.FixtureRequest) -> Callable[[], Tracker]:
    module = plugins.load("tracker_blur.trackers", request.param)
    factory: Callable[[], Tracker] = module.load(Weights(None))
    return factory


@pytest.fixture(scope="module", name="portrait")
def portrait_image() -> Image:
    return portrait()


def shifted(image: Image, dx: float, dy: float) -> Image:
    motion = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    size = image.shape[1], image.shape[0]
    moved = cv2.warpAffine(image, motion, size, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(moved, np.uint8)


def path() -> Iterator[tuple[float, float]]:
    for step in range(1, 13):
        yield 6.0 * step, 3.0 * step


def test_a_moving_face_is_tracked(new_tracker: Callable[[], Tracker], portrait: Image) -> None:
    tracker = new_tracker()
    tracker.start(portrait, FACE)
    for dx, dy in path():
        box = tracker.update(shifted(portrait, dx, dy))
        assert box is not None
        assert box.iou(FACE.moved(dx, dy)) > 0.5


def test_the_image_is_left_unchanged(new_tracker: Callable[[], Tracker], portrait: Image) -> None:
    image = portrait.copy()
    tracker = new_tracker()
    tracker.start(image, FACE)
    tracker.update(image)
    assert np.array_equal(image, portrait)


def test_trackers_are_independent(new_tracker: Callable[[], Tracker], portrait: Image) -> None:
    alone, first, second = new_tracker(), new_tracker(), new_tracker()
    alone.start(portrait, FACE)
    first.start(portrait, FACE)
    second.start(portrait, FACE.moved(60, 200))
    for dx, dy in path():
        image = shifted(portrait, dx, dy)
        expected, got = alone.update(image), first.update(image)
        second.update(image)
        assert got == expected


@pytest.mark.parametrize(
    "box",
    [
        Box.from_xywh(-40, -40, 90, 90),
        Box.from_xywh(470, 480, 90, 90),
        Box.from_xywh(600, 600, 50, 50),
        Box.from_xywh(100, 100, 1, 1),
        Box.from_xywh(100, 100, 0, 0),
        Box.from_xywh(0, 0, 512, 512),
    ],
    ids=["cut left", "cut right", "outside", "one pixel", "empty", "whole image"],
)
def test_odd_boxes_are_tracked_or_lost_but_never_crash(
    new_tracker: Callable[[], Tracker], portrait: Image, box: Box
) -> None:
    tracker = new_tracker()
    tracker.start(portrait, box)
    for dx, dy in path():
        found = tracker.update(shifted(portrait, dx, dy))
        assert found is None or not found.is_empty
