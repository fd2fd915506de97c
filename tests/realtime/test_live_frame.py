"""All kinds of pictures come to be of one kind."""

from __future__ import annotations

import threading
from pathlib import Path

import av
import numpy as np
import pytest

from tests.video_files import picture, write_clip
from tracker_blur.realtime.live_frame import LiveFrameConverter
from tracker_blur.realtime.settings import LiveSettings
from tracker_blur.realtime.sources import CapturedFrame, open_source


def rgb(size: tuple[int, int], level: int = 200) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), level, np.uint8), "rgb24")


@pytest.mark.parametrize(
    "form", ["yuv420p", "yuvj420p", "yuvj422p", "yuv444p", "nv12", "yuv420p10le", "rgb24", "gray"]
)
def test_every_kind_of_samples_looks_the_same(form: str) -> None:
    source = av.VideoFrame.from_ndarray(picture(3, (64, 48)), "rgb24")
    arrival = LiveFrameConverter(None).arrival(source.reformat(format=form), 1.5, 7.0)
    assert arrival.picture.format.name == "yuv420p"
    assert not arrival.layout.full_range
    assert arrival.seconds == 1.5
    assert arrival.arrived == 7.0
    expected = source.to_ndarray(format="gray").astype(int)
    shown = arrival.view((64, 48))
    gray = av.VideoFrame.from_ndarray(shown, "bgr24").to_ndarray(format="gray").astype(int)
    assert np.abs(gray - expected).mean() < 6


def test_pictures_of_another_size_are_fitted_into_the_first_ones() -> None:
    arrivals = LiveFrameConverter(None)
    assert arrivals.arrival(rgb((65, 49)), 0, 0).size == (64, 48)
    tall = arrivals.arrival(rgb((20, 80)), 1, 0)
    assert tall.size == (64, 48)
    luma = tall.planes()[0].samples
    assert (luma[:, :20] == 16).all()
    assert (luma[:, 44:] == 16).all()
    assert luma[24, 32] > 150
    assert arrivals.arrival(rgb((128, 96)), 2, 0).planes()[0].samples.min() > 150


def test_a_size_may_be_asked_for() -> None:
    assert LiveFrameConverter((33, 41)).arrival(rgb((320, 180)), 0, 0).size == (32, 40)


def test_a_copy_shares_nothing_and_keeps_what_it_is_of() -> None:
    arrival = LiveFrameConverter(None).arrival(rgb((64, 48)), 1.0, 2.0)
    copy = arrival.copy(3.0)
    copy.planes()[0].samples[...] = 0
    assert arrival.planes()[0].samples.min() > 100
    assert (copy.index, copy.arrived, copy.seconds) == (arrival.index, 2.0, 3.0)
    assert copy.picture.pts == 3_000_000


def test_its_memory_is_not_the_decoders(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", frames=10)
    with av.open(str(path)) as container:
        arrivals = LiveFrameConverter(None)
        kept = [arrivals.arrival(frame, 0.1 * i, 0) for i, frame in enumerate(container.decode())]
    for arrival in kept:
        arrival.planes()[0].samples[...] = arrival.index
    assert [int(arrival.planes()[0].samples.max()) for arrival in kept] == list(range(10))


def test_a_turned_file_stands_upright(tmp_path: Path) -> None:
    one = 1 << 16
    matrix = (0, one, 0, -one, 0, 0, 48 * one, 0, 1 << 30)  # a quarter to the right
    path = write_clip(tmp_path / "clip.mp4", frames=3, size=(64, 48), matrix=matrix)
    source = open_source(str(path), LiveSettings(), realtime=True)
    source.open()
    items = [item for item in source.read(threading.Event()) if isinstance(item, CapturedFrame)]
    source.close()
    arrival = LiveFrameConverter(None).arrival(items[0].picture, 0, 0)
    assert arrival.size == (48, 64)
    stored = picture(0, (64, 48)).mean(axis=2)
    upright = np.rot90(stored, -1)
    shown = arrival.view((48, 64)).mean(axis=2)
    assert np.abs(shown - upright).mean() < 12
