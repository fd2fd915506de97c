"""Containers: frames and audio are paced by their timestamps, damaged packets are skipped."""

from __future__ import annotations

import errno
import threading
from contextlib import nullcontext
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest

from tests.video_files import write_clip
from tracker_blur.errors import SourceError
from tracker_blur.realtime.settings import LiveTiming
from tracker_blur.realtime.sources import CapturedAudio, CapturedFrame, CapturedItem, _container
from tracker_blur.realtime.sources._container import ContainerDecoder, paced

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from av.container import InputContainer
    from av.packet import Packet


class FakeClock(threading.Event):
    """Time that passes only while someone waits for it, so that a busy machine changes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0

    def wait(self, timeout: float | None = None) -> bool:
        self.now += timeout or 0.0
        return False


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    clock = FakeClock()
    monkeypatch.setattr(_container, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def frame_at(timestamp: float) -> CapturedFrame:
    return CapturedFrame(av.VideoFrame(16, 16, "yuv420p"), timestamp)


def audio_at(timestamp: float) -> CapturedAudio:
    return CapturedAudio(np.zeros((2, 480), np.float32), timestamp)


def frame_times(items: Iterable[CapturedItem], clock: FakeClock) -> list[float]:
    """Return when each frame is delivered, in seconds after the first."""
    paced_items = paced(items, clock, LiveTiming())
    times = [clock.now for item in paced_items if isinstance(item, CapturedFrame)]
    return [time - times[0] for time in times]


def test_frames_are_delivered_when_they_are_due(clock: FakeClock) -> None:
    timestamps = [index / 10 for index in range(5)]
    assert frame_times(map(frame_at, timestamps), clock) == pytest.approx(timestamps)


def test_audio_behind_its_frames_delays_no_frame(clock: FakeClock) -> None:
    items: list[CapturedItem] = [frame_at(0)]
    for index in range(1, 9):
        items += [frame_at(index / 10), audio_at(index / 10 - 0.9)]
    assert frame_times(items, clock)[-1] == pytest.approx(0.8)


def frame_times_after_delay(seconds: float, clock: FakeClock) -> list[float]:
    """Return when nine frames are delivered if reading the second one takes this long."""

    def items() -> Iterator[CapturedItem]:
        for index in range(9):
            if index == 1:
                clock.now += seconds
            yield frame_at(index / 10)

    return frame_times(items(), clock)


def test_small_delays_do_not_add_up(clock: FakeClock) -> None:
    assert frame_times_after_delay(0.8, clock) == pytest.approx([0, *[0.8] * 8])


def test_frames_keep_their_distance_after_a_long_delay(clock: FakeClock) -> None:
    expected = [0, *(1.4 + index / 10 for index in range(8))]
    assert frame_times_after_delay(1.4, clock) == pytest.approx(expected)


class FaultyContainer:
    """A container that once raises an error instead of giving a packet."""

    def __init__(self, container: InputContainer) -> None:
        self._container = container
        self._packets = 0
        self.streams = container.streams

    def demux(self, *streams: av.VideoStream) -> Iterator[Packet[Any]]:
        for packet in self._container.demux(*streams):
            self._packets += 1
            if self._packets == 20:
                raise av.InvalidDataError(errno.EINVAL, "a packet")
            yield packet


class InterruptedContainer:
    """A container that raises an error after its last packet, as a server without a length does."""

    def __init__(self, container: InputContainer, error: Exception) -> None:
        self._container = container
        self._error = error
        self.streams = container.streams

    def demux(self, *streams: av.VideoStream) -> Iterator[Packet[Any]]:
        for packet in self._container.demux(*streams):
            if packet.size:
                yield packet
        raise self._error


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (av.EOFError(1, "end"), None),
        (av.error.OSError(errno.EIO, "input/output error"), "interrupted"),
        (av.ExitError(1, "timeout"), "stopped sending"),
    ],
)
def test_frames_that_the_decoder_holds_come_before_an_error(
    tmp_path: Path, error: Exception, message: str | None
) -> None:
    # Its B-frames are held back.
    path = write_clip(tmp_path / "a.ts", frames=20, options={"bf": "3"})
    items: list[CapturedItem] = []
    with av.open(str(path)) as container:
        interrupted: Any = InterruptedContainer(container, error)
        decoder = ContainerDecoder(interrupted, "clip")
        outcome = nullcontext() if message is None else pytest.raises(SourceError, match=message)
        with outcome:
            for item in decoder.read(threading.Event()):
                items.append(item)  # noqa: PERF402  # those before an error count
    assert [item.timestamp for item in items] == pytest.approx(
        [0.08 + index / 25 for index in range(20)]
    )


@pytest.mark.shared
def test_reading_continues_after_a_damaged_packet(clip: Path) -> None:
    with av.open(str(clip)) as container:
        decoder = ContainerDecoder(FaultyContainer(container), "clip")  # type: ignore[arg-type]  # a fake
        timestamps = [item.timestamp for item in decoder.read(threading.Event())]
    assert timestamps[-1] is not None
    assert timestamps[-1] > 4  # of 4.7 seconds


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format"),
    [("a.webm", "libvpx-vp9", "yuva420p"), ("a.mov", "png", "rgba"), ("a.mov", "qtrle", "argb")],
)
def test_what_alpha_hides_is_black(
    tmp_path: Path, name: str, codec: str, pixel_format: str
) -> None:
    options = {"auto-alt-ref": "0"} if codec == "libvpx-vp9" else {}
    image = np.full((32, 64, 4), (200, 40, 90, 255), np.uint8)
    image[:, 32:, 3] = 0
    with av.open(str(tmp_path / name), "w") as output:
        stream: Any = output.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 64, 32, pixel_format
        for index in range(3):
            frame = av.VideoFrame.from_ndarray(image, "rgba").reformat(format=pixel_format)
            frame.pts = index
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    with av.open(str(tmp_path / name)) as container:
        items = list(ContainerDecoder(container, "clip").read(threading.Event()))
    assert [item.timestamp for item in items] == pytest.approx([0, 0.04, 0.08], abs=0.002)
    for item in items:
        assert isinstance(item, CapturedFrame)
        shown = item.frame.to_ndarray(format="rgb24").astype(int)
        assert np.abs(shown[:, :28] - (200, 40, 90)).max() <= 6
        assert np.abs(shown[:, 36:]).max() <= 6


def test_frames_that_would_fill_the_memory_are_not_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_clip(tmp_path / "in.mp4", frames=3, size=(400, 400))
    for megapixels, count in ((2, 3), (1, 0)):  # of still images; a frame may have an eighth
        monkeypatch.setattr(_container, "MAX_MEGAPIXELS", megapixels)
        with av.open(str(path)) as container:
            read = ContainerDecoder(container, "a camera").read(threading.Event())
            assert len(list(read)) == count
