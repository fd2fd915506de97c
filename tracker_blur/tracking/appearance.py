"""Colors and gray patches of faces, to decide whether two boxes show the same one."""

from __future__ import annotations

from array import array
from collections import defaultdict
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from tracker_blur.core.box import Box
    from tracker_blur.core.frame import Image

_HUE_BINS, _SATURATION_BINS = 8, 3
_BYTES = _HUE_BINS * _SATURATION_BINS
_PATCH_PX = 32


def color_histogram(image: Image, box: Box) -> bytes:
    """Return the colors in a box, in pixels of the image, as 24 shares of 255."""
    height, width = image.shape[:2]
    left, top, right, bottom = box.clipped(width, height).outward()
    crop = image[top : max(bottom, top + 1), left : max(right, left + 1)]
    if not crop.size:
        return bytes(_BYTES)
    hsv = cv2.cvtColor(crop, cv2.COLOR_BGR2HSV)
    bins = [_HUE_BINS, _SATURATION_BINS]
    counts = cv2.calcHist([hsv], [0, 1], None, bins, [0, 180, 0, 256])
    return np.asarray(np.rint(counts.ravel() * (255 / counts.sum())), np.uint8).tobytes()


def common_color_share(one: bytes, other: bytes) -> float:
    """Return the share of colors, 0 to 1, that two histograms have in common."""
    shares = np.minimum(np.frombuffer(one, np.uint8), np.frombuffer(other, np.uint8))
    return float(shares.sum()) / 255


def gray_patch(image: Image, box: Box) -> npt.NDArray[np.float32]:
    """Return what is in a box, in pixels of the image, in gray, shape (32, 32)."""
    height, width = image.shape[:2]
    left, top, right, bottom = box.clipped(width, height).outward()
    crop = image[top : max(bottom, top + 1), left : max(right, left + 1)]
    if not crop.size:
        return np.zeros((_PATCH_PX, _PATCH_PX), np.float32)
    size = (_PATCH_PX, _PATCH_PX)
    small = cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(small, cv2.COLOR_BGR2GRAY).astype(np.float32)


def likeness(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> float:
    """Return the correlation of two gray patches, -1 to 1."""
    return float(cv2.matchTemplate(one, other, cv2.TM_CCOEFF_NORMED)[0, 0])


class Appearance:
    """The color histogram of each face in each frame where it was detected: 28 bytes each."""

    def __init__(self) -> None:
        self._frames: defaultdict[int, array[int]] = defaultdict(lambda: array("i"))
        self._histograms: defaultdict[int, bytearray] = defaultdict(bytearray)

    def add(self, track_id: int, frame: int, histogram: bytes) -> None:
        """Remember a face's histogram in a frame."""
        self._frames[track_id].append(frame)
        self._histograms[track_id] += histogram

    def between(self, start: int, stop: int) -> Appearance:
        """Return those in these frames, which are counted from `start`."""
        part = Appearance()
        for track_id, (frames, histograms) in self._arrays():
            keep = (frames >= start) & (frames < stop)
            part._set(track_id, frames[keep] - np.intc(start), histograms[keep])  # its own
        return part

    def forget(self, before: int) -> None:
        """Forget those in earlier frames than this one."""
        for track_id, (frames, histograms) in list(self._arrays()):
            if frames.min(initial=before) < before:
                keep = frames >= before
                self._set(track_id, frames[keep], histograms[keep])

    def _arrays(self) -> Iterator[tuple[int, tuple[npt.NDArray[np.intc], npt.NDArray[np.uint8]]]]:
        for track_id, frames in self._frames.items():
            histograms = np.frombuffer(bytes(self._histograms[track_id]), np.uint8)
            yield track_id, (np.array(frames, np.intc), histograms.reshape(-1, _BYTES))

    def _set(
        self, track_id: int, frames: npt.NDArray[np.intc], histograms: npt.NDArray[np.uint8]
    ) -> None:
        self._frames.pop(track_id, None)
        self._histograms.pop(track_id, None)
        if len(frames):
            self._frames[track_id] = array("i", frames.tobytes())
            self._histograms[track_id] = bytearray(histograms.tobytes())

    def at(self, track_id: int, frame: int) -> bytes:
        """Return the histogram of a face in a frame.

        Raises:
            KeyError: the face was not detected in it.
        """
        rows = np.flatnonzero(np.frombuffer(self._frames[track_id], np.intc) == frame)
        if not len(rows):
            raise KeyError((track_id, frame))
        start = _BYTES * int(rows[-1])
        return bytes(self._histograms[track_id][start : start + _BYTES])
