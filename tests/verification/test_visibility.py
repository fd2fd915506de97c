"""What counts as seen: the measures on pixels."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from tests.verify_cases import SAMPLES
from tracker_blur.core.box import Box
from tracker_blur.verification import visibility

FACE = Box.from_xywh(344.5, 219.1, 71.0, 90.0)  # of frame 0, as samples/crossing.csv says


@pytest.fixture(scope="module")
def picture() -> npt.NDArray[np.uint8]:
    capture = cv2.VideoCapture(str(SAMPLES / "crossing.mp4"))
    _, image = capture.read()
    capture.release()
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)


def changed(picture: npt.NDArray[np.uint8], box: Box, how: str) -> npt.NDArray[np.uint8]:
    result = picture.copy()
    left, top, right, bottom = box.padded(0.3).outward()
    part = result[top:bottom, left:right]
    height, width = part.shape
    if how == "solid":
        part[:] = 0
    elif how == "blurred":
        part[:] = cv2.GaussianBlur(part, (0, 0), box.size / 6)
    elif how == "mosaic":
        small = cv2.resize(part, (8, 8), interpolation=cv2.INTER_AREA)
        part[:] = cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST)
    elif how == "noisy":
        noise = np.random.default_rng(0).normal(0, 2, result.shape)
        return np.clip(result + noise, 0, 255).astype(np.uint8)
    return result


def share(before: npt.NDArray[np.uint8], after: npt.NDArray[np.uint8], box: Box) -> float:
    first, second = visibility.patch(before, box), visibility.patch(after, box)
    assert first is not None
    assert second is not None
    return visibility.visible_share(
        first, second, visibility.noise(visibility.changes(before, after))
    )


@pytest.mark.parametrize("how", ["solid", "blurred", "mosaic"])
def test_a_hidden_face_is_not_seen(picture: npt.NDArray[np.uint8], how: str) -> None:
    assert share(picture, changed(picture, FACE, how), FACE) < 0.1


@pytest.mark.parametrize("how", ["same", "noisy"])
def test_a_face_as_it_was_is_seen(picture: npt.NDArray[np.uint8], how: str) -> None:
    assert share(picture, changed(picture, FACE, how), FACE) > 0.95


def test_half_a_face_is_seen_by_half(picture: npt.NDArray[np.uint8]) -> None:
    half = Box(FACE.left, FACE.top, FACE.center[0], FACE.bottom)
    after = picture.copy()
    left, top, right, bottom = half.outward()
    after[top:bottom, left:right] = 0
    assert 0.15 < share(picture, after, FACE) < 0.6


@pytest.mark.parametrize("how", ["solid", "blurred", "mosaic"])
def test_a_hidden_face_has_no_detail(picture: npt.NDArray[np.uint8], how: str) -> None:
    seen = visibility.patch(changed(picture, FACE, how), visibility.core(FACE))
    assert seen is not None
    assert not visibility.shows_detail(seen)


def test_a_face_has_detail(picture: npt.NDArray[np.uint8]) -> None:
    seen = visibility.patch(picture, visibility.core(FACE))
    assert seen is not None
    assert visibility.shows_detail(seen)


@pytest.mark.parametrize(
    "box",
    [
        Box(0, 0, 5, 50),
        Box(-200, -200, -100, -100),
        Box(5000, 10, 5100, 110),
        Box(10, 10, 10, 10),
        Box(float("nan"), 0, 10, 10),
    ],
)
def test_there_is_nothing_to_judge_in_specks_and_outside(
    picture: npt.NDArray[np.uint8], box: Box
) -> None:
    assert visibility.patch(picture, box) is None


def test_a_face_at_the_border_is_judged_by_what_is_there(
    picture: npt.NDArray[np.uint8],
) -> None:
    box = Box(-30, 200, 60, 300)
    assert share(picture, picture, box) == 1.0


def test_a_picture_without_any_detail_is_as_it_was() -> None:
    flat = np.full((100, 100), 90, np.uint8)
    assert share(flat, flat, Box(20, 20, 60, 70)) == 1.0


def test_what_is_left_uncovered() -> None:
    box = Box(0, 0, 100, 100)
    assert visibility.uncovered_share(box, []) == 1.0
    assert visibility.uncovered_share(box, [box.padded(0.01)]) == 0.0
    assert visibility.uncovered_share(box, [Box(200, 0, 300, 100)]) == 1.0
    assert 0.4 < visibility.uncovered_share(box, [Box(-1000, -500, 50, 600)]) < 0.6
    assert visibility.uncovered_share(box, [Box(50, 50, 50, 50)]) == 1.0
