"""Videos whose frames are larger than the memory are refused before they fill it."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
import pytest

from tests.video.rewriting import read_frames
from tests.video_files import write_clip, write_frames
from tracker_blur.errors import SourceError
from tracker_blur.video import pixel_formats
from tracker_blur.video.reader import VideoReader

if TYPE_CHECKING:
    from pathlib import Path


def message(path: Path, **settings: float) -> str:
    with pytest.raises(SourceError) as raised:
        read_frames(path, **settings)
    return str(raised.value)


def test_few_bytes_that_hold_huge_frames(tmp_path: Path) -> None:
    frame = av.VideoFrame(7_000, 6_000, "gray")
    (plane,) = pixel_formats.planes(frame)
    plane.samples[...] = 0
    path = write_frames(tmp_path / "a.mov", [frame], codec="png")
    assert path.stat().st_size < 500_000
    assert message(path) == (
        f"{path}: has frames of 7000 x 6000 pixels (42 million), more than the limit of 37.5 "
        "million: reduce it, or raise the limit with `max_megapixels`"
    )


@pytest.mark.parametrize("name", ["a.mp4", "a.ts", "a.webm"])
def test_the_limit_is_an_eighth_of_that_of_images(tmp_path: Path, name: str) -> None:
    codec = "libvpx-vp9" if name == "a.webm" else "libx264"
    path = write_clip(tmp_path / name, codec=codec, frames=3, size=(800, 500))
    assert "800 x 500 pixels (0.4 million), more than the limit of 0.388" in message(
        path, max_megapixels=3.1
    )
    assert len(read_frames(path, max_megapixels=3.21)) == 3


def test_pixels_that_are_far_from_square_count_as_shown(tmp_path: Path) -> None:
    """Encoders without a pixel aspect would make a huge frame of a small one."""
    aspect = Fraction(40)
    path = write_clip(tmp_path / "a.mp4", frames=3, size=(320, 160), pixel_aspect=aspect)
    assert "has frames of 12800 x 160 pixels" in message(path, max_megapixels=16)
    assert len(read_frames(path, max_megapixels=16.5)) == 3


def test_frames_that_become_too_large_later_are_refused(tmp_path: Path) -> None:
    parts = [
        write_clip(tmp_path / f"{side}.ts", frames=5, size=(side, side)) for side in (160, 960)
    ]
    path = tmp_path / "joined.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    with VideoReader(path, max_megapixels=8) as source:
        assert len(list(source)) == 10
    with VideoReader(path, max_megapixels=5, partial=True) as source:
        frames = list(source)
    assert [frame.size for frame in frames] == [(160, 160)] * len(frames)
    assert len(frames) <= 5
    assert source.is_partial
    with pytest.raises(SourceError, match="damaged"):
        read_frames(path, max_megapixels=5)
