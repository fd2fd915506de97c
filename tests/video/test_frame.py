"""Frames as PyAV decoded them."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.reformatter import VideoReformatter

from tracker_blur.core.frame import Orientation
from tracker_blur.video import pixel_formats
from tracker_blur.video.frame import DecodedFrame, Scaler
from tracker_blur.video.pixel_formats import reformat


def gray_frame(name: str, primaries: int, transfer: int, matrix: int) -> av.VideoFrame:
    frame = av.VideoFrame(64, 48, name)
    for plane in pixel_formats.planes(frame):
        plane.samples[...] = (pixel_formats.layout(frame).peak + 1) // 2
    frame.color_primaries, frame.color_trc, frame.colorspace = primaries, transfer, matrix
    frame.pts, frame.time_base = 0, Fraction(1, 25)
    return frame


@pytest.mark.parametrize("name", ["yuv420p", "yuv422p10le"])
@pytest.mark.parametrize("matrix", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14])
@pytest.mark.parametrize(("primaries", "transfer"), [(2, 2), (9, 16), (3, 3), (22, 18)])
def test_frames_with_any_color_tags_have_a_view(
    name: str, matrix: int, primaries: int, transfer: int
) -> None:
    # swscale refuses reserved and unusual tags; a video with them must still be redacted.
    av_frame = gray_frame(name, primaries, transfer, matrix)
    frame = DecodedFrame(av_frame, 0, Orientation.UPRIGHT, Scaler())
    view = frame.view((32, 24)).astype(int)
    assert np.abs(view - 130).max() < 3
    assert (av_frame.color_primaries, av_frame.color_trc, av_frame.colorspace) == (
        primaries,
        transfer,
        matrix,
    )


@pytest.mark.parametrize("matrix", [2, 9, 10])
def test_a_conversion_keeps_the_tags(matrix: int) -> None:
    av_frame = gray_frame("yuv420p10le", 9, 16, 9).reformat(format="p010le")
    av_frame.colorspace = matrix
    native = reformat(VideoReformatter(), av_frame, (64, 48), "yuv420p10le")
    assert native.format.name == "yuv420p10le"
    assert (native.color_primaries, native.color_trc, native.colorspace) == (9, 16, matrix)


def test_an_enlarged_view_is_smooth() -> None:
    ramp = np.tile(np.linspace(20, 230, 64).round().astype(np.uint8), (48, 1))
    frame = av.VideoFrame.from_ndarray(ramp, format="gray")
    frame.pts, frame.time_base = 0, Fraction(1, 25)
    view = DecodedFrame(frame, 0, Orientation.UPRIGHT, Scaler()).view((128, 96))
    steps = np.diff(view[40, 8:-8, 0].astype(int))
    assert steps.min() >= 1  # nearest neighbors would repeat each value
    assert steps.max() <= 3


def test_a_frame_needs_a_time() -> None:
    with pytest.raises(ValueError, match="needs a time"):
        DecodedFrame(av.VideoFrame(16, 16, "gray"), 0, Orientation.UPRIGHT, Scaler())
