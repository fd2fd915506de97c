"""Animated GIFs."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import GifImagePlugin, Image

from tests.video.rewriting import (
    first_frame,
    rewrite,
    times,
)
from tests.video_files import (
    ROTATED_90_CLOCKWISE,
    AudioTrack,
    pattern,
    write_clip,
)

if TYPE_CHECKING:
    from pathlib import Path


class TestGif:
    """Animated GIF: no audio, no rotation, hundredths of a second."""

    def test_a_video_becomes_an_animation(self, tmp_path: Path) -> None:
        source = write_clip(
            tmp_path / "in.mp4", frames=10, rate=Fraction(10), audio_tracks=[AudioTrack()]
        )
        target = rewrite(source, tmp_path / "out.gif")
        assert times(target) == [Fraction(index, 10) for index in range(10)]
        with GifImagePlugin.GifImageFile(target) as image:
            assert image.n_frames == 10
            assert image.info["duration"] == 100
            assert image.info["loop"] == 0
            shown = np.asarray(image.convert("RGB")).astype(int)
        assert np.abs(shown - pattern(0, (96, 64))).mean() < 20

    def test_uneven_delays_stay(self, tmp_path: Path) -> None:
        pts = [0, 100, 150, 400, 420]
        source = write_clip(tmp_path / "in.mkv", frames=5, time_base=Fraction(1, 1000), pts=pts)
        assert times(rewrite(source, tmp_path / "out.gif")) == [
            Fraction(tick, 1000) for tick in pts
        ]

    @pytest.mark.slow
    def test_frames_too_quick_for_viewers_are_dropped(self, tmp_path: Path) -> None:
        source = write_clip(tmp_path / "in.mp4", frames=60, rate=Fraction(60))
        seconds = times(rewrite(source, tmp_path / "out.gif"))
        steps = [after - before for before, after in itertools.pairwise(seconds)]
        assert min(steps) >= Fraction(2, 100)
        assert abs(seconds[-1] - Fraction(59, 60)) <= Fraction(2, 100)

    def test_frames_are_upright_with_square_pixels(self, tmp_path: Path) -> None:
        source = write_clip(
            tmp_path / "in.mp4",
            frames=2,
            matrix=ROTATED_90_CLOCKWISE,
            pixel_aspect=Fraction(1, 2),
        )
        target = rewrite(source, tmp_path / "out.gif")
        with Image.open(target) as image:
            assert image.size == (64, 48)
            shown = np.asarray(image.convert("RGB")).astype(int)
        expected = np.rot90(pattern(0, (96, 64)), -1)[::2]
        assert np.abs(shown - expected).mean() < 25

    def test_an_animation_becomes_a_video(self, tmp_path: Path) -> None:
        source = write_clip(tmp_path / "in.gif", codec="gif", pixel_format="rgb8", frames=8)
        target = rewrite(source, tmp_path / "out.mp4")
        assert times(target) == times(source)
        assert first_frame(target).format.name == "yuv420p"

    def test_an_animation_stays_one(self, tmp_path: Path) -> None:
        source = write_clip(tmp_path / "in.gif", codec="gif", pixel_format="rgb8", frames=8)
        target = rewrite(source, tmp_path / "out.gif")
        assert times(target) == times(source)
        with Image.open(source) as before, Image.open(target) as after:
            difference = np.asarray(before.convert("RGB")).astype(int) - np.asarray(
                after.convert("RGB")
            )
        assert np.abs(difference).mean() < 1
