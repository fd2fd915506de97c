"""What every tracker must do, on a real face that moves by known steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from tracker_blur.core import plugins
from tracker_blur.core.box import Box
from tracker_blur.core.frame import Image
from tracker_blur.trackers import Tracker
from tracker_blur.weights.store import Weights

FACE = Box.from_xywh(176, 60, 96, 120)  # in the astronaut picture, 512x512
NAMES = plugins.names("tracker_blur.trackers")


@pytest.fixture(params=NAMES)
def new_tracker(request: pytest.FixtureRequest) -> Callable[[], Tracker]:
    folder: Path | None = None
    if request.param == "nano":
        folder = request.getfixturevalue("shared") / "models"
    module = plugins.load("tracker_blur.trackers", request.param)
    factory: Callable[[], Tracker] = module.load(Weights(folder))
    return factory


@pytest.fixture(scope="module")
def portrait() -> Image:
    return cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR)


def shifted(image: Image, dx: float, dy: float) -> Image:
    motion = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    return cv2.warpAffine(image, motion, image.shape[1::-1], borderMode=cv2.BORDER_REFLECT)


def path() -> Iterator[tuple[float, float]]:
    for step in range(1, 13):
        yield 6.0 * step, 3.0 * step


def test_follows_a_moving_face(new_tracker: Callable[[], Tracker], portrait: Image) -> None:
    tracker = new_tracker()
    tracker.start(portrait, FACE)
    for dx, dy in path():
        box = tracker.update(shifted(portrait, dx, dy))
        assert box is not None
        assert box.iou(FACE.moved(dx, dy)) > 0.5


def test_does_not_change_the_picture(new_tracker: Callable[[], Tracker], portrait: Image) -> None:
    image = portrait.copy()
    tracker = new_tracker()
    tracker.start(image, FACE)
    tracker.update(image)
    assert np.array_equal(image, portrait)


def test_two_trackers_do_not_disturb_each_other(
    new_tracker: Callable[[], Tracker], portrait: Image
) -> None:
    alone, first, second = new_tracker(), new_tracker(), new_tracker()
    alone.start(portrait, FACE)
    first.start(portrait, FACE)
    second.start(portrait, FACE.moved(60, 200))
    for dx, dy in path():
        picture = shifted(portrait, dx, dy)
        expected, got = alone.update(picture), first.update(picture)
        second.update(picture)
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
    ids=["cut left", "cut right", "outside", "one pixel", "empty", "whole picture"],
)
def test_odd_boxes_are_followed_or_lost_but_never_crash(
    new_tracker: Callable[[], Tracker], portrait: Image, box: Box
) -> None:
    tracker = new_tracker()
    tracker.start(portrait, box)
    for dx, dy in path():
        found = tracker.update(shifted(portrait, dx, dy))
        assert found is None or not found.is_empty
