"""Redacted objects as examples of what is no object."""

from __future__ import annotations

import numpy as np

from tests.annotated_files import disk_image
from tests.training.verifier.samples import DISK, boxes
from tracker_blur.core.box import Box
from tracker_blur.training.verifier.redacted import SampleRedactor


def test_objects_are_hidden_in_a_copy_and_nothing_else_changes() -> None:
    image = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)
    before = image.copy()
    redactor = SampleRedactor()
    for seed in range(8):
        hidden = redactor.redact(image, boxes(DISK), "face", np.random.default_rng(seed))
        assert hidden is not None
        assert hidden.shape == image.shape
        center = np.abs(hidden[50:70, 70:90].astype(int) - image[50:70, 70:90])
        assert center.mean() > 5
        np.testing.assert_array_equal(hidden[:, :20], image[:, :20])
    np.testing.assert_array_equal(image, before)


def test_objects_too_small_to_hide_are_left_out() -> None:
    image = disk_image(0, (), (160, 120))
    tiny = boxes(Box(10, 10, 12, 12))
    assert SampleRedactor().redact(image, tiny, "face", np.random.default_rng(0)) is None
