"""Frames of any format become live frames of one format."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from tests.realtime.scripted_source import solid_frame
from tests.video_files import pattern, write_clip
from tracker_blur.realtime.live_frame import LiveFrameConverter
from tracker_blur.realtime.settings import LiveSettings
from tracker_blur.realtime.sources import CapturedFrame, open_source

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "pixel_format",
    ["yuv420p", "yuvj420p", "yuvj422p", "yuv444p", "nv12", "yuv420p10le", "rgb24", "gray"],
)
def test_every_pixel_format_looks_the_same(pixel_format: str) -> None:
    source = av.VideoFrame.from_ndarray(pattern(3, (64, 48)), "rgb24")
    frame = LiveFrameConverter(None).convert(source.reformat(format=pixel_format), 1.5, 7.0)
    assert frame.av_frame.format.name == "yuv420p"
    assert not frame.layout.full_range
    assert frame.seconds == 1.5
    assert frame.captured_at == 7.0
    expected = source.to_ndarray(format="gray").astype(int)
    shown = av.VideoFrame.from_ndarray(frame.view((64, 48)), "bgr24")
    assert np.abs(shown.to_ndarray(format="gray").astype(int) - expected).mean() < 6


def test_frames_of_another_size_are_fitted_into_the_first_size() -> None:
    converter = LiveFrameConverter(None)
    assert converter.convert(solid_frame((65, 49)), 0, 0).size == (64, 48)
    tall = converter.convert(solid_frame((20, 80)), 1, 0)
    assert tall.size == (64, 48)
    luma = tall.planes()[0].samples
    assert (luma[:, :20] == 16).all()
    assert (luma[:, 44:] == 16).all()
    assert luma[24, 32] > 150
    large = converter.convert(solid_frame((128, 96)), 2, 0)
    assert large.planes()[0].samples.min() > 150


def test_a_size_can_be_chosen() -> None:
    frame = LiveFrameConverter((33, 41)).convert(solid_frame((320, 180)), 0, 0)
    assert frame.size == (32, 40)


def test_a_copy_shares_no_memory_and_keeps_the_rest() -> None:
    frame = LiveFrameConverter(None).convert(solid_frame((64, 48)), 1.0, 2.0)
    copy = frame.copy(3.0)
    copy.planes()[0].samples[...] = 0
    assert frame.planes()[0].samples.min() > 100
    assert (copy.index, copy.captured_at, copy.seconds) == (frame.index, 2.0, 3.0)
    assert copy.av_frame.pts == 3_000_000


def test_its_memory_is_not_the_decoders(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", frames=10)
    converter = LiveFrameConverter(None)
    with av.open(str(path)) as container:
        frames = [
            converter.convert(frame, index / 10, 0)
            for index, frame in enumerate(container.decode(video=0))
        ]
    for frame in frames:
        frame.planes()[0].samples[...] = frame.index
    assert [int(frame.planes()[0].samples.max()) for frame in frames] == list(range(10))


def test_a_rotated_file_is_turned_upright(tmp_path: Path) -> None:
    one = 1 << 16
    matrix = (0, one, 0, -one, 0, 0, 48 * one, 0, 1 << 30)  # a quarter turn to the right
    path = write_clip(tmp_path / "clip.mp4", frames=3, size=(64, 48), matrix=matrix)
    source = open_source(str(path), LiveSettings(), realtime=True)
    source.open()
    items = [item for item in source.read(threading.Event()) if isinstance(item, CapturedFrame)]
    source.close()
    frame = LiveFrameConverter(None).convert(items[0].frame, 0, 0)
    assert frame.size == (48, 64)
    upright = np.rot90(pattern(0, (64, 48)).mean(axis=2), -1)
    assert np.abs(frame.view((48, 64)).mean(axis=2) - upright).mean() < 12
