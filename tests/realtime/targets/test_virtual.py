"""The virtual camera, through pyvirtualcam, on a fake device."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.realtime.targets.deliveries import (
    COUNT,
    FORMAT,
    RATE,
    SIZE,
    make_audio,
    make_context,
    make_deliveries,
    psnr,
    redacted_frames,
    send,
)
from tests.realtime.targets.fake_camera import FakeCamera
from tracker_blur.errors import MissingPackageError, SinkError
from tracker_blur.realtime.targets import open_target

pyvirtualcam = pytest.importorskip("pyvirtualcam", reason="needs the extra [live]")


@pytest.fixture
def camera(monkeypatch: pytest.MonkeyPatch) -> type[FakeCamera]:
    """Make the fake camera the only one."""
    monkeypatch.setattr(pyvirtualcam.camera, "BACKENDS", {})
    pyvirtualcam.register_backend("fake", FakeCamera)
    monkeypatch.setattr(FakeCamera, "instances", [])
    monkeypatch.setattr(FakeCamera, "exists", True)
    return FakeCamera


def test_shows_every_frame(camera: type[FakeCamera]) -> None:
    target = open_target("virtual", make_context())
    target.open(FORMAT)
    send(target, make_deliveries(), make_audio())
    target.close()
    (opened,) = camera.instances
    assert (opened.size, opened.fps, opened.is_open) == (SIZE, float(RATE), False)
    assert len(opened.sent) == COUNT
    for sent, frame in zip(opened.sent, redacted_frames(), strict=True):
        image = cv2.cvtColor(sent.reshape(SIZE[1] * 3 // 2, SIZE[0]), cv2.COLOR_YUV2BGR_I420)
        assert psnr(np.asarray(image, np.uint8), frame.view(SIZE)) > 30


def test_opens_the_named_device(camera: type[FakeCamera]) -> None:
    target = open_target("virtual:/dev/video3", make_context())
    target.open(FORMAT)
    assert camera.instances[0].device() == "/dev/video3"
    target.close()


def test_missing_device_is_reported_and_can_be_opened_later(camera: type[FakeCamera]) -> None:
    camera.exists = False
    target = open_target("virtual", make_context())
    with pytest.raises(
        SinkError, match=r"no virtual camera \('fake' backend: no device found\): "
    ) as raised:
        target.open(FORMAT)
    assert "v4l2loopback" in str(raised.value)
    assert "OBS" in str(raised.value)
    target.close()
    camera.exists = True
    target.open(FORMAT)
    send(target, make_deliveries(3))
    camera.exists = False
    with pytest.raises(SinkError, match="the virtual camera accepts no frames"):
        send(target, make_deliveries(3))
    target.close()
    target.close()


@pytest.mark.skipif(
    sys.platform != "linux" or any(Path("/sys/class/video4linux").glob("*")),
    reason="there may be a virtual camera",
)
def test_message_without_v4l2loopback_says_how_to_load_it() -> None:
    target = open_target("virtual", make_context())
    with pytest.raises(SinkError, match="modprobe v4l2loopback"):
        target.open(FORMAT)
    target.close()


def test_missing_package_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    with pytest.raises(MissingPackageError, match=r"pip install '.*\[live\]'"):
        open_target("virtual", make_context())
