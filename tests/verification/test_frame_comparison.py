"""Frames that are almost the same are compared where nothing is hidden."""

from __future__ import annotations

import numpy as np
import pytest

from tracker_blur.core.box import Box
from tracker_blur.verification.frame_comparison import FrameComparison, have_detail
from tracker_blur.verification.parameters import VerificationParameters

PARAMETERS = VerificationParameters()


def test_degraded_frames_are_reported() -> None:
    errors = np.full((10, 16), 4.0, np.float32)
    comparison = FrameComparison(PARAMETERS)
    comparison.after_seconds.append(0.0)
    comparison.before_seconds.append(0.0)
    comparison.add(0, errors, (128, 80), [])
    (*_, good) = comparison.checks(0.001)
    assert good.passed
    assert "42.1 dB" in good.detail
    errors[:, 8:] = 9000.0
    comparison.add(1, errors, (128, 80), [Box(60, -10, 140, 90)])  # hidden there
    assert comparison.checks(0.001)[-1].passed
    errors[:] = 9000.0
    comparison.add(2, errors, (128, 80), [Box(-10, -10, 200, 200)])  # all of it is hidden
    assert comparison.checks(0.001)[-1].passed
    comparison.add(3, errors, (128, 80), [])
    assert not comparison.checks(0.001)[-1].passed
    assert "(frame 3)" in comparison.checks(0.001)[-1].detail


@pytest.mark.parametrize("block_px", [20, 47])
def test_a_mosaic_leaves_few_cells_with_detail(block_px: int) -> None:
    rng = np.random.default_rng(0)
    blocks = rng.integers(0, 256, (20, 20), np.uint8)
    mosaic = np.repeat(np.repeat(blocks, block_px, 0), block_px, 1)
    assert have_detail(mosaic, PARAMETERS).mean() < 0.1
    noisy = np.clip(mosaic + rng.normal(0, 12, mosaic.shape), 0, 255).astype(np.uint8)
    assert have_detail(noisy, PARAMETERS).mean() > 0.9
    assert not have_detail(np.full_like(mosaic, 90), PARAMETERS).any()
    assert not have_detail(mosaic[:1, :1], PARAMETERS).any()
