"""What every target must do."""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.fakes import noise_frame
from tests.realtime.targets.deliveries import (
    COUNT,
    FORMAT,
    SILENT,
    context,
    deliveries,
    frames,
    send,
    sounds,
)
from tests.realtime.targets.fake_camera import FakeCamera
from tests.realtime.targets.screen import virtual_screen
from tests.waiting import PATIENCE_SECONDS, until
from tracker_blur.core import plugins
from tracker_blur.core.frame import RedactedFrame
from tracker_blur.errors import SettingsError, TrackerBlurError
from tracker_blur.realtime.delivery import Delivery
from tracker_blur.realtime.targets import Target, open_target, window
from tracker_blur.realtime.targets.stdout import StandardOutput
from tracker_blur.settings import Settings

KINDS = plugins.names("tracker_blur.realtime.targets")
WORDS = {
    "address": "udp://127.0.0.1:9?pkt_size=1316",  # nobody needs to listen
    "hls": "{folder}/live.m3u8",
    "recording": "{folder}/out.mkv",
    "virtual": "virtual",
    "web": "web:0",
    "window": "window",
}


@pytest.fixture(params=KINDS)
def target(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Target]:
    if request.param == "virtual":
        pyvirtualcam = pytest.importorskip("pyvirtualcam", reason="needs the extra [live]")
        monkeypatch.setattr(pyvirtualcam.camera, "BACKENDS", {"fake": FakeCamera})
    if request.param == "window":
        monkeypatch.setenv("DISPLAY", request.getfixturevalue("display"))
        monkeypatch.setattr(window, "_OPENING_SECONDS", PATIENCE_SECONDS)
    if request.param == "stdout":
        descriptor = os.open(tmp_path / "out.ts", os.O_WRONLY | os.O_CREAT)
        made: Target = StandardOutput(context(), descriptor)
    else:
        descriptor = None
        made = open_target(WORDS[request.param].format(folder=tmp_path), context())
    yield made
    made.close()
    if descriptor is not None:
        os.close(descriptor)


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    with virtual_screen() as screen:
        yield screen.display


def test_takes_pictures_and_sound_twice(target: Target) -> None:
    for begin in (3.0, 100.0):
        target.open(FORMAT)
        send(target, deliveries(begin=begin), sounds(begin=begin))
        target.close()
        assert target.is_reached
        target.close()


def test_takes_pictures_without_sound(target: Target) -> None:
    target.open(SILENT)
    send(target, deliveries(3))
    target.close()


def test_takes_sound_that_begins_late(target: Target) -> None:
    target.open(FORMAT)
    send(target, deliveries())
    for sound in sounds():
        target.play(sound)
    send(target, deliveries(begin=14.0), sounds(begin=14.0))
    target.close()


def test_closes_whatever_was_before(target: Target) -> None:
    target.close()
    target.open(FORMAT)
    target.close()
    target.open(FORMAT)
    for sound in sounds():
        target.play(sound)
    target.close()


RAW: dict[str, Callable[[], object]] = {
    "frame": lambda: frames()[0],
    "picture": lambda: frames()[0].picture,
    "array": lambda: np.zeros((360, 640, 3), np.uint8),
    "nothing": lambda: None,
    "of another kind": lambda: RedactedFrame(noise_frame("yuv420p", (640, 360))),
}


@pytest.mark.parametrize("raw", RAW.values(), ids=RAW.keys())
def test_takes_nothing_but_redacted_frames(target: Target, raw: Callable[[], object]) -> None:
    target.open(FORMAT)
    target.show(deliveries(1)[0])
    with pytest.raises(TypeError, match="a target takes redacted frames only"):
        target.show(Delivery(raw(), 20.0, 0.0, False))  # type: ignore[arg-type]  # wrong on purpose
    target.close()


def test_leaves_pictures_as_they_are_for_other_targets(target: Target) -> None:
    shown = deliveries(5)
    pictures = [frame.picture for frame in frames(5)]
    before = [(picture.to_ndarray(), picture.pts, picture.time_base) for picture in pictures]
    target.open(FORMAT)
    other = open_target("web:0", context())  # reads the same pictures at the same time
    other.open(FORMAT)
    thread = threading.Thread(target=lambda: [send(other, shown) for _ in range(5)])
    thread.start()
    send(target, shown)
    target.close()
    thread.join()
    other.close()
    for picture, (samples, pts, time_base) in zip(pictures, before, strict=True):
        assert np.array_equal(picture.to_ndarray(), samples)
        assert (picture.pts, picture.time_base) == (pts, time_base)


@pytest.mark.skipif(sys.platform != "linux", reason="counts in /proc")
def test_leaves_nothing_open(target: Target) -> None:
    def left() -> tuple[int, int]:
        return len(list(Path("/proc/self/fd").iterdir())), threading.active_count()

    def use(turn: int) -> None:
        target.open(FORMAT)
        send(target, deliveries(5, begin=turn * 10.0), sounds(5, begin=turn * 10.0))
        target.close()

    gc.collect()  # what earlier tests have left goes now, and not in between
    use(0)
    files, threads = left()
    for turn in range(1, 4):
        use(turn)
        # A thread may be on its way to its end.
        until(lambda: (now := left())[0] <= files and now[1] <= threads)


@pytest.mark.parametrize("text", ["", "windows", "vir", "out", "WEB:1"])
def test_a_word_that_means_nothing_is_told(text: str) -> None:
    with pytest.raises(SettingsError, match="is no target: name window, virtual, web, -"):
        open_target(text, context())


@pytest.mark.parametrize("name", ["address", "hls", "recording"])
@pytest.mark.parametrize("wish", [{"preset": "nonsense"}, {"encoder": "nonsense"}])
def test_a_wish_that_no_encoder_fulfils_is_told_at_once(
    tmp_path: Path, name: str, wish: dict[str, str]
) -> None:
    settings = Settings(one_pass=True, **wish)  # type: ignore[arg-type]  # any of them
    with pytest.raises(TrackerBlurError, match="nonsense"):
        open_target(WORDS[name].format(folder=tmp_path), context(settings))


def test_every_kind_is_tested() -> None:
    assert {*WORDS, "stdout"} == set(KINDS)
    assert COUNT > 20
