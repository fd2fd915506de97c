"""What a target gets at of a delivery: the redacted frame, to be read only."""

from __future__ import annotations

import av
import numpy as np
import numpy.typing as npt

from tracker_blur.core.frame import RedactedFrame
from tracker_blur.realtime.delivery import Delivery
from tracker_blur.video.frame import DecodedFrame


def frame_of(delivery: Delivery) -> DecodedFrame:
    """Return the redacted frame; raises TypeError for anything else, raw frames above all."""
    redacted = delivery.redacted
    if not isinstance(redacted, RedactedFrame) or not isinstance(redacted.frame, DecodedFrame):
        raise TypeError(f"a target takes redacted frames only, not {redacted!r}")
    return redacted.frame


def copy_of(picture: av.VideoFrame) -> av.VideoFrame:
    """Return a copy of a yuv420p picture, for its time to be set: other targets read this one."""
    copy = av.VideoFrame(picture.width, picture.height, "yuv420p")
    for there, here in zip(_planes(copy), _planes(picture), strict=True):
        np.copyto(there, here)
    return copy


def i420(picture: av.VideoFrame) -> npt.NDArray[np.uint8]:
    """Return the samples of a yuv420p picture without gaps: all of Y, then U, then V."""
    return np.concatenate([plane.reshape(-1) for plane in _planes(picture)])


def _planes(picture: av.VideoFrame) -> list[npt.NDArray[np.uint8]]:
    return [
        np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[
            : plane.height, : plane.width
        ]
        for plane in picture.planes
    ]
