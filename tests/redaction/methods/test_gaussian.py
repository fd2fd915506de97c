"""The blur is as strong on a large face as on a small one, and the same in all planes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tracker_blur.core.box import Box
from tracker_blur.core.frame import Orientation, PixelLayout, Plane, Samples
from tracker_blur.redaction.methods import Patch
from tracker_blur.redaction.methods.gaussian import Gaussian

SMALL = np.random.default_rng(2).integers(0, 256, (64, 48), dtype=np.uint8)


def blur(samples: Samples, factor: float, box: Box | None = None) -> Samples:
    height, width = samples.shape
    box = box or Box(0, 0, width, height)
    planes = (Plane(samples),)
    patch = Patch(planes, PixelLayout("gray"), Orientation.UPRIGHT, box, box, 1)
    return Gaussian(factor).hide(patch)[0]


@pytest.mark.parametrize("times", [2, 5, 12])
def test_blur_does_not_depend_on_the_face_size(times: int) -> None:
    size = (48 * times, 64 * times)
    large = cv2.resize(SMALL, size, interpolation=cv2.INTER_NEAREST)
    expected = cv2.resize(blur(SMALL, 3.0), size, interpolation=cv2.INTER_LINEAR)
    assert np.abs(blur(large, 3.0).astype(int) - expected).max() <= 12


def test_a_face_cut_by_the_border_is_blurred_like_the_whole() -> None:
    part = SMALL[:, 40:]  # an eighth of it is left
    as_whole = blur(part, 3.0, Box(-40, 0, 8, 64))
    as_small = blur(part, 3.0, Box(0, 0, 8, 64))
    assert as_whole.std() < as_small.std()


def test_chroma_is_blurred_as_much_as_luma() -> None:
    luma = cv2.resize(SMALL, (192, 256), interpolation=cv2.INTER_LINEAR)
    chroma = cv2.resize(luma, (96, 128), interpolation=cv2.INTER_AREA)
    box = Box(0, 0, 192, 256)
    planes = (Plane(luma), Plane(chroma, 2, 2), Plane(chroma, 2, 2))
    patch = Patch(planes, PixelLayout("yuv"), Orientation.UPRIGHT, box, box, 1)
    fills = Gaussian(3.0).hide(patch)
    half = cv2.resize(fills[0], (96, 128), interpolation=cv2.INTER_AREA)
    assert np.abs(half.astype(int) - fills[1]).max() <= 4
