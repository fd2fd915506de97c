"""A virtual camera, for video calls and studio programs: virtual, or virtual:DEVICE."""

from __future__ import annotations

import importlib.util
from contextlib import suppress
from typing import TYPE_CHECKING

from tracker_blur.errors import MissingPackageError, SinkError
from tracker_blur.realtime.delivery import AudioChunk, Delivery, Format
from tracker_blur.realtime.targets import Context, frame_of, i420

if TYPE_CHECKING:
    import pyvirtualcam

_ADVICE = (
    "on Linux load v4l2loopback (modprobe v4l2loopback exclusive_caps=1), "
    "elsewhere install OBS Studio and start its virtual camera once"
)


def make(text: str, context: Context) -> VirtualCamera:
    """Return the virtual camera; raises MissingPackageError without pyvirtualcam."""
    if importlib.util.find_spec("pyvirtualcam") is None:
        raise MissingPackageError("pyvirtualcam", "live", "a virtual camera")
    return VirtualCamera(text, text.partition(":")[2] or None)


class VirtualCamera:
    """A camera that other programs see; device None: the first one there is.

    Raises SinkError on opening, when there is no such device; on showing, when it is gone.
    """

    is_reached = True

    def __init__(self, name: str, device: str | None) -> None:
        self.name = name
        self._device = device
        self._camera: pyvirtualcam.Camera | None = None

    def open(self, format: Format) -> None:
        """Take the device."""
        from pyvirtualcam import Camera, PixelFormat

        width, height = format.size
        try:
            self._camera = Camera(
                width, height, float(format.rate), fmt=PixelFormat.I420, device=self._device
            )
        except (RuntimeError, OSError) as error:
            reason = " ".join(str(error).split())
            raise SinkError(f"{self.name}: no virtual camera ({reason}): {_ADVICE}") from error

    def show(self, delivery: Delivery) -> None:
        """Show a picture; raises SinkError when that fails."""
        picture = frame_of(delivery).picture
        assert self._camera is not None
        try:
            self._camera.send(i420(picture))
        except (RuntimeError, OSError) as error:
            raise SinkError(f"{self.name}: the camera takes no pictures ({error})") from error

    def play(self, sound: AudioChunk) -> None:
        """Leave sound alone: a camera has none."""

    def close(self) -> None:
        """Let go of the device."""
        camera, self._camera = self._camera, None
        if camera is not None:
            with suppress(Exception):
                camera.close()
