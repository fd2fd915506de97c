"""The fog: dense, steady and gray."""

from __future__ import annotations

import numpy as np
from skimage import data

from tests.fakes import noise_frame
from tracker_blur.core.box import Box
from tracker_blur.core.frame import Orientation, PixelLayout, Plane
from tracker_blur.redaction.methods import Patch
from tracker_blur.redaction.methods.fog import Fog

FACE = Box.from_xywh(176, 60, 96, 120)  # in scikit-image's astronaut, 512x512


def fog(seed: int, layout: str = "yuv420p") -> tuple[Patch, tuple[np.ndarray, ...]]:
    frame = noise_frame(layout, (80, 100))
    box = Box(0, 0, 80, 100)
    patch = Patch(frame.planes(), frame.layout, frame.orientation, box, box, seed)
    return patch, Fog().hide(patch)


def test_billows_differ_between_faces_and_have_no_color() -> None:
    (_, one), (_, other) = fog(1), fog(2)
    assert np.abs(one[0].astype(int) - other[0]).mean() > 4
    np.testing.assert_array_equal(one[1], other[1])
    np.testing.assert_array_equal(one[2], other[2])


def test_billows_stand_still_on_a_face_that_enters_the_frame() -> None:
    samples = np.full((100, 80), 90, np.uint8)
    whole, cut = (
        Fog().hide(
            Patch(
                (Plane(samples[:, left:]),),
                PixelLayout("gray"),
                Orientation.UPRIGHT,
                Box(-left, 0, 80 - left, 100),
                Box(-left, 0, 80 - left, 100),
                1,
            )
        )[0]
        for left in (0, 20)
    )
    assert np.abs(whole[:, 20:].astype(int) - cut).max() <= 12  # interpolation


def test_only_coarse_light_is_left_of_a_face() -> None:
    rgb = data.astronaut()
    left, top, right, bottom = FACE.outward()
    planes = tuple(Plane(rgb[top:bottom, left:right, channel]) for channel in range(3))
    box = Box(0, 0, right - left, bottom - top)
    patch = Patch(planes, PixelLayout("rgb"), Orientation.UPRIGHT, box, box, 1)
    for plane, fill in zip(planes, Fog().hide(patch), strict=True):
        clear = plane.samples.astype(float)
        # Recognition depends on detail finer than a third of the face.
        assert (
            np.abs(np.diff(fill.astype(float), axis=0)).mean()
            < 0.15 * np.abs(np.diff(clear, axis=0)).mean()
        )
        assert fill.std() < 0.5 * clear.std()
