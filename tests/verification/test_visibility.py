"""What counts as visible: the measures on pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from tests.verify_cases import SAMPLES
from tracker_blur.core.box import Box
from tracker_blur.verification import visibility
from tracker_blur.verification.frame_comparison import cell_errors
from tracker_blur.verification.parameters import VerificationParameters

if TYPE_CHECKING:
    from tracker_blur.verification.visibility import FacePatch

PARAMETERS = VerificationParameters()
FACE = Box.from_xywh(344.5, 219.1, 71.0, 90.0)  # in frame 0, from samples/crossing.csv


@pytest.fixture(scope="module")
def gray() -> npt.NDArray[np.uint8]:
    capture = cv2.VideoCapture(str(SAMPLES / "crossing.mp4"))
    _, image = capture.read()
    capture.release()
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)


def changed(gray: npt.NDArray[np.uint8], box: Box, how: str) -> npt.NDArray[np.uint8]:
    result = gray.copy()
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


def patch(gray: npt.NDArray[np.uint8], box: Box) -> FacePatch:
    found = visibility.face_patch(gray, box, PARAMETERS)
    assert found is not None
    return found


def shows_detail(gray: npt.NDArray[np.uint8]) -> bool:
    core = visibility.face_core(FACE, PARAMETERS)
    return visibility.shows_detail(patch(gray, core), PARAMETERS)


def share(before: npt.NDArray[np.uint8], after: npt.NDArray[np.uint8], box: Box) -> float:
    noise = visibility.encoder_noise(cell_errors(before, after), PARAMETERS)
    return visibility.visible_share(patch(before, box), patch(after, box), noise, PARAMETERS)


@pytest.mark.parametrize("how", ["solid", "blurred", "mosaic"])
def test_a_hidden_face_is_not_visible(gray: npt.NDArray[np.uint8], how: str) -> None:
    assert share(gray, changed(gray, FACE, how), FACE) < 0.1


@pytest.mark.parametrize("how", ["same", "noisy"])
def test_an_unchanged_face_is_visible(gray: npt.NDArray[np.uint8], how: str) -> None:
    assert share(gray, changed(gray, FACE, how), FACE) > 0.95


def test_half_a_face_is_half_visible(gray: npt.NDArray[np.uint8]) -> None:
    half = Box(FACE.left, FACE.top, FACE.center[0], FACE.bottom)
    after = gray.copy()
    left, top, right, bottom = half.outward()
    after[top:bottom, left:right] = 0
    assert 0.15 < share(gray, after, FACE) < 0.6


@pytest.mark.parametrize("how", ["solid", "blurred", "mosaic"])
def test_a_hidden_face_has_no_detail(gray: npt.NDArray[np.uint8], how: str) -> None:
    assert not shows_detail(changed(gray, FACE, how))


def test_a_face_has_detail(gray: npt.NDArray[np.uint8]) -> None:
    assert shows_detail(gray)


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
def test_tiny_and_outside_boxes_have_no_patch(gray: npt.NDArray[np.uint8], box: Box) -> None:
    assert visibility.face_patch(gray, box, PARAMETERS) is None


def test_an_unchanged_face_at_the_border_is_visible(
    gray: npt.NDArray[np.uint8],
) -> None:
    box = Box(-30, 200, 60, 300)
    assert share(gray, gray, box) == 1.0


def test_an_unchanged_frame_without_detail_is_visible() -> None:
    flat = np.full((100, 100), 90, np.uint8)
    assert share(flat, flat, Box(20, 20, 60, 70)) == 1.0


def test_unhidden_share() -> None:
    box = Box(0, 0, 100, 100)
    assert visibility.unhidden_share(box, []) == 1.0
    assert visibility.unhidden_share(box, [box.padded(0.01)]) == 0.0
    assert visibility.unhidden_share(box, [Box(200, 0, 300, 100)]) == 1.0
    assert 0.4 < visibility.unhidden_share(box, [Box(-1000, -500, 50, 600)]) < 0.6
    assert visibility.unhidden_share(box, [Box(50, 50, 50, 50)]) == 1.0
