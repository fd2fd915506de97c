"""The latest redacted picture as JPEG, made when somebody asks."""

from __future__ import annotations

import threading

import cv2

from tracker_blur.core.frame import view_size
from tracker_blur.realtime.delivery import Delivery
from tracker_blur.realtime.targets._pictures import frame_of

_LONGEST_PX = 1280
_PREVIEW_QUALITY, _STILL_QUALITY = 80, 95


class Preview:
    """A slot in which the newest picture replaces the one before; for one writer, many readers."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._encoding = threading.Lock()
        self._delivery: Delivery | None = None
        self._number = 0
        self._encoded = 0, b""
        self._is_over = False

    def show(self, delivery: Delivery) -> None:
        """Offer a picture."""
        frame_of(delivery)
        with self._changed:
            self._delivery = delivery
            self._number += 1
            self._changed.notify_all()

    def end(self) -> None:
        """Let everybody who waits go."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    def after(self, number: int, timeout_seconds: float) -> tuple[int, bytes] | None:
        """Wait for a picture newer than that of a number; return its number, and it as JPEG.

        None: there is none in time, or none any more.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._is_over or self._number > number, timeout_seconds)
            if self._is_over or self._number <= number or self._delivery is None:
                return None
            newest, delivery = self._number, self._delivery
        with self._encoding:  # once for all who look
            if self._encoded[0] < newest:
                self._encoded = newest, _jpeg(delivery, _LONGEST_PX, _PREVIEW_QUALITY)
            return self._encoded

    def still(self) -> bytes | None:
        """Return the latest picture at its full size as JPEG, or None."""
        with self._changed:
            delivery = self._delivery
        if delivery is None:
            return None
        return _jpeg(delivery, max(frame_of(delivery).size), _STILL_QUALITY)


def _jpeg(delivery: Delivery, longest_px: int, quality: int) -> bytes:
    frame = frame_of(delivery)
    view = frame.view(view_size(frame.size, longest_px))
    _, data = cv2.imencode(".jpg", view, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return data.tobytes()
