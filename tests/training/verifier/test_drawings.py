"""Captions, dials and lines drawn into crops."""

from __future__ import annotations

import numpy as np

from tracker_blur.training.verifier.drawings import draw_distraction


def test_something_is_drawn_and_it_is_never_the_same() -> None:
    drawn = [
        draw_distraction(np.full((64, 64, 3), 90, np.uint8), np.random.default_rng(seed))
        for seed in range(40)
    ]
    assert all(crop.shape == (64, 64, 3) and crop.dtype == np.uint8 for crop in drawn)
    changed = [bool((crop != 90).any()) for crop in drawn]
    assert sum(changed) >= 38  # a caption may lie outside of the crop
    assert len({crop.tobytes() for crop in drawn}) >= 38
