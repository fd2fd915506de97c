"""A virtual camera for video calls and studio programs: virtual or virtual:DEVICE."""

from __future__ import annotations

import importlib.util
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from tracker_blur.errors import MissingPackageError, SinkError
from tracker_blur.realtime.targets import TargetContext, redacted_frame
from tracker_blur.video.pixel_formats import planes

if TYPE_CHECKING:
    import av
    import numpy.typing as npt
    import pyvirtualcam

    from tracker_blur.realtime.delivery import AudioChunk, Delivery, Format

_ADVICE = (
    "on Linux load v4l2loopback (modprobe v4l2loopback exclusive_caps=1), "
    "elsewhere install OBS Studio and start its virtual camera once"
)


def make(text: str, context: TargetContext) -> VirtualCameraTarget:
    """Return the target; raises MissingPackageError without pyvirtualcam."""
    if importlib.util.find_spec("pyvirtualcam") is None:
        raise MissingPackageError("pyvirtualcam", "live", "a virtual camera")
    return VirtualCameraTarget(text, text.partition(":")[2] or None)


class VirtualCameraTarget:
    """Feeds a camera that other programs see.

    `open` raises SinkError if there is no such device, and `show` if it is gone.

    Args:
        name: As the user wrote it.
        device: Of the camera; None: the first one.
    """

    is_reached = True

    def __init__(self, name: str, device: str | None) -> None:
        self.name = name
        self._device = device
        self._camera: pyvirtualcam.Camera | None = None

    def open(self, format: Format) -> None:
        """Open the device."""
        from pyvirtualcam import Camera, PixelFormat

        width, height = format.size
        try:
            self._camera = Camera(
                width, height, float(format.rate), fmt=PixelFormat.I420, device=self._device
            )
        except (RuntimeError, OSError) as error:
            reason = " ".join(str(error).split())
            raise SinkError(
                f"{self.name}: there is no virtual camera ({reason}): {_ADVICE}"
            ) from error

    def show(self, delivery: Delivery) -> None:
        """Send a frame; raises SinkError if that fails."""
        frame = redacted_frame(delivery).av_frame
        assert self._camera is not None
        try:
            self._camera.send(_i420_samples(frame))
        except (RuntimeError, OSError) as error:
            raise SinkError(
                f"{self.name}: the virtual camera accepts no frames ({error})"
            ) from error

    def play(self, audio: AudioChunk) -> None:
        """Ignore audio: a camera has none."""

    def close(self) -> None:
        """Release the device."""
        camera, self._camera = self._camera, None
        if camera is not None:
            with suppress(Exception):
                camera.close()


def _i420_samples(frame: av.VideoFrame) -> npt.NDArray[np.uint8]:
    """Return the samples of a yuv420p frame without padding: all of Y, then U, then V."""
    return np.concatenate([plane.samples.reshape(-1) for plane in planes(frame)], dtype=np.uint8)
