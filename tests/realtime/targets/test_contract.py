"""What every target must do."""

from __future__ import annotations

import gc
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.fakes import noise_frame
from tests.realtime.targets.deliveries import (
    COUNT,
    FORMAT,
    SILENT,
    make_audio,
    make_context,
    make_deliveries,
    redacted_frames,
    send,
)
from tests.realtime.targets.fake_camera import FakeCamera
from tests.realtime.targets.virtual_screen import virtual_screen
from tests.waiting import PATIENCE_SECONDS, until
from tracker_blur.core import plugins
from tracker_blur.core.frame import RedactedFrame
from tracker_blur.errors import SettingsError, TrackerBlurError
from tracker_blur.realtime.delivery import Delivery
from tracker_blur.realtime.settings import LiveTiming
from tracker_blur.realtime.targets import Target, open_target
from tracker_blur.realtime.targets.stdout import StdoutTarget
from tracker_blur.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAMES = plugins.names("tracker_blur.realtime.targets")
EXAMPLES = {
    "address": "udp://127.0.0.1:9?pkt_size=1316",  # no one needs to listen
    "hls": "{folder}/live.m3u8",
    "recording": "{folder}/out.mkv",
    "virtual": "virtual",
    "web": "web:0",
    "window": "window",
}

CHILD_PROCESSES = ("address", "window")  # each `open` starts one


@pytest.fixture(
    params=[
        pytest.param(name, marks=[pytest.mark.slow] * (name in CHILD_PROCESSES)) for name in NAMES
    ]
)
def target(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Target]:
    if request.param == "virtual":
        pyvirtualcam = pytest.importorskip("pyvirtualcam", reason="needs the extra [live]")
        monkeypatch.setattr(pyvirtualcam.camera, "BACKENDS", {"fake": FakeCamera})
    if request.param == "window":
        monkeypatch.setenv("DISPLAY", request.getfixturevalue("display"))
    descriptor = None
    if request.param == "stdout":
        descriptor = os.open(tmp_path / "out.ts", os.O_WRONLY | os.O_CREAT)
        target: Target = StdoutTarget(make_context(), descriptor)
    else:
        target = open_target(
            EXAMPLES[request.param].format(folder=tmp_path),
            make_context(timing=LiveTiming(open_window_seconds=PATIENCE_SECONDS)),
        )
    yield target
    target.close()
    if descriptor is not None:
        os.close(descriptor)


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    with virtual_screen() as screen:
        yield screen.display


def test_every_target_is_tested() -> None:
    assert {*EXAMPLES, "stdout"} == set(NAMES)
    assert COUNT > 20


def test_takes_video_and_audio_twice(target: Target) -> None:
    for begin in (3.0, 100.0):
        target.open(FORMAT)
        send(target, make_deliveries(begin=begin), make_audio(begin=begin))
        target.close()
        assert target.is_reached
        target.close()


def test_takes_video_without_audio(target: Target) -> None:
    target.open(SILENT)
    send(target, make_deliveries(3))
    target.close()


def test_takes_audio_that_begins_late(target: Target) -> None:
    target.open(FORMAT)
    send(target, make_deliveries())
    for chunk in make_audio():
        target.play(chunk)
    send(target, make_deliveries(begin=14.0), make_audio(begin=14.0))
    target.close()


def test_closes_at_any_time(target: Target) -> None:
    target.close()
    target.open(FORMAT)
    target.close()
    target.open(FORMAT)
    for chunk in make_audio():
        target.play(chunk)
    target.close()


UNREDACTED: dict[str, Callable[[], object]] = {
    "frame": lambda: redacted_frames()[0],
    "PyAV frame": lambda: redacted_frames()[0].av_frame,
    "array": lambda: np.zeros((360, 640, 3), np.uint8),
    "none": lambda: None,
    "other class of frame": lambda: RedactedFrame(noise_frame("yuv420p", (640, 360))),
}


@pytest.mark.parametrize("make", UNREDACTED.values(), ids=UNREDACTED.keys())
def test_takes_only_redacted_frames(target: Target, make: Callable[[], object]) -> None:
    target.open(FORMAT)
    target.show(make_deliveries(1)[0])
    with pytest.raises(TypeError, match="a target takes redacted frames only"):
        target.show(Delivery(make(), 20.0, 0.0, False))  # type: ignore[arg-type]  # on purpose
    target.close()


def test_leaves_frames_unchanged_for_other_targets(target: Target) -> None:
    deliveries = make_deliveries(5)
    frames = [frame.av_frame for frame in redacted_frames(5)]
    before = [(frame.to_ndarray(), frame.pts, frame.time_base) for frame in frames]
    target.open(FORMAT)
    other = open_target("web:0", make_context())  # reads the same frames at the same time
    other.open(FORMAT)

    def send_to_other() -> None:
        for _ in range(5):
            send(other, deliveries)

    thread = threading.Thread(target=send_to_other)
    thread.start()
    send(target, deliveries)
    target.close()
    thread.join()
    other.close()
    for frame, (samples, pts, time_base) in zip(frames, before, strict=True):
        assert np.array_equal(frame.to_ndarray(), samples)
        assert (frame.pts, frame.time_base) == (pts, time_base)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="counts in /proc")
def test_leaves_no_files_or_threads(target: Target) -> None:
    def count_open() -> tuple[int, int]:
        return len(list(Path("/proc/self/fd").iterdir())), threading.active_count()

    def use(turn: int) -> None:
        target.open(FORMAT)
        send(target, make_deliveries(5, begin=turn * 10.0), make_audio(5, begin=turn * 10.0))
        target.close()

    gc.collect()  # what earlier tests left is freed now, not in between
    use(0)
    files, threads = count_open()
    for turn in range(1, 4):
        use(turn)
        # A thread may still be ending.
        until(lambda: (now := count_open())[0] <= files and now[1] <= threads)


@pytest.mark.parametrize("text", ["", "windows", "vir", "out", "WEB:1"])
def test_unknown_target_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="is not a target: name window, virtual, web, -"):
        open_target(text, make_context())


@pytest.mark.parametrize("name", ["address", "hls", "recording"])
@pytest.mark.parametrize("setting", [{"preset": "nonsense"}, {"encoder": "nonsense"}])
def test_unknown_encoder_setting_is_refused_at_once(
    tmp_path: Path, name: str, setting: dict[str, Any]
) -> None:
    settings = Settings(one_pass=True, **setting)
    with pytest.raises(TrackerBlurError, match="nonsense"):
        open_target(EXAMPLES[name].format(folder=tmp_path), make_context(settings))
