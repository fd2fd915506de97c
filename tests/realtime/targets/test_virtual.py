"""The virtual camera, by pyvirtualcam's own interface, on a device that keeps what it gets."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest

from tests.realtime.targets.deliveries import (
    COUNT,
    FORMAT,
    RATE,
    SIZE,
    context,
    deliveries,
    frames,
    likeness,
    send,
    sounds,
)
from tests.realtime.targets.fake_camera import FakeCamera
from tracker_blur.errors import MissingPackageError, SinkError
from tracker_blur.realtime.targets import open_target

pyvirtualcam = pytest.importorskip("pyvirtualcam", reason="needs the extra [live]")


@pytest.fixture
def camera(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[FakeCamera]]:
    """Give the only camera there is."""
    monkeypatch.setattr(pyvirtualcam.camera, "BACKENDS", {})
    pyvirtualcam.register_backend("fake", FakeCamera)
    monkeypatch.setattr(FakeCamera, "made", [])
    monkeypatch.setattr(FakeCamera, "is_there", True)
    yield FakeCamera


def test_shows_every_picture(camera: type[FakeCamera]) -> None:
    target = open_target("virtual", context())
    target.open(FORMAT)
    send(target, deliveries(), sounds())
    target.close()
    (made,) = camera.made
    assert (made.size, made.fps, made.is_open) == (SIZE, float(RATE), False)
    assert len(made.sent) == COUNT
    for sent, frame in zip(made.sent, frames(), strict=True):
        picture = cv2.cvtColor(sent.reshape(SIZE[1] * 3 // 2, SIZE[0]), cv2.COLOR_YUV2BGR_I420)
        assert likeness(picture, frame.view(SIZE)) > 30


def test_takes_the_device_that_is_named(camera: type[FakeCamera]) -> None:
    target = open_target("virtual:/dev/video3", context())
    target.open(FORMAT)
    assert camera.made[0].device() == "/dev/video3"
    target.close()


def test_a_missing_device_is_told_and_tried_again(camera: type[FakeCamera]) -> None:
    camera.is_there = False
    target = open_target("virtual", context())
    with pytest.raises(
        SinkError, match=r"no virtual camera \('fake' backend: no device found\): "
    ) as told:
        target.open(FORMAT)
    assert "v4l2loopback" in str(told.value)
    assert "OBS" in str(told.value)
    target.close()
    camera.is_there = True
    target.open(FORMAT)
    send(target, deliveries(3))
    camera.is_there = False
    with pytest.raises(SinkError, match="the camera takes no pictures"):
        send(target, deliveries(3))
    target.close()
    target.close()


@pytest.mark.skipif(
    sys.platform != "linux" or any(Path("/sys/class/video4linux").glob("*")),
    reason="there may be a virtual camera",
)
def test_without_v4l2loopback_the_way_to_it_is_told() -> None:
    target = open_target("virtual", context())
    with pytest.raises(SinkError, match="modprobe v4l2loopback"):
        target.open(FORMAT)
    target.close()


def test_a_missing_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    with pytest.raises(MissingPackageError, match=r"pip install '.*\[live\]'"):
        open_target("virtual", context())
