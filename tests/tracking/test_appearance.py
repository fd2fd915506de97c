"""Color histograms tell faces apart."""

from __future__ import annotations

import numpy as np
import pytest

from tracker_blur.core.box import Box
from tracker_blur.tracking.appearance import Appearance, color_histogram, common_color_share


def test_histograms_tell_colors_apart() -> None:
    red = np.full((20, 20, 3), (0, 0, 220), np.uint8)
    blue = np.full((20, 20, 3), (220, 0, 0), np.uint8)
    box = Box(2, 2, 18, 18)
    in_red, in_blue = color_histogram(red, box), color_histogram(blue, box)
    assert common_color_share(in_red, in_red) == pytest.approx(1)
    assert common_color_share(in_red, in_blue) == 0
    assert color_histogram(red, Box(50, 50, 60, 60)) == bytes(24)  # outside the image: no colors


def test_a_histogram_is_remembered_by_track_and_frame() -> None:
    appearance = Appearance()
    for frame in (3, 5):
        appearance.add(7, frame, bytes([frame] * 24))
    assert [appearance.at(7, frame)[0] for frame in (3, 5)] == [3, 5]
    for track_id, frame in ((7, 4), (8, 3)):
        with pytest.raises(KeyError):
            appearance.at(track_id, frame)


def test_a_window_counts_frames_from_its_start() -> None:
    appearance = Appearance()
    for frame in (9, 3, 5):
        appearance.add(7, frame, bytes([frame] * 24))
    window = appearance.between(3, 9)
    assert [window.at(7, frame)[0] for frame in (0, 2)] == [3, 5]
    with pytest.raises(KeyError):
        window.at(7, 6)
    appearance.forget(5)
    assert [appearance.at(7, frame)[0] for frame in (5, 9)] == [5, 9]
    with pytest.raises(KeyError):
        appearance.at(7, 3)
