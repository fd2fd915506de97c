"""Shows frames in a window; a program of its own that never loads PyAV.

OpenCV's windows hang if PyAV was loaded first (both contain parts of X11), end the whole process
when the screen goes away, and need the main thread on some systems.

Standard input: for each frame a header (`HEADER`), its line of text, and its samples as BGR.
Standard output: `READY` once the window is open, then each pressed key as one byte.
"""

from __future__ import annotations

import struct
import sys
from typing import BinaryIO

import cv2
import numpy as np
import numpy.typing as npt

HEADER = struct.Struct(">II?")
"""Bytes of text, bytes of samples, and whether the text is a warning."""

READY = b"\0"

_HELP = "q quit   space hide all   m method   + - strength   s save image"
_BAR_PX, _FONT_SCALE = 22, 0.45
_LIGHT, _RED, _DARK = (225, 225, 225), (60, 60, 235), 24
_ESCAPE, _QUIT = 27, b"q"


def run(title: str, size: tuple[int, int], source: BinaryIO, keys: BinaryIO) -> None:
    """Show frames of this (width, height) until there are no more or the window is closed.

    Escape and closing the window count as the key q.
    """
    width, height = size
    cv2.namedWindow(title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
    cv2.resizeWindow(title, width, height + 2 * _BAR_PX)
    cv2.waitKey(1)
    _send(keys, READY)
    while header := source.read(HEADER.size):
        text_length, length, is_warning = HEADER.unpack(header)
        text = source.read(text_length).decode()
        image = np.frombuffer(source.read(length), np.uint8).reshape(height, width, 3)
        cv2.imshow(title, _with_text(image, text, is_warning=is_warning))
        key = cv2.waitKey(1)
        if _is_closed(title):
            _send(keys, _QUIT)
            return
        if key >= 0:
            _send(keys, _QUIT if key & 0xFF == _ESCAPE else bytes([key & 0xFF]))


def _is_closed(title: str) -> bool:
    try:
        return cv2.getWindowProperty(title, cv2.WND_PROP_VISIBLE) < 1
    except cv2.error:  # Qt raises it for a closed window
        return True


def _send(keys: BinaryIO, data: bytes) -> None:
    keys.write(data)
    keys.flush()


def _with_text(
    image: npt.NDArray[np.uint8], text: str, *, is_warning: bool
) -> npt.NDArray[np.uint8]:
    """Return the image above two lines of text."""
    height, width = image.shape[:2]
    shown = np.full((height + 2 * _BAR_PX, width, 3), _DARK, np.uint8)
    shown[:height] = image
    for row, (line, color) in enumerate([(text, _RED if is_warning else _LIGHT), (_HELP, _LIGHT)]):
        origin = (8, height + (row + 1) * _BAR_PX - 6)
        cv2.putText(
            shown, line, origin, cv2.FONT_HERSHEY_SIMPLEX, _FONT_SCALE, color, 1, cv2.LINE_AA
        )
    return shown


def main() -> None:
    """Run as `python -m tracker_blur.realtime.window_process TITLE WIDTH HEIGHT`."""
    title, width, height = sys.argv[1:]
    try:
        run(title, (int(width), int(height)), sys.stdin.buffer, sys.stdout.buffer)
    except (cv2.error, BrokenPipeError, KeyboardInterrupt):
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
